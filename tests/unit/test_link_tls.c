/*
 * The link over tls+tcp: who is let in, what a change of files does, and that
 * nobody who does not play along stops the listener. Certificates are made by
 * systemd/postern-pki.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "proto/link_client.h"
#include "proto/link_server.h"

#define HANG_MS 20000
/* What is refused is refused in a few milliseconds; a listener or dialer that
 * took it would have answered by now. */
#define REFUSED_MS 500
#define PEERS      1000
#define SILENT     20

static char directory[] = "/tmp/postern-test-tls-XXXXXX";
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;

/* ---- files ----------------------------------------------------------------
 */

static void
spawn(char *const argv[])
{
	pid_t pid;
	int status;

	assert_int_equal(
	    posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
pki(const char *name, const char *command, const char *argument)
{
	char dir[128], shell[512];

	(void)snprintf(dir, sizeof dir, "%s/%s", directory, name);
	(void)snprintf(shell, sizeof shell,
	    POSTERN_TEST_PKI " --force --dir %s %s %s >/dev/null", dir, command,
	    argument);
	spawn((char *[]){(char[]){"sh"}, (char[]){"-c"}, shell, NULL});
}

/* "a/ca.crt" below the test's directory; kept for ever. */
static const char *
path_of(const char *name)
{
	char *path = malloc(256);

	assert_non_null(path);
	(void)snprintf(path, 256, "%s/%s", directory, name);
	return path;
}

static void
copy(const char *from, const char *to)
{
	spawn((char *[]){(char[]){"cp"}, (char *)(uintptr_t)path_of(from),
	    (char *)(uintptr_t)path_of(to), NULL});
}

static struct link_tls
files(const char *ca, const char *stem)
{
	char name[128];
	struct link_tls tls = {.ca = path_of(ca)};

	(void)snprintf(name, sizeof name, "%s.crt", stem);
	tls.cert = path_of(name);
	(void)snprintf(name, sizeof name, "%s.key", stem);
	tls.key = path_of(name);
	return tls;
}

/* ---- both ends ------------------------------------------------------------
 */

struct gateway {
	struct link_server *server;
	char url[64];
	uint16_t port;
	unsigned lost;
	char peer[LINK_PEER_BYTES];
};

static void
received(void *user, struct link_request *request, struct span bytes)
{
	struct gateway *gateway = user;

	pthread_mutex_lock(&lock);
	link_request_peer(request, gateway->peer);
	pthread_mutex_unlock(&lock);
	link_answer(request, bytes);
}

static void
pipe_lost(void *user, uint32_t pipe)
{
	struct gateway *gateway = user;

	(void)pipe;
	pthread_mutex_lock(&lock);
	gateway->lost++;
	pthread_mutex_unlock(&lock);
}

static uint16_t
free_port(void)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static struct gateway *
gateway_open(const struct link_tls *tls)
{
	struct gateway *gateway = calloc(1, sizeof *gateway);
	const struct link_server_handlers handlers = {
	    gateway, received, pipe_lost};
	struct err_detail detail = {{0}};

	assert_non_null(gateway);
	gateway->port = free_port();
	(void)snprintf(gateway->url, sizeof gateway->url,
	    "tls+tcp://127.0.0.1:%u", gateway->port);
	assert_int_equal(
	    link_server_open(&handlers, &gateway->server, &detail), OK);
	if (link_server_listen(gateway->server, gateway->url, tls, &detail) !=
	    OK)
		fail_msg("%s", detail.text);
	return gateway;
}

struct engine {
	struct link_client *client;
	bool done;
	enum err err;
};

static void
answered(void *user, unsigned context, enum err err, struct span bytes)
{
	struct engine *engine = user;

	(void)context;
	(void)bytes;
	pthread_mutex_lock(&lock);
	engine->done = true;
	engine->err = err;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
connected(void *user, bool up)
{
	(void)user;
	(void)up;
}

static struct engine *
engine_open(
    const struct gateway *gateway, struct link_tls tls, const char *name)
{
	struct engine *engine = calloc(1, sizeof *engine);
	const struct link_client_handlers handlers = {
	    engine, answered, connected};
	struct err_detail detail = {{0}};

	assert_non_null(engine);
	tls.server_name = name;
	if (link_client_open(gateway->url, &tls, 1, &handlers, &engine->client,
		&detail) != OK)
		fail_msg("%s", detail.text);
	return engine;
}

static enum err
ask(struct engine *engine, int timeout_ms)
{
	engine->done = false;
	link_ask(engine->client, 0, span_str("question"), timeout_ms);
	pthread_mutex_lock(&lock);
	while (!engine->done)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	return engine->err;
}

static void
gets_in(const struct gateway *gateway, struct link_tls tls)
{
	assert_int_equal(
	    ask(engine_open(gateway, tls, "gw.test"), HANG_MS), OK);
}

static void
stays_out(const struct gateway *gateway, struct link_tls tls, const char *name)
{
	assert_int_equal(
	    ask(engine_open(gateway, tls, name), REFUSED_MS), ERR_TIMEOUT);
}

/* ---- tests ----------------------------------------------------------------
 */

static void
lets_engines_of_the_authority_in(void **state)
{
	struct link_tls gate = files("a/ca.crt", "a/gateway-gw.test");
	struct gateway *gateway = gateway_open(&gate);

	(void)state;
	gets_in(gateway, files("a/ca.crt", "a/engine-one"));
	assert_memory_equal(gateway->peer, "127.0.0.1:", 10);
}

static void
keeps_everybody_else_out(void **state)
{
	struct link_tls gate = files("a/ca.crt", "a/gateway-gw.test");
	struct gateway *gateway = gateway_open(&gate);

	(void)state;
	/* A server's certificate; another authority's; the wrong name; another
	 * authority believed in. */
	stays_out(gateway, files("a/ca.crt", "a/gateway-gw.test"), "gw.test");
	stays_out(gateway, files("a/ca.crt", "b/engine-one"), "gw.test");
	stays_out(gateway, files("a/ca.crt", "a/engine-one"), "else.test");
	stays_out(gateway, files("b/ca.crt", "a/engine-one"), "gw.test");
	gets_in(gateway, files("a/ca.crt", "a/engine-one"));
}

static void
engines_know_a_gateway_by_its_usage(void **state)
{
	/* An engine's certificate that has the gateway's name. */
	struct link_tls gate = files("a/ca.crt", "a/engine-gw.test");
	struct gateway *gateway = gateway_open(&gate);

	(void)state;
	stays_out(gateway, files("a/ca.crt", "a/engine-one"), "gw.test");
}

static void
new_files_are_for_new_connections(void **state)
{
	struct link_tls gate = files("live/ca.crt", "live/gateway");
	struct link_tls mine = files("live/ca.crt", "live/engine");
	struct err_detail detail = {{0}};
	struct gateway *gateway;
	struct engine *old;

	(void)state;
	copy("a/ca.crt", "live/ca.crt");
	copy("a/gateway-gw.test.crt", "live/gateway.crt");
	copy("a/gateway-gw.test.key", "live/gateway.key");
	copy("a/engine-one.crt", "live/engine.crt");
	copy("a/engine-one.key", "live/engine.key");
	gateway = gateway_open(&gate);
	old = engine_open(gateway, mine, "gw.test");
	assert_int_equal(ask(old, HANG_MS), OK);

	copy("b/gateway-gw.test.crt", "live/gateway.crt");
	copy("b/gateway-gw.test.key", "live/gateway.key");
	copy("b/ca.crt", "live/ca.crt");
	assert_int_equal(link_server_reload(gateway->server, &detail), OK);
	stays_out(gateway, files("a/ca.crt", "a/engine-one"), "gw.test");
	gets_in(gateway, files("b/ca.crt", "b/engine-one"));
	assert_int_equal(ask(old, HANG_MS), OK);
	assert_int_equal(gateway->lost, 0);

	/* The engine's files, for its next connection. */
	copy("b/engine-one.crt", "live/engine.crt");
	copy("b/engine-one.key", "live/engine.key");
	assert_int_equal(link_client_reload(old->client, &detail), OK);
	assert_int_equal(ask(old, HANG_MS), OK);
	assert_int_equal(link_client_redial(old->client, &detail), OK);
	assert_int_equal(ask(old, HANG_MS), OK);
}

static void
bad_files_are_refused_and_the_old_stay(void **state)
{
	struct link_tls gate = files("bad/ca.crt", "bad/gateway");
	struct err_detail detail = {{0}};
	struct gateway *gateway;

	(void)state;
	copy("a/ca.crt", "bad/ca.crt");
	copy("a/gateway-gw.test.crt", "bad/gateway.crt");
	copy("a/gateway-gw.test.key", "bad/gateway.key");
	gateway = gateway_open(&gate);
	copy("a/engines.keys", "bad/gateway.crt");
	assert_int_equal(
	    link_server_reload(gateway->server, &detail), ERR_INVALID);
	assert_non_null(strstr(detail.text, "gateway.crt"));
	unlink(path_of("bad/gateway.crt"));
	assert_int_not_equal(link_server_reload(gateway->server, &detail), OK);
	gets_in(gateway, files("a/ca.crt", "a/engine-one"));
}

static void
addresses_need_a_name(void **state)
{
	static const char *const urls[] = {"tls+tcp://", "tls+tcp://h",
	    "tls+tcp://h:", "tls+tcp://h:0", "tls+tcp://h:70000",
	    "tls+tcp://::1:5", "tls+tcp://:5", "tls+tcp://h/x:5", "ipc:///x"};
	struct link_tls mine = files("a/ca.crt", "a/engine-one");
	const struct link_client_handlers handlers = {
	    NULL, answered, connected};
	struct err_detail detail = {{0}};
	struct link_client *client;
	char host[64];

	(void)state;
	assert_int_equal(link_client_open("tls+tcp://127.0.0.1:5", &mine, 1,
			     &handlers, &client, &detail),
	    ERR_INVALID);
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
		assert_int_equal(
		    link_tls_host(urls[i], host, sizeof host, &detail),
		    ERR_INVALID);
	assert_int_equal(
	    link_tls_host("tls+tcp://[::1]:5", host, sizeof host, &detail), OK);
	assert_string_equal(host, "::1");
	assert_false(link_tls_is_dns_name(host));
	assert_true(link_tls_is_dns_name("gw.test"));
}

static int
raw_connect(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* Why there is no canary for this listener (link_remote.h). */
static void
nobody_stops_the_listener(void **state)
{
	static const uint8_t half_hello[] = {
	    0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
	static const char garbage[] = "\0SP\0\0\60\0\0garbage";
	const struct linger reset = {1, 0};
	struct link_tls gate = files("a/ca.crt", "a/gateway-gw.test");
	struct gateway *gateway = gateway_open(&gate);
	struct engine *old =
	    engine_open(gateway, files("a/ca.crt", "a/engine-one"), "gw.test");
	struct err_detail detail = {{0}};
	int silent[SILENT];

	(void)state;
	assert_int_equal(ask(old, HANG_MS), OK);
	for (unsigned i = 0; i < SILENT; i++)
		silent[i] = raw_connect(gateway->port);
	for (unsigned i = 0; i < PEERS; i++) {
		int fd = raw_connect(gateway->port);

		if (i % 4 == 1)
			(void)send(fd, garbage, sizeof garbage, MSG_NOSIGNAL);
		if (i % 4 >= 2)
			(void)send(
			    fd, half_hello, sizeof half_hello, MSG_NOSIGNAL);
		if (i % 4 == 3)
			(void)setsockopt(
			    fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(fd);
	}
	assert_int_equal(link_server_check(gateway->server, span_str("ping"),
			     HANG_MS, &detail),
	    OK);
	gets_in(gateway, files("a/ca.crt", "a/engine-one"));
	assert_int_equal(ask(old, HANG_MS), OK);
	assert_int_equal(gateway->lost, 0);
	for (unsigned i = 0; i < SILENT; i++)
		close(silent[i]);
}

static void
make_files(void)
{
	static const char *const authorities[] = {"a", "b"};

	for (unsigned i = 0; i < 2; i++) {
		pki(authorities[i], "init", "");
		pki(authorities[i], "gateway", "gw.test");
		pki(authorities[i], "engine", "one");
	}
	pki("a", "engine", "gw.test");
	spawn((char *[]){(char[]){"mkdir"}, (char *)(uintptr_t)path_of("live"),
	    (char *)(uintptr_t)path_of("bad"), NULL});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lets_engines_of_the_authority_in),
	    cmocka_unit_test(keeps_everybody_else_out),
	    cmocka_unit_test(engines_know_a_gateway_by_its_usage),
	    cmocka_unit_test(new_files_are_for_new_connections),
	    cmocka_unit_test(bad_files_are_refused_and_the_old_stay),
	    cmocka_unit_test(addresses_need_a_name),
	    cmocka_unit_test(nobody_stops_the_listener),
	};
	int failed;

	pthread_cond_init(&changed, NULL);
	log_setup("test", LOG_TEXT, LOG_ERROR);
	if (mkdtemp(directory) == NULL)
		return 1;
	make_files();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	spawn((char *[]){(char[]){"rm"}, (char[]){"-r"}, directory, NULL});
	/* nng's threads are still there: no destructors. */
	fflush(NULL);
	_exit(failed == 0 ? 0 : 1);
}

/*
 * The server over real connections: keep-alive, pipelining, framing as civetweb
 * cuts it, counters, draining.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/un.h>

#include "common/metric.h"
#include "gateway/http/http_probe.h"
#include "tests/unit/http_fixture.h"

/* ---- connections ---- */

static void
keeps_connections(void **state)
{
	(void)state;
	client_open();
	for (unsigned i = 0; i < 20; i++) {
		client_send(POST("/echo", JSON, "2") "{}");
		take_answer();
		assert_status(200);
		client_send("GET /nowhere HTTP/1.1\r\n" HOST "\r\n");
		take_answer();
		assert_status(404);
	}
	client_send(
	    "GET /who/a/is HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	take_answer();
	assert_has("Connection: close\r\n");
	assert_ends();
	client_close();
}

static void
serves_pipelined_requests_in_order(void **state)
{
	(void)state;
	client_open();
	client_send(POST("/echo", JSON, "3") "\"1\"" POST(
	    "/echo", JSON, "3") "\"2\""
				"GET /who/third/is HTTP/1.1\r\n" HOST "\r\n");
	take_answer();
	assert_has("1:3:\"1\"");
	take_answer();
	assert_has("1:3:\"2\"");
	take_answer();
	assert_has("idp=third");
	client_close();
}

/* An unread body is never the next request. */
static void
drops_what_follows_an_unread_body(void **state)
{
	static const char hidden[] =
	    "GET /who/hidden/is HTTP/1.1\r\n" HOST "\r\n";
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof text,
	    "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s",
	    sizeof hidden - 1, hidden);
	client_open();
	client_send(text);
	take_answer();
	assert_status(404);
	assert_ends();
	client_close();
}

/* LF SP ended the request line: see is_first_header_length() in the guard. */
static void
keeps_nothing_after_a_doubtful_length(void **state)
{
	(void)state;
	client_open();
	client_send("POST /nowhere HTTP/1.1\n Content-Length: 0\r\n" HOST
		    "\r\nGET /who/hidden/is HTTP/1.1\r\n" HOST "\r\n");
	take_answer();
	assert_status(404);
	assert_has("Connection: close\r\n");
	assert_ends();
	client_close();
}

static void
speaks_http_1_0(void **state)
{
	(void)state;
	client_open();
	client_send("GET /who/a/is HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	take_answer();
	assert_status(200);
	assert_has("Connection: close\r\n");
	assert_ends();
	client_close();
	exchange("GET /who/a/is HTTP/1.0\r\n\r\n");
	assert_status(200);
}

/* ---- framing: that civetweb's cuts are what the guard was made for ---- */

static void
refuses_smuggling(void **state)
{
	int64_t before = metric_value(M_HTTP_REFUSED, "line", NULL);

	(void)state;
	refused("POST /echo HTTP/1.1\r\n" HOST
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\nGET /who/hidden/is HTTP/1.1\r\n" HOST "\r\n",
	    400);
	refused("POST /echo HTTP/1.1\r\n" HOST
		"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
	    400);
	refused("POST /echo HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    411);
	refused(
	    "POST /echo HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\n", 400);
	refused(
	    "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5x\r\n\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\n" HOST "X: y\r\n z\r\n\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\n" HOST
		"X: y\r\n z: q\r\nB: c\r\n\r\n",
	    400);
	refused("GET /who/a/is HTTP/1.1\nHost: localhost\n\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\nHost: localhost\n\r\n\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\n" HOST ": x\r\nA: b\r\n\r\n", 400);
	assert_int_equal(
	    metric_value(M_HTTP_REFUSED, "line", NULL), before + 5);
}

static void
refuses_other_heads(void **state)
{
	(void)state;
	refused("GET /who/a/is HTTP/1.1\r\n\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\n" HOST HOST "\r\n", 400);
	refused("GET  /who/a/is HTTP/1.1\r\n" HOST "\r\n", 400);
	refused("GET /who/a/is#b HTTP/1.1\r\n" HOST "\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", 417);
	/* what civetweb itself refuses */
	refused("GET /who/a/is HTTP/2.0\r\n" HOST "\r\n", 505);
	refused("GET /who/a/is\r\n\r\n", 400);
	refused("BREW /who/a/is HTTP/1.1\r\n" HOST "\r\n", 400);
	refused("CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\n" HOST "no colon\r\n\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\nHost: a\001\r\n\r\n", 400);
	refused("GET /who/a/is HTTP/1.1\r\nHost: h\r\n: \r\r\n", 400);
}

/* civetweb has no callback for these: it closes without an answer. */
static void
closes_on_other_targets(void **state)
{
	static const char *const lines[] = {"GET http://localhost/who/a/is",
	    "OPTIONS *", "GET http://127.0.0.1:80/who/a/is"};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		client_open();
		client_send(lines[i]);
		client_send(" HTTP/1.1\r\n" HOST "\r\n");
		while (client_read(HANG_MS))
			;
		assert_true(client.is_closed);
		assert_null(strstr(client.text, "HTTP/1.1 200 "));
		client_close();
	}
}

static void
bounds_heads(void **state)
{
	static char text[40000];
	size_t len;

	(void)state;
	len = (size_t)snprintf(
	    text, sizeof text, "GET /who/a/is HTTP/1.1\r\n" HOST);
	for (unsigned i = 0; i < 63; i++)
		len += (size_t)snprintf(
		    text + len, sizeof text - len, "X-%u: y\r\n", i);
	(void)snprintf(text + len, sizeof text - len, "\r\n");
	refused(text, 431);
	len = (size_t)snprintf(
	    text, sizeof text, "GET /who/a/is HTTP/1.1\r\n" HOST "X: ");
	memset(text + len, 'x', 17000);
	(void)snprintf(
	    text + len + 17000, sizeof text - len - 17000, "\r\n\r\n");
	client_open();
	client_send(text);
	take_answer();
	assert_status(400);
	client_close();
	/* a head that never ends */
	client_open();
	client_send("GET /who/a/is HTTP/1.1\r\nHost: lo");
	take_answer();
	assert_status(400);
	assert_ends();
	client_close();
}

static void
counts_requests(void **state)
{
	int64_t found = metric_value(M_HTTP_REQUESTS, "who", "200");
	int64_t missed = metric_value(M_HTTP_REQUESTS, "none", "404");

	(void)state;
	client_open();
	client_send("GET /who/a/is HTTP/1.1\r\n" HOST "\r\n");
	take_answer();
	client_send(
	    "GET /nowhere HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	take_answer();
	assert_ends(); /* counted before the connection is closed */
	client_close();
	assert_int_equal(
	    metric_value(M_HTTP_REQUESTS, "who", "200"), found + 1);
	assert_int_equal(
	    metric_value(M_HTTP_REQUESTS, "none", "404"), missed + 1);
}

/* ---- the end ---- */

static void *
drain_main(void *unused)
{
	(void)unused;
	assert_true(http_drain(server, HANG_MS));
	http_close(server);
	return NULL;
}

static void
wait_until_held(void)
{
	assert_int_equal(pthread_mutex_lock(&hold_mutex), 0);
	while (!is_held)
		(void)pthread_cond_wait(&hold_changed, &hold_mutex);
	assert_int_equal(pthread_mutex_unlock(&hold_mutex), 0);
}

static void
let_go(void)
{
	assert_int_equal(pthread_mutex_lock(&hold_mutex), 0);
	may_go = true;
	(void)pthread_cond_broadcast(&hold_changed);
	assert_int_equal(pthread_mutex_unlock(&hold_mutex), 0);
}

static void
take_answer_of(int fd, int status)
{
	client.fd = fd;
	client.len = 0;
	client.text[0] = '\0';
	take_answer();
	assert_status(status);
	client_close();
}

static void
finishes_what_runs_when_drained(void **state)
{
	int64_t limit_us = clock_mono_us() + HANG_MS * 1000;
	pthread_t drainer;
	int held_fd;

	(void)state;
	client_open();
	client_send("GET /hold HTTP/1.1\r\n" HOST "\r\n");
	wait_until_held();
	held_fd = client.fd;
	assert_int_equal(pthread_create(&drainer, NULL, drain_main, NULL), 0);
	do { /* until the drain has begun */
		exchange("GET /who/a/is HTTP/1.1\r\n" HOST "\r\n");
	} while (strncmp(answer, "HTTP/1.1 503 ", 13) != 0 &&
		 clock_mono_us() < limit_us);
	assert_status(503);
	assert_has("temporarily_unavailable");
	assert_has("Connection: close\r\n");
	let_go();
	take_answer_of(held_fd, 200);
	assert_int_equal(pthread_join(drainer, NULL), 0);
	server = NULL;
}

/* ---- a socket that outlives its server ---- */

/* Where systemd puts the first kept socket. */
#define KEPT_FD 3

/* The socket that the server gave to its manager, now at KEPT_FD. */
static void
receive_kept(int manager)
{
	char text[256];
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iovec = {text, sizeof text - 1};
	struct msghdr message = {.msg_iov = &iovec,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof control};
	ssize_t len;
	int fd;

	memset(&control, 0, sizeof control);
	len = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
	assert_true(len > 0);
	text[len] = '\0';
	assert_non_null(strstr(text, "FDSTORE=1"));
	assert_non_null(strstr(text, "FDNAME=test"));
	assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
	assert_int_equal(dup2(fd, KEPT_FD), KEPT_FD);
	close(fd);
}

static int
open_manager(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	(void)snprintf(address.sun_path, sizeof address.sun_path,
	    "/tmp/test_http_server.%d", (int)getpid());
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
	return fd;
}

static void
close_manager(int fd)
{
	assert_int_equal(unlink(getenv("NOTIFY_SOCKET")), 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(close(fd), 0);
}

/* As the process after would: the socket is there, and said to be. */
static void
pass_kept(void)
{
	char pid[16];

	(void)snprintf(pid, sizeof pid, "%d", (int)getpid());
	assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
	assert_int_equal(setenv("LISTEN_FDS", "1", 1), 0);
	assert_int_equal(setenv("LISTEN_FDNAMES", "test", 1), 0);
}

static void
lets_newcomers_wait_for_the_next_server(void **state)
{
	struct http_config config;
	struct err_detail detail;
	char listen[32];
	int manager;

	(void)state;
	assert_int_equal(stop(NULL), 0); /* the other tests' server */
	manager = open_manager();
	assert_int_equal(start(NULL), 0);
	receive_kept(manager);
	assert_true(http_drain(server, HANG_MS));
	/* Into the queue of a socket that nobody accepts from. */
	client_open();
	client_send("GET /who/a/is HTTP/1.1\r\n" HOST "\r\n");
	http_close(server);
	pass_kept();
	(void)snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
	config = config_for(listen);
	assert_int_equal(http_open(&config, &server, &detail), OK);
	assert_int_equal(http_port(server), port);
	take_answer_of(client.fd, 200);
	exchange("GET /who/a/is HTTP/1.1\r\n" HOST "\r\n");
	assert_status(200);
	assert_int_equal(stop(NULL), 0);
	assert_int_equal(unsetenv("LISTEN_FDS"), 0);
	close_manager(manager);
	assert_int_equal(start(NULL), 0);
}

static void
answers_itself(void **state)
{
	struct err_detail detail = {{0}};
	uint64_t before = http_answered(server);
	int64_t limit_us = clock_mono_us() + HANG_MS * 1000;

	(void)state;
	assert_int_equal(
	    http_probe("127.0.0.1:0", port, "/who/a/is", HANG_MS, &detail), OK);
	/* Counted once the answer is out. */
	while (http_answered(server) == before && clock_mono_us() < limit_us)
		sched_yield();
	assert_true(http_answered(server) > before);
	assert_int_equal(
	    http_probe("127.0.0.1:0", port, "/nowhere", HANG_MS, &detail),
	    ERR_STATE);
	assert_non_null(strstr(detail.text, "404"));
	/* Nobody listens there. */
	assert_int_equal(
	    http_probe("127.0.0.1:0", 1, "/", HANG_MS, &detail), ERR_IO);
}

static void
says_why_it_cannot_listen(void **state)
{
	char listen[32];
	struct http_config config;
	struct http_server *other;
	struct err_detail detail = {{0}};

	(void)state;
	(void)snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
	config = config_for(listen);
	assert_int_equal(http_open(&config, &other, &detail), ERR_IO);
	assert_non_null(strstr(detail.text, listen));
	config = config_for("8080");
	assert_int_equal(http_open(&config, &other, &detail), ERR_INVALID);
	config = config_for("127.0.0.1:0");
	config.trusted_proxy = "proxy.example";
	assert_int_equal(http_open(&config, &other, &detail), ERR_INVALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_connections),
	    cmocka_unit_test(serves_pipelined_requests_in_order),
	    cmocka_unit_test(drops_what_follows_an_unread_body),
	    cmocka_unit_test(keeps_nothing_after_a_doubtful_length),
	    cmocka_unit_test(speaks_http_1_0),
	    cmocka_unit_test(refuses_smuggling),
	    cmocka_unit_test(refuses_other_heads),
	    cmocka_unit_test(closes_on_other_targets),
	    cmocka_unit_test(bounds_heads),
	    cmocka_unit_test(counts_requests),
	    cmocka_unit_test(says_why_it_cannot_listen),
	    cmocka_unit_test(answers_itself),
	    cmocka_unit_test(lets_newcomers_wait_for_the_next_server),
	    cmocka_unit_test(finishes_what_runs_when_drained),
	};

	/* Nothing of the server's may get it. */
	if (fcntl(KEPT_FD, F_GETFD) < 0 && dup2(STDERR_FILENO, KEPT_FD) < 0)
		return 1;
	return cmocka_run_group_tests(tests, start, stop);
}

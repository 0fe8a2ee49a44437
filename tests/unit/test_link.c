/*
 * Both ends of the link in one process over ipc; a second process (this
 * binary with --client) where a peer has to die. Every wait is for a condition
 * with a deadline that only a hang passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "proto/link_client.h"
#include "proto/link_server.h"
#include "proto/message.h"
#include "tests/unit/sever.h"

#define HANG_MS       20000
#define CONTEXTS_MAX  64
#define HELD_MAX      256
#define FLOOD         1000
#define CHECKS        2000
#define CHECK_WAIT_MS 2000

static char *own_path;
static char directory[] = "/tmp/postern-test-link-XXXXXX";

/* One lock and condition for everything the callbacks tell. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;

/* ---- the gateway's end -------------------------------------------------- */

struct gateway {
	struct link_server *server;
	char url[128];
	char path[100]; /* fits a socket's address */
	bool holds;     /* keeps requests instead of echoing them */
	unsigned received;
	unsigned lost; /* calls of pipe_lost */
	uint32_t last_pipe;
	uint32_t last_lost;
	struct link_request *held[HELD_MAX];
	unsigned held_count;
};

static void
gateway_received(void *user, struct link_request *request, struct span bytes)
{
	struct gateway *gateway = user;
	bool holds;

	pthread_mutex_lock(&lock);
	gateway->received++;
	gateway->last_pipe = link_request_pipe(request);
	holds = gateway->holds;
	if (holds) {
		assert_true(gateway->held_count < HELD_MAX);
		gateway->held[gateway->held_count++] = request;
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	if (!holds)
		link_answer(request, bytes);
}

static void
gateway_pipe_lost(void *user, uint32_t pipe)
{
	struct gateway *gateway = user;

	pthread_mutex_lock(&lock);
	gateway->lost++;
	gateway->last_lost = pipe;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static struct gateway *
gateway_new(const char *name, bool holds)
{
	struct gateway *gateway = calloc(1, sizeof *gateway);

	assert_non_null(gateway);
	gateway->holds = holds;
	snprintf(gateway->path, sizeof gateway->path, "%s/%s", directory, name);
	snprintf(gateway->url, sizeof gateway->url, "ipc://%s", gateway->path);
	return gateway;
}

static enum err
gateway_listen(struct gateway *gateway, struct err_detail *detail)
{
	const struct link_server_handlers handlers = {
	    gateway, gateway_received, gateway_pipe_lost};

	if (gateway->server == NULL)
		assert_int_equal(
		    link_server_open(&handlers, &gateway->server, detail), OK);
	return link_server_listen(gateway->server, gateway->url, NULL, detail);
}

static struct gateway *
gateway_open(const char *name, bool holds)
{
	struct gateway *gateway = gateway_new(name, holds);
	struct err_detail detail = {{0}};
	enum err err = gateway_listen(gateway, &detail);

	if (err != OK)
		print_error("%s\n", err_text(&detail, err));
	assert_int_equal(err, OK);
	return gateway;
}

static void
gateway_set_holds(struct gateway *gateway, bool holds)
{
	pthread_mutex_lock(&lock);
	gateway->holds = holds;
	pthread_mutex_unlock(&lock);
}

static void
gateway_answer_held(struct gateway *gateway, const char *text)
{
	struct link_request *request;

	for (;;) {
		pthread_mutex_lock(&lock);
		request = gateway->held_count == 0
			      ? NULL
			      : gateway->held[--gateway->held_count];
		pthread_mutex_unlock(&lock);
		if (request == NULL)
			return;
		link_answer(request, span_str(text));
	}
}

/* ---- the engine's end --------------------------------------------------- */

struct engine {
	struct link_client *client;
	unsigned contexts;
	unsigned rounds_left[CONTEXTS_MAX]; /* asked again when answered */
	unsigned answers;  /* with OK and the bytes that were asked */
	unsigned wrong;    /* with OK and other bytes */
	unsigned failures; /* with an error */
	enum err last_err;
	unsigned ups, downs;
	char question[CONTEXTS_MAX][32];
	char last_answer[32];
};

static void
engine_answered(void *user, unsigned context, enum err err, struct span bytes)
{
	struct engine *engine = user;
	bool again = false;

	pthread_mutex_lock(&lock);
	if (err != OK) {
		engine->failures++;
		engine->last_err = err;
	} else if (span_is(bytes, engine->question[context])) {
		engine->answers++;
	} else {
		engine->wrong++;
		snprintf(engine->last_answer, sizeof engine->last_answer,
		    "%.*s", SPAN_ARG(bytes));
	}
	if (engine->rounds_left[context] > 0) {
		engine->rounds_left[context]--;
		snprintf(engine->question[context],
		    sizeof engine->question[context], "%u/%u", context,
		    engine->rounds_left[context]);
		again = true;
	}
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	if (again)
		link_ask(engine->client, context,
		    span_str(engine->question[context]), 0);
}

static void
engine_connected(void *user, bool up)
{
	struct engine *engine = user;

	pthread_mutex_lock(&lock);
	if (up)
		engine->ups++;
	else
		engine->downs++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static struct engine *
engine_open(const char *url, unsigned contexts)
{
	struct engine *engine = calloc(1, sizeof *engine);
	struct err_detail detail = {{0}};
	struct link_client_handlers handlers;

	assert_non_null(engine);
	engine->contexts = contexts;
	handlers = (struct link_client_handlers){
	    engine, engine_answered, engine_connected};
	assert_int_equal(link_client_open(url, NULL, contexts, &handlers,
			     &engine->client, &detail),
	    OK);
	return engine;
}

static void
engine_ask(struct engine *engine, unsigned context, int timeout_ms)
{
	pthread_mutex_lock(&lock);
	snprintf(engine->question[context], sizeof engine->question[context],
	    "question %u", context);
	pthread_mutex_unlock(&lock);
	link_ask(engine->client, context, span_str(engine->question[context]),
	    timeout_ms);
}

static void
engine_ask_all(struct engine *engine)
{
	for (unsigned i = 0; i < engine->contexts; i++)
		engine_ask(engine, i, 0);
}

/* ---- waiting ------------------------------------------------------------ */

/* Until *value is at least `least`, or fails the test. */
static void
wait_at_least(const unsigned *value, unsigned least, const char *what)
{
	const int64_t end_us = clock_mono_us() + HANG_MS * INT64_C(1000);
	const struct timespec end = clock_timespec_of_us(end_us);
	unsigned seen;
	int rv = 0;

	pthread_mutex_lock(&lock);
	while (*value < least && rv == 0)
		rv = pthread_cond_timedwait(&changed, &lock, &end);
	seen = *value;
	pthread_mutex_unlock(&lock);
	if (seen < least)
		fail_msg("%s: %u of %u", what, seen, least);
}

#define WAIT_AT_LEAST(value, least) wait_at_least(&(value), (least), #value)

/* A connected pair that has said something to each other. */
static struct engine *
engine_joined(struct gateway *gateway, unsigned contexts)
{
	struct engine *engine = engine_open(gateway->url, contexts);
	bool holds = gateway->holds;

	gateway_set_holds(gateway, false);
	engine_ask(engine, 0, 0);
	WAIT_AT_LEAST(engine->answers, 1);
	WAIT_AT_LEAST(engine->ups, 1);
	gateway_set_holds(gateway, holds);
	return engine;
}

static int
raw_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static unsigned
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* ---- tests -------------------------------------------------------------- */

static void
test_many_contexts_round_trip(void **state)
{
	struct gateway *gateway = gateway_open("round", false);
	struct engine *engine = engine_open(gateway->url, 32);

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		engine->rounds_left[i] = 50;
	engine_ask_all(engine);
	WAIT_AT_LEAST(engine->answers, 32 * 51);
	assert_int_equal(engine->answers, 32 * 51);
	assert_int_equal(engine->wrong, 0);
	assert_int_equal(engine->failures, 0);
	assert_int_equal(gateway->received, 32 * 51);
}

static void *
answer_thread(void *user)
{
	gateway_answer_held(user, "later");
	return NULL;
}

static void
test_answers_come_later_from_another_thread(void **state)
{
	struct gateway *gateway = gateway_open("later", true);
	struct engine *engine = engine_open(gateway->url, 8);
	pthread_t thread;

	(void)state;
	engine_ask_all(engine);
	WAIT_AT_LEAST(gateway->received, 8);
	assert_int_equal(engine->answers + engine->wrong, 0);
	assert_int_equal(
	    pthread_create(&thread, NULL, answer_thread, gateway), 0);
	WAIT_AT_LEAST(engine->wrong, 8);
	pthread_join(thread, NULL);
	assert_string_equal(engine->last_answer, "later");
}

static void
test_largest_message_passes_and_larger_does_not(void **state)
{
	struct gateway *gateway = gateway_open("large", false);
	struct engine *engine = engine_joined(gateway, 1);
	uint8_t *bytes = calloc(2, MESSAGE_MAX_BYTES);

	(void)state;
	assert_non_null(bytes);
	link_ask(engine->client, 0, span_of(bytes, MESSAGE_MAX_BYTES), 0);
	WAIT_AT_LEAST(engine->wrong, 1); /* echoed, not the short question */
	link_ask(
	    engine->client, 0, span_of(bytes, MESSAGE_MAX_BYTES + 4096), 0);
	WAIT_AT_LEAST(engine->failures, 1);
	assert_int_equal(engine->last_err, ERR_LOST);
	assert_int_equal(gateway->received, 2);
	free(bytes);
}

static void
test_death_of_the_peer_is_told_once(void **state)
{
	struct gateway *gateway = gateway_open("death", true);
	char *argv[] = {
	    own_path, (char[]){"--client"}, gateway->url, (char[]){"5"}, NULL};
	pid_t pid;

	(void)state;
	assert_int_equal(
	    posix_spawn(&pid, own_path, NULL, NULL, argv, environ), 0);
	WAIT_AT_LEAST(gateway->received, 5);
	assert_int_equal(gateway->lost, 0);
	kill(pid, SIGKILL);
	WAIT_AT_LEAST(gateway->lost, 1);
	waitpid(pid, NULL, 0);
	assert_int_equal(gateway->last_lost, gateway->last_pipe);
	gateway_answer_held(gateway, "to nobody");
	assert_int_equal(gateway->lost, 1);
	assert_int_equal(gateway->received, 5);
}

static void
test_dropped_pipe_loses_questions_and_comes_back(void **state)
{
	struct gateway *gateway = gateway_open("drop", true);
	struct engine *engine = engine_joined(gateway, 8);

	(void)state;
	engine_ask_all(engine);
	WAIT_AT_LEAST(gateway->held_count, 8);
	sever_connections(gateway->path);
	WAIT_AT_LEAST(engine->failures, 8);
	assert_int_equal(engine->last_err, ERR_LOST);
	WAIT_AT_LEAST(gateway->lost, 1);
	WAIT_AT_LEAST(engine->downs, 1);
	WAIT_AT_LEAST(engine->ups, 2);
	gateway_answer_held(gateway, "too late");
	gateway_set_holds(gateway, false);
	engine_ask_all(engine);
	WAIT_AT_LEAST(engine->answers, 1 + 8);
	assert_int_equal(engine->wrong, 0);
	assert_int_equal(gateway->received, 1 + 8 + 8); /* nothing sent twice */
}

static void
test_redial_loses_questions_and_comes_back(void **state)
{
	struct gateway *gateway = gateway_open("redial", true);
	struct engine *engine = engine_joined(gateway, 4);
	struct err_detail detail = {{0}};

	(void)state;
	for (unsigned i = 1; i <= 50; i++) {
		engine_ask_all(engine);
		WAIT_AT_LEAST(gateway->held_count, 4);
		assert_int_equal(
		    link_client_redial(engine->client, &detail), OK);
		WAIT_AT_LEAST(engine->failures, i * 4);
		WAIT_AT_LEAST(gateway->lost, i);
		WAIT_AT_LEAST(engine->downs, i);
		WAIT_AT_LEAST(engine->ups, i + 1);
		gateway_answer_held(gateway, "too late");
	}
	assert_int_equal(engine->failures, 50 * 4);
	gateway_set_holds(gateway, false);
	engine_ask_all(engine);
	WAIT_AT_LEAST(engine->answers, 1 + 4);
	assert_int_equal(engine->wrong, 0);
}

static void
test_questions_time_out_and_are_cancelled(void **state)
{
	struct gateway *gateway = gateway_open("patience", true);
	struct engine *engine = engine_joined(gateway, 3);

	(void)state;
	engine_ask(engine, 0, 20);
	WAIT_AT_LEAST(engine->failures, 1);
	assert_int_equal(engine->last_err, ERR_TIMEOUT);
	engine_ask(engine, 1, 0);
	WAIT_AT_LEAST(gateway->held_count, 2);
	link_cancel(engine->client, 1);
	WAIT_AT_LEAST(engine->failures, 2);
	assert_int_equal(engine->last_err, ERR_LOST);
	link_cancel(engine->client, 1); /* idle: nothing happens */
	/* The answers nobody waits for any more go to no other question. */
	gateway_answer_held(gateway, "too late");
	gateway_set_holds(gateway, false);
	engine_ask_all(engine);
	WAIT_AT_LEAST(engine->answers, 1 + 3);
	assert_int_equal(engine->wrong, 0);
	assert_int_equal(engine->failures, 2);
}

static void
test_questions_wait_for_the_first_connection(void **state)
{
	struct gateway *gateway = gateway_new("late-gateway", false);
	struct engine *engine = engine_open(gateway->url, 3);
	struct err_detail detail = {{0}};

	(void)state;
	engine_ask(engine, 0, 20);
	WAIT_AT_LEAST(engine->failures, 1);
	assert_int_equal(engine->last_err, ERR_TIMEOUT);
	engine_ask(engine, 1, 0);
	link_cancel(engine->client, 1);
	WAIT_AT_LEAST(engine->failures, 2);
	assert_int_equal(engine->last_err, ERR_LOST);
	engine_ask(engine, 2, 0);
	assert_int_equal(gateway_listen(gateway, &detail), OK);
	WAIT_AT_LEAST(engine->answers, 1);
	assert_int_equal(gateway->received, 1);
}

static void
test_too_many_unanswered_cost_the_pipe(void **state)
{
	struct gateway *gateway = gateway_open("excess", true);
	struct engine *engine = engine_joined(gateway, LINK_UNANSWERED_MAX + 1);
	struct engine *other = engine_joined(gateway, 1);

	(void)state;
	for (unsigned i = 0; i < LINK_UNANSWERED_MAX; i++)
		engine_ask(engine, i, 0);
	WAIT_AT_LEAST(gateway->held_count, LINK_UNANSWERED_MAX);
	assert_int_equal(gateway->lost, 0);
	engine_ask(engine, LINK_UNANSWERED_MAX, 0);
	WAIT_AT_LEAST(gateway->lost, 1);
	assert_int_equal(gateway->received, 2 + LINK_UNANSWERED_MAX);
	gateway_answer_held(gateway, "to nobody");
	gateway_set_holds(gateway, false);
	assert_int_equal(link_client_redial(engine->client, NULL), OK);
	WAIT_AT_LEAST(engine->failures, LINK_UNANSWERED_MAX + 1);
	WAIT_AT_LEAST(engine->ups, 2);
	engine_ask_all(engine); /* the count starts anew with the new pipe */
	WAIT_AT_LEAST(engine->answers, 1 + LINK_UNANSWERED_MAX + 1);
	engine_ask(other, 0, 0);
	WAIT_AT_LEAST(other->answers, 2);
	assert_int_equal(other->downs, 0);
	assert_int_equal(gateway->lost, 1);
}

static void
test_flood_of_vanishing_peers_is_survived(void **state)
{
	struct gateway *gateway = gateway_open("flood", false);
	struct engine *before = engine_joined(gateway, 4);
	struct engine *after;
	struct err_detail detail = {{0}};
	unsigned rebuilt = 0;
	enum err err = OK;

	(void)state;
	for (unsigned i = 0; i < FLOOD; i++) {
		close(raw_connect(gateway->path));
		if (i % 100 != 99)
			continue;
		err = link_server_check(
		    gateway->server, span_str("ping"), 100, &detail);
		rebuilt += err == ERR_LOST ? 1 : 0;
	}
	for (unsigned i = 0; i < 10 && err != OK; i++) {
		err = link_server_check(
		    gateway->server, span_str("ping"), CHECK_WAIT_MS, &detail);
		rebuilt += err == ERR_LOST ? 1 : 0;
	}
	print_message("rebuilt %u times\n", rebuilt);
	assert_int_equal(err, OK);
	after = engine_joined(gateway, 4);
	engine_ask_all(after);
	engine_ask_all(before);
	WAIT_AT_LEAST(after->answers, 1 + 4);
	WAIT_AT_LEAST(before->answers, 1 + 4);
	assert_int_equal(before->downs, 0); /* lived through the rebuilding */
}

static void
test_checks_cost_no_descriptors(void **state)
{
	struct gateway *gateway = gateway_open("check", false);
	struct engine *engine = engine_joined(gateway, 1);
	struct err_detail detail = {{0}};
	unsigned descriptors = count_descriptors();

	(void)state;
	for (unsigned i = 0; i < CHECKS; i++)
		assert_int_equal(link_server_check(gateway->server,
				     span_str("ping"), HANG_MS, &detail),
		    OK);
	WAIT_AT_LEAST(gateway->lost, CHECKS);
	assert_true(count_descriptors() <= descriptors + 8);
	assert_int_equal(engine->downs, 0);
}

static void
test_silent_listener_is_rebuilt(void **state)
{
	struct gateway *gateway = gateway_open("silent", true);
	struct err_detail detail = {{0}};
	unsigned descriptors;

	(void)state;
	/* The requests are held, so nobody answers the ping. */
	assert_int_equal(
	    link_server_check(gateway->server, span_str("ping"), 50, &detail),
	    ERR_LOST);
	gateway_set_holds(gateway, false);
	assert_int_equal(link_server_check(gateway->server, span_str("ping"),
			     HANG_MS, &detail),
	    OK);
	gateway_answer_held(gateway, "too late");
	descriptors = count_descriptors();
	for (unsigned i = 0; i < 20; i++) {
		gateway_set_holds(gateway, true);
		assert_int_equal(link_server_check(gateway->server,
				     span_str("ping"), 5, &detail),
		    ERR_LOST);
		gateway_set_holds(gateway, false);
		gateway_answer_held(gateway, "too late");
	}
	assert_int_equal(link_server_check(gateway->server, span_str("ping"),
			     HANG_MS, &detail),
	    OK);
	/* A rebuilding costs one at most: its listener's, where a peer sits in
	 * it that nng never gives back. */
	assert_true(count_descriptors() <= descriptors + 20);
}

static void
test_path_is_claimed_from_the_dead_only(void **state)
{
	struct gateway *gateway = gateway_new("stale", false);
	struct gateway *second = gateway_new("stale", false);
	struct gateway *file = gateway_new("file", false);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct err_detail detail = {{0}};
	struct stat status;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(
	    address.sun_path, sizeof address.sun_path, "%s", gateway->path);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	assert_int_equal(gateway_listen(gateway, &detail), OK);
	assert_int_equal(lstat(gateway->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0660);

	assert_int_equal(gateway_listen(second, &detail), ERR_EXISTS);
	assert_non_null(strstr(detail.text, "another process"));
	engine_joined(gateway, 1); /* the attempt did no harm */

	fclose(fopen(file->path, "w"));
	assert_int_equal(gateway_listen(file, &detail), ERR_EXISTS);
	assert_int_equal(lstat(file->path, &status), 0);
}

static void
test_bad_urls_are_refused(void **state)
{
	static const char *const urls[] = {"", "ipc://", "ipc://relative",
	    "tcp://127.0.0.1:1", "ipc:///no-such-directory-of-postern/x"};
	struct gateway *gateway = gateway_new("unused", false);
	struct err_detail detail = {{0}};
	char *longest = calloc(1, 256);

	(void)state;
	assert_non_null(longest);
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		snprintf(gateway->url, sizeof gateway->url, "%s", urls[i]);
		assert_int_not_equal(gateway_listen(gateway, &detail), OK);
		assert_true(strlen(detail.text) > 0);
	}
	memset(gateway->url, 'x', sizeof gateway->url - 1);
	memcpy(gateway->url, "ipc:///", 7);
	assert_int_equal(gateway_listen(gateway, &detail), ERR_INVALID);
	free(longest);
}

static void
test_garbage_costs_its_own_connection_only(void **state)
{
	static const uint8_t greeting[] = {0, 'S', 'P', 0, 0, 48, 0, 0};
	/* A length over the limit, a short body, no end of the route. */
	static const uint8_t bodies[3][21] = {{1, 0xff, 0, 0, 0, 0, 0, 0, 0},
	    {1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2},
	    {1, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}};
	struct gateway *gateway = gateway_open("garbage", false);
	struct engine *engine = engine_joined(gateway, 1);
	char byte;
	int fd;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		fd = raw_connect(gateway->path);
		assert_int_equal(
		    send(fd, greeting, sizeof greeting, MSG_NOSIGNAL),
		    sizeof greeting);
		assert_int_equal(recv(fd, (char[8]){0}, 8, MSG_WAITALL), 8);
		assert_true(
		    send(fd, bodies[i], sizeof bodies[i], MSG_NOSIGNAL) > 0);
		assert_true(recv(fd, &byte, 1, 0) <= 0); /* closed */
		close(fd);
	}
	WAIT_AT_LEAST(gateway->lost, 3);
	engine_ask(engine, 0, 0);
	WAIT_AT_LEAST(engine->answers, 2);
	assert_int_equal(gateway->received, 2);
}

static void
test_quiet_server_keeps_its_pipes(void **state)
{
	struct gateway *gateway = gateway_open("quiet", false);
	struct engine *engine = engine_joined(gateway, 2);
	struct engine *late;

	(void)state;
	link_server_quiesce(gateway->server);
	late = engine_open(gateway->url, 1);
	engine_ask(late, 0, 300);
	engine_ask_all(engine);
	WAIT_AT_LEAST(engine->answers, 1 + 2);
	WAIT_AT_LEAST(late->failures, 1);
	assert_int_equal(late->last_err, ERR_TIMEOUT);
	assert_int_equal(engine->downs, 0);
}

/* ---- the other process -------------------------------------------------- */

/* Asks `contexts` questions and waits to be killed. */
_Noreturn static void
be_client(const char *url, unsigned contexts)
{
	struct engine *engine = engine_open(url, contexts);

	engine_ask_all(engine);
	for (;;)
		pause();
}

static int
remove_directory(void **state)
{
	char path[sizeof directory + 256 + 1];
	struct dirent *entry;
	DIR *dir = opendir(directory);

	(void)state;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		(void)unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	return rmdir(directory);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many_contexts_round_trip),
	    cmocka_unit_test(test_answers_come_later_from_another_thread),
	    cmocka_unit_test(test_largest_message_passes_and_larger_does_not),
	    cmocka_unit_test(test_death_of_the_peer_is_told_once),
	    cmocka_unit_test(test_dropped_pipe_loses_questions_and_comes_back),
	    cmocka_unit_test(test_redial_loses_questions_and_comes_back),
	    cmocka_unit_test(test_questions_time_out_and_are_cancelled),
	    cmocka_unit_test(test_questions_wait_for_the_first_connection),
	    cmocka_unit_test(test_too_many_unanswered_cost_the_pipe),
	    cmocka_unit_test(test_flood_of_vanishing_peers_is_survived),
	    cmocka_unit_test(test_checks_cost_no_descriptors),
	    cmocka_unit_test(test_silent_listener_is_rebuilt),
	    cmocka_unit_test(test_path_is_claimed_from_the_dead_only),
	    cmocka_unit_test(test_bad_urls_are_refused),
	    cmocka_unit_test(test_garbage_costs_its_own_connection_only),
	    cmocka_unit_test(test_quiet_server_keeps_its_pipes),
	};
	pthread_condattr_t attributes;
	int failed;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&changed, &attributes);
	log_setup("test", LOG_TEXT, LOG_ERROR);
	if (argc == 4 && strcmp(argv[1], "--client") == 0)
		be_client(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
	own_path = argv[0];
	if (mkdtemp(directory) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, remove_directory);
	/* nng's threads are still there: no destructors. */
	fflush(NULL);
	_exit(failed == 0 ? 0 : 1);
}

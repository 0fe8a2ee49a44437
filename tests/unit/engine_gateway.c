/*
 * The test gateway of engine_gateway.h. It knows the wire and no dispatching.
 */
#include "engine_gateway.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "tests/unit/sever.h"

struct gateway {
	struct link_server *server;
	char dir[64];
	pid_t engine;
	pthread_mutex_t lock; /* guards the queue and deaf */
	pthread_cond_t came;
	struct question *first;
	bool deaf;
};

static void
question_free(struct question *question)
{
	buf_fini(&question->bytes);
	free(question);
}

void
gateway_answer(struct question *question, const struct message *answer)
{
	struct buf bytes;

	buf_init(&bytes, MESSAGE_MAX_BYTES);
	CHECK(message_encode(answer, &bytes, NULL) == OK);
	link_answer(question->request, buf_span(&bytes));
	buf_fini(&bytes);
	question_free(question);
}

void
gateway_answer_type(struct question *question, enum message_type type)
{
	struct message message = {.type = type};

	gateway_answer(question, &message);
}

void
gateway_go_away(struct question *question, enum go_away_reason reason)
{
	struct message message = {.type = MSG_GO_AWAY};

	message.go_away.reason = reason;
	gateway_answer(question, &message);
}

static void
received(void *user, struct link_request *request, struct span bytes)
{
	struct gateway *gateway = user;
	struct question *question = calloc(1, sizeof *question);
	struct question **last;

	CHECK(question != NULL);
	question->request = request;
	question->pipe = link_request_pipe(request);
	buf_init(&question->bytes, MESSAGE_MAX_BYTES);
	buf_append_span(&question->bytes, bytes);
	CHECK(message_decode(buf_span(&question->bytes), SENDER_ENGINE,
		  &question->message, NULL) == OK);
	pthread_mutex_lock(&gateway->lock);
	for (last = &gateway->first; *last != NULL; last = &(*last)->next)
		;
	*last = question;
	pthread_cond_broadcast(&gateway->came);
	pthread_mutex_unlock(&gateway->lock);
}

static void
pipe_lost(void *user, uint32_t pipe)
{
	(void)user;
	(void)pipe;
}

static void
start_engine(struct gateway *gateway, const char *runner, const char *flag)
{
	char url[128];
	char path[512];
	char name[] = "postern-engine";
	char slots[] = "--slots=2";
	char config[] = "--config=/dev/null";
	char sandbox[] = "--require-sandbox=no";
	char more[64];
	char *argv[] = {name, config, url, path, slots, sandbox,
	    flag == NULL ? NULL : more, NULL};
	char *environment[] = {NULL};

	(void)snprintf(url, sizeof url, "--gateways=ipc://%s/s", gateway->dir);
	(void)snprintf(path, sizeof path, "--runner=%s", runner);
	(void)snprintf(more, sizeof more, "%s", flag == NULL ? "" : flag);
	CHECK(posix_spawn(&gateway->engine, POSTERN_TEST_ENGINE, NULL, NULL,
		  argv, environment) == 0);
}

struct gateway *
gateway_start(const char *runner)
{
	return gateway_start_as(runner, NULL);
}

struct gateway *
gateway_start_as(const char *runner, const char *flag)
{
	struct gateway *gateway = calloc(1, sizeof *gateway);
	struct link_server_handlers handlers = {
	    .received = received, .pipe_lost = pipe_lost};
	struct err_detail detail = {0};
	pthread_condattr_t attributes;
	char url[128];

	CHECK(gateway != NULL);
	handlers.user = gateway;
	(void)snprintf(
	    gateway->dir, sizeof gateway->dir, "/tmp/postern-test-XXXXXX");
	CHECK(mkdtemp(gateway->dir) != NULL);
	(void)snprintf(url, sizeof url, "ipc://%s/s", gateway->dir);
	CHECK(pthread_mutex_init(&gateway->lock, NULL) == 0);
	CHECK(pthread_condattr_init(&attributes) == 0);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&gateway->came, &attributes) == 0);
	CHECK(link_server_open(&handlers, &gateway->server, &detail) == OK);
	CHECK(link_server_listen(gateway->server, url, NULL, &detail) == OK);
	start_engine(gateway, runner, flag);
	return gateway;
}

void
gateway_stop(struct gateway *gateway)
{
	char path[128];

	if (gateway->engine > 0) {
		kill(gateway->engine, SIGKILL);
		(void)waitpid(gateway->engine, NULL, 0);
	}
	link_server_quiesce(gateway->server);
	(void)snprintf(path, sizeof path, "%s/s", gateway->dir);
	(void)unlink(path);
	(void)rmdir(gateway->dir);
	/* The rest stays: nng's threads may still call back. */
}

void
gateway_set_deaf(struct gateway *gateway, bool deaf)
{
	pthread_mutex_lock(&gateway->lock);
	gateway->deaf = deaf;
	pthread_mutex_unlock(&gateway->lock);
}

static bool
is_chatter(const struct question *question)
{
	return question->message.type == MSG_HEARTBEAT ||
	       question->message.type == MSG_ACK;
}

/* Unlinks the next of the type, or answers chatter on the way. Locked. */
static struct question *
find(struct gateway *gateway, enum message_type type)
{
	struct question **place = &gateway->first;
	struct question *question;

	while ((question = *place) != NULL) {
		if (question->message.type == type) {
			*place = question->next;
			return question;
		}
		if (is_chatter(question) && !gateway->deaf) {
			*place = question->next;
			gateway_answer_type(question, MSG_DONE);
			continue;
		}
		place = &question->next;
	}
	return NULL;
}

struct question *
gateway_take(struct gateway *gateway, enum message_type type)
{
	struct timespec until =
	    clock_timespec_of_us(clock_mono_us() + GATEWAY_PATIENCE_MS * 1000);
	struct question *question;

	pthread_mutex_lock(&gateway->lock);
	while ((question = find(gateway, type)) == NULL) {
		if (pthread_cond_timedwait(
			&gateway->came, &gateway->lock, &until) == ETIMEDOUT)
			break;
	}
	pthread_mutex_unlock(&gateway->lock);
	if (question == NULL)
		(void)fprintf(stderr, "no %s came\n", message_name(type));
	return question;
}

/* Whatever lies unanswered is of before the hello: as the real gateway does, it
 * is forgotten without an answer. */
static void
forget_all(struct gateway *gateway)
{
	struct question *question;

	pthread_mutex_lock(&gateway->lock);
	while ((question = gateway->first) != NULL) {
		gateway->first = question->next;
		link_request_drop(question->request);
		question_free(question);
	}
	pthread_mutex_unlock(&gateway->lock);
}

void
gateway_welcome(struct gateway *gateway, uint8_t boot)
{
	struct question *hello = gateway_take(gateway, MSG_HELLO);
	struct message message = {.type = MSG_WELCOME};
	uint8_t boot_id[16];

	CHECK(hello != NULL);
	forget_all(gateway);
	memset(boot_id, boot, sizeof boot_id);
	message.welcome.protocol = PROTOCOL_MAX;
	message.welcome.boot_id = span_of(boot_id, sizeof boot_id);
	message.welcome.heartbeat_ms = 100;
	message.welcome.ack_after_ms = 50;
	gateway_answer(hello, &message);
}

/* All questions that came by a connection: their answers would go nowhere. */
static void
forget_pipe(struct gateway *gateway, uint32_t pipe)
{
	struct question **place = &gateway->first;
	struct question *question;

	pthread_mutex_lock(&gateway->lock);
	while ((question = *place) != NULL) {
		if (question->pipe != pipe) {
			place = &question->next;
			continue;
		}
		*place = question->next;
		link_request_drop(question->request);
		question_free(question);
	}
	pthread_mutex_unlock(&gateway->lock);
}

void
gateway_hang_up(struct gateway *gateway, struct question *question)
{
	uint32_t pipe = question->pipe;
	char path[sizeof gateway->dir + sizeof "/s"];

	(void)snprintf(path, sizeof path, "%s/s", gateway->dir);
	sever_connections(path);
	link_request_drop(question->request);
	question_free(question);
	forget_pipe(gateway, pipe);
}

struct message
gateway_job(uint64_t number, const char *source, const char *data)
{
	static uint8_t id[32];
	struct message message = {.type = MSG_JOB};
	struct msg_job *job = &message.job;

	memset(id, 0, sizeof id);
	memcpy(id, source, strlen(source) < 32 ? strlen(source) : 32);
	job->job = number;
	job->attempt = 1;
	job->idp = span_str("Test");
	job->correlation_id = span_str("c-1");
	job->release = span_of(id, sizeof id);
	job->source = span_of(id, sizeof id);
	job->properties = span_of(id, sizeof id);
	job->kind = 1;
	job->wall_ms = 5000;
	job->cpu_ms = 1000;
	job->heap_bytes = 32 * 1024 * 1024;
	job->host_calls = 20;
	job->result_bytes = 65536;
	job->log_bytes = 16384;
	job->cache_value_bytes = 65536;
	job->cache_ttl_secs = 300;
	job->data = span_str(data);
	return message;
}

void
gateway_serve_source(struct gateway *gateway, const char *source)
{
	struct question *question = gateway_take(gateway, MSG_SOURCE_GET);
	struct message message = {.type = MSG_SOURCE};

	CHECK(question != NULL);
	message.source.text = span_str(source);
	message.source.file = span_str("Test/complete.js");
	gateway_answer(question, &message);
	question = gateway_take(gateway, MSG_PROPERTIES_GET);
	CHECK(question != NULL);
	message = (struct message){.type = MSG_PROPERTIES};
	message.properties.json = span_str("{}");
	gateway_answer(question, &message);
}

pid_t
gateway_engine(const struct gateway *gateway)
{
	return gateway->engine;
}

int
gateway_wait_exit(struct gateway *gateway)
{
	int64_t until_ms = clock_mono_ms() + GATEWAY_PATIENCE_MS;
	int status;

	while (waitpid(gateway->engine, &status, WNOHANG) == 0) {
		struct question *question;

		/* Goes on answering heartbeats meanwhile. */
		pthread_mutex_lock(&gateway->lock);
		question = find(gateway, MSG_NONE);
		pthread_mutex_unlock(&gateway->lock);
		CHECK(question == NULL);
		if (clock_mono_ms() > until_ms)
			return -1;
		(void)poll(NULL, 0, 5);
	}
	gateway->engine = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

/* Kills and waits for the corpse, which its stopped parent does not reap. */
static void
kill_runner(int pid)
{
	char path[64], state = '?';
	FILE *stat;

	kill(pid, SIGKILL);
	(void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
	while (state != 'Z') {
		stat = fopen(path, "r");
		CHECK(stat != NULL);
		CHECK(fscanf(stat, "%*d (%*[^)]) %c", &state) == 1);
		(void)fclose(stat);
	}
}

/* All at once for the engine, which otherwise might give work to one that is
 * about to die. */
unsigned
gateway_kill_runners(struct gateway *gateway)
{
	char path[64];
	unsigned killed = 0;
	FILE *children;
	int pid;

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children",
	    (int)gateway->engine, (int)gateway->engine);
	kill(gateway->engine, SIGSTOP);
	children = fopen(path, "r");
	CHECK(children != NULL);
	while (fscanf(children, "%d", &pid) == 1) {
		kill_runner(pid);
		killed++;
	}
	(void)fclose(children);
	kill(gateway->engine, SIGCONT);
	return killed;
}

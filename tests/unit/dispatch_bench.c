/*
 * The dispatcher under test and those who talk to it; see dispatch_bench.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dispatch_bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/random.h"
#include "gateway/dispatch/dispatch_idle.h"
#include "gateway/store/store.h"
#include "proto/frame.h"

/* Only a hang takes so long. */
#define HANG_US (30 * INT64_C(1000000))

/* Well below what makes an engine silent. */
#define BEAT_EVERY_US (200 * 1000)

#define LOOK_EVERY_US 1000

#define ARENA_BYTES (4 * 1024 * 1024)

static char directory[] = "/tmp/test_dispatch.XXXXXX";
static struct store *bench_store;
static struct vault *bench_vault;
static struct realm_holder *bench_realms;

/* One lock and condition for all that changes. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;

/* ---- the realm ------------------------------------------------------------
 */

static const struct realm_script complete_script = {
    .source_hash = {1, 2, 3},
    .file = "One/complete.js",
    .source = {(const uint8_t *)"function execute() {}", 21},
};

static const struct release bench_release = {
    .hash = {9, 8, 7},
    .idp = "One",
    .scripts = {[SCRIPT_COMPLETE] = &complete_script},
    .limits = {.wall_ms = BENCH_WALL_MS,
	.cpu_ms = 1000,
	.heap_mib = 32,
	.executions_per_process = 1,
	.host_calls = BENCH_HOST_CALLS,
	.source_kib = 256,
	.data_kib = 64,
	.result_kib = BENCH_RESULT_KIB,
	.log_kib = 16,
	.http_body_kib = 1024,
	.cache_value_kib = BENCH_VALUE_KIB,
	.cache_entries = BENCH_ENTRIES},
};

static const char *const bank_label[] = {"bank"};
static const char *const sensitive[] = {"hunter22"};

#define BENCH_IDP(id)                                                          \
	.identifier = id, .name = id, .enabled = true,                         \
	.subject_prefix = id "|", .release = &bench_release,                   \
	.properties_version = {4, 5, 6},                                       \
	.properties_json = "{\"url\":\"https://example\"}", .keys_json = "{}", \
	.sensitive_values = {sensitive, 1}

static const struct realm_idp idps[BENCH_IDPS] = {
    [IDP_ONE] = {BENCH_IDP("One")},
    [IDP_TWO] = {BENCH_IDP("Two")},
    [IDP_SHARED_A] = {BENCH_IDP("SharedA"), .cache_shared = true},
    [IDP_SHARED_B] = {BENCH_IDP("SharedB"), .cache_shared = true},
    [IDP_PINNED] = {BENCH_IDP("Pinned"), .engine_labels = {bank_label, 1}},
};

const struct realm bench_realm = {
    .cache_ttl_secs = 300, .idps = idps, .idp_count = BENCH_IDPS};

/* ---- the process ----------------------------------------------------------
 */

void
bench_set_up(void)
{
	struct err_detail detail = {{0}};
	char path[128];

	job_cond_init(&changed);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/store.db", directory);
	assert_int_equal(store_open(path, &bench_store, &detail), OK);
	assert_int_equal(vault_open_passing(&bench_vault, &detail), OK);
	bench_realms = realm_holder_new();
	assert_non_null(bench_realms);
}

void
bench_clean_up(void)
{
	char path[sizeof directory + 256 + 1];
	struct dirent *entry;
	DIR *dir;

	store_close(bench_store);
	dir = opendir(directory);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		(void)unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	(void)rmdir(directory);
}

struct bench *
bench_new(unsigned queue_max, int64_t queue_ms)
{
	static unsigned made;
	struct bench *bench = calloc(1, sizeof *bench);
	struct err_detail detail = {{0}};
	struct dispatch_config config = {.queue_max = queue_max,
	    .queue_ms = queue_ms,
	    .store = bench_store,
	    .vault = bench_vault,
	    .realms = bench_realms};
	enum err err;

	assert_non_null(bench);
	snprintf(bench->url, sizeof bench->url, "ipc://%s/engines%u", directory,
	    made++);
	config.engines_listen = bench->url;
	err = dispatch_open(&config, &bench->d, &detail);
	if (err != OK)
		print_error("%s\n", err_text(&detail, err));
	assert_int_equal(err, OK);
	return bench;
}

/* ---- waiting --------------------------------------------------------------
 */

static void
beat(struct bench *bench)
{
	struct message message = {.type = MSG_HEARTBEAT};
	struct bench_engine *engine;
	bool ready;

	for (engine = bench->engines; engine; engine = engine->next) {
		pthread_mutex_lock(&lock);
		ready = engine->session && !engine->mute &&
			!engine->contexts[BENCH_CONTEXTS].busy;
		pthread_mutex_unlock(&lock);
		if (ready)
			bench_ask(engine, BENCH_CONTEXTS, &message);
	}
}

/* Waits until *flag is `wanted`, which is set under the lock. */
static void
wait_for(struct bench *bench, const bool *flag, bool wanted)
{
	int64_t hang_us = clock_mono_us() + HANG_US;
	struct timespec until;
	bool met;

	for (;;) {
		beat(bench);
		until = clock_timespec_of_us(clock_mono_us() + BEAT_EVERY_US);
		pthread_mutex_lock(&lock);
		if (*flag != wanted)
			(void)pthread_cond_timedwait(&changed, &lock, &until);
		met = *flag == wanted;
		pthread_mutex_unlock(&lock);
		if (met)
			return;
		assert_true(clock_mono_us() < hang_us);
	}
}

/* The dispatcher tells nobody, so it is looked at; not without a pause, which
 * would keep its own threads from its lock. */
static void
pause_for_look(void)
{
	struct timespec until =
	    clock_timespec_of_us(clock_mono_us() + LOOK_EVERY_US);

	pthread_mutex_lock(&lock);
	(void)pthread_cond_timedwait(&changed, &lock, &until);
	pthread_mutex_unlock(&lock);
}

void
bench_wait_queued(struct bench *bench, unsigned queued)
{
	int64_t hang_us = clock_mono_us() + HANG_US;
	struct dispatch_health health;

	for (;;) {
		beat(bench);
		dispatch_health(bench->d, &health);
		if (health.queued == queued)
			return;
		assert_true(clock_mono_us() < hang_us);
		pause_for_look();
	}
}

/* ---- engines --------------------------------------------------------------
 */

static void
answered(void *user, unsigned context, enum err err, struct span bytes)
{
	struct bench_engine *engine = user;

	pthread_mutex_lock(&lock);
	engine->contexts[context].err = err;
	buf_reset(&engine->contexts[context].bytes);
	buf_append_span(&engine->contexts[context].bytes, bytes);
	engine->contexts[context].busy = false;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
connected(void *user, bool up)
{
	(void)user;
	(void)up;
}

struct bench_engine *
bench_engine_new(struct bench *bench, const char *name, const char *labels)
{
	struct bench_engine *engine = calloc(1, sizeof *engine);
	struct err_detail detail = {{0}};
	const struct link_client_handlers handlers = {
	    engine, answered, connected};

	assert_non_null(engine);
	engine->name = name;
	engine->labels = labels;
	random_bytes(engine->boot_id, sizeof engine->boot_id);
	for (unsigned i = 0; i <= BENCH_CONTEXTS; i++)
		buf_init(&engine->contexts[i].bytes, MESSAGE_MAX_BYTES);
	assert_int_equal(link_client_open(bench->url, NULL, BENCH_CONTEXTS + 1,
			     &handlers, &engine->client, &detail),
	    OK);
	engine->next = bench->engines;
	bench->engines = engine;
	return engine;
}

void
bench_ask(struct bench_engine *engine, unsigned context,
    const struct message *message)
{
	struct err_detail detail = {{0}};
	struct buf bytes;
	enum err err;

	buf_init(&bytes, MESSAGE_MAX_BYTES);
	err = message_encode(message, &bytes, &detail);
	if (err != OK)
		print_error("%s\n", err_text(&detail, err));
	assert_int_equal(err, OK);
	pthread_mutex_lock(&lock);
	assert_false(engine->contexts[context].busy);
	engine->contexts[context].busy = true;
	pthread_mutex_unlock(&lock);
	link_ask(engine->client, context, buf_span(&bytes), 0);
	buf_fini(&bytes);
}

/* Valid until the context's next question. MSG_NONE: the connection went. */
struct message
bench_answer(struct bench *bench, struct bench_engine *engine, unsigned context)
{
	struct message message = {.type = MSG_NONE};
	struct span bytes;

	wait_for(bench, &engine->contexts[context].busy, false);
	if (engine->contexts[context].err != OK)
		return message;
	bytes = buf_span(&engine->contexts[context].bytes);
	assert_int_equal(
	    message_decode(bytes, SENDER_GATEWAY, &message, NULL), OK);
	return message;
}

struct message
bench_call(struct bench *bench, struct bench_engine *engine,
    const struct message *message)
{
	bench_ask(engine, 0, message);
	return bench_answer(bench, engine, 0);
}

struct message
bench_hello(struct bench *bench, struct bench_engine *engine,
    const struct msg_job *running)
{
	struct message hello = {.type = MSG_HELLO}, answer;
	struct message entry = {.type = MSG_RUNNING_JOB};
	struct buf list;

	buf_init(&list, 1024);
	if (running != NULL) {
		entry.running_job.job = running->job;
		entry.running_job.attempt = running->attempt;
		assert_int_equal(frame_append(&list, &entry, NULL), OK);
		hello.hello.running = buf_span(&list);
	}
	hello.hello.protocol_min = PROTOCOL_MIN;
	hello.hello.protocol_max = PROTOCOL_MAX;
	hello.hello.engine = span_str(engine->name);
	hello.hello.boot_id = span_of(engine->boot_id, BOOT_ID_BYTES);
	hello.hello.labels = span_str(engine->labels);
	hello.hello.slots = 4;
	answer = bench_call(bench, engine, &hello);
	engine->session = answer.type == MSG_WELCOME;
	buf_fini(&list);
	return answer;
}

struct bench_engine *
bench_engine(struct bench *bench, const char *name, const char *labels)
{
	struct bench_engine *engine = bench_engine_new(bench, name, labels);

	assert_int_equal(bench_hello(bench, engine, NULL).type, MSG_WELCOME);
	return engine;
}

/* The link delivers questions in parallel: what is asked next may overtake a
 * ticket that nobody has seen yet. */
void
bench_ticket(struct bench *bench, struct bench_engine *engine, unsigned context)
{
	struct message ticket = {.type = MSG_TICKET};
	struct dispatch_health before, health;
	int64_t hang_us = clock_mono_us() + HANG_US;
	bool answered_already;

	dispatch_health(bench->d, &before);
	bench_ask(engine, context, &ticket);
	do {
		pause_for_look();
		dispatch_health(bench->d, &health);
		pthread_mutex_lock(&lock);
		answered_already = !engine->contexts[context].busy;
		pthread_mutex_unlock(&lock);
		assert_true(clock_mono_us() < hang_us);
	} while (!answered_already && health.tickets <= before.tickets);
}

struct message
bench_ack(
    struct bench *bench, struct bench_engine *engine, const struct msg_job *job)
{
	struct message ack = {.type = MSG_ACK};

	ack.ack.job = job->job;
	ack.ack.attempt = job->attempt;
	return bench_call(bench, engine, &ack);
}

/* Not while a heartbeat's answer is on its way: nng's reaper hangs for good if
 * a pipe is closed from this end between a message and the next receive. */
void
bench_break(struct bench *bench, struct bench_engine *engine)
{
	struct err_detail detail = {{0}};

	engine->session = false;
	wait_for(bench, &engine->contexts[BENCH_CONTEXTS].busy, false);
	assert_int_equal(link_client_redial(engine->client, &detail), OK);
	for (unsigned i = 0; i <= BENCH_CONTEXTS; i++)
		wait_for(bench, &engine->contexts[i].busy, false);
}

struct msg_job
bench_job(struct bench *bench, struct bench_engine *engine, unsigned context)
{
	struct message message = bench_answer(bench, engine, context);

	assert_int_equal(message.type, MSG_JOB);
	return message.job;
}

struct message
bench_finish(struct bench *bench, struct bench_engine *engine,
    const struct msg_job *job, unsigned status, const char *payload)
{
	struct message result = {.type = MSG_RESULT}, answer;
	struct message outcome = {.type = MSG_OUTCOME};
	struct buf bytes;

	outcome.outcome.status = status;
	outcome.outcome.payload = span_str(payload);
	buf_init(&bytes, MESSAGE_MAX_BYTES);
	assert_int_equal(message_encode(&outcome, &bytes, NULL), OK);
	result.result.job = job->job;
	result.result.attempt = job->attempt;
	result.result.outcome = buf_span(&bytes);
	answer = bench_call(bench, engine, &result);
	buf_fini(&bytes);
	return answer;
}

/* ---- requests -------------------------------------------------------------
 */

/* The request's thread. */
static void *
serve(void *user)
{
	struct bench_request *r = user;
	struct dispatch *d = r->bench->d;
	struct execution_result result = {0};
	enum refusal refusal = REFUSED_NOT;
	struct job *job;
	enum err err;

	if (span_present(r->execution.replay)) {
		err = dispatch_idle_run(d, &r->execution, r->arena, &result);
	} else {
		err = dispatch_admit(
		    d, r->execution.idp, NULL, r->deadline_us, &job, &refusal);
		if (err == OK)
			err = dispatch_run(
			    d, job, &r->execution, r->arena, &result);
	}
	pthread_mutex_lock(&lock);
	r->err = err;
	r->refusal = refusal;
	r->result = result;
	r->done = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static struct bench_request *
request_new(
    struct bench *bench, enum bench_idp idp, const char *data, int64_t ms)
{
	struct bench_request *r = calloc(1, sizeof *r);

	assert_non_null(r);
	r->bench = bench;
	r->arena = arena_new(ARENA_BYTES);
	assert_non_null(r->arena);
	r->deadline_us = clock_mono_us() + ms * 1000;
	r->execution = (struct execution){.realm = &bench_realm,
	    .idp = &idps[idp],
	    .release = &bench_release,
	    .kind = SCRIPT_COMPLETE,
	    .correlation_id = "corr-1",
	    .data = span_str(data)};
	return r;
}

struct bench_request *
bench_request(
    struct bench *bench, enum bench_idp idp, const char *data, int64_t ms)
{
	struct bench_request *r = request_new(bench, idp, data, ms);

	assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
	return r;
}

struct bench_request *
bench_shadow(struct bench *bench, enum bench_idp idp, const char *recording)
{
	struct bench_request *r =
	    request_new(bench, idp, "x", BENCH_DEADLINE_MS);

	r->execution.replay = span_str(recording);
	assert_int_equal(pthread_create(&r->thread, NULL, serve, r), 0);
	return r;
}

void
bench_wait(struct bench *bench, struct bench_request *r)
{
	wait_for(bench, &r->done, true);
	assert_int_equal(pthread_join(r->thread, NULL), 0);
}

void
bench_request_free(struct bench_request *r)
{
	arena_free(r->arena);
	free(r);
}

/* ---- judging --------------------------------------------------------------
 */

void
bench_expect_served(struct bench *bench, struct bench_request *r,
    const char *engine, unsigned attempts)
{
	bench_wait(bench, r);
	assert_int_equal(r->err, OK);
	assert_int_equal(r->result.code, SCRIPT_OK);
	assert_int_equal(r->result.status, 2000);
	assert_string_equal(r->result.engine, engine);
	assert_int_equal(r->result.attempts, attempts);
	bench_request_free(r);
}

void
bench_expect_go_away(struct message answer, enum go_away_reason reason)
{
	assert_int_equal(answer.type, MSG_GO_AWAY);
	assert_int_equal(answer.go_away.reason, reason);
}

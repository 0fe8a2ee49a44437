/*
 * A real dispatcher under test: its store, vault and a hand-made realm, engines
 * played over proto/link_client.h, and requests on threads of their own.
 *
 * Every wait is for a condition with a deadline that only a hang passes; while
 * the test waits, its engines that are not mute send heartbeats. Threads: the
 * test's, except where a request's thread is named.
 */
#ifndef POSTERN_DISPATCH_BENCH_H
#define POSTERN_DISPATCH_BENCH_H

#include <pthread.h>
#include <stdbool.h>

#include "common/arena.h"
#include "gateway/dispatch/jobs.h"
#include "proto/link_client.h"

/* Contexts of an engine: the test's own, then the heartbeat's. */
#define BENCH_CONTEXTS 6

struct bench_engine {
	struct link_client *client;
	const char *name;
	const char *labels;
	uint8_t boot_id[BOOT_ID_BYTES];
	bool mute;    /* sends no heartbeats */
	bool session; /* it was welcomed */
	struct {
		bool busy;
		enum err err;
		struct buf bytes; /* of the last answer */
	} contexts[BENCH_CONTEXTS + 1];
	struct bench_engine *next;
};

struct bench {
	struct dispatch *d;
	char url[128];
	struct bench_engine *engines;
};

/* A request: admission, then running, on its thread. */
struct bench_request {
	struct bench *bench;
	struct execution execution;
	int64_t deadline_us;
	pthread_t thread;
	struct arena *arena;
	bool done;
	enum err err;
	enum refusal refusal;
	struct execution_result result;
};

/* The identity providers of the realm. */
enum bench_idp {
	IDP_ONE,
	IDP_TWO,
	IDP_SHARED_A,
	IDP_SHARED_B,
	IDP_PINNED, /* to engines labelled "bank" */
	BENCH_IDPS
};
extern const struct realm bench_realm;

/* Small, so that tests reach them. */
#define BENCH_RESULT_KIB  1
#define BENCH_VALUE_KIB   1
#define BENCH_HOST_CALLS  6
#define BENCH_ENTRIES     4
#define BENCH_WALL_MS     5000
#define BENCH_DEADLINE_MS 15000

/* Once a process; the store and the vault are shared by all benches. */
void bench_set_up(void);
void bench_clean_up(void);

/* A dispatcher of its own, never freed (see link_server_quiesce()). */
struct bench *bench_new(unsigned queue_max, int64_t queue_ms);

/* ---- engines --------------------------------------------------------------
 */

/* Connected and not yet welcomed. */
struct bench_engine *
bench_engine_new(struct bench *bench, const char *name, const char *labels);

/* As above, and welcomed. */
struct bench_engine *
bench_engine(struct bench *bench, const char *name, const char *labels);

/* Asks; the answer is waited for by bench_answer(). */
void bench_ask(struct bench_engine *engine, unsigned context,
    const struct message *message);
struct message bench_answer(
    struct bench *bench, struct bench_engine *engine, unsigned context);

/* Both; on context 0. */
struct message bench_call(struct bench *bench, struct bench_engine *engine,
    const struct message *message);

struct message bench_hello(struct bench *bench, struct bench_engine *engine,
    const struct msg_job *running);

/* Offers a slot; returns when the dispatcher has it, or has answered. */
void bench_ticket(
    struct bench *bench, struct bench_engine *engine, unsigned context);

struct message bench_ack(struct bench *bench, struct bench_engine *engine,
    const struct msg_job *job);

/* The connection breaks; a new one comes by itself, without a hello. */
void bench_break(struct bench *bench, struct bench_engine *engine);

/* Waits for a job on a context; copies what survives the next answer. */
struct msg_job
bench_job(struct bench *bench, struct bench_engine *engine, unsigned context);

/* Reports an outcome with `status` and `payload`, as a child's. */
struct message bench_finish(struct bench *bench, struct bench_engine *engine,
    const struct msg_job *job, unsigned status, const char *payload);

/* ---- requests -------------------------------------------------------------
 */

struct bench_request *bench_request(
    struct bench *bench, enum bench_idp idp, const char *data, int64_t ms);

/* A shadow run: on an idle slot or not at all. */
struct bench_request *
bench_shadow(struct bench *bench, enum bench_idp idp, const char *recording);
void bench_wait(struct bench *bench, struct bench_request *request);
void bench_request_free(struct bench_request *request);

/* Until so many jobs are in the queue. */
void bench_wait_queued(struct bench *bench, unsigned queued);

/* ---- judging --------------------------------------------------------------
 */

/* The request ended well, run by `engine` in so many attempts; freed. */
void bench_expect_served(struct bench *bench, struct bench_request *r,
    const char *engine, unsigned attempts);

void bench_expect_go_away(struct message answer, enum go_away_reason reason);

#endif

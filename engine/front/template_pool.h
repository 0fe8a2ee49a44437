/*
 * The templates this engine holds, by what they were made of, with their warm
 * children and the executions that wait for one.
 *
 * An entry outlives its process: source, properties, warm children and
 * waiting executions stay when the template is killed, and the process is
 * started again when there is demand (template_process.h).
 *
 * Threads: the main one.
 */
#ifndef POSTERN_TEMPLATE_POOL_H
#define POSTERN_TEMPLATE_POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/script_code.h"
#include "engine/front/ask.h"
#include "engine/front/conduit.h"
#include "engine/front/front.h"
#include "engine/front/reaper.h"
#include "engine/front/worker.h"

struct execution;
struct uplink;
TAILQ_HEAD(execution_list, execution);

#define TEMPLATE_ID_BYTES      32
#define TEMPLATE_FILE_BYTES    257
#define TEMPLATE_MESSAGE_BYTES 1025

/* What makes two jobs share a template. */
struct template_key {
	uint8_t release[TEMPLATE_ID_BYTES];
	uint8_t source[TEMPLATE_ID_BYTES];
	uint8_t properties[TEMPLATE_ID_BYTES];
	uint64_t kind;
	uint64_t heap_bytes;
};

/* Whose question it was: a job of one gateway. */
struct template_asked {
	struct uplink *uplink;
	uint64_t job;
};

/* The process of an entry. Changed by template_process.c alone. */
enum template_state {
	TEMPLATE_ABSENT,   /* none; may be started */
	TEMPLATE_STARTING, /* spawned and told what to load */
	TEMPLATE_READY,    /* forks on demand */
	TEMPLATE_DYING     /* killed or hung up; its exit status is awaited */
};

struct template_entry {
	TAILQ_ENTRY(template_entry) link; /* most recently used first */
	struct front *front;
	struct template_key key;

	/* What it is made of (template_fetch.c). The texts stay for restarts.
	 */
	struct ask source_ask;
	struct ask properties_ask;
	struct template_asked source_asked;
	struct template_asked properties_asked;
	bool has_source;
	bool has_properties;
	char file[TEMPLATE_FILE_BYTES];
	struct buf source;
	struct buf properties;

	/* The process (template_process.c). */
	enum template_state state;
	struct conduit conduit;
	struct reaper_entry process;
	int pidfd;
	int64_t started_us;
	struct timer start_deadline; /* while STARTING */
	struct timer retry;          /* armed: not before */
	unsigned backoff_ms;         /* of the next failure; 0: at once */
	bool load_cold;  /* a start failed: each child runs the top level */
	bool is_cold;    /* template_ready said so */
	bool was_ready;  /* this process got to READY */
	bool has_failed; /* it sent template_failed: nothing to try again */
	uint64_t forks;  /* asked of this process */
	uint64_t image_bytes; /* of its heap, as it says, within the limit */
	unsigned generation;  /* grows with each process */
	bool is_broken; /* the last start failed: only a job is reason enough
			 * for another */
	const char *dying_of; /* our word for the obituary; NULL: its own end */

	/* Children and those who want one (template_pool.c). */
	struct worker_list forking;
	struct worker_list warm;
	struct worker_list resting; /* between two executions */
	struct worker_list dying;
	unsigned forking_count;
	unsigned warm_count;
	unsigned resting_count;
	unsigned warm_target; /* FRONT_WARM_MIN..slots */
	unsigned running;     /* executions in its children */
	unsigned peak;        /* greatest of running + waiting this period */
	unsigned waiting_count;
	struct execution_list waiting;
	int64_t used_us; /* when a job last came */
};

struct template_pool;

/* NULL: out of memory. */
struct template_pool *template_pool_new(struct front *front);

/*
 * The execution wants a child of the template its job names: it gets one by
 * execution_start(), now or later, or execution_end() when there is none to be
 * had. ERR_NOMEM: nothing was done.
 */
enum err
template_pool_want(struct front *front, struct execution *execution) MUST_USE;

/* It wants none any more (it was waiting). */
void template_pool_unwant(struct execution *execution);

/* Its child is used up. */
void template_pool_done(struct execution *execution);

/* For the entry's own files: does whatever is next for this entry. */
void template_pool_serve(struct template_entry *entry);

/* Ends all that wait with this code and sentence. */
void template_pool_fail(
    struct template_entry *entry, enum script_code code, const char *sentence);

/* From worker.c about one that has no execution. */
void template_pool_child_ready(struct worker *worker);
void template_pool_child_died(struct worker *worker, const int *status);
void template_pool_fork_failed(struct worker *worker, const char *why);
void template_pool_remove_warm(struct worker *worker);

/* From execution.c: it may have another execution; from worker.c: it is ready
 * for that, or will never be. */
void template_pool_rest(struct worker *worker);
void template_pool_child_idle(struct worker *worker);
void template_pool_drop_resting(struct worker *worker);

/* From template_process.c: the process is ready and its size known. */
void template_pool_ready(struct template_entry *entry);

/* A session is there: asks again for what did not come with the last. */
void template_pool_resume(struct front *front);

/* Kills every process the pool knows; for the end of ours. */
void template_pool_kill_all(struct front *front);

/* For the status line. */
unsigned template_pool_count(const struct front *front);

#endif

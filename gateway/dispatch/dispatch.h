/*
 * The dispatcher: takes executions from HTTP threads, hands them to engines
 * that pull, and gives every one exactly one outcome: done, failed or unknown.
 *
 * An execution is a *job*; each time it is handed to an engine is an
 * *attempt*. A job lost with its engine before any outside effect is
 * dispatched again while its time lasts; one lost after an effect is of
 * unknown fate (SCRIPT_LOST) and never runs twice. Effects (host calls that
 * change something) are granted here, per (job, attempt), before they happen.
 *
 * State of a job is the list it is in (jobs.h); one mutex guards all of it and
 * is never held while answering, logging or calling out.
 *
 * Threads: dispatch_admit/run/release on HTTP threads (they block); link
 * callbacks on nng's threads; one keeper thread for all that happens because
 * time passed.
 */
#ifndef POSTERN_DISPATCH_H
#define POSTERN_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/script_code.h"
#include "common/span.h"
#include "common/trace.h"
#include "gateway/realm/realm.h"
#include "proto/link_tls.h"

struct dispatch;
struct link_server;
struct live_log;
struct record_store;
struct store;

struct dispatch_config {
	const char *engines_listen; /* URLs, comma-separated */
	struct link_tls tls;        /* cert NULL: none; of tls+tcp:// URLs */
	const char *engines_keys;   /* file; NULL: engines need no key */
	unsigned queue_max;         /* jobs waiting for an engine, in all */
	int64_t queue_ms;           /* longest wait of one */
	unsigned workers; /* threads that may wait here; 0: no limit */
	/* Engines of the process before this one are on their way: requests of
	 * the first moment wait for them instead of being refused. */
	bool engines_return;
	struct store *store;
	struct vault *vault;
	struct realm_holder *realms;
};

/* Listens and starts the keeper. */
enum err dispatch_open(const struct dispatch_config *config,
    struct dispatch **dispatch_r, struct err_detail *detail) MUST_USE;

/*
 * Reads the engines' keys and the certificates anew. An engine whose line in
 * engines_keys is gone or changed loses its session at once (its jobs run
 * elsewhere or are lost, like those of one that died); certificates are those
 * of connections that come from now on. On an error the old ones stay.
 */
enum err
dispatch_reload(struct dispatch *dispatch, struct err_detail *detail) MUST_USE;

/* Tells every engine of this name to finish what it runs and exit; it gets no
 * more work. ERR_NOT_FOUND: none is connected. */
enum err
dispatch_engine_drain(struct dispatch *dispatch, struct span name) MUST_USE;

/* No new admissions; ends when no job is left or `grace_ms` passed. Engines are
 * told to go away. */
void dispatch_drain(struct dispatch *dispatch, int64_t grace_ms);

/* ---- one execution ------------------------------------------------------- */

/* Why a job was not admitted, for Retry-After and the metric. */
enum refusal {
	REFUSED_NOT,
	REFUSED_FULL,
	REFUSED_NO_ENGINE,
	REFUSED_DRAINING,
	REFUSED_LATE
};

struct job; /* a place in the queue, then the execution */

/* Who asks, for its share of the queue; borrowed as long as there is the job.
 */
struct dispatch_caller {
	const char *client_id;
	const char *source; /* address, as text */
};

/*
 * Reserves a place for an execution of `idp` that must end by `deadline_us`
 * (monotonic). `caller` NULL: nobody in particular. OK: give the job to
 * dispatch_run() or dispatch_cancel(), once. ERR_UNAVAILABLE: not now,
 * `*refusal_r` says why; nothing has happened.
 */
enum err dispatch_admit(struct dispatch *dispatch, const struct realm_idp *idp,
    const struct dispatch_caller *caller, int64_t deadline_us,
    struct job **job_r, enum refusal *refusal_r) MUST_USE;

void dispatch_cancel(struct dispatch *dispatch, struct job *job);

/* All borrowed until dispatch_run() returns. */
struct execution {
	const struct realm *realm;
	const struct realm_idp *idp;
	const struct release *release; /* the IdP's, or the transaction's */
	enum script_kind kind;
	const char *correlation_id;
	struct span data;              /* absent: null */
	struct span registration_data; /* JSON text; absent: null */
	struct span custom_params;     /* JSON text; absent: null */
	/* A recording is wanted whatever the IdP's `record` says. */
	bool wants_recording;
	/* Of a shadow run: what the live one was told, which answers its host
	 * calls (dispatch_idle.h). Absent: a live execution. */
	struct span replay;
	/* The gateway's own test run (probe.h), which is nobody's. */
	bool is_probe;
	struct trace_context trace; /* its span; may be unset */
};

/* Spans and strings are in the arena given to dispatch_run(). Text of a script
 * is valid UTF-8 and within its limits, and otherwise hostile: `user` and
 * `registration_data` are JSON *text* that nobody has parsed. */
struct execution_result {
	enum script_code code; /* SCRIPT_OK: the next four hold */
	unsigned status;       /* 2000-2999, 4000-4999, 5000-5999 */
	struct span payload;
	struct span user;
	struct span registration_data;
	const char *message; /* for the operator, where code is not OK */
	const char *file;    /* may be NULL */
	unsigned line;       /* 0: unknown */
	const char *stack;   /* may be NULL */
	const char *engine;  /* who ran it; may be NULL */
	unsigned attempts;   /* dispatches made */
	bool cold;
	int64_t queue_us, wire_us, run_us, host_call_us, cpu_us;
	uint64_t host_calls, heap_peak_bytes;
	/* As the engine sent them, for the record alone (record.h). */
	struct span log_frames, call_frames;
	/* What it was told, as frames (messages.def: result.recording); absent
	 * where none was wanted or the engine sent none. */
	struct span recording;
	/* The outcome message of a script that failed, with nothing masked;
	 * absent where `recording` is. */
	struct span failure;
	/* Of a shadow run: it made another host call than the live one. */
	bool diverged;
};

/*
 * Runs the job and waits. OK: the execution ended somehow; `result_r->code`
 * says how, and the execution's log lines and its end were logged and counted.
 * ERR_UNAVAILABLE: it never started (no engine in time): nothing ran.
 * ERR_NOMEM: the arena is full.
 */
enum err dispatch_run(struct dispatch *dispatch, struct job *job,
    const struct execution *execution, struct arena *arena,
    struct execution_result *result_r) MUST_USE;

/*
 * The execution's record says `result` instead of what dispatch_run() said: its
 * result broke a rule that only the caller knows, or there was no script to run
 * (then every other member is zero).
 */
void dispatch_amend_record(struct dispatch *dispatch,
    const struct execution *execution, const struct execution_result *result);

/* The records of executions, for as long as the dispatcher lives. */
struct record_store *dispatch_records(struct dispatch *dispatch);

/* Log lines as they come, likewise. */
struct live_log *dispatch_live_log(struct dispatch *dispatch);

/* Shadow runs, likewise. */
struct shadow *dispatch_shadow(struct dispatch *dispatch);

/* Appends a JSON array of the engines that are connected (engine_list.c):
 * name, boot_id, labels, version, slots, running, state, since, peer,
 * sandbox_missing. */
void dispatch_engines_list(struct dispatch *dispatch, struct buf *out);

/* ---- for health -----------------------------------------------------------
 */

struct dispatch_health {
	unsigned engines;          /* connected and heard lately */
	unsigned engines_degraded; /* of those, with sandbox layers missing */
	unsigned tickets;
	unsigned queued;
	unsigned running;
	unsigned engines_out;    /* connected, and given no work */
	int64_t last_success_us; /* monotonic; 0: none yet */
	enum script_code probe;  /* how the last test run ended */
	int64_t listener_us; /* monotonic: engines' listener answered itself */
};
void
dispatch_health(struct dispatch *dispatch, struct dispatch_health *health_r);

/* Puts what engines say of their memory into the metric. */
void dispatch_engines_measure(struct dispatch *dispatch);

#endif

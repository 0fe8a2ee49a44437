/*
 * Jobs and the lists they are in: the dispatcher's shared state.
 *
 * A job's state is the list it is in, and only job_move() changes it:
 *
 *	QUEUED --ticket--> HELD --run--> SENT --ack--> RUNNING --> ENDED
 *	   ^                 |             |              |
 *	   +--- ticket lost -+-------------+-- engine lost, no effect yet
 *
 * Everything here is guarded by dispatch.lock; "locked" in a comment means the
 * caller holds it. Nothing here logs, answers or blocks.
 */
#ifndef POSTERN_JOBS_H
#define POSTERN_JOBS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "gateway/dispatch/dispatch.h"
#include "gateway/dispatch/engine_health.h"
#include "gateway/dispatch/engine_identity.h"
#include "gateway/dispatch/share.h"
#include "gateway/store/store_cache.h"
#include "proto/link_server.h"
#include "proto/message.h"

/* An execution is handed out at most so often: beyond it something is wrong
 * with every engine there is. */
#define ATTEMPTS_MAX 5

/* A job not acknowledged within this was not delivered; doubled with each
 * attempt, so that engines which are merely slow get through. */
#define UNACKNOWLEDGED_US (250 * 1000)

/* Engines acknowledge what runs longer than this. */
#define ACK_AFTER_MS 100

/* How often engines must be heard, and when they count as silent. */
#define HEARTBEAT_MS     250
#define ENGINE_SILENT_US (1000 * 1000)

/* After its connection went, an engine has this long to say hello again with
 * the same boot id before its jobs count as lost. */
#define RESUME_GRACE_US (250 * 1000)

/* Connecting, TLS, SP's greeting, challenge and hello: so many round trips,
 * which an engine that is far away has for coming back beyond the grace. */
#define RESUME_ROUND_TRIPS 8

/* More is not believed of any engine's round trip. */
#define ROUND_TRIP_MAX_US (1000 * 1000)

/* A session that was silent for so long is over: its host is gone, and TCP
 * does not say so for hours. */
#define ENGINE_FORGET_US (30 * 1000 * 1000)

/* With no engine for it, a request still waits for one that was here this
 * lately: a restarted engine is back within it. */
#define ENGINE_RETURN_US (1500 * 1000)

/* Answering takes this much of a request's deadline after the script ended. */
#define ANSWER_MARGIN_MS 150

#define ENGINES_MAX     64 /* sessions at a time; each costs a pipe */
#define ENGINE_NAME_MAX 64
#define LABELS_BYTES    513 /* of hello.labels, terminated */
#define BOOT_ID_BYTES   16
#define JOB_BUCKETS     256

enum job_state {
	JOB_QUEUED,
	JOB_HELD,
	JOB_SENT,
	JOB_RUNNING,
	JOB_ENDED,
	JOB_STATES
};

struct engine;

/* An engine's offer of one slot, waiting for a job. */
struct ticket {
	TAILQ_ENTRY(ticket) link; /* dispatch.tickets, oldest first */
	struct link_request *request;
	struct engine *engine;
};
TAILQ_HEAD(ticket_list, ticket);

struct job {
	TAILQ_ENTRY(job) link;  /* dispatch.jobs[state] */
	LIST_ENTRY(job) bucket; /* dispatch.buckets, by number */
	enum job_state state;
	uint64_t number;
	unsigned attempt;    /* 0 before the first dispatch */
	bool effect;         /* an effect was granted to some attempt */
	uint64_t host_calls; /* asked for by this attempt */
	const struct realm_idp
	    *idp;            /* the requester's snapshot keeps it alive */
	struct share *share; /* its IdP's */
	struct dispatch_caller caller; /* client_id NULL: nobody */
	unsigned rank; /* place in the queue of its IdP; admission.c */
	const struct execution *execution; /* NULL until dispatch_run() */
	int64_t deadline_us;
	int64_t admitted_us;
	int64_t sent_us;                       /* of this attempt */
	struct ticket *ticket;                 /* JOB_HELD: owned */
	struct engine *engine;                 /* JOB_SENT, JOB_RUNNING */
	char engine_name[ENGINE_NAME_MAX + 1]; /* of the last attempt */
	uint64_t holders[ATTEMPTS_MAX]; /* engine_boot() of each attempt's */
	uint8_t *result; /* JOB_ENDED with an answer: owned bytes */
	size_t result_len;
	int64_t ended_us;
	enum script_code verdict; /* JOB_ENDED without an answer */
	pthread_cond_t wake;      /* its HTTP thread waits here */
};
TAILQ_HEAD(job_list, job);
LIST_HEAD(job_bucket, job);

struct engine {
	LIST_ENTRY(engine) link;
	uint32_t pipe; /* 0: connection lost, in its grace */
	char name[ENGINE_NAME_MAX + 1];
	uint8_t boot_id[BOOT_ID_BYTES];
	char labels[LABELS_BYTES]; /* comma-separated, as it said */
	char sandbox_missing[257];
	char version[65]; /* of its program */
	unsigned slots;
	int64_t since; /* wall clock, of its first hello */
	int64_t heard_us;
	int64_t lost_us;         /* when the connection went */
	int64_t round_trip_us;   /* as it says, bounded */
	uint64_t resident_bytes; /* as it says */
	char peer[LINK_PEER_BYTES];
	struct engine_health health;
	bool draining; /* gets no work: it said so, or was told to leave */
	bool leaving;  /* told to finish and exit */
};
LIST_HEAD(engine_list, engine);

struct dispatch {
	struct dispatch_config config;
	struct link_server *link;
	struct store_cache_codec cache_codec; /* host_cache.c */
	struct record_store *records;         /* has a lock of its own */
	struct shadow *shadow;                /* likewise */
	struct live_log *live_log;            /* and so has this */
	uint8_t boot_id[BOOT_ID_BYTES];

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t idle;  /* the last job ended while draining */
	bool draining;
	uint64_t next_number;
	struct job_list jobs[JOB_STATES];
	unsigned counts[JOB_STATES];
	struct job_bucket buckets[JOB_BUCKETS];
	struct ticket_list tickets;
	unsigned ticket_count;
	struct share_list shares;
	uint64_t round; /* of matching; see share.round */
	struct engine_list engines;
	unsigned engine_count;
	struct engine_identity identity;
	int64_t opened_us;   /* 0: engines_return is off */
	int64_t listener_us; /* when the listener last answered itself */
	int64_t gone_us;     /* when the last engine went; 0: none did */
	char gone_labels[LABELS_BYTES]; /* its labels */
	int64_t last_success_us;
	enum script_code probe; /* how the last test run ended */
};

/* A condition on the monotonic clock. */
void job_cond_init(pthread_cond_t *condition);

/* A queued job for (idp, deadline), linked into the tables. Locked. NULL:
 * out of memory. */
struct job *
job_new(struct dispatch *d, const struct realm_idp *idp, int64_t deadline_us);

/* Unlinks, frees, drops what it owns. Not locked; takes the lock. */
void job_free(struct dispatch *d, struct job *job);

/* The only function that changes a job's state. Locked. */
void job_move(struct dispatch *d, struct job *job, enum job_state state);

/* Back to the queue's front, to be dispatched again. Locked. */
void job_requeue(struct dispatch *d, struct job *job);

/* Jobs in all states. Locked. */
unsigned jobs_total(const struct dispatch *d);

/* NULL when there is none of this number. Locked. */
struct job *job_find(struct dispatch *d, uint64_t number);

/* The job, if `engine` holds this attempt of it now; else NULL. Locked. */
struct job *job_held_by(struct dispatch *d, uint64_t number, uint64_t attempt,
    const struct engine *engine);

/* Nobody waits for it: a shadow run or a test run of ours. */
bool job_is_idle(const struct job *job);

/* Ends it with a verdict and wakes its thread. Locked. */
void job_end(struct dispatch *d, struct job *job, enum script_code verdict);

/*
 * Its engine is gone or did not take it: again elsewhere if nothing outside
 * was touched and time is left, else ended as SCRIPT_LOST. Locked.
 */
void job_lost(struct dispatch *d, struct job *job);

/* Appends the job message for its present attempt. Locked. */
enum err job_encode(const struct job *job, struct buf *out) MUST_USE;

#endif

/*
 * Every limit of the engine's front, with its reason. What a job brings along
 * (wall_ms, cpu_ms, ...) is not here: the gateway decides that.
 */
#ifndef POSTERN_FRONT_LIMITS_H
#define POSTERN_FRONT_LIMITS_H

/*
 * The shares of one connection's questions. nng's raw REP keeps 64 reply slots
 * a pipe and frees replies beyond them silently; the gateway drops an engine
 * that has more than 48 questions out (LINK_UNANSWERED_MAX), so the shares
 * below add up to that and no more.
 */
#define FRONT_CONTEXTS_MAX 48
#define FRONT_CONTEXTS_CALLS                                            \
	12                   /* host calls: a fetch takes ~100 us, so a \
			      * dozen out serves 33 slots; others queue */
#define FRONT_CONTEXTS_AUX 2 /* acknowledgements, source, properties */
#define FRONT_CONTEXTS_CONTROL                        \
	1 /* hello and heartbeats, never behind those \
	   */
#define FRONT_SLOTS_MAX                                                   \
	(FRONT_CONTEXTS_MAX - FRONT_CONTEXTS_CALLS - FRONT_CONTEXTS_AUX - \
	    FRONT_CONTEXTS_CONTROL)

/* Executions mostly wait (host calls, the gateway's commits): some more slots
 * than cores keep the cores busy without letting children starve each other. */
#define FRONT_SLOTS_PER_CORE 4

/* A gateway that answers nothing for this long is dialled anew. */
#define FRONT_SILENCE_MS 1000
/* After hello was refused: for a version, and because the gateway stops. */
#define FRONT_VERSION_RETRY_MS  5000
#define FRONT_DRAINING_RETRY_MS 250
/* A slot whose ticket got no job and no refusal asks again after this. */
#define FRONT_TICKET_RETRY_MS 250
/* Heartbeats faster than this are not believed of any gateway. */
#define FRONT_HEARTBEAT_MIN_MS 20
/* The gateway answers a host call after one commit; a call still unanswered
 * then has a fate nobody knows. Longer than any script's own limit. */
#define FRONT_CALL_TIMEOUT_MS 30000
#define FRONT_AUX_TIMEOUT_MS  2000

/* Exec to template_ready takes 1-2 ms; a top level that runs for a second is
 * started again as a cold one, where the script's own limits apply. */
#define FRONT_TEMPLATE_START_MS 1000
/* What a job may wait for its template beyond its wall time: two starts. */
#define FRONT_START_ALLOWANCE_MS 2000
/* Back-off of a template or fork that keeps dying. */
#define FRONT_BACKOFF_FIRST_MS 10
#define FRONT_BACKOFF_MAX_MS   1000
/* A template that lived this long did not die of its start. */
#define FRONT_TEMPLATE_STABLE_MS 1000
/* A dead template is replaced unasked if its release was used this recently. */
#define FRONT_TEMPLATE_DEMAND_MS 10000

/* A template with two idle children and its texts, measured at 1.5-2 MB (PSS)
 * for small scripts; doubled. templates_max_mib is divided by it. */
#define FRONT_TEMPLATE_ESTIMATE_MIB 4
/* One runs, one is ready while the next is being forked. */
#define FRONT_WARM_MIN 2
/* Warm children follow the last periods' greatest concurrency down by one a
 * period: a burst once a minute still finds most of them. */
#define FRONT_WARM_DECAY_MS 5000
/* From template_fork to child_ready is 0.3 ms; a second means it is stuck. */
#define FRONT_FORK_MS 1000

/* Uids given to templates when the engine starts as root: far above those
 * of systemd (DynamicUser 61184..65519, containers from 524288 to 1879048191),
 * below 2^31. Taken in turn, so a dying template's uid is not met again soon.*/
#define FRONT_UID_BASE  1900000000u
#define FRONT_UID_COUNT 4096u

/* To a child: one run (data, registration data, custom params) or one cache
 * value is on its way at a time; twice the greatest message leaves room. */
#define FRONT_CONDUIT_OUT_MAX (2 * 1024 * 1024)
/* A child that was killed is reaped within this; its result does not wait. */
#define FRONT_REAP_MS 100

/* Framing of log lines beside their text: what about 500 lines need. */
#define FRONT_LOG_OVERHEAD_BYTES (32 * 1024)

/* --check-sandbox builds each layer once; it takes milliseconds. */
#define FRONT_CHECK_SANDBOX_MS 3000

/* When stopping: how long offered tickets may still turn into jobs, and how
 * long a result waits for a gateway that is not there. */
#define FRONT_DRAIN_TICKETS_MS 500
#define FRONT_DRAIN_RESULTS_MS 5000

#endif

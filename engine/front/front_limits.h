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

/* Gateways of one engine: each has its part of the slots, and a socket. */
#define FRONT_GATEWAYS_MAX 4

/* A gateway away for longer than a restart or a new hello takes lends its
 * slots to the others. */
#define FRONT_LEND_AFTER_MS 1000

/* A heartbeat that left so long after a result does not overtake it, neither
 * on the way nor in the gateway's threads. */
#define FRONT_SETTLED_MS 100

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

/*
 * What templates_max_mib is spent on, beside texts and the image of the heap,
 * which are counted as they are: a template's process was measured at 0.6-0.8
 * MB (PSS), an idle child at 0.25-0.43 MB, up to 1 MB once it has copied its
 * image or kept pages of an execution.
 */
#define FRONT_TEMPLATE_BYTES ((uint64_t)1 << 20)
#define FRONT_CHILD_BYTES    ((uint64_t)1 << 20)
/* One runs, one is ready while the next is being forked. */
#define FRONT_WARM_MIN 2
/* Warm children follow the last periods' greatest concurrency down by one a
 * period: a burst once a minute still finds most of them. */
#define FRONT_WARM_DECAY_MS 5000
/* Restoring a heap takes 0.02-0.1 ms and comes with the outcome: a second is
 * far beyond any machine's slowness. */
#define FRONT_REST_MS 1000
/* A kept child ends after this much CPU: well before the runner's own guard
 * (RLIMIT_CPU, 600 s), which would hit an innocent execution. */
#define FRONT_KEPT_CPU_MS ((int64_t)60000)
/* Memory of its own, looked at now and then: libraries' data, a copied image
 * (1 MiB), buffers and stack of an ordinary execution come to under 3 MiB. */
#define FRONT_KEPT_MEMORY_BYTES ((int64_t)6 << 20)
#define FRONT_KEPT_MEMORY_EVERY 16
/* A warm child waits in a read; what it may seem to use meanwhile. */
#define FRONT_IDLE_CPU_MS 50
/* An execution that computed this long gets the processor after all others:
 * ordinary ones need under 1 ms, so loops of one identity provider cost
 * another's little. Many times an ordinary one, so that a slow machine does not
 * demote it. */
#define FRONT_FAVOURED_CPU_MS 10
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

/*
 * Scripts' HTTP. A head as large as servers accept themselves; interim
 * answers and trailers are counted with it.
 */
#define FRONT_HTTP_HEAD_BYTES 32768
#define FRONT_HTTP_HEAD_LINES 128
/* Browsers follow 20, curl 30; an API needs one or two. */
#define FRONT_HTTP_REDIRECTS_MAX 5
/* Identity providers with kept connections; the least recently used goes. More
 * than slots, so that one not in use can always be found. */
#define FRONT_HTTP_SETS_MAX 64
/* Idle connections one of them keeps. */
#define FRONT_HTTP_IDLE_MAX 32
/* Where the job says nothing (messages.def: job.http_body_bytes). */
#define FRONT_HTTP_BODY_BYTES (1024 * 1024)
/* Between a call's own limit and the script's end: time for the script to
 * catch the error. */
#define FRONT_HTTP_MARGIN_MS 50

/* Keyed cryptography: one thread for signatures (microseconds each), two for
 * password hashes (hundreds of milliseconds). A password hash that would wait
 * behind more than this many is refused. */
#define FRONT_SIGNATURE_THREADS 1
#define FRONT_PASSWORD_THREADS  2
#define FRONT_PASSWORD_QUEUE    8
/* Identity providers' keys held in memory. */
#define FRONT_KEY_SETS_MAX 64

/* --check-sandbox builds each layer once; it takes milliseconds. */
#define FRONT_CHECK_SANDBOX_MS 3000

/* When stopping: how long offered tickets may still turn into jobs, and how
 * long a result waits for a gateway that is not there. */
#define FRONT_DRAIN_TICKETS_MS 500
#define FRONT_DRAIN_RESULTS_MS 5000

#endif

/*
 * The engine's front: pulls jobs from its gateways and has each executed in a
 * process of its own, within its limits.
 *
 * Thread model. The main thread owns everything below and runs one epoll loop:
 * sockets of templates and children, a signalfd (SIGTERM, SIGINT, SIGCHLD,
 * SIGHUP), an eventfd and the timers. nng's threads run only the two
 * functions of inbox.h, which copy what arrived into a mutex-guarded inbox and
 * write the eventfd; that inbox is shared mutable state, and link_ask() and the
 * log the only other things both sides call. Keyed cryptography runs on threads
 * of offload.h, whose tasks are shared in the same way, one after the other;
 * libcurl resolves names on threads of its own. Nothing on the main thread
 * waits for anything but epoll.
 *
 * Who owns what: uplink the session with a gateway, ask its link's contexts,
 * slot a ticket and its execution, execution one job from arrival to result,
 * hostcall its one pending host call, outbound scripts' HTTP, property_keys
 * the keys that no script may read, template_pool the templates by release,
 * template_process a template's process, worker a child, reaper the pids.
 */
#ifndef POSTERN_FRONT_H
#define POSTERN_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "engine/front/ask.h"
#include "engine/front/loop.h"
#include "engine/front/reaper.h"
#include "proto/link_tls.h"

/* Room for the layer names of hello.sandbox_missing. */
#define FRONT_SANDBOX_TEXT_BYTES 257

/* Checked configuration; every string outlives the front. */
struct front_settings {
	const char *gateways;     /* URLs, comma-separated */
	struct link_tls tls;      /* cert NULL: none; of tls+tcp:// gateways */
	const char *identity_key; /* file; NULL: none */
	const char *name;
	const char *labels;           /* comma-separated, may be "" */
	unsigned slots;               /* 1..FRONT_SLOTS_MAX */
	const char *runner;           /* path of postern-runner */
	uint64_t templates_max_bytes; /* see entry_cost_bytes() */
	uint64_t template_forks_max;  /* then its process is replaced, */
	int64_t template_age_us;      /* and after this long */
	/* Layers this host lacks and the operator allowed to lack; "" is all
	 * there. From sandbox_check(). */
	char sandbox_missing[FRONT_SANDBOX_TEXT_BYTES];
	/* Scripts' HTTP. */
	const char *http_ca;      /* NULL: the system's */
	const char *http_resolve; /* comma-separated name:port:address */
	unsigned http_per_host;
	int64_t http_connect_ms;
	int64_t http_total_ms;
	/* Stands in for the gateway (local.h); NULL: serve a real one. */
	struct local *local;
};

/* What happened since the start, for the log (SIGHUP and the end). */
struct front_counters {
	uint64_t jobs;              /* taken in */
	uint64_t jobs_bad;          /* job messages that did not decode */
	uint64_t results;           /* delivered */
	uint64_t abandoned;         /* given up because the gateway said so */
	uint64_t killed;            /* executions over a limit */
	uint64_t spoke_out_of_turn; /* children that broke the protocol */
	uint64_t children_died;     /* without an outcome */
	uint64_t children_refused;  /* claimed a pid that is not theirs */
	uint64_t forks_failed;
	uint64_t templates_started;
	uint64_t templates_slow;   /* killed: not ready in time */
	uint64_t templates_failed; /* said so themselves */
	uint64_t templates_died;   /* anything else */
	uint64_t templates_evicted;
	uint64_t templates_renewed; /* replaced for a new address layout */
	uint64_t reused;            /* executions in a kept child */
	uint64_t children_bloated;  /* kept no longer: too much memory */
	uint64_t bad_messages;      /* the gateway refused as malformed */
	uint64_t redials;
};

struct local;
struct offload;
struct outbound;
struct property_keys;
struct slot;
struct template_pool;
struct uplink;

/* The one of the process. */
struct front {
	const struct front_settings *settings;
	struct loop loop;
	struct reaper reaper;
	struct slot *slots; /* settings->slots of them */
	struct template_pool *pool;
	struct uplink *uplinks[FRONT_GATEWAYS_MAX];
	unsigned uplink_count;
	struct outbound *outbound;
	struct property_keys *keys;
	struct offload *signatures; /* keyed calls that take microseconds */
	struct offload *passwords;  /* and those that take a while */
	struct front_counters counters;
	bool draining;      /* no new tickets; ends when nothing runs */
	bool told_to_leave; /* a gateway's operator wants it so */
};

/*
 * Serves until SIGTERM or SIGINT, finishes what runs, and ends the process
 * with _exit(0) (nng must not be closed while it runs). Returns only what
 * kept it from starting. `settings` is kept. SIGTERM, SIGINT, SIGCHLD and
 * SIGHUP get blocked for good; call it before any thread is started.
 */
enum err front_run(
    const struct front_settings *settings, struct err_detail *detail) MUST_USE;

#endif

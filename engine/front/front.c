/*
 * The engine's main thread: puts the parts together, signals, stopping. What
 * each part does is its own. Needs no privilege; as root it gives templates
 * uids of their own.
 */
#include "engine/front/front.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "engine/front/offload.h"
#include "engine/front/outbound.h"
#include "engine/front/property_keys.h"
#include "engine/front/pulse.h"
#include "engine/front/slot.h"
#include "engine/front/template_pool.h"
#include "engine/front/uplink.h"

/* The front with what only this file needs. */
struct front_process {
	struct front front;
	struct loop_source signals;
	bool has_dead_children;   /* SIGCHLD came: collect after this turn */
	int64_t tickets_until_us; /* while draining */
	int64_t results_until_us; /* 0: something still runs */
	struct timer wake;        /* has the loop look at the two above */
	struct pulse pulse;
};

static void
front_log_counters(const struct front *front)
{
	const struct front_counters *c = &front->counters;

	log_info("engine counters", LOG_UINT("jobs", c->jobs),
	    LOG_UINT("jobs_bad", c->jobs_bad), LOG_UINT("results", c->results),
	    LOG_UINT("abandoned", c->abandoned), LOG_UINT("killed", c->killed),
	    LOG_UINT("spoke_out_of_turn", c->spoke_out_of_turn),
	    LOG_UINT("children_died", c->children_died),
	    LOG_UINT("children_refused", c->children_refused),
	    LOG_UINT("forks_failed", c->forks_failed),
	    LOG_UINT("templates", template_pool_count(front)),
	    LOG_UINT("templates_started", c->templates_started),
	    LOG_UINT("templates_slow", c->templates_slow),
	    LOG_UINT("templates_failed", c->templates_failed),
	    LOG_UINT("templates_died", c->templates_died),
	    LOG_UINT("templates_evicted", c->templates_evicted),
	    LOG_UINT("templates_renewed", c->templates_renewed),
	    LOG_UINT("reused", c->reused),
	    LOG_UINT("children_bloated", c->children_bloated),
	    LOG_UINT("bad_messages", c->bad_messages),
	    LOG_UINT("redials", c->redials));
}

static void
front_woken(void *owner)
{
	(void)owner; /* the turn's end looks at what became due */
}

/* ---- stopping ------------------------------------------------------------ */

static _Noreturn void
front_exit(struct front *front, const char *why)
{
	front_log_counters(front);
	log_info("engine stopped", LOG_STR("because", why));
	template_pool_kill_all(front);
	/* Never exit(): nng's threads run, and closing it may hang. */
	_exit(0);
}

static void
front_drain(struct front_process *process)
{
	struct front *front = &process->front;

	if (front->draining)
		front_exit(front, "a second signal");
	front->draining = true;
	process->tickets_until_us =
	    clock_mono_us() + FRONT_DRAIN_TICKETS_MS * 1000;
	loop_timer_in(&front->loop, &process->wake, FRONT_DRAIN_TICKETS_MS);
	log_info("engine stopping", LOG_UINT("running", slots_live(front)));
	notify_stopping();
	uplinks_say_draining(front);
}

/* Exits once nothing is owed; returns as long as something is. */
static void
front_check_drained(struct front_process *process)
{
	struct front *front = &process->front;
	int64_t now_us = clock_mono_us();

	if (slots_live(front) > 0) {
		process->results_until_us = 0;
		return;
	}
	if (slots_owed(front) > 0) {
		if (process->results_until_us == 0) {
			process->results_until_us =
			    now_us + FRONT_DRAIN_RESULTS_MS * 1000;
			loop_timer_in(&front->loop, &process->wake,
			    FRONT_DRAIN_RESULTS_MS);
		}
		if (now_us >= process->results_until_us)
			front_exit(front, "results nobody came for");
		return;
	}
	if (!slots_offered(front) || now_us >= process->tickets_until_us)
		front_exit(front, "drained");
}

/* ---- signals --------------------------------------------------------------
 */

static void
front_signal(void *owner, uint32_t events)
{
	struct front_process *process = owner;
	struct signalfd_siginfo info;

	(void)events;
	while (read(process->signals.fd, &info, sizeof info) ==
	       (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			process->has_dead_children = true;
			break;
		case SIGHUP:
			front_log_counters(&process->front);
			uplinks_reload(&process->front);
			break;
		default:
			front_drain(process);
			break;
		}
	}
}

static enum err
front_watch_signals(struct front_process *process, struct err_detail *detail)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	/* A parent's "ignore" would have the kernel reap our children. */
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_set_errno(detail, ERR_IO, "signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "signalfd");
	process->signals = (struct loop_source){
	    .fd = -1, .ready = front_signal, .owner = process};
	if (loop_watch(&process->front.loop, &process->signals, fd, EPOLLIN) !=
	    OK)
		return err_set_errno(detail, ERR_IO, "epoll");
	return OK;
}

/* ---- running --------------------------------------------------------------
 */

/* What host calls need that the front carries out itself. */
static enum err
front_open_outside(struct front *front, struct err_detail *detail)
{
	enum err err = outbound_open(front, detail);

	if (err == OK)
		err = property_keys_open(front, detail);
	/* A slot has one call out: they all fit. */
	if (err == OK)
		err = offload_open(&front->loop, FRONT_SIGNATURE_THREADS,
		    front->settings->slots, &front->signatures, detail);
	if (err == OK)
		err = offload_open(&front->loop, FRONT_PASSWORD_THREADS,
		    FRONT_PASSWORD_QUEUE, &front->passwords, detail);
	return err;
}

static enum err
front_open(struct front_process *process, const struct front_settings *settings,
    struct err_detail *detail)
{
	struct front *front = &process->front;
	enum err err;

	front->settings = settings;
	timer_init(&process->wake, front_woken, process);
	reaper_init(&front->reaper);
	err = loop_init(&front->loop, detail);
	if (err == OK)
		err = front_watch_signals(process, detail);
	if (err != OK)
		return err;
	front->pool = template_pool_new(front);
	if (front->pool == NULL)
		return err_set(detail, ERR_NOMEM, "no memory for templates");
	err = uplinks_make(front, detail);
	if (err == OK)
		err = slots_init(front);
	if (err != OK)
		return err_set(detail, err, "no memory for slots");
	err = front_open_outside(front, detail);
	if (err != OK)
		return err;
	return uplinks_open(front, detail);
}

enum err
front_run(const struct front_settings *settings, struct err_detail *detail)
{
	static struct front_process process;
	struct front *front = &process.front;
	enum err err;

	CHECK(settings->slots >= 1 && settings->slots <= FRONT_SLOTS_MAX);
	err = front_open(&process, settings, detail);
	if (err != OK)
		return err;
	log_info("engine started", LOG_STR("engine", settings->name),
	    LOG_UINT("gateways", front->uplink_count),
	    LOG_UINT("slots", settings->slots),
	    LOG_STR("version", POSTERN_VERSION));
	notify_ready("no session with the gateway yet");
	pulse_start(&process.pulse, front);
	for (;;) {
		loop_turn(&front->loop);
		/* After the sockets: last words come before the obituary. */
		if (process.has_dead_children) {
			process.has_dead_children = false;
			reaper_collect(&front->reaper);
		}
		if (front->told_to_leave && !front->draining)
			front_drain(&process);
		if (front->draining)
			front_check_drained(&process);
	}
}

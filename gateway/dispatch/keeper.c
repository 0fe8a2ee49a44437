/*
 * The dispatcher's keeper; see keeper.h. A job's own deadline is kept by the
 * thread that waits for it (dispatch.c).
 */
#include "gateway/dispatch/keeper.h"

#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/dispatch/engines.h"

/* Short against every span it watches (250 ms and more). */
#define LOOK_EVERY_NS (25 * 1000 * 1000)

/* The listener must be back within a second of dying. */
#define CANARY_EVERY_NS   (500 * 1000 * 1000)
#define CANARY_TIMEOUT_MS 400

/* The attempt was never delivered, or its engine stands still. Locked. */
static void
look_at_sent(struct dispatch *d, int64_t now_us)
{
	struct job *job, *next;

	for (job = TAILQ_FIRST(&d->jobs[JOB_SENT]); job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		/* A lost engine's jobs have the grace (look_at_engines). */
		if (job->engine->pipe == 0 ||
		    now_us - job->sent_us <
			(UNACKNOWLEDGED_US << (job->attempt - 1)) +
			    2 * job->engine->round_trip_us)
			continue;
		metric_count(M_DISPATCH_EVENTS, "unacknowledged", NULL);
		engine_missed(job->engine, job);
		job_lost(d, job);
	}
}

/* True: it is gone, the record too. Locked. */
static bool
is_over(struct dispatch *d, struct engine *engine, int64_t now_us,
    struct ticket_list *dropped)
{
	int64_t grace_us =
	    RESUME_GRACE_US + RESUME_ROUND_TRIPS * engine->round_trip_us;

	if (engine->pipe == 0 ? now_us - engine->lost_us < grace_us
			      : now_us - engine->heard_us < ENGINE_FORGET_US)
		return false;
	metric_count(M_DISPATCH_EVENTS, "engine_lost", NULL);
	engine_end_session(d, engine, dropped);
	return true;
}

/* Locked. `name_r` gets the name of one engine that fell silent, for the log.
 */
static void
look_at_engines(struct dispatch *d, int64_t now_us, struct ticket_list *dropped,
    char name_r[ENGINE_NAME_MAX + 1])
{
	struct engine *engine, *next;

	for (engine = LIST_FIRST(&d->engines); engine; engine = next) {
		next = LIST_NEXT(engine, link);
		if (is_over(d, engine, now_us, dropped) || engine->pipe == 0)
			continue;
		if (engine_health_look(engine, now_us)) {
			metric_count(M_DISPATCH_EVENTS, "engine_silent", NULL);
			memcpy(name_r, engine->name, sizeof engine->name);
		}
		if (now_us - engine->heard_us >= ENGINE_SILENT_US)
			engine_move_jobs(d, engine);
	}
}

void
keeper_look(struct dispatch *d)
{
	struct ticket_list dropped = TAILQ_HEAD_INITIALIZER(dropped);
	char silent[ENGINE_NAME_MAX + 1] = "";
	int64_t now_us = clock_mono_us();

	pthread_mutex_lock(&d->lock);
	look_at_sent(d, now_us);
	look_at_engines(d, now_us, &dropped, silent);
	pthread_mutex_unlock(&d->lock);
	tickets_drop(&dropped, TICKETS_NONE_LIVE);
	if (silent[0] != '\0')
		log_warn("engine silent: it gets no work until it is heard",
		    LOG_STR("engine", silent));
	engines_match(d);
}

static _Noreturn void *
look_thread(void *d)
{
	const struct timespec pause = {0, LOOK_EVERY_NS};

	for (;;) {
		nanosleep(&pause, NULL);
		keeper_look(d);
	}
}

static void
check_listener(struct dispatch *d, struct span ping)
{
	struct err_detail detail = {0};
	enum err err;

	err = link_server_check(d->link, ping, CANARY_TIMEOUT_MS, &detail);
	if (err == OK) {
		pthread_mutex_lock(&d->lock);
		d->listener_us = clock_mono_us();
		pthread_mutex_unlock(&d->lock);
		return;
	}
	if (err == ERR_LOST)
		metric_count(M_DISPATCH_EVENTS, "listener_rebuilt", NULL);
	log_warn(err == ERR_LOST ? "engine listener rebuilt: it did not answer "
				   "a self-request"
				 : "engine listener does not answer",
	    LOG_STR("error", err_text(&detail, err)));
}

static _Noreturn void *
canary_thread(void *argument)
{
	const struct timespec pause = {0, CANARY_EVERY_NS};
	struct message message = {.type = MSG_PING};
	struct dispatch *d = argument;
	struct buf ping;

	buf_init(&ping, MESSAGE_MAX_BYTES);
	if (message_encode(&message, &ping, NULL) != OK)
		check_failed("ping encodes", __FILE__, __LINE__);
	for (;;) {
		nanosleep(&pause, NULL);
		check_listener(d, buf_span(&ping));
	}
}

enum err
keeper_start(struct dispatch *d, struct err_detail *detail)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, look_thread, d) != 0 ||
	    pthread_detach(thread) != 0 ||
	    pthread_create(&thread, NULL, canary_thread, d) != 0 ||
	    pthread_detach(thread) != 0)
		return err_set(detail, ERR_NOMEM,
		    "the dispatcher's threads cannot be started");
	return OK;
}

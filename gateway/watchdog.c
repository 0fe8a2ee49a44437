/*
 * The watchdog's thread; see watchdog.h. It asks over TCP and the engines'
 * socket, as clients and engines do, so it sees what they see: a listener that
 * accepts nothing, workers that all hang, a lock that nobody gives back. Not
 * the canary itself (dispatch/keeper.c). It runs until the process ends.
 */
#include "gateway/watchdog.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/http/http.h"
#include "gateway/http/http_probe.h"

#define LISTENERS 2

/* A look must be over before the next is due. */
#define LOOKS_PER_WATCH 3

struct looks {
	const struct watchdog *watchdog;
	int64_t every_us;
	uint64_t answered[LISTENERS]; /* at the look before */
};

/* An overloaded listener keeps us waiting in line as long as it keeps others,
 * and one that answers others is not dead. */
static bool
listener_lives(struct looks *looks, unsigned which)
{
	const struct watchdog_listener *listener =
	    &looks->watchdog->listeners[which];
	uint64_t before = looks->answered[which];
	struct err_detail detail = {0};
	enum err err;

	err = http_probe(listener->listen, http_port(listener->server),
	    listener->path, looks->every_us / 1000 / (LISTENERS + 1), &detail);
	looks->answered[which] = http_answered(listener->server);
	if (err == OK)
		return true;
	log_warn("the gateway's request to itself failed",
	    LOG_STR("listener", listener->listen),
	    LOG_STR("error", err_text(&detail, err)),
	    LOG_UINT("answered_meanwhile", looks->answered[which] - before));
	return looks->answered[which] > before;
}

static bool
engines_listener_lives(const struct looks *looks)
{
	struct dispatch_health health;
	int64_t silent_us;

	dispatch_health(looks->watchdog->dispatch, &health);
	silent_us = clock_mono_us() - health.listener_us;
	if (silent_us <= looks->every_us)
		return true;
	log_warn("the engines' listener does not answer the gateway itself",
	    LOG_INT("silent_ms", silent_us / 1000));
	return false;
}

static bool
is_alive(struct looks *looks)
{
	bool lives = engines_listener_lives(looks);

	for (unsigned i = 0; i < LISTENERS; i++)
		lives = listener_lives(looks, i) && lives;
	return lives;
}

static _Noreturn void *
watch(void *argument)
{
	static struct looks looks;

	looks.watchdog = argument;
	looks.every_us = notify_watchdog_us() / LOOKS_PER_WATCH;
	for (;;) {
		int64_t next_us = clock_mono_us() + looks.every_us;
		const struct timespec next = clock_timespec_of_us(next_us);

		if (is_alive(&looks))
			notify_alive();
		(void)clock_nanosleep(
		    CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
}

enum err
watchdog_start(struct watchdog *watchdog, struct err_detail *detail)
{
	pthread_t thread;

	if (notify_watchdog_us() == 0)
		return OK;
	if (pthread_create(&thread, NULL, watch, watchdog) != 0 ||
	    pthread_detach(thread) != 0)
		return err_set(
		    detail, ERR_NOMEM, "the watchdog cannot be started");
	return OK;
}

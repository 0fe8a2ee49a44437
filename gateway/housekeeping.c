/*
 * The janitor; see housekeeping.h. Not here: what expires and how (store/),
 * what a rotation does (keyring.c).
 */
#include "gateway/housekeeping.h"

#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/store/store_config.h"
#include "gateway/store/store_event.h"

/* Rows an expiry takes at a time: a commit of a few milliseconds. */
#define EXPIRE_BATCH 200

/* Between two looks; between two batches, so that requests come between. */
#define PAUSE_MS  1000
#define BREATH_MS 20

#define DAY_SECS (24 * 60 * 60)

/* A rotation by age that failed or came too soon is tried again so much
 * later. */
#define ROTATE_RETRY_MS 60000

/* ---- rotation ----------------------------------------------------------- */

/* The longest that a signature of ours may have to verify. */
static int64_t
longest_token_secs(struct realm_holder *realms)
{
	const struct realm *realm = realm_acquire(realms);
	int64_t longest = 0;

	if (realm == NULL)
		return 0;
	for (size_t i = 0; i < realm->client_count; i++) {
		const struct realm_client *client = &realm->clients[i];

		if (client->id_token_lifetime_secs > longest)
			longest = client->id_token_lifetime_secs;
		if (client->access_format == ACCESS_JWT &&
		    client->access_lifetime_secs > longest)
			longest = client->access_lifetime_secs;
	}
	realm_release(realm);
	return longest;
}

/* How far apart rotations must be so that no verifier ever fails. */
static int64_t
apart_secs(const struct housekeeping *keeping)
{
	int64_t tokens = longest_token_secs(keeping->realms);
	int64_t sets = keeping->conf->jwks_max_age_secs;

	return tokens > sets ? tokens : sets;
}

enum err
housekeeping_rotate(struct housekeeping *keeping, const struct event *event,
    bool forced, struct err_detail *detail)
{
	enum err err = keyring_rotate(keeping->keyring, clock_wall_secs(),
	    forced ? 0 : apart_secs(keeping), detail);

	metric_count(M_KEY_ROTATIONS,
	    err == OK          ? "rotated"
	    : err == ERR_STATE ? "too_soon"
			       : "failed",
	    NULL);
	if (err != OK)
		return err;
	event_record(keeping->events, event);
	log_info("signing keys rotated", LOG_STR("reason", event->detail));
	return OK;
}

static enum err
rotate(struct housekeeping *keeping, const char *reason, bool forced,
    struct err_detail *detail)
{
	const struct event event = {
	    .type = EVENT_JWT_KEYS_ROTATED, .detail = reason};

	return housekeeping_rotate(keeping, &event, forced, detail);
}

void
housekeeping_rotate_keys(
    struct housekeeping *keeping, const char *reason, bool forced)
{
	struct err_detail detail = {0};
	enum err err = rotate(keeping, reason, forced, &detail);

	if (err != OK)
		log_error("signing keys not rotated",
		    LOG_STR("error", err_text(&detail, err)));
}

static void
rotate_if_old(struct housekeeping *keeping, int64_t *not_before_ms)
{
	int64_t age_secs =
	    clock_wall_secs() - keyring_rotated_at(keeping->keyring);
	int64_t most_secs = keeping->conf->keys_rotate_days * DAY_SECS;
	struct err_detail detail = {0};
	enum err err;

	if (most_secs == 0 || age_secs < most_secs ||
	    clock_mono_ms() < *not_before_ms)
		return;
	*not_before_ms = clock_mono_ms() + ROTATE_RETRY_MS;
	err = rotate(keeping, "age", false, &detail);
	if (err != OK && err != ERR_STATE)
		log_error("signing keys not rotated",
		    LOG_STR("error", err_text(&detail, err)));
}

/* ---- expiry ------------------------------------------------------------- */

/* True: there is more to do at once. */
static bool
expire_rows(struct housekeeping *keeping)
{
	int64_t now = clock_wall_secs();
	unsigned rows = 0, events = 0;
	enum err err = store_expire(keeping->store, now, EXPIRE_BATCH, &rows);

	if (err == OK)
		err = store_event_expire(keeping->store,
		    now - keeping->conf->events_keep_days * DAY_SECS,
		    (uint64_t)keeping->conf->events_keep_max, EXPIRE_BATCH,
		    &events);
	if (err != OK)
		log_warn("expired rows not removed",
		    LOG_STR("error", err_sentence(err)));
	return rows == EXPIRE_BATCH || events == EXPIRE_BATCH;
}

/* ---- the thread --------------------------------------------------------- */

/* A moment later; false: it is time to end. */
static bool
rest(struct housekeeping *keeping, int64_t ms)
{
	int64_t end_ms = clock_mono_ms() + ms;
	const struct timespec end = {end_ms / 1000, end_ms % 1000 * 1000000};
	bool stopping;
	int waited = 0;

	pthread_mutex_lock(&keeping->lock);
	while (!keeping->stopping && waited == 0)
		waited = pthread_cond_timedwait(
		    &keeping->stop, &keeping->lock, &end);
	stopping = keeping->stopping;
	pthread_mutex_unlock(&keeping->lock);
	return !stopping;
}

static void *
janitor(void *argument)
{
	struct housekeeping *keeping = argument;
	int64_t rotate_not_before_ms = 0;
	bool more;

	do {
		more = expire_rows(keeping);
		rotate_if_old(keeping, &rotate_not_before_ms);
	} while (rest(keeping, more ? BREATH_MS : PAUSE_MS));
	return NULL;
}

/* So that the wall clock's jumps neither hurry nor delay the janitor. */
static void
init_stop(struct housekeeping *keeping)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&keeping->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&keeping->stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

enum err
housekeeping_start(struct housekeeping *keeping, struct err_detail *detail)
{
	init_stop(keeping);
	if (pthread_create(&keeping->thread, NULL, janitor, keeping) != 0)
		return err_set(
		    detail, ERR_NOMEM, "the janitor cannot be started");
	return OK;
}

void
housekeeping_stop(struct housekeeping *keeping)
{
	pthread_mutex_lock(&keeping->lock);
	keeping->stopping = true;
	pthread_cond_signal(&keeping->stop);
	pthread_mutex_unlock(&keeping->lock);
	pthread_join(keeping->thread, NULL);
}

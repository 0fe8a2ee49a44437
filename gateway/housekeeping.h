/*
 * What happens because time passed: expired rows and old events go, signing
 * keys are rotated. One thread of its own; a rotation may also be asked for.
 */
#ifndef POSTERN_HOUSEKEEPING_H
#define POSTERN_HOUSEKEEPING_H

#include <pthread.h>
#include <stdbool.h>

#include "common/err.h"
#include "gateway/gateway_conf.h"
#include "gateway/keys/keyring.h"
#include "gateway/oauth/event.h"
#include "gateway/realm/realm.h"
#include "gateway/store/store.h"

/* Process lifetime. */
struct housekeeping {
	/* filled by the gateway */
	const struct gateway_conf *conf;
	struct store *store;
	struct keyring *keyring;
	struct realm_holder *realms;
	struct event_log *events;
	/* ours, from housekeeping_start() on */
	pthread_t thread;
	pthread_mutex_t lock; /* of `stopping` */
	pthread_cond_t stop;
	bool stopping;
};

/* Starts the thread. */
enum err housekeeping_start(
    struct housekeeping *keeping, struct err_detail *detail) MUST_USE;

/* Waits until the thread has ended: it uses the store and records events, so
 * before those are closed. Once, after a start that went well. */
void housekeeping_stop(struct housekeeping *keeping);

/*
 * Rotates the signing keys and logs the outcome. Refused while tokens or
 * cached JWK sets from before the last rotation may be in use, unless
 * `forced`. `reason` goes into the event. Any thread.
 */
void housekeeping_rotate_keys(
    struct housekeeping *keeping, const char *reason, bool forced);

/* The same for a caller who answers somebody: `event` is recorded where it
 * went well. ERR_STATE: too soon. */
enum err housekeeping_rotate(struct housekeeping *keeping,
    const struct event *event, bool forced, struct err_detail *detail) MUST_USE;

#endif

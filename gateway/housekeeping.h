/*
 * What happens because time passed: expired rows and old events go, signing
 * keys are rotated. One thread of its own; a rotation may also be asked for.
 */
#ifndef POSTERN_HOUSEKEEPING_H
#define POSTERN_HOUSEKEEPING_H

#include "common/err.h"
#include "gateway/gateway_conf.h"
#include "gateway/keys/keyring.h"
#include "gateway/oauth/event.h"
#include "gateway/realm/realm.h"
#include "gateway/store/store.h"

/* Filled by the gateway; process lifetime. */
struct housekeeping {
	const struct gateway_conf *conf;
	struct store *store;
	struct keyring *keyring;
	struct realm_holder *realms;
	struct event_log *events;
};

/* Starts the thread. */
enum err housekeeping_start(
    struct housekeeping *keeping, struct err_detail *detail) MUST_USE;

/*
 * Rotates the signing keys and logs the outcome. Refused while tokens or
 * cached JWK sets from before the last rotation may be in use, unless
 * `forced`. `reason` goes into the event. Any thread.
 */
void housekeeping_rotate_keys(
    struct housekeeping *keeping, const char *reason, bool forced);

#endif

/*
 * What passes from init to complete inside a transaction: registrationData,
 * sealed to its row, and the release that init ran.
 */
#ifndef POSTERN_REGISTRATION_STATE_H
#define POSTERN_REGISTRATION_STATE_H

#include "common/arena.h"
#include "common/buf.h"
#include "gateway/oauth/oauth.h"

#define REGISTRATION_STATE_MAX        (16 * 1024) /* SPEC 3.1 */
#define REGISTRATION_STATE_SEALED_MAX (REGISTRATION_STATE_MAX + 64)

/* `number` is the transaction's; a value moved to another row does not open. */
enum err registration_state_seal(struct vault *vault, uint64_t number,
    struct span plain, struct buf *out) MUST_USE;

/* In the arena. ERR_CORRUPT. */
enum err registration_state_open(struct vault *vault, uint64_t number,
    struct span sealed, struct arena *arena, struct span *plain_r) MUST_USE;

/*
 * The release a transaction began with: the IdP's present one if it is the
 * same, else read back from the store into `owned_r` (free() it; else NULL).
 */
enum err registration_release(const struct oauth *oauth,
    const struct realm_idp *idp, const uint8_t hash[DIGEST_BYTES],
    const struct release **release_r, struct release **owned_r) MUST_USE;

#endif

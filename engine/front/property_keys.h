/*
 * Properties of kind key: what CRYPTO and HTTP use and no script reads. Asked
 * of the gateway when first needed, kept in memory only, wiped when dropped.
 * They are known by the version of an identity provider's properties, which
 * nobody can guess. With them come the certificate authorities of an identity
 * provider's HTTP. Threads: the main one.
 */
#ifndef POSTERN_PROPERTY_KEYS_H
#define POSTERN_PROPERTY_KEYS_H

#include "common/buf.h"
#include "common/err.h"
#include "common/secret.h"
#include "common/span.h"

struct front;

enum err
property_keys_open(struct front *front, struct err_detail *detail) MUST_USE;

/* A copy of the key `id`, the caller's. ERR_STATE: this version is not here,
 * ask the gateway. ERR_NOT_FOUND: it has no such key. */
enum err property_keys_get(const struct front *front, struct span version,
    struct span id, struct secret **key_r) MUST_USE;

/* A copy of the certificate authorities, appended to `pem`. ERR_STATE: as
 * above. ERR_NOT_FOUND: there are none. */
enum err property_keys_ca(
    const struct front *front, struct span version, struct buf *pem) MUST_USE;

/* What the gateway answered; `ca` may be absent. The oldest version may go. */
enum err property_keys_put(struct front *front, struct span version,
    struct span json, struct span ca) MUST_USE;

/* Another gateway: nothing of the old one is good any more. */
void property_keys_forget(struct front *front);

#endif

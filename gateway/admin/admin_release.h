/*
 * What handlers about releases share. Private to admin/. Threads: any.
 */
#ifndef POSTERN_ADMIN_RELEASE_H
#define POSTERN_ADMIN_RELEASE_H

#include "gateway/admin/admin.h"
#include "gateway/config/config_release.h"

/* The identity provider that the path names, in the request's arena. NULL:
 * answered. */
const char *admin_release_idp(const struct admin_context *admin,
    const struct http_request *request, struct http_response *response);

/* The release that the path names; its texts are in the request's arena.
 * False: answered. */
bool admin_release_find(const struct admin_context *admin, const char *idp,
    const struct http_request *request, struct http_response *response,
    struct store_release_row *row_r);

/* Its content; free() it. NULL: answered. */
struct release *admin_release_load(const struct admin_context *admin,
    const uint8_t hash[DIGEST_BYTES], struct http_response *response);

/* "key":"64 hex digits"; a member of an open object. */
void admin_release_append_hash(struct buf *out, bool *first, const char *key,
    const uint8_t hash[DIGEST_BYTES]);

#endif

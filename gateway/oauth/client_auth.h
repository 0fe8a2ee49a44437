/*
 * Who is calling: HTTP Basic or form credentials (RFC 6749 section 2.3.1)
 * against the realm's clients or API clients.
 *
 * Unknown client, wrong secret and disabled client take the same path and
 * time: the presented secret is always digested and always compared.
 */
#ifndef POSTERN_CLIENT_AUTH_H
#define POSTERN_CLIENT_AUTH_H

#include "gateway/oauth/oauth.h"

/* As they came; absent spans where none were sent. */
struct credentials {
	struct span id;
	struct span secret;
	const struct http_request *http; /* NULL: not throttled (tests) */
};

/*
 * Collects the credentials of a request. ERR_NOT_FOUND: none. ERR_INVALID: two
 * methods at once, or credentials in the query; `detail` says which.
 * ERR_SYNTAX: an Authorization header that is not well-formed Basic.
 */
enum err credentials_collect(const struct http_request *http,
    struct span form_id, struct span form_secret,
    struct credentials *credentials_r, struct err_detail *detail) MUST_USE;

/*
 * Checks credentials, within the throttle (auth_throttle.h), and records
 * failures. ERR_DENIED: refused, for whatever reason. ERR_UNAVAILABLE: an
 * imported hash must be computed and too many wait for that already:
 * temporarily_unavailable. Borrowed from the realm.
 */
enum err client_check(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials,
    const struct realm_client **client_r) MUST_USE;
enum err api_client_check(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials,
    const struct realm_api_client **client_r) MUST_USE;

/* As api_client_check(), but `first` (may be NULL), which is in no realm, goes
 * before a client of the realm with its id. */
enum err
api_client_check_first(const struct oauth *oauth, const struct realm *realm,
    const struct realm_api_client *first, const struct credentials *credentials,
    const struct realm_api_client **client_r) MUST_USE;

/* The same where a refusal is all that matters; NULL. */
const struct realm_client *client_authenticate(const struct oauth *oauth,
    const struct realm *realm, const struct credentials *credentials);
const struct realm_api_client *
api_client_authenticate(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials);

#endif

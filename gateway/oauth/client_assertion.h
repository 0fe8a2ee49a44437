/*
 * Client authentication by a signed JWT (RFC 7523, OIDC Core section 9,
 * private_key_jwt): ES256, RS256 or PS256 with a key of the client's
 * registered JWK set.
 *
 * Threads: any; stack use is bounded (civetweb's workers have 100 KB).
 */
#ifndef POSTERN_CLIENT_ASSERTION_H
#define POSTERN_CLIENT_ASSERTION_H

#include "gateway/oauth/oauth.h"

/* As it came; absent spans where nothing was sent. */
struct client_assertion {
	struct span type;      /* client_assertion_type */
	struct span assertion; /* client_assertion */
	struct span client_id; /* optional; then it must be the same */
};

/* Something of an assertion was sent: this is how the client means to
 * authenticate, so a second method beside it is an error (see below). */
bool client_assertion_is_sent(const struct client_assertion *sent);

/*
 * Authenticates the client. The audience must be the realm's issuer or
 * `endpoint_url` (NULL: the issuer only). The jti is used up durably by the
 * time it returns OK, so call it when the request is otherwise well-formed.
 *
 * ERR_INVALID: invalid_request: a half is missing, another assertion type, an
 * Authorization header or credentials in the query too; `detail` says which.
 * ERR_DENIED: invalid_client, for whatever reason (logged, recorded and
 * throttled as a wrong secret is). ERR_UNAVAILABLE: the jti cannot be kept:
 * temporarily_unavailable. The client is borrowed from the realm.
 */
enum err client_assertion_authenticate(const struct oauth *oauth,
    const struct realm *realm, const struct http_request *http,
    const struct client_assertion *sent, const char *endpoint_url,
    const struct realm_client **client_r, struct err_detail *detail) MUST_USE;

#endif

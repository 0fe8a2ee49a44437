/*
 * GET /oauth/v1/keys: the JWK set (RFC 7517), cacheable.
 */
#include "gateway/oauth/oauth.h"

/* How long verifiers may keep the set; key rotation keeps to it. */
#define JWKS_CACHE_CONTROL "public, max-age=3600"

void
jwks_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct oauth *oauth = context;

	(void)request;
	response->cache_control = JWKS_CACHE_CONTROL;
	buf_append_span(&response->body, keyring_jwks(oauth->keyring));
}

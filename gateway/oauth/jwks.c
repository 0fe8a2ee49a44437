/*
 * GET /oauth/v1/keys: the JWK set (RFC 7517), cacheable.
 */
#include "gateway/oauth/oauth.h"

void
jwks_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct oauth *oauth = context;

	/* How long verifiers may keep the set; rotation keeps to it. */
	response->cache_control = arena_printf(request->arena,
	    "public, max-age=%lld", (long long)oauth->jwks_max_age_secs);
	keyring_append_jwks(oauth->keyring, &response->body);
}

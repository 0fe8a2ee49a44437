/*
 * What clients can find out by themselves: OpenID Connect Discovery 1.0 and
 * RFC 8414, one document for both. It has only members that are true: there is
 * no authorization endpoint, so no response type. Runs on HTTP worker threads.
 */
#include "common/json_text.h"
#include "gateway/oauth/oauth.h"

/* How long it may be kept; nothing in it changes but with a realm. */
#define DISCOVERY_CACHE_CONTROL "public, max-age=3600"

/* How clients authenticate; API clients do by secret only. */
#define CLIENT_METHODS                                     \
	"[\"client_secret_basic\",\"client_secret_post\"," \
	"\"private_key_jwt\"]"
#define ASSERTIONS "[\"ES256\",\"RS256\",\"PS256\"]"

/* What turns us away here (no realm yet) ends within a second. */
#define RETRY_AFTER_SECS 1

/* Endpoints are where the gateway is reached, which an issuer of the realm's
 * own need not be. */
static void
append_endpoints(const struct oauth *oauth, struct buf *out, bool *first)
{
	static const struct {
		const char *member;
		const char *path;
	} endpoints[] = {
	    {"jwks_uri", "/v1/keys"},
	    {"token_endpoint", "/v1/token"},
	    {"userinfo_endpoint", "/v1/userinfo"},
	    {"revocation_endpoint", "/v1/revoke"},
	    {"introspection_endpoint", "/api/v2/token/introspect"},
	};
	struct buf url;

	for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
		buf_init(&url, 1024);
		buf_printf(
		    &url, "%s%s", oauth->default_issuer, endpoints[i].path);
		json_append_member_str(
		    out, first, endpoints[i].member, buf_span(&url));
		buf_fini(&url);
	}
}

static void
append_scopes(const struct realm *realm, struct buf *out, bool *first)
{
	json_append_key(out, first, "scopes_supported");
	buf_append_char(out, '[');
	for (size_t i = 0; i < realm->scopes.count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		json_append_string(out, span_str(realm->scopes.items[i]));
	}
	buf_append_char(out, ']');
}

/* The parameters whose default would be true are denied (OIDC Discovery
 * section 3, request_uri_parameter_supported). */
static void
append_capabilities(struct buf *out, bool *first)
{
	static const struct {
		const char *member;
		const char *json;
	} rows[] = {
	    {"response_types_supported", "[]"},
	    {"grant_types_supported",
		"[\"refresh_token\",\"client_credentials\"]"},
	    {"subject_types_supported", "[\"public\"]"},
	    {"id_token_signing_alg_values_supported",
		"[\"RS256\",\"ES256\",\"PS256\"]"},
	    {"token_endpoint_auth_methods_supported", CLIENT_METHODS},
	    {"token_endpoint_auth_signing_alg_values_supported", ASSERTIONS},
	    {"revocation_endpoint_auth_methods_supported", CLIENT_METHODS},
	    {"revocation_endpoint_auth_signing_alg_values_supported",
		ASSERTIONS},
	    {"introspection_endpoint_auth_methods_supported",
		"[\"client_secret_basic\",\"client_secret_post\"]"},
	    {"introspection_signing_alg_values_supported", "[\"RS256\"]"},
	    {"claims_supported", "[\"iss\",\"sub\",\"aud\",\"exp\",\"iat\","
				 "\"auth_time\",\"at_hash\",\"amr\"]"},
	    {"claims_parameter_supported", "false"},
	    {"request_parameter_supported", "false"},
	    {"request_uri_parameter_supported", "false"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		json_append_member_raw(
		    out, first, rows[i].member, span_str(rows[i].json));
}

void
discovery_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct oauth *oauth = context;
	const struct realm *realm = realm_acquire(oauth->realms);
	struct buf *body = &response->body;
	bool first = true;

	(void)request;
	if (realm == NULL) {
		response->retry_after_secs = RETRY_AFTER_SECS;
		http_problem(response, PROBLEM_UNAVAILABLE, NULL);
		return;
	}
	response->cache_control = DISCOVERY_CACHE_CONTROL;
	buf_append_char(body, '{');
	json_append_member_str(
	    body, &first, "issuer", span_str(oauth_issuer(oauth, realm)));
	append_endpoints(oauth, body, &first);
	append_scopes(realm, body, &first);
	append_capabilities(body, &first);
	buf_append_char(body, '}');
	realm_release(realm);
}

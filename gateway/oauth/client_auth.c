/*
 * Client authentication; see client_auth.h.
 */
#include "gateway/oauth/client_auth.h"

#include "common/metric.h"
#include "common/secret.h"

/* Credentials in a URL end up in logs: refused even if they are right. */
static enum err
check_query(const struct http_request *http, struct err_detail *detail)
{
	struct http_form form;
	enum err err;

	if (!span_present(http->query))
		return OK;
	err = http_form_parse(http->query, http->arena, &form);
	if (err == ERR_NOMEM)
		return err;
	if (err != OK)
		return err_set(detail, ERR_INVALID, "The query is malformed.");
	if (span_present(http_form_get(&form, "client_id")) ||
	    span_present(http_form_get(&form, "client_secret")) ||
	    span_present(http_form_get(&form, "client_assertion")))
		return err_set(detail, ERR_INVALID,
		    "Client credentials must not be in the query.");
	return OK;
}

enum err
credentials_collect(const struct http_request *http, struct span form_id,
    struct span form_secret, struct credentials *credentials_r,
    struct err_detail *detail)
{
	struct credentials c = {form_id, form_secret};
	enum err err;

	err = check_query(http, detail);
	if (err != OK)
		return err;
	if (!span_present(http->authorization)) {
		if (!span_present(form_id) || !span_present(form_secret))
			return ERR_NOT_FOUND;
		*credentials_r = c;
		return OK;
	}
	if (span_present(form_secret))
		return err_set(detail, ERR_INVALID,
		    "Client credentials were sent in two ways at once.");
	err = http_basic_parse(
	    http->authorization, http->arena, &c.id, &c.secret);
	if (err != OK)
		return err;
	if (span_present(form_id) && !span_equal(form_id, c.id))
		return err_set(detail, ERR_INVALID,
		    "client_id differs from the one in Authorization.");
	*credentials_r = c;
	return OK;
}

/* Compares with a digest nobody has when there is no such client, so that the
 * work is the same. Imported hashes are not compared yet: see CHANGELOG. */
static bool
secret_matches(const struct oauth *oauth, const char *kind,
    const struct realm_secret *stored, const struct credentials *c)
{
	static const uint8_t nobody[DIGEST_BYTES];
	uint8_t digest[DIGEST_BYTES];
	bool usable = stored != NULL && stored->kind == SECRET_DIGEST;
	bool equal;

	realm_secret_digest(oauth->vault, kind, c->id, c->secret, digest);
	equal = secret_equal(span_of(digest, sizeof digest),
	    span_of(usable ? stored->digest : nobody, DIGEST_BYTES));
	secret_wipe(digest, sizeof digest);
	return equal && usable;
}

const struct realm_client *
client_authenticate(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials)
{
	const struct realm_client *client =
	    realm_client(realm, credentials->id);
	bool right = secret_matches(oauth, "client",
	    client == NULL ? NULL : &client->secret, credentials);

	right = right && client->enabled;
	metric_count(M_CLIENT_AUTH, "client", right ? "ok" : "refused");
	return right ? client : NULL;
}

const struct realm_api_client *
api_client_authenticate(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials)
{
	const struct realm_api_client *client =
	    realm_api_client(realm, credentials->id);
	bool right = secret_matches(oauth, "api_client",
	    client == NULL ? NULL : &client->secret, credentials);

	right = right && client->enabled;
	metric_count(M_CLIENT_AUTH, "api_client", right ? "ok" : "refused");
	return right ? client : NULL;
}

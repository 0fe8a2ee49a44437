/*
 * Client authentication; see client_auth.h.
 *
 * Until a secret was found right there is no branch on whether the client is
 * there or enabled (hence & where && would do): a mispredicted one takes 5 ns,
 * which a hundred thousand samples show (test_client_auth_timing.c).
 */
#include "gateway/oauth/client_auth.h"

#include "common/secret.h"
#include "gateway/oauth/auth_guard.h"
#include "gateway/oauth/secret_checker.h"

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
	struct credentials c = {form_id, form_secret, http};
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

/* ---- comparing ------------------------------------------------------------
 */

/* What is known of a client by the time its secret is looked at. */
struct stored {
	const struct realm_secret *secret; /* NULL: the realm has no clients */
	bool usable; /* it is this client's, and the client is enabled */
};

/*
 * An unknown client is compared with another client's digest, so that the work
 * and the memory looked at are the same. That cannot be equal: the id is part
 * of what is digested; and it would not count.
 */
static enum err
check_digest(const struct auth_attempt *attempt, const struct stored *stored,
    const struct credentials *c)
{
	static const uint8_t nobody[DIGEST_BYTES];
	uint8_t digest[DIGEST_BYTES];
	volatile bool right; /* or the compiler makes two branches of it */
	bool equal;

	realm_secret_digest(
	    attempt->oauth->vault, attempt->kind, c->id, c->secret, digest);
	equal = secret_equal(span_of(digest, sizeof digest),
	    span_of(stored->secret != NULL ? stored->secret->digest : nobody,
		DIGEST_BYTES));
	secret_wipe(digest, sizeof digest);
	right = equal & stored->usable;
	return right ? OK : ERR_DENIED;
}

/* An unknown or disabled client's hash is not computed: it is the most that a
 * stranger can make us do. */
static enum err
check_imported(const struct auth_attempt *attempt, const struct stored *stored,
    const struct credentials *c, bool from_memory)
{
	const struct imported_secret imported = {
	    attempt->kind, c->id, stored->secret->phc, c->secret};
	struct secret_checker *checker = attempt->oauth->secrets;

	if (checker == NULL)
		return ERR_DENIED;
	if (from_memory || attempt->http == NULL)
		return secret_checker_recall(checker, &imported);
	return secret_checker_check(
	    checker, &imported, attempt->http->deadline_us);
}

static enum err
check(const struct auth_attempt *attempt, const struct stored *stored,
    const struct credentials *c)
{
	enum auth_verdict verdict = auth_guard_enter(attempt);
	bool imported =
	    stored->secret != NULL && stored->secret->kind == SECRET_PHC;
	enum err err;

	if (verdict == AUTH_REFUSE_CLIENT || verdict == AUTH_REFUSE_SOURCE)
		return ERR_DENIED;
	if (imported & stored->usable)
		err = check_imported(
		    attempt, stored, c, verdict == AUTH_CHECK_KNOWN);
	else
		err = check_digest(attempt, stored, c);
	if (err == OK)
		auth_guard_passed(attempt);
	else if (err == ERR_DENIED)
		auth_guard_failed(attempt);
	return err;
}

enum err
client_check(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials, const struct realm_client **client_r)
{
	bool same;
	const struct realm_client *client =
	    realm_client_near(realm, credentials->id, &same);
	const struct auth_attempt attempt = {
	    oauth, credentials->http, "client", credentials->id};
	struct stored stored = {NULL, false};
	enum err err;

	if (client != NULL) {
		stored.secret = &client->secret;
		stored.usable = same & client->enabled;
	}
	err = check(&attempt, &stored, credentials);
	if (err == OK)
		*client_r = client;
	return err;
}

enum err
api_client_check(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials,
    const struct realm_api_client **client_r)
{
	return api_client_check_first(
	    oauth, realm, NULL, credentials, client_r);
}

enum err
api_client_check_first(const struct oauth *oauth, const struct realm *realm,
    const struct realm_api_client *first, const struct credentials *credentials,
    const struct realm_api_client **client_r)
{
	bool same;
	const struct realm_api_client *client =
	    realm_api_client_near(realm, credentials->id, &same);
	const struct auth_attempt attempt = {
	    oauth, credentials->http, "api_client", credentials->id};
	struct stored stored = {NULL, false};
	enum err err;

	if (first != NULL && span_is(credentials->id, first->client_id)) {
		client = first;
		same = true;
	}
	if (client != NULL) {
		stored.secret = &client->secret;
		stored.usable = same & client->enabled;
	}
	err = check(&attempt, &stored, credentials);
	if (err == OK)
		*client_r = client;
	return err;
}

const struct realm_client *
client_authenticate(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials)
{
	const struct realm_client *client = NULL;

	return client_check(oauth, realm, credentials, &client) == OK ? client
								      : NULL;
}

const struct realm_api_client *
api_client_authenticate(const struct oauth *oauth, const struct realm *realm,
    const struct credentials *credentials)
{
	const struct realm_api_client *client = NULL;

	return api_client_check(oauth, realm, credentials, &client) == OK
		   ? client
		   : NULL;
}

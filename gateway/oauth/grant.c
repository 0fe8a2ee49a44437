/*
 * Grants and their answer; see grant.h.
 */
#include "gateway/oauth/grant.h"

#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/json_text.h"
#include "common/log.h"
#include "common/metric.h"
#include "common/secret.h"
#include "gateway/oauth/access_token.h"
#include "gateway/oauth/id_token.h"
#include "gateway/oauth/subject.h"
#include "gateway/oauth/tokens.h"
#include "gateway/store/store_grant.h"

/* An id_token with a user object at its limit, base64url and signature. */
#define ID_TOKEN_BYTES_MAX (96 * 1024)

static bool
list_has(const struct string_list *list, const char *item)
{
	for (unsigned i = 0; i < list->count; i++)
		if (strcmp(list->items[i], item) == 0)
			return true;
	return false;
}

static enum err
add_scope(const struct realm_client *client, struct span scope,
    struct arena *arena, struct string_list *list)
{
	const char *text;

	if (!string_set_has(&client->scopes, scope))
		return ERR_DENIED;
	text = arena_copy_str(arena, scope);
	if (text == NULL)
		return ERR_NOMEM;
	if (!list_has(list, text))
		list->items[list->count++] = text;
	return OK;
}

enum err
grant_scope(const struct realm_client *client, const struct span *asked,
    unsigned asked_count, struct arena *arena, struct string_list *granted_r)
{
	const struct string_set *defaults = &client->default_scopes;
	enum err err = OK;

	CHECK(asked_count <= REQUEST_SCOPES_MAX);
	granted_r->count = 0;
	for (unsigned i = 0; i < asked_count && err == OK; i++)
		err = add_scope(client, asked[i], arena, granted_r);
	if (err != OK || asked_count > 0)
		return err;
	for (size_t i = 0; i < defaults->count; i++)
		if (granted_r->count < REQUEST_SCOPES_MAX)
			granted_r->items[granted_r->count++] =
			    defaults->items[i];
	return granted_r->count == 0 ? ERR_DENIED : OK;
}

/* ---- minting ----------------------------------------------------------------
 */

/* What is minted for one grant; wiped after the answer. */
struct minted {
	uint64_t grant;
	int64_t now;
	struct subject subject;
	bool refresh; /* there is a refresh token */
	struct access_token access;
	struct token refresh_token;
	struct buf id_token; /* empty without openid */
	struct buf snapshot;
	const char *scope; /* space-delimited */
};

static const char *
join_scopes(const struct string_list *scopes, struct arena *arena)
{
	const char *text = "";

	for (unsigned i = 0; i < scopes->count && text != NULL; i++)
		text = arena_printf(
		    arena, "%s%s%s", text, i > 0 ? " " : "", scopes->items[i]);
	return text;
}

static bool
wants_refresh(const struct grant_request *r)
{
	/* A stateless grant leaves nothing that could be refreshed. */
	return r->call->client->refresh_enabled &&
	       !span_present(r->call->body.grant_type);
}

static enum err
mint_id_token(const struct grant_request *r, struct minted *m)
{
	const struct oauth *oauth = r->call->oauth;
	const struct id_token token = {
	    .issuer = oauth_issuer(oauth, r->call->realm),
	    .client = r->call->client,
	    .subject = &m->subject,
	    .access_token = buf_cstr(&m->access.text),
	    .now = m->now,
	};

	if (!list_has(r->scopes, "openid"))
		return OK;
	if (token.access_token == NULL)
		return ERR_NOMEM;
	return id_token_append(oauth->keyring, &token, &m->id_token);
}

static enum err
mint_access(const struct grant_request *r, struct minted *m)
{
	const struct access_claims claims = {.realm = r->call->realm,
	    .client = r->call->client,
	    .sub = m->subject.sub,
	    .scope = m->scope,
	    .amr = m->subject.amr,
	    .auth_time = m->now,
	    .now = m->now};

	return access_token_mint(r->call->oauth, &claims, &m->access);
}

static enum err
mint(const struct grant_request *r, struct minted *m)
{
	const struct oauth *oauth = r->call->oauth;
	enum err err;

	m->now = clock_wall_secs();
	m->grant = store_next_number(oauth->store, SEQUENCE_GRANT);
	m->refresh = wants_refresh(r);
	m->scope = join_scopes(r->scopes, r->call->http->arena);
	if (m->scope == NULL)
		return ERR_NOMEM;
	err = mint_access(r, m);
	if (m->refresh)
		token_make(oauth->vault,
		    store_next_number(oauth->store, SEQUENCE_TOKEN),
		    &m->refresh_token);
	if (err == OK)
		err = mint_id_token(r, m);
	if (err != OK)
		return err;
	return snapshot_seal(oauth->vault, m->grant, &m->subject, &m->snapshot);
}

/* ---- storing ----------------------------------------------------------------
 */

int64_t
grant_refresh_expires_at(
    const struct realm_client *client, int64_t now, int64_t refresh_until)
{
	int64_t idle_until = now + client->refresh_idle_secs;

	return idle_until < refresh_until ? idle_until : refresh_until;
}

static void
fill_refresh_row(const struct grant_request *r, const struct minted *m,
    int64_t refresh_until, struct store_token *row_r)
{
	*row_r = (struct store_token){.number = m->refresh_token.number,
	    .kind = TOKEN_REFRESH,
	    .issued_at = m->now,
	    .expires_at = grant_refresh_expires_at(
		r->call->client, m->now, refresh_until)};
	memcpy(row_r->hash, m->refresh_token.hash, sizeof row_r->hash);
}

static enum err
store(const struct grant_request *r, const struct minted *m)
{
	const struct realm_client *client = r->call->client;
	struct store_token tokens[2];
	struct store_grant row = {
	    .number = m->grant,
	    .client_id = client->client_id,
	    .idp = r->call->idp->identifier,
	    .sub = m->subject.sub,
	    .scope = m->scope,
	    .created_at = m->now,
	    .refresh_until =
		m->refresh ? m->now + client->refresh_lifetime_secs : 0,
	    .stateless = span_present(r->call->body.grant_type),
	    .snapshot = buf_span(&m->snapshot),
	    .tokens = tokens,
	    .token_count = m->refresh ? 2 : 1,
	    .transaction = r->transaction,
	};

	memcpy(row.release, r->release->hash, sizeof row.release);
	if (span_present(r->call->body.profile_id))
		row.profile = arena_copy_str(
		    r->call->http->arena, r->call->body.profile_id);
	tokens[0] = m->access.row;
	if (m->refresh)
		fill_refresh_row(r, m, row.refresh_until, &tokens[1]);
	return store_grant_create(r->call->oauth->store, &row);
}

/* ---- answering --------------------------------------------------------------
 */

static void
append_oauth_token(
    const struct grant_request *r, const struct minted *m, struct buf *body)
{
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_str(body, &first, "token_type", span_str("bearer"));
	json_append_member_str(
	    body, &first, "access_token", buf_span(&m->access.text));
	if (m->refresh)
		json_append_member_str(body, &first, "refresh_token",
		    span_str(m->refresh_token.text));
	if (m->id_token.len > 0)
		json_append_member_str(
		    body, &first, "id_token", buf_span(&m->id_token));
	json_append_member_int(
	    body, &first, "expires_in", r->call->client->access_lifetime_secs);
	buf_append_char(body, '}');
}

static void
answer(const struct grant_request *r, const struct minted *m)
{
	struct buf *body = &r->call->response->body;
	bool first = true;

	buf_append_char(body, '{');
	json_append_member_int(body, &first, "status", r->result->status);
	json_append_key(body, &first, "oauth_token");
	append_oauth_token(r, m, body);
	if (span_present(r->result->payload))
		json_append_member_str(
		    body, &first, "data", r->result->payload);
	buf_append_char(body, '}');
}

static void
count(const struct grant_request *r, const struct minted *m)
{
	r->call->sub = m->subject.sub;
	call_count_outcome(r->call, r->result->status);
	metric_count(M_TOKENS_ISSUED, "access", NULL);
	if (m->refresh)
		metric_count(M_TOKENS_ISSUED, "refresh", NULL);
	if (m->id_token.len > 0)
		metric_count(M_TOKENS_ISSUED, "id", NULL);
	if (m->subject.dropped != NULL)
		log_warn("reserved claims dropped",
		    LOG_STR("correlation_id", r->call->http->correlation_id),
		    LOG_STR("idp", r->call->idp->identifier),
		    LOG_STR("claims", m->subject.dropped));
}

/* False: answered with 500. */
static bool
read_subject(const struct grant_request *r, struct minted *m)
{
	struct err_detail detail = {0};
	enum err err;

	err = subject_read(r->call->realm, r->call->idp, r->result->user,
	    r->call->http->arena, &m->subject, &detail);
	if (err == OK)
		return true;
	call_bad_result(r->call, err_text(&detail, err));
	return false;
}

/* Known only now, since it is the script that says who the user is. */
static void
refuse_profile(const struct grant_request *r)
{
	log_info("profile refused",
	    LOG_STR("correlation_id", r->call->http->correlation_id),
	    LOG_STR("client", r->call->client->client_id),
	    LOG_STR("reason", "bound to another user"));
	metric_count(M_REGISTRATIONS, r->call->step, "invalid_profile");
	call_event(r->call, EVENT_COMPLETE_INVALID_PROFILE, NULL);
	http_problem(r->call->response, PROBLEM_INVALID_PROFILE, NULL);
}

bool
grant_issue(const struct grant_request *r)
{
	struct minted m = {0};
	enum err err = OK;
	bool issued = false;

	if (!read_subject(r, &m))
		return false;
	buf_init(&m.id_token, ID_TOKEN_BYTES_MAX);
	buf_init(&m.snapshot, ID_TOKEN_BYTES_MAX);
	err = mint(r, &m);
	if (err == OK)
		err = store(r, &m);
	if (err == OK) {
		answer(r, &m);
		count(r, &m);
		issued = true;
	} else if (err == ERR_DENIED) {
		refuse_profile(r);
	} else {
		log_error("grant not stored",
		    LOG_STR("correlation_id", r->call->http->correlation_id),
		    LOG_STR("error", err_sentence(err)));
		http_problem(r->call->response, PROBLEM_INTERNAL, NULL);
	}
	access_token_fini(&m.access);
	buf_wipe(&m.id_token);
	buf_wipe(&m.snapshot);
	secret_wipe(&m, sizeof m);
	return issued;
}

/*
 * Files of clients/ and api-clients/ into the draft. Runs on the loader's
 * thread.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/realm/realm_draft.h"
#include "gateway/realm/realm_jwks.h"

/* The set of both lists; scopes in both are fine. */
static bool
client_join_scopes(struct arena *arena, const struct string_set *a,
    const struct string_set *b, struct string_set *set_r)
{
	const char **items =
	    arena_alloc(arena, (a->count + b->count + 1) * sizeof *items);
	size_t count = 0;
	size_t i = 0;
	size_t j = 0;

	if (items == NULL)
		return false;
	while (i < a->count || j < b->count) {
		int order = i == a->count   ? 1
			    : j == b->count ? -1
					    : strcmp(a->items[i], b->items[j]);

		items[count++] = order <= 0 ? a->items[i] : b->items[j];
		i += order <= 0;
		j += order >= 0;
	}
	*set_r = (struct string_set){items, count};
	return true;
}

static bool
client_take_sets(struct arena *kept, const struct client_file *settings,
    struct realm_client *client)
{
	struct string_set extra;

	return realm_schema_copy_set(
		   kept, &settings->idps.list, &client->idps) &&
	       realm_schema_copy_set(kept, &settings->default_scopes.list,
		   &client->default_scopes) &&
	       realm_schema_copy_set(
		   kept, &settings->additional_scopes.list, &extra) &&
	       client_join_scopes(
		   kept, &client->default_scopes, &extra, &client->scopes);
}

static bool
client_take_tokens(struct realm_draft *draft, const struct yaml_source *source,
    const struct client_file *settings, struct realm_client *client)
{
	struct refresh_block refresh;
	struct access_block access;
	struct id_token_block id_token;

	if (!realm_schema_read_block(source, SCHEMA_refresh_block,
		&settings->refresh_token, "refresh_token", &refresh) ||
	    !realm_schema_read_block(source, SCHEMA_access_block,
		&settings->access_token, "access_token", &access) ||
	    !realm_schema_read_block(source, SCHEMA_id_token_block,
		&settings->id_token, "id_token", &id_token) ||
	    !realm_schema_copy_set(
		draft->kept, &access.audience.list, &client->access_audience))
		return false;
	client->refresh_enabled = refresh.enabled.number != 0;
	client->refresh_idle_secs = refresh.idle_secs.number;
	client->refresh_lifetime_secs = refresh.lifetime_secs.number;
	client->access_format = (enum access_format)access.format.number;
	client->access_lifetime_secs = access.lifetime_secs.number;
	client->id_token_alg = (enum signing_alg)id_token.signing_alg.number;
	client->id_token_lifetime_secs = id_token.lifetime_secs.number;
	if (client->refresh_idle_secs > client->refresh_lifetime_secs)
		realm_problem_add(&draft->problems,
		    (struct realm_place){source->file, refresh.idle_secs.line,
			"refresh_token.idle_secs"},
		    "expects no more than lifetime_secs");
	return true;
}

static bool
client_take_keys(struct realm_draft *draft, const struct yaml_source *source,
    const struct client_file *settings, struct realm_client *client)
{
	if (settings->jwks.given && settings->jwks_uri.given) {
		realm_problem_add(&draft->problems,
		    (struct realm_place){
			source->file, settings->jwks_uri.line, "jwks_uri"},
		    "not together with jwks");
		return true;
	}
	if (settings->jwks.given)
		return realm_jwks_take(source, settings->jwks.node, draft->kept,
		    &client->jwks_json);
	if (!settings->jwks_uri.given)
		return true;
	client->jwks_uri = arena_strdup(draft->kept, settings->jwks_uri.text);
	return client->jwks_uri != NULL;
}

static bool
client_take_names(struct arena *kept, const struct setting *id,
    const struct setting *name, const char **id_r, const char **name_r)
{
	*id_r = arena_strdup(kept, id->text);
	*name_r = arena_strdup(kept, name->given ? name->text : id->text);
	return *id_r != NULL && *name_r != NULL;
}

static bool
client_fill(struct realm_draft *draft, const struct draft_file *file,
    struct draft_client *draft_client)
{
	const struct yaml_source source = realm_draft_source(draft, file->path);
	const struct client_file *settings = &draft_client->settings;
	struct realm_client *client = &draft_client->client;
	struct secret_client secret_client = {"client",
	    settings->client_id.text, file->path, &settings->client_secret,
	    file->exposed};

	client->enabled = settings->enabled.number != 0;
	client->profile = (enum profile_rule)settings->profile.number;
	client->grant_client_credentials = string_set_has(
	    &settings->grants.list, span_str("client_credentials"));
	client->grant_stateless =
	    string_set_has(&settings->grants.list, span_str("stateless"));
	return client_take_names(draft->kept, &settings->client_id,
		   &settings->name, &client->client_id, &client->name) &&
	       client_take_sets(draft->kept, settings, client) &&
	       client_take_tokens(draft, &source, settings, client) &&
	       client_take_keys(draft, &source, settings, client) &&
	       realm_secret_take(draft, &secret_client, &client->secret,
		   &draft_client->secret_source);
}

bool
realm_client_file_take(struct realm_draft *draft, const struct draft_file *file)
{
	const struct yaml_source source = realm_draft_source(draft, file->path);
	struct draft_client *client =
	    arena_alloc(draft->scratch, sizeof *client);

	if (client == NULL)
		return false;
	client->file = file->path;
	if (!realm_schema_read(&source, SCHEMA_client_file,
		(struct schema_input){file->root, 1, ""}, &client->settings))
		return false;
	if (client->settings.client_id.text == NULL)
		return true;
	if (!client_fill(draft, file, client))
		return false;
	client->next = draft->clients;
	draft->clients = client;
	draft->client_count++;
	return true;
}

static unsigned
client_api_scopes(const struct string_set *list)
{
	static const struct {
		const char *name;
		enum api_scope bit;
	} scopes[] = {
	    {"user_registration", API_USER_REGISTRATION},
	    {"token_introspection", API_TOKEN_INTROSPECTION},
	    {"end_user", API_END_USER},
	    {"events", API_EVENTS},
	    {"config", API_CONFIG},
	    {"admin", API_ADMIN},
	};
	unsigned bits = 0;

	for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
		if (string_set_has(list, span_str(scopes[i].name)))
			bits |= scopes[i].bit;
	}
	return bits;
}

bool
realm_client_file_take_api(
    struct realm_draft *draft, const struct draft_file *file)
{
	const struct yaml_source source = realm_draft_source(draft, file->path);
	struct draft_api_client *api = arena_alloc(draft->scratch, sizeof *api);
	struct api_client_file *settings;
	struct secret_client secret_client;

	if (api == NULL)
		return false;
	settings = &api->settings;
	api->file = file->path;
	if (!realm_schema_read(&source, SCHEMA_api_client_file,
		(struct schema_input){file->root, 1, ""}, settings))
		return false;
	if (settings->client_id.text == NULL)
		return true;
	secret_client =
	    (struct secret_client){"api_client", settings->client_id.text,
		file->path, &settings->client_secret, file->exposed};
	api->client.enabled = settings->enabled.number != 0;
	api->client.scopes = client_api_scopes(&settings->scopes.list);
	if (!client_take_names(draft->kept, &settings->client_id,
		&settings->name, &api->client.client_id, &api->client.name) ||
	    !realm_secret_take(draft, &secret_client, &api->client.secret,
		&api->secret_source))
		return false;
	api->next = draft->api_clients;
	draft->api_clients = api;
	draft->api_client_count++;
	return true;
}

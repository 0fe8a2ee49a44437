/*
 * realm.yaml and scopes.yaml into the draft. Runs on the loader's thread.
 */
#include <stdlib.h>

#include "gateway/realm/realm_ca.h"
#include "gateway/realm/realm_draft.h"

static void
settings_copy_limits(
    const struct script_block *block, struct script_limits *limits_r)
{
	*limits_r = (struct script_limits){
	    .wall_ms = block->wall_ms.number,
	    .cpu_ms = block->cpu_ms.number,
	    .heap_mib = block->heap_mib.number,
	    .executions_per_process = block->executions_per_process.number,
	    .host_calls = block->host_calls.number,
	    .source_kib = block->source_kib.number,
	    .data_kib = block->data_kib.number,
	    .result_kib = block->result_kib.number,
	    .log_kib = block->log_kib.number,
	    .http_body_kib = block->http_body_kib.number,
	    .cache_value_kib = block->cache_value_kib.number,
	    .cache_entries = block->cache_entries.number,
	};
}

static bool
settings_take_blocks(struct realm_draft *draft,
    const struct yaml_source *source, const struct realm_file *settings)
{
	struct realm *realm = draft->realm;
	struct attempts_block attempts;
	struct transaction_block transaction;
	struct script_block script;
	struct http_block http;
	struct cache_block cache;

	if (!realm_schema_read_block(source, SCHEMA_attempts_block,
		&settings->attempts, "attempts", &attempts) ||
	    !realm_schema_read_block(source, SCHEMA_transaction_block,
		&settings->transaction, "transaction", &transaction) ||
	    !realm_schema_read_block(source, SCHEMA_script_block,
		&settings->script, "script", &script) ||
	    !realm_schema_read_block(
		source, SCHEMA_http_block, &settings->http, "http", &http) ||
	    !realm_schema_read_block(
		source, SCHEMA_cache_block, &settings->cache, "cache", &cache))
		return false;
	realm->attempts_per_source_4xx = attempts.per_source_4xx.number;
	realm->attempts_window_secs = attempts.window_secs.number;
	realm->transaction_lifetime_secs = transaction.lifetime_secs.number;
	realm->transaction_attempts = (unsigned)transaction.attempts.number;
	realm->cache_ttl_secs = cache.ttl_secs.number;
	settings_copy_limits(&script, &draft->limits);
	draft->http_allow = http.allow.list;
	draft->http_ca_file = http.ca.text;
	return realm_ca_take(draft, source, &http.ca, &draft->http_ca_pem);
}

bool
realm_settings_take_realm(
    struct realm_draft *draft, const struct draft_file *file)
{
	const struct yaml_source source = realm_draft_source(draft, file->path);
	struct realm_file settings;

	if (!realm_schema_read(&source, SCHEMA_realm_file,
		(struct schema_input){file->root, 1, ""}, &settings))
		return false;
	draft->realm->shared_subjects = settings.shared_subjects.number != 0;
	if (settings.issuer.text != NULL) {
		draft->realm->issuer =
		    arena_strdup(draft->kept, settings.issuer.text);
		if (draft->realm->issuer == NULL)
			return false;
	}
	return settings_take_blocks(draft, &source, &settings);
}

static bool
settings_take_scope(struct realm_draft *draft, const struct yaml_source *source,
    const struct yaml_node *node)
{
	struct draft_scope *scope;
	struct scope_item item;

	if (!realm_schema_read(source, SCHEMA_scope_item,
		(struct schema_input){node, node->line, ""}, &item))
		return false;
	if (item.id.text == NULL)
		return true;
	scope = arena_alloc(draft->scratch, sizeof *scope);
	if (scope == NULL)
		return false;
	scope->id = item.id.text;
	scope->line = item.id.line;
	scope->next = draft->scopes;
	draft->scopes = scope;
	draft->scope_count++;
	return true;
}

bool
realm_settings_take_scopes(
    struct realm_draft *draft, const struct draft_file *file)
{
	const struct yaml_source source = realm_draft_source(draft, file->path);

	if (file->root == NULL)
		return true;
	if (file->root->kind != YAML_LIST) {
		realm_problem_add(&draft->problems,
		    (struct realm_place){file->path, file->root->line, NULL},
		    "expects a list of scopes");
		return true;
	}
	for (const struct yaml_node *node = file->root->first; node != NULL;
	     node = node->next) {
		if (!settings_take_scope(draft, &source, node))
			return false;
	}
	return true;
}

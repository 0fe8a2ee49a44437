/*
 * An identity provider's idp.yaml into the draft. Not its scripts:
 * realm_script.c. Runs on the loader's thread.
 */
#include <stdio.h>
#include <string.h>

#include "gateway/realm/realm_ca.h"
#include "gateway/realm/realm_draft.h"
#include "gateway/realm/realm_syntax.h"

/* Members of `user` that a mapping may name. */
#define MAPPING_MAX     200
#define ATTRIBUTE_BYTES 128

/* messages.def: job.http_allow. */
#define ALLOW_LINES_BYTES 65536

/* The realm's limits, but for those the IdP's own file gives. */
static void
idp_take_limits(const struct script_block *own,
    const struct script_limits *realm, struct script_limits *limits_r)
{
	*limits_r = *realm;
#define OVERRIDE(field)                                      \
	do {                                                 \
		if (own->field.given)                        \
			limits_r->field = own->field.number; \
	} while (0)
	OVERRIDE(wall_ms);
	OVERRIDE(cpu_ms);
	OVERRIDE(heap_mib);
	OVERRIDE(executions_per_process);
	OVERRIDE(host_calls);
	OVERRIDE(source_kib);
	OVERRIDE(data_kib);
	OVERRIDE(result_kib);
	OVERRIDE(log_kib);
	OVERRIDE(http_body_kib);
	OVERRIDE(cache_value_kib);
	OVERRIDE(cache_entries);
#undef OVERRIDE
}

static bool
idp_is_attribute(const char *text)
{
	struct span span = span_str(text);

	return span.len >= 1 && span.len <= ATTRIBUTE_BYTES &&
	       realm_syntax_is_text(span);
}

static const char *
idp_find_mapping_mistake(
    const struct yaml_node *map, const struct yaml_node *member)
{
	if (member->kind != YAML_SCALAR || !idp_is_attribute(member->text) ||
	    !idp_is_attribute(member->key))
		return "expects the name of a member, 1 to 128 characters";
	for (const struct yaml_node *other = map->first; other != member;
	     other = other->next) {
		if (other->kind == YAML_SCALAR &&
		    strcmp(other->text, member->text) == 0)
			return "two members would get the same name";
	}
	return NULL;
}

static bool
idp_take_mapping_member(struct realm_draft *draft, const char *file,
    const struct yaml_node *member, struct attribute_rename *rename)
{
	char path[ATTRIBUTE_BYTES + 32];
	const char *mistake = idp_find_mapping_mistake(member->parent, member);

	if (mistake != NULL) {
		(void)snprintf(
		    path, sizeof path, "attribute_mapping.%.64s", member->key);
		realm_problem_add(&draft->problems,
		    (struct realm_place){file, member->line, path}, "%s",
		    mistake);
		return true;
	}
	rename->from = arena_strdup(draft->kept, member->key);
	rename->to = arena_strdup(draft->kept, member->text);
	return rename->from != NULL && rename->to != NULL;
}

static bool
idp_take_mapping(struct realm_draft *draft, const char *file,
    const struct setting *setting, struct realm_idp *idp)
{
	const struct yaml_node *map = setting->node;
	struct attribute_rename *mapping;
	size_t count = 0;

	if (map == NULL)
		return true;
	if (map->kind != YAML_MAP || map->count == 0 ||
	    map->count > MAPPING_MAX) {
		realm_problem_add(&draft->problems,
		    (struct realm_place){
			file, setting->line, "attribute_mapping"},
		    "expects a map of 1 to %d names", MAPPING_MAX);
		return true;
	}
	mapping = arena_alloc(draft->kept, map->count * sizeof *mapping);
	if (mapping == NULL)
		return false;
	for (const struct yaml_node *member = map->first; member != NULL;
	     member = member->next) {
		if (!idp_take_mapping_member(
			draft, file, member, &mapping[count++]))
			return false;
	}
	idp->mapping = mapping;
	idp->mapping_count = count;
	return true;
}

/* The realm's entries and the IdP's, one set. */
static bool
idp_join_allow(struct realm_draft *draft, const struct string_set *own,
    struct string_set *set_r)
{
	const struct string_set *realm = &draft->http_allow;
	size_t total = own->count + realm->count;
	const char **items =
	    arena_alloc(draft->scratch, (total + 1) * sizeof *items);
	size_t count = 0;
	size_t i = 0;
	size_t j = 0;

	if (items == NULL)
		return false;
	while (i < own->count || j < realm->count) {
		int order = i == own->count ? 1
			    : j == realm->count
				? -1
				: strcmp(own->items[i], realm->items[j]);

		items[count++] = order <= 0 ? own->items[i] : realm->items[j];
		i += order <= 0;
		j += order >= 0;
	}
	return realm_schema_copy_set(
	    draft->kept, &(struct string_set){items, count}, set_r);
}

/* What a job carries of it. */
static bool
idp_write_allow(struct realm_draft *draft, const struct yaml_source *source,
    struct realm_idp *idp)
{
	struct buf lines;
	bool fine;

	buf_init(&lines, ALLOW_LINES_BYTES);
	for (size_t i = 0; i < idp->http_allow.count; i++) {
		if (i > 0)
			buf_append_char(&lines, '\n');
		buf_append_str(&lines, idp->http_allow.items[i]);
	}
	fine = buf_status(&lines) != ERR_NOMEM;
	if (fine && lines.failed)
		realm_problem_add(&draft->problems,
		    (struct realm_place){source->file, 0, "http"},
		    "the entries of http.allow, the realm's included, are over "
		    "%d bytes together",
		    ALLOW_LINES_BYTES);
	else if (fine)
		idp->http_allow_lines =
		    arena_copy_str(draft->kept, buf_span(&lines));
	buf_fini(&lines);
	return fine && (lines.failed || idp->http_allow_lines != NULL);
}

/* The IdP's own authorities, else the realm's. */
static bool
idp_take_ca(struct realm_draft *draft, const struct yaml_source *source,
    const struct setting *own, struct realm_idp *idp)
{
	idp->http_ca_pem = draft->http_ca_pem;
	return !own->given ||
	       realm_ca_take(draft, source, own, &idp->http_ca_pem);
}

static bool
idp_take_names(struct realm_draft *draft, const struct idp_file *settings,
    const char *identifier, struct realm_idp *idp)
{
	struct arena *kept = draft->kept;

	idp->identifier = arena_strdup(kept, identifier);
	idp->name = arena_strdup(
	    kept, settings->name.given ? settings->name.text : identifier);
	idp->subject_prefix =
	    settings->subject_prefix.given
		? arena_strdup(kept, settings->subject_prefix.text)
		: arena_printf(kept, "%s|", identifier);
	return idp->identifier != NULL && idp->name != NULL &&
	       idp->subject_prefix != NULL;
}

static bool
idp_take_blocks(struct realm_draft *draft, const struct yaml_source *source,
    struct draft_idp *draft_idp)
{
	const struct idp_file *settings = &draft_idp->settings;
	struct realm_idp *idp = &draft_idp->idp;
	struct record_block record;

	if (!realm_schema_read_block(source, SCHEMA_script_block,
		&settings->script, "script", &draft_idp->script) ||
	    !realm_schema_read_block(source, SCHEMA_http_block, &settings->http,
		"http", &draft_idp->http) ||
	    !realm_schema_read_block(source, SCHEMA_record_block,
		&settings->record, "record", &record))
		return false;
	idp_take_limits(
	    &draft_idp->script, &draft->limits, &draft_idp->release.limits);
	idp->record_mode = (enum record_mode)record.mode.number;
	idp->record_keep = record.keep.number;
	return realm_schema_copy_set(
		   draft->kept, &record.mask.list, &idp->record_mask) &&
	       realm_schema_copy_set(
		   draft->kept, &settings->engines.list, &idp->engine_labels) &&
	       idp_join_allow(
		   draft, &draft_idp->http.allow.list, &idp->http_allow) &&
	       idp_write_allow(draft, source, idp) &&
	       idp_take_ca(draft, source, &draft_idp->http.ca, idp);
}

static bool
idp_fill(struct realm_draft *draft, const struct yaml_source *source,
    const char *identifier, struct draft_idp *draft_idp)
{
	const struct idp_file *settings = &draft_idp->settings;
	struct realm_idp *idp = &draft_idp->idp;

	/* two_step|one_step */
	idp->two_step = settings->type.number == 0;
	idp->enabled = settings->enabled.number != 0;
	idp->cache_shared = settings->cache_namespace.number != 0;
	idp->weight = settings->weight.number;
	return idp_take_names(draft, settings, identifier, idp) &&
	       idp_take_mapping(
		   draft, source->file, &settings->attribute_mapping, idp) &&
	       idp_take_blocks(draft, source, draft_idp);
}

bool
realm_idp_file_take(struct realm_draft *draft, const struct draft_file *file,
    const char *identifier)
{
	const struct yaml_source source = realm_draft_source(draft, file->path);
	struct draft_idp *idp = arena_alloc(draft->scratch, sizeof *idp);

	if (idp == NULL)
		return false;
	idp->file = file->path;
	if (!realm_schema_read(&source, SCHEMA_idp_file,
		(struct schema_input){file->root, 1, ""}, &idp->settings))
		return false;
	if (!idp_fill(draft, &source, identifier, idp))
		return false;
	idp->next = draft->idps;
	draft->idps = idp;
	draft->idp_count++;
	return true;
}

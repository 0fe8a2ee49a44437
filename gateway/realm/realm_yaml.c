/*
 * libfyaml's events into a tree. Not the schema: any plain YAML passes here.
 * The only file that includes libfyaml. Runs on the loader's thread.
 *
 * Events and not the library's document: so that anchors, aliases and tags
 * are seen before anything is resolved, and memory is the arena's.
 */
#include <libfyaml.h>
#include <stdint.h>
#include <string.h>

#include "common/encoding.h"
#include "gateway/realm/realm_yaml.h"

/* The schema is 5 deep. */
#define YAML_DEPTH_MAX 16

/* A list of ten thousand scopes fits; a file of nothing but "[]" does not. */
#define YAML_NODES_MAX 65536

/* The search for duplicate keys is linear. */
#define YAML_MEMBERS_MAX 512

/*
 * libfyaml 0.7.12 leaks some 40 bytes for each '' of a single-quoted scalar
 * that is never closed: what a gateway may lose by one bad reload is bounded.
 */
#define YAML_QUOTE_PAIRS_MAX 4096

struct yaml_reader {
	const struct yaml_source *source;
	struct yaml_node *root;
	struct yaml_node *open; /* the container being filled */
	const char *key;        /* of the member whose value comes next */
	int key_line;
	int line; /* of the last event */
	size_t depth;
	size_t nodes;
	unsigned documents;
	bool ended;
};

static bool
yaml_refuse(const struct yaml_reader *reader, int line, const char *sentence)
{
	realm_problem_add(reader->source->problems,
	    (struct realm_place){reader->source->file, line, reader->key}, "%s",
	    sentence);
	return false;
}

static char *
yaml_copy_token(const struct yaml_reader *reader, struct fy_token *token)
{
	size_t len = 0;
	const char *text = fy_token_get_text(token, &len);

	if (text == NULL)
		return arena_strdup(reader->source->arena, "");
	if (memchr(text, '\0', len) != NULL) {
		(void)yaml_refuse(reader, reader->line,
		    "a NUL character has no place in a realm");
		return NULL;
	}
	return arena_copy_str(reader->source->arena, span_of(text, len));
}

/* A scalar where a map expects a key. */
static bool
yaml_take_key(struct yaml_reader *reader, struct fy_event *event)
{
	char *key = yaml_copy_token(reader, event->scalar.value);

	if (key == NULL)
		return false;
	reader->key = key;
	reader->key_line = reader->line;
	if (strcmp(key, "<<") == 0)
		return yaml_refuse(
		    reader, reader->line, "merge keys are not allowed");
	for (const struct yaml_node *member = reader->open->first;
	     member != NULL; member = member->next) {
		if (strcmp(member->key, key) == 0)
			return yaml_refuse(
			    reader, reader->line, "the key is given twice");
	}
	if (reader->open->count >= YAML_MEMBERS_MAX)
		return yaml_refuse(reader, reader->line, "too many keys");
	return true;
}

static void
yaml_link(struct yaml_reader *reader, struct yaml_node *node)
{
	struct yaml_node *parent = reader->open;

	node->parent = parent;
	node->key = reader->key;
	node->key_line = reader->key == NULL ? node->line : reader->key_line;
	reader->key = NULL;
	if (parent == NULL) {
		reader->root = node;
		return;
	}
	if (parent->last == NULL)
		parent->first = node;
	else
		parent->last->next = node;
	parent->last = node;
	parent->count++;
}

static struct yaml_node *
yaml_add(struct yaml_reader *reader, enum yaml_kind kind)
{
	struct yaml_node *node;

	if (++reader->nodes > YAML_NODES_MAX) {
		(void)yaml_refuse(
		    reader, reader->line, "the file has too many values");
		return NULL;
	}
	node = arena_alloc(reader->source->arena, sizeof *node);
	if (node == NULL)
		return NULL;
	node->kind = kind;
	node->line = reader->line;
	return node;
}

static bool
yaml_take_scalar(struct yaml_reader *reader, struct fy_event *event)
{
	struct yaml_node *node;

	if (reader->open != NULL && reader->open->kind == YAML_MAP &&
	    reader->key == NULL)
		return yaml_take_key(reader, event);
	node = yaml_add(reader, YAML_SCALAR);
	if (node == NULL)
		return false;
	node->plain = event->scalar.value == NULL ||
		      fy_event_get_node_style(event) == FYNS_PLAIN;
	node->text = yaml_copy_token(reader, event->scalar.value);
	if (node->text == NULL)
		return false;
	yaml_link(reader, node);
	return true;
}

static bool
yaml_open(struct yaml_reader *reader, enum yaml_kind kind)
{
	struct yaml_node *node;

	if (reader->open != NULL && reader->open->kind == YAML_MAP &&
	    reader->key == NULL)
		return yaml_refuse(reader, reader->line, "a key must be text");
	if (reader->depth >= YAML_DEPTH_MAX)
		return yaml_refuse(reader, reader->line, "nested too deeply");
	node = yaml_add(reader, kind);
	if (node == NULL)
		return false;
	yaml_link(reader, node);
	reader->open = node;
	reader->depth++;
	return true;
}

static bool
yaml_close(struct yaml_reader *reader)
{
	if (reader->open == NULL)
		return yaml_refuse(reader, reader->line, "not valid YAML");
	reader->open = reader->open->parent;
	reader->depth--;
	return true;
}

static void
yaml_note_line(struct yaml_reader *reader, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);

	/* libfyaml counts from 0; an implied event may have no mark. */
	if (mark != NULL && mark->line >= 0)
		reader->line = mark->line + 1;
}

static bool
yaml_take(struct yaml_reader *reader, struct fy_event *event)
{
	yaml_note_line(reader, event);
	if (event->type == FYET_ALIAS)
		return yaml_refuse(
		    reader, reader->line, "aliases are not allowed");
	if (fy_event_get_anchor_token(event) != NULL)
		return yaml_refuse(
		    reader, reader->line, "anchors are not allowed");
	if (fy_event_get_tag_token(event) != NULL)
		return yaml_refuse(
		    reader, reader->line, "tags are not allowed");
	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (++reader->documents > 1)
			return yaml_refuse(
			    reader, reader->line, "a file holds one document");
		return true;
	case FYET_STREAM_END:
		reader->ended = true;
		return true;
	case FYET_SCALAR:
		return yaml_take_scalar(reader, event);
	case FYET_MAPPING_START:
		return yaml_open(reader, YAML_MAP);
	case FYET_SEQUENCE_START:
		return yaml_open(reader, YAML_LIST);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		return yaml_close(reader);
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_DOCUMENT_END:
	case FYET_ALIAS:
	default:
		return true;
	}
}

/* The parser gave up: its own first sentence says why. */
static bool
yaml_refuse_syntax(struct yaml_reader *reader, struct fy_diag *diag)
{
	void *cursor = NULL;
	const struct fy_diag_error *error =
	    fy_diag_errors_iterate(diag, &cursor);

	if (error == NULL || error->msg == NULL)
		return yaml_refuse(reader, reader->line, "not valid YAML");
	reader->key = NULL;
	realm_problem_add(reader->source->problems,
	    (struct realm_place){reader->source->file,
		error->line > 0 ? error->line : reader->line, NULL},
	    "not valid YAML: %s", error->msg);
	return false;
}

static bool
yaml_run(
    struct yaml_reader *reader, struct fy_parser *parser, struct fy_diag *diag)
{
	bool going = true;

	while (going && !reader->ended) {
		struct fy_event *event = fy_parser_parse(parser);

		if (event == NULL)
			return yaml_refuse_syntax(reader, diag);
		going = yaml_take(reader, event);
		fy_parser_event_free(parser, event);
	}
	return going;
}

static bool
yaml_run_parser(
    struct yaml_reader *reader, struct span bytes, struct fy_diag *diag)
{
	const struct fy_parse_cfg cfg = {
	    .flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE |
		     FYPCF_DEFAULT_VERSION_1_2,
	    .diag = diag,
	};
	struct fy_parser *parser = fy_parser_create(&cfg);
	bool fine = false;

	if (parser == NULL)
		return false;
	if (fy_parser_set_string(parser, (const char *)bytes.data, bytes.len) ==
	    0)
		fine = yaml_run(reader, parser, diag);
	fy_parser_destroy(parser);
	return fine;
}

static size_t
yaml_count_quote_pairs(struct span bytes)
{
	size_t pairs = 0;

	for (size_t i = 1; i < bytes.len; i++) {
		if (bytes.data[i - 1] == '\'' && bytes.data[i] == '\'') {
			pairs++;
			i++;
		}
	}
	return pairs;
}

bool
realm_yaml_parse(const struct yaml_source *source, struct span bytes,
    const struct yaml_node **root_r)
{
	struct yaml_reader reader = {.source = source, .line = 1};
	struct fy_diag_cfg diag_cfg;
	struct fy_diag *diag;
	bool fine;

	if (bytes.len == 0) {
		*root_r = NULL;
		return true;
	}
	if (!utf8_is_valid(bytes) ||
	    memchr(bytes.data, '\0', bytes.len) != NULL)
		return yaml_refuse(&reader, 0, "not UTF-8 text");
	if (yaml_count_quote_pairs(bytes) > YAML_QUOTE_PAIRS_MAX)
		return yaml_refuse(
		    &reader, 0, "too many ''; use double quotes");
	fy_diag_cfg_default(&diag_cfg);
	diag_cfg.fp = NULL;
	diag = fy_diag_create(&diag_cfg);
	if (diag == NULL)
		return false;
	fy_diag_set_collect_errors(diag, true);
	fine = yaml_run_parser(&reader, bytes, diag);
	fy_diag_destroy(diag);
	if (fine)
		*root_r = reader.root;
	return fine;
}

/*
 * The content of a release: written by a load, kept in the store by its
 * SHA-256, read back as hostile bytes. Not the running of it. Any thread.
 *
 * Content, all numbers big-endian:
 *	u8   RELEASE_VERSION
 *	text identifier of the IdP
 *	u64  each script limit, in the order of release_limits
 *	for each script kind: u8 0 (none), or u8 1, text file, text source
 * where text is u32 length and bytes. Nothing follows.
 *
 * A new version gets a new number; old contents stay readable, since their
 * hash is their name.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "gateway/realm/realm_load.h"
#include "gateway/realm/realm_schema.h"
#include "gateway/realm/realm_syntax.h"
#include "gateway/realm/release.h"

#define RELEASE_VERSION 1

/* As the wire's source message allows. */
#define FILE_BYTES   256
#define SOURCE_BYTES ((size_t)512 << 10)

/* The order is part of the format: append only, with a new version. Keys are
 * those of the script block (realm_schema.def). */
#define LIMIT(key)                                        \
	{                                                 \
#key, offsetof(struct script_limits, key) \
	}
static const struct {
	const char *key;
	size_t offset;
} release_limits[] = {
    LIMIT(wall_ms),
    LIMIT(cpu_ms),
    LIMIT(heap_mib),
    LIMIT(executions_per_process),
    LIMIT(host_calls),
    LIMIT(source_kib),
    LIMIT(data_kib),
    LIMIT(result_kib),
    LIMIT(log_kib),
    LIMIT(http_body_kib),
    LIMIT(cache_value_kib),
    LIMIT(cache_entries),
};
#undef LIMIT

_Static_assert(
    sizeof release_limits / sizeof release_limits[0] == RELEASE_LIMITS &&
	RELEASE_LIMITS * sizeof(int64_t) == sizeof(struct script_limits),
    "every limit is part of a release");

const char *
release_limit_key(size_t which)
{
	return release_limits[which].key;
}

int64_t
release_limit(const struct script_limits *limits, size_t which)
{
	int64_t limit;

	memcpy(&limit, (const uint8_t *)limits + release_limits[which].offset,
	    sizeof limit);
	return limit;
}

/* ---- writing ------------------------------------------------------------ */

static void
release_put_number(struct buf *out, uint64_t number, unsigned bytes)
{
	while (bytes-- > 0)
		buf_append_char(out, (char)(number >> (8 * bytes) & 0xff));
}

static void
release_put_text(struct buf *out, struct span text)
{
	release_put_number(out, text.len, 4);
	buf_append_span(out, text);
}

void
release_encode(const struct release *release, struct buf *out)
{
	buf_append_char(out, RELEASE_VERSION);
	release_put_text(out, span_str(release->idp));
	for (size_t i = 0; i < RELEASE_LIMITS; i++)
		release_put_number(
		    out, (uint64_t)release_limit(&release->limits, i), 8);
	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++) {
		const struct realm_script *script = release->scripts[kind];

		buf_append_char(out, script != NULL);
		if (script == NULL)
			continue;
		release_put_text(out, span_str(script->file));
		release_put_text(out, script->source);
	}
}

/* ---- reading ------------------------------------------------------------ */

struct content_reader {
	struct span rest;
	bool failed;
};

/* What the content says, still pointing into it. */
struct content {
	struct span idp;
	struct script_limits limits;
	struct span files[SCRIPT_KINDS]; /* absent: no such script */
	struct span sources[SCRIPT_KINDS];
};

static uint64_t
content_number(struct content_reader *reader, unsigned bytes)
{
	uint64_t number = 0;

	if (reader->failed || reader->rest.len < bytes) {
		reader->failed = true;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		number = number << 8 | reader->rest.data[i];
	reader->rest =
	    span_of(reader->rest.data + bytes, reader->rest.len - bytes);
	return number;
}

static struct span
content_text(struct content_reader *reader, size_t max)
{
	size_t len = content_number(reader, 4);
	struct span text = {NULL, 0};

	if (reader->failed || len > max || len > reader->rest.len) {
		reader->failed = true;
		return text;
	}
	text = span_of(reader->rest.data, len);
	reader->rest = span_of(reader->rest.data + len, reader->rest.len - len);
	return text;
}

static void
content_limits(struct content_reader *reader, struct script_limits *limits_r)
{
	for (size_t i = 0; i < RELEASE_LIMITS; i++) {
		uint64_t number = content_number(reader, 8);
		int64_t limit = 0;

		if (number > INT64_MAX)
			reader->failed = true;
		else
			limit = (int64_t)number;
		memcpy((uint8_t *)limits_r + release_limits[i].offset, &limit,
		    sizeof limit);
	}
}

static void
content_scripts(struct content_reader *reader, struct content *content)
{
	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++) {
		uint64_t present = content_number(reader, 1);

		if (present > 1)
			reader->failed = true;
		if (present != 1)
			continue;
		content->files[kind] = content_text(reader, FILE_BYTES);
		content->sources[kind] = content_text(reader, SOURCE_BYTES);
	}
}

static bool
content_is_valid(const struct content *content)
{
	if (!realm_syntax_is_idp_id(content->idp) ||
	    !realm_schema_limits_are_valid(&content->limits) ||
	    !span_present(content->sources[SCRIPT_COMPLETE]))
		return false;
	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++) {
		if (!span_present(content->sources[kind]))
			continue;
		if (content->files[kind].len == 0 ||
		    !realm_syntax_is_text(content->files[kind]) ||
		    !utf8_is_valid(content->sources[kind]) ||
		    content->sources[kind].len >
			(size_t)content->limits.source_kib * 1024)
			return false;
	}
	return true;
}

static bool
content_read(struct span bytes, struct content *content_r)
{
	struct content_reader reader = {.rest = bytes};
	struct content content = {0};

	if (content_number(&reader, 1) != RELEASE_VERSION)
		return false;
	content.idp = content_text(&reader, REALM_IDP_ID_BYTES);
	content_limits(&reader, &content.limits);
	content_scripts(&reader, &content);
	if (reader.failed || reader.rest.len != 0 ||
	    !content_is_valid(&content))
		return false;
	*content_r = content;
	return true;
}

/* ---- one block ---------------------------------------------------------- */

struct release_block {
	struct release release;
	struct realm_script scripts[SCRIPT_KINDS];
	char text[];
};

/* Copies with a terminator; moves `*at` behind it. */
static char *
release_place(char **at, struct span text)
{
	char *start = *at;

	if (text.len > 0)
		memcpy(start, text.data, text.len);
	start[text.len] = '\0';
	*at = start + text.len + 1;
	return start;
}

static size_t
release_text_bytes(const struct content *content)
{
	size_t bytes = content->idp.len + 1;

	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++)
		bytes += content->files[kind].len + 1 +
			 content->sources[kind].len + 1;
	return bytes;
}

static struct release *
release_build(const struct content *content, const uint8_t hash[DIGEST_BYTES])
{
	struct release_block *block =
	    calloc(1, sizeof *block + release_text_bytes(content));
	char *at;

	if (block == NULL)
		return NULL;
	at = block->text;
	memcpy(block->release.hash, hash, DIGEST_BYTES);
	block->release.idp = release_place(&at, content->idp);
	block->release.limits = content->limits;
	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++) {
		struct realm_script *script = &block->scripts[kind];
		struct span source = content->sources[kind];

		if (!span_present(source))
			continue;
		digest_sha256(source, script->source_hash);
		script->file = release_place(&at, content->files[kind]);
		script->source =
		    span_of(release_place(&at, source), source.len);
		block->release.scripts[kind] = script;
	}
	/* The release is the block's first member: freeing it frees all. */
	return &block->release;
}

enum err
release_decode(const uint8_t hash[DIGEST_BYTES], struct span content,
    struct release **release_r)
{
	uint8_t actual[DIGEST_BYTES];
	struct content parsed;
	struct release *release;

	if (content.len > RELEASE_CONTENT_BYTES)
		return ERR_CORRUPT;
	digest_sha256(content, actual);
	if (memcmp(actual, hash, DIGEST_BYTES) != 0)
		return ERR_CORRUPT;
	if (!content_read(content, &parsed))
		return ERR_CORRUPT;
	release = release_build(&parsed, hash);
	if (release == NULL)
		return ERR_NOMEM;
	*release_r = release;
	return OK;
}

/*
 * Reading a job; see local_job.h. Not carrying it out. Main thread.
 */
#include "engine/front/local_job.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/json_text.h"
#include "engine/front/openssl_headers.h"
#include "proto/clock_readings.h"

/* messages.def: job.http_allow. */
#define ALLOW_BYTES 65536
#define CALLS_BYTES ((size_t)32 << 20)
/* realm.yaml: cache.ttl_secs. */
#define CACHE_TTL_SECS 300
/* In logs of the front; a local job has no request. */
#define CORRELATION_ID "local"
/* Readings of one millisecond: a second of nothing else. */
#define CLOCK_COUNT_MAX 10000000

/* realm_schema.def's script_block, row by row: name, member, unit in bytes or
 * 1, least, greatest, default. */
#define LIMIT_ROWS(ROW)                                             \
	ROW("wall_ms", wall_ms, 1, 10, 60000, 5000)                 \
	ROW("cpu_ms", cpu_ms, 1, 1, 60000, 1000)                    \
	ROW("heap_mib", heap_bytes, 1048576, 1, 512, 32)            \
	ROW("host_calls", host_calls, 1, 0, 10000, 20)              \
	ROW("source_kib", source_bytes, 1024, 1, 512, 256)          \
	ROW("data_kib", data_bytes, 1024, 1, 512, 64)               \
	ROW("result_kib", result_bytes, 1024, 1, 512, 64)           \
	ROW("log_kib", log_bytes, 1024, 1, 256, 16)                 \
	ROW("http_body_kib", http_body_bytes, 1024, 1, 16384, 1024) \
	ROW("cache_value_kib", cache_value_bytes, 1024, 1, 512, 64) \
	ROW("cache_entries", cache_entries, 1, 1, 10000000, 10000)

static struct span
text_span(const json_t *text)
{
	return json_is_string(text)
		   ? span_of(json_string_value(text), json_string_length(text))
		   : (struct span){NULL, 0};
}

/* ---- members -------------------------------------------------------------
 */

static enum err
wrong(struct err_detail *detail, const char *name, const char *expected)
{
	return err_set(detail, ERR_INVALID, "%s: expects %s", name, expected);
}

static enum err
take_text(const json_t *root, const char *name, const char *fallback,
    const char **text_r, struct err_detail *detail)
{
	const json_t *value = json_object_get(root, name);

	if (value == NULL && fallback == NULL)
		return wrong(detail, name, "a text");
	if (value != NULL &&
	    (!json_is_string(value) ||
		strlen(json_string_value(value)) != json_string_length(value)))
		return wrong(detail, name, "a text");
	*text_r = value == NULL ? fallback : json_string_value(value);
	return OK;
}

static enum err
take_script(
    const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const char *script = "complete";
	enum err err = take_text(root, "script", "complete", &script, detail);

	if (err != OK)
		return err;
	for (int kind = 0; kind < SCRIPT_KINDS; kind++) {
		if (strcmp(script, script_kind_name((enum script_kind)kind)) !=
		    0)
			continue;
		job->kind = (enum script_kind)kind;
		return OK;
	}
	return wrong(detail, "script", "init, complete or backchannel");
}

static enum err
take_limit(const json_t *limits, const char *name, int64_t least,
    int64_t greatest, int64_t *number, struct err_detail *detail)
{
	const json_t *value = json_object_get(limits, name);

	if (value == NULL)
		return OK;
	if (!json_is_integer(value) || json_integer_value(value) < least ||
	    json_integer_value(value) > greatest)
		return err_set(detail, ERR_INVALID,
		    "limits.%s: expects a number from %" PRId64 " to %" PRId64,
		    name, least, greatest);
	*number = json_integer_value(value);
	return OK;
}

static enum err
take_limits(
    const json_t *root, struct local_limits *limits, struct err_detail *detail)
{
	const json_t *given = json_object_get(root, "limits");
	enum err err = OK;
	int64_t number;

	if (given != NULL && !json_is_object(given))
		return wrong(detail, "limits", "an object");
#define ROW(name, member, unit, least, greatest, fallback)                     \
	number = fallback;                                                     \
	if (err == OK)                                                         \
		err =                                                          \
		    take_limit(given, name, least, greatest, &number, detail); \
	limits->member = (uint64_t)number * unit;
	LIMIT_ROWS(ROW)
#undef ROW
	return err;
}

/* A member that travels as JSON text; null is the same as none. */
static enum err
take_json(const json_t *root, const char *name, char **text_r)
{
	const json_t *value = json_object_get(root, name);

	if (value == NULL || json_is_null(value))
		return OK;
	*text_r = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	return *text_r == NULL ? ERR_NOMEM : OK;
}

static enum err
take_arguments(
    const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const json_t *data = json_object_get(root, "data");
	enum err err;

	if (data != NULL && !json_is_null(data) && !json_is_string(data))
		return wrong(detail, "data", "a text or null");
	job->data = text_span(data);
	if (job->data.len > job->limits.data_bytes)
		return err_set(detail, ERR_INVALID,
		    "data: %zu bytes are more than the limit data_kib",
		    job->data.len);
	err = take_json(root, "registration_data", &job->registration_data);
	if (err == OK)
		err = take_json(root, "custom_params", &job->custom_params);
	return err;
}

/* Either object is ids to texts. */
static enum err
check_texts(const json_t *object, const char *name, struct err_detail *detail)
{
	const char *id;
	json_t *value;

	if (object == NULL)
		return OK;
	if (!json_is_object(object))
		return wrong(detail, name, "an object");
	json_object_foreach ((json_t *)(uintptr_t)object, id, value) {
		if (!json_is_string(value))
			return err_set(detail, ERR_INVALID,
			    "%s.%s: expects a text", name, id);
	}
	return OK;
}

/* What scripts may read, where a key is null; and the keys alone. */
static enum err
take_properties(
    const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const json_t *values = json_object_get(root, "properties");
	const json_t *keys = json_object_get(root, "keys");
	json_t *all;
	const char *id;
	json_t *value;
	enum err err = check_texts(values, "properties", detail);

	if (err == OK)
		err = check_texts(keys, "keys", detail);
	if (err != OK)
		return err;
	all = values == NULL ? json_object()
			     : json_copy((json_t *)(uintptr_t)values);
	json_object_foreach ((json_t *)(uintptr_t)keys, id, value)
		(void)json_object_set_new(all, id, json_null());
	job->properties = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
	job->keys = keys == NULL
			? strdup("{}")
			: json_dumps(keys, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(all);
	job->sensitive = json_object_get(root, "sensitive");
	if (job->properties == NULL || job->keys == NULL)
		return ERR_NOMEM;
	if (job->sensitive != NULL && !json_is_array(job->sensitive))
		return wrong(detail, "sensitive", "a list of property ids");
	return OK;
}

/* Date's own range (ECMA-262, 15.9.1.1). */
static bool
is_time(const json_t *ms)
{
	return json_is_integer(ms) && json_integer_value(ms) > 0 &&
	       json_integer_value(ms) <= 8640000000000000;
}

static bool
add_readings(struct local_job *job, struct clock_writer *writer,
    const json_t *ms, int64_t count)
{
	if (!is_time(ms) || count < 1 || count > CLOCK_COUNT_MAX)
		return false;
	if (!job->has_clock)
		job->clock_us = json_integer_value(ms) * 1000;
	job->has_clock = true;
	while (count-- > 0)
		clock_writer_add(writer, json_integer_value(ms), &job->clock);
	return true;
}

/* One reading, at which it stands; or several, [ms, ...] or [[ms, times]]. */
static enum err
take_clock(const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const json_t *fixed = json_object_get(root, "clock_ms");
	const json_t *readings = json_object_get(root, "clock");
	struct clock_writer writer = {0};
	const json_t *reading;
	size_t i;

	if (fixed != NULL && !add_readings(job, &writer, fixed, 1))
		return wrong(
		    detail, "clock_ms", "milliseconds since 1970, above 0");
	if (readings != NULL && !json_is_array(readings))
		return wrong(detail, "clock", "a list of readings");
	json_array_foreach (readings, i, reading) {
		bool is_run = json_is_array(reading);

		if (!add_readings(job, &writer,
			is_run ? json_array_get(reading, 0) : reading,
			is_run ? json_integer_value(json_array_get(reading, 1))
			       : 1))
			return wrong(detail, "clock",
			    "milliseconds, or [milliseconds, times]");
	}
	clock_writer_flush(&writer, &job->clock);
	return buf_status(&job->clock);
}

static enum err
take_seed(const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const json_t *seed = json_object_get(root, "seed");

	if (seed == NULL)
		return OK;
	job->has_seed = true;
	if (!json_is_string(seed) ||
	    hex_decode(text_span(seed), job->seed, sizeof job->seed) != OK)
		return wrong(detail, "seed", "64 hexadecimal digits");
	return OK;
}

static enum err
take_cache_entry(struct local_job *job, const char *key, const json_t *entry,
    struct err_detail *detail)
{
	const json_t *value = json_object_get(entry, "value");
	const json_t *ttl = json_object_get(entry, "ttl_secs");
	int64_t ttl_secs = json_integer_value(ttl);

	if (!json_is_string(value) || (ttl != NULL && ttl_secs < 1) ||
	    ttl_secs > 31536000)
		return err_set(detail, ERR_INVALID,
		    "cache.%s: expects {value: text, ttl_secs: number}", key);
	return local_cache_put(&job->cache, span_str(key), text_span(value),
	    ttl_secs, local_job_now_us(job));
}

static enum err
take_cache(const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const json_t *cache = json_object_get(root, "cache");
	const json_t *ttl = json_object_get(root, "cache_ttl_secs");
	const char *key;
	json_t *entry;
	enum err err;

	job->cache.value_max_bytes = (size_t)job->limits.cache_value_bytes;
	job->cache.ttl_secs = CACHE_TTL_SECS;
	if (ttl != NULL &&
	    (json_integer_value(ttl) < 1 || json_integer_value(ttl) > 31536000))
		return wrong(detail, "cache_ttl_secs", "1 to 31536000");
	if (ttl != NULL)
		job->cache.ttl_secs = json_integer_value(ttl);
	if (cache != NULL && !json_is_object(cache))
		return wrong(detail, "cache", "an object");
	json_object_foreach ((json_t *)(uintptr_t)cache, key, entry) {
		err = take_cache_entry(job, key, entry, detail);
		if (err != OK)
			return err;
	}
	/* What is there before counts, but is not refused itself. */
	job->cache.max_entries = (size_t)job->limits.cache_entries;
	return OK;
}

static enum err
take_allow(const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const json_t *allow = json_object_get(root, "http_allow");
	const json_t *entry;
	size_t i;

	buf_init(&job->allow, ALLOW_BYTES);
	job->has_allow = allow != NULL;
	if (allow != NULL && !json_is_array(allow))
		return wrong(detail, "http_allow", "a list of entries");
	json_array_foreach (allow, i, entry) {
		if (!json_is_string(entry))
			return wrong(detail, "http_allow", "a list of entries");
		if (i > 0)
			buf_append_char(&job->allow, '\n');
		buf_append_span(&job->allow, text_span(entry));
	}
	return buf_status(&job->allow);
}

static enum err
take_host(const json_t *root, struct local_job *job, struct err_detail *detail)
{
	const char *http = "fakes";
	enum err err = take_text(root, "http", "fakes", &http, detail);

	if (err != OK)
		return err;
	job->is_http_real = strcmp(http, "real") == 0;
	if (!job->is_http_real && strcmp(http, "fakes") != 0)
		return wrong(detail, "http", "fakes or real");
	job->fakes = json_object_get(root, "http_fakes");
	if (job->fakes != NULL && !json_is_array(job->fakes))
		return wrong(detail, "http_fakes", "a list");
	job->fake_uses =
	    calloc(json_array_size(job->fakes) + 1, sizeof *job->fake_uses);
	if (job->fake_uses == NULL)
		return ERR_NOMEM;
	job->answers = json_object_get(root, "calls");
	if (job->answers != NULL && !json_is_array(job->answers))
		return wrong(detail, "calls", "a list");
	return take_allow(root, job, detail);
}

/* ---- the whole -----------------------------------------------------------
 */

/* Equal content is one template, so a test of a hundred cases compiles its
 * script once. */
static enum err
name_contents(struct local_job *job)
{
	struct buf bytes;
	unsigned len = 0;
	bool fine;

	buf_init(&bytes, 4 * MESSAGE_MAX_BYTES);
	buf_append_str(&bytes, job->properties);
	buf_append_char(&bytes, '\0');
	buf_append_str(&bytes, job->keys);
	fine = buf_status(&bytes) == OK &&
	       EVP_Digest(bytes.data, bytes.len, job->properties_id, &len,
		   EVP_sha256(), NULL) == 1;
	buf_reset(&bytes);
	buf_append_str(&bytes, job->file);
	buf_append_char(&bytes, '\0');
	buf_append_span(&bytes, job->source);
	fine = fine && buf_status(&bytes) == OK &&
	       EVP_Digest(bytes.data, bytes.len, job->source_id, &len,
		   EVP_sha256(), NULL) == 1;
	buf_wipe(&bytes);
	return fine ? OK : ERR_CRYPTO;
}

static enum err
take_source(
    const json_t *root, struct local_job *job, struct err_detail *detail)
{
	enum err err = take_text(root, "idp", "local", &job->idp, detail);

	if (err == OK)
		err = take_text(root, "file", "script.js", &job->file, detail);
	if (err == OK)
		err = take_script(root, job, detail);
	if (err != OK)
		return err;
	job->source = text_span(json_object_get(root, "source"));
	if (!span_present(job->source))
		return wrong(detail, "source", "the script's text");
	if (job->source.len > job->limits.source_bytes)
		return err_set(detail, ERR_INVALID,
		    "source: %zu bytes are more than the limit source_kib",
		    job->source.len);
	return OK;
}

static enum err
take_all(const json_t *root, struct local_job *job, struct err_detail *detail)
{
	enum err err = take_limits(root, &job->limits, detail);

	if (err == OK)
		err = take_source(root, job, detail);
	if (err == OK)
		err = take_arguments(root, job, detail);
	if (err == OK)
		err = take_properties(root, job, detail);
	if (err == OK)
		err = take_clock(root, job, detail);
	if (err == OK)
		err = take_seed(root, job, detail);
	if (err == OK)
		err = take_cache(root, job, detail);
	if (err == OK)
		err = take_host(root, job, detail);
	if (err == OK)
		err = name_contents(job);
	return err;
}

enum err
local_job_new(json_t *root, struct local_job **job_r, struct err_detail *detail)
{
	struct local_job *job = calloc(1, sizeof *job);
	enum err err;

	if (job == NULL) {
		json_decref(root);
		return ERR_NOMEM;
	}
	job->root = root;
	local_cache_init(&job->cache);
	buf_init(&job->clock, CLOCK_READINGS_MAX_BYTES);
	buf_init(&job->calls, CALLS_BYTES);
	err = json_is_object(root)
		  ? take_all(root, job, detail)
		  : err_set(detail, ERR_INVALID, "expects an object");
	if (err != OK) {
		local_job_free(job);
		return err;
	}
	*job_r = job;
	return OK;
}

void
local_job_free(struct local_job *job)
{
	if (job == NULL)
		return;
	free(job->registration_data);
	free(job->custom_params);
	free(job->properties);
	free(job->keys);
	free(job->fake_uses);
	local_cache_fini(&job->cache);
	buf_fini(&job->allow);
	buf_fini(&job->clock);
	buf_fini(&job->answer_bytes);
	buf_fini(&job->calls);
	json_decref(job->root);
	free(job);
}

int64_t
local_job_now_us(const struct local_job *job)
{
	return job->has_clock ? job->clock_us : clock_wall_secs() * 1000000;
}

void
local_job_message(const struct local_job *job, struct message *message_r)
{
	struct msg_job *m = &message_r->job;

	*message_r = (struct message){.type = MSG_JOB};
	m->job = job->number;
	m->attempt = 1;
	m->idp = span_str(job->idp);
	m->correlation_id = span_str(CORRELATION_ID);
	m->release = span_of(job->source_id, sizeof job->source_id);
	m->kind = job->kind;
	m->source = span_of(job->source_id, sizeof job->source_id);
	m->properties = span_of(job->properties_id, sizeof job->properties_id);
	m->wall_ms = job->limits.wall_ms;
	m->cpu_ms = job->limits.cpu_ms;
	m->heap_bytes = job->limits.heap_bytes;
	m->host_calls = job->limits.host_calls;
	m->result_bytes = job->limits.result_bytes;
	m->log_bytes = job->limits.log_bytes;
	m->cache_value_bytes = job->limits.cache_value_bytes;
	m->cache_ttl_secs = (uint64_t)job->cache.ttl_secs;
	m->http_body_bytes = job->limits.http_body_bytes;
	if (job->allow.len > 0)
		m->http_allow = buf_span(&job->allow);
	m->data = job->data;
	m->registration_data = span_str(job->registration_data);
	m->custom_params = span_str(job->custom_params);
}

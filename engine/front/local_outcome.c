/*
 * Results into outcomes; see local_outcome.h. The rules are those of the
 * gateway, which this process has nothing of. Main thread.
 */
#include "engine/front/local_outcome.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "proto/frame.h"

/* Sensitive values shorter than this are left in a log (SPEC 3.2). */
#define MASK_MIN_BYTES 4
/* SPEC 2: what a user may be. */
#define USER_BYTES_MAX (8 * 1024)
#define USER_DEPTH_MAX 8
#define SUBJECT_BYTES  255

/* A result as it is told. */
struct verdict {
	enum script_code code;
	uint64_t status;
	struct span payload, user, registration_data;
	struct span message, file, stack;
	uint64_t line;
	uint64_t heap_peak_bytes;
};

/* ---- what a result is ----------------------------------------------------
 */

static void
fail(struct verdict *v, enum script_code code, const char *sentence)
{
	*v = (struct verdict){.code = code,
	    .message = span_str(sentence),
	    .heap_peak_bytes = v->heap_peak_bytes};
}

static bool
is_printable_ascii(const json_t *id)
{
	const char *text = json_string_value(id);
	size_t len = json_string_length(id);

	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return len > 0;
}

static const char *
amr_mistake(const json_t *amr)
{
	const json_t *item;
	size_t i;

	if (amr == NULL)
		return NULL;
	json_array_foreach (amr, i, item)
		if (!json_is_string(item))
			return "user.amr must be an array of strings";
	return json_is_array(amr) ? NULL
				  : "user.amr must be an array of strings";
}

/* NULL: a gateway would take it. What depends on the realm's other parts, like
 * a subject that equals a client's id, only a gateway knows. */
static const char *
user_mistake(const struct local_job *job, struct span user)
{
	const char *mistake = NULL;
	const json_t *id;
	json_t *tree;

	if (user.len > USER_BYTES_MAX)
		return "user is larger than 8192 bytes of JSON";
	if (json_depth(user) > USER_DEPTH_MAX)
		return "user is nested deeper than 8";
	tree = json_loadb(
	    (const char *)user.data, user.len, JSON_REJECT_DUPLICATES, NULL);
	id = json_object_get(tree, "id");
	if (!json_is_object(tree))
		mistake = "user is not an object";
	else if (!json_is_string(id) || !is_printable_ascii(id))
		mistake = "user.id must be a non-empty string of printable "
			  "ASCII characters";
	else if (strlen(job->idp) + 1 + json_string_length(id) > SUBJECT_BYTES)
		mistake = "user.id is too long: subject prefix and id may have "
			  "255 characters together";
	else
		mistake = amr_mistake(json_object_get(tree, "amr"));
	json_decref(tree);
	return mistake;
}

static void
judge_good(
    const struct local_job *job, const struct msg_outcome *o, struct verdict *v)
{
	const char *mistake = NULL;

	if (!((o->status >= 2000 && o->status <= 2999) ||
		(o->status >= 4000 && o->status <= 5999)))
		mistake = "the status is outside the permitted ranges";
	else if (o->payload.len + o->user.len + o->registration_data.len >
		 job->limits.result_bytes)
		mistake = "the result is larger than the limit result_kib";
	else if (job->kind == SCRIPT_COMPLETE && o->status < 3000)
		mistake = span_present(o->user)
			      ? user_mistake(job, o->user)
			      : "user.id must be a non-empty string of "
				"printable ASCII characters";
	if (mistake != NULL) {
		fail(v, SCRIPT_BAD_RESULT, mistake);
		return;
	}
	v->status = o->status;
	v->payload = o->payload;
	v->user = o->user;
	v->registration_data = o->registration_data;
}

static void
judge_outcome(
    const struct local_job *job, const struct msg_outcome *o, struct verdict *v)
{
	v->heap_peak_bytes = o->heap_peak_bytes;
	if (o->code == SCRIPT_OK) {
		judge_good(job, o, v);
		return;
	}
	v->code = (enum script_code)o->code;
	v->message = o->message;
	v->file = o->file;
	v->line = o->line;
	v->stack = o->stack;
}

static void
judge(const struct local_job *job, const struct msg_result *result,
    struct verdict *v)
{
	struct message message;

	*v = (struct verdict){.code = (enum script_code)result->code,
	    .heap_peak_bytes = result->heap_peak_bytes};
	if (result->code != SCRIPT_OK)
		v->message = result->error;
	else if (!span_present(result->outcome) ||
		 message_decode(
		     result->outcome, SENDER_CHILD, &message, NULL) != OK ||
		 message.type != MSG_OUTCOME ||
		 !script_code_is_known(message.outcome.code))
		fail(v, SCRIPT_CRASHED,
		    "the script's process sent a malformed outcome");
	else
		judge_outcome(job, &message.outcome, v);
	if (v->code != SCRIPT_OK && !span_present(v->message))
		v->message = span_str(script_code_sentence(v->code));
}

/* ---- log -----------------------------------------------------------------
 */

/* The earliest occurrence of a sensitive value; the longest of several. */
static const uint8_t *
find_sensitive(const struct local_job *job, struct span text, size_t *len_r)
{
	const json_t *values = json_object_get(job->root, "properties");
	const uint8_t *first = NULL;
	const json_t *id;
	size_t i;

	json_array_foreach (job->sensitive, i, id) {
		const json_t *value =
		    json_object_get(values, json_string_value(id));
		size_t len = json_string_length(value);
		const uint8_t *hit;

		if (len < MASK_MIN_BYTES)
			continue;
		hit =
		    memmem(text.data, text.len, json_string_value(value), len);
		if (hit == NULL || (first != NULL && hit > first) ||
		    (hit == first && len <= *len_r))
			continue;
		first = hit;
		*len_r = len;
	}
	return first;
}

static void
append_masked(struct buf *out, const struct local_job *job, struct span text)
{
	const uint8_t *hit;
	struct buf masked;
	size_t len = 0;

	buf_init(&masked, text.len * 3 + 1);
	while ((hit = find_sensitive(job, text, &len)) != NULL) {
		size_t before = (size_t)(hit - text.data);

		buf_append(&masked, text.data, before);
		buf_append_str(&masked, "***");
		text = span_of(hit + len, text.len - before - len);
		len = 0;
	}
	buf_append_span(&masked, text);
	json_append_string(out, buf_span(&masked));
	buf_wipe(&masked);
}

static void
append_log(struct buf *out, const struct local_job *job, struct span frames)
{
	static const char *const levels[] = {
	    "trace", "debug", "info", "warn", "error"};
	struct message message;
	struct span body;
	bool is_first = true;

	buf_append_str(out, ",\"log\":[");
	while (frame_next(&frames, &body) == OK) {
		const struct msg_log_line *line = &message.log_line;

		if (message_decode(body, SENDER_CHILD, &message, NULL) != OK ||
		    message.type != MSG_LOG_LINE)
			break;
		buf_printf(out,
		    "%s{\"level\":\"%s\",\"text\":", is_first ? "" : ",",
		    levels[line->level <= 4 ? line->level : 2]);
		append_masked(out, job, line->text);
		buf_append_str(out, line->cut ? ",\"cut\":true}" : "}");
		is_first = false;
	}
	buf_append_char(out, ']');
}

/* ---- the line ------------------------------------------------------------
 */

static void
append_id(struct buf *out, bool *first, const json_t *id)
{
	char *text =
	    id == NULL ? NULL : json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);

	json_append_member_raw(
	    out, first, "id", span_str(text == NULL ? "null" : text));
	free(text);
}

/* The child's word for JSON is not taken: what does not parse is a string. */
static void
append_json(struct buf *out, bool *first, const char *key, struct span text)
{
	json_t *tree = json_loadb((const char *)text.data, text.len,
	    JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (tree == NULL)
		json_append_member_str(out, first, key, text);
	else
		json_append_member_raw(out, first, key, text);
	json_decref(tree);
}

static void
append_verdict(struct buf *out, bool *first, const struct verdict *v)
{
	json_append_member_int(out, first, "code", v->code);
	json_append_member_str(
	    out, first, "name", span_str(script_code_name(v->code)));
	if (v->code == SCRIPT_OK)
		json_append_member_int(
		    out, first, "status", (int64_t)v->status);
	json_append_member_str(out, first, "payload", v->payload);
	if (span_present(v->user))
		append_json(out, first, "user", v->user);
	if (span_present(v->registration_data))
		append_json(
		    out, first, "registration_data", v->registration_data);
	if (v->code == SCRIPT_OK)
		return;
	json_append_member_str(out, first, "message", v->message);
	json_append_member_str(out, first, "file", v->file);
	if (v->line > 0)
		json_append_member_int(out, first, "line", (int64_t)v->line);
	json_append_member_str(out, first, "stack", v->stack);
}

static void
append_costs(struct buf *out, bool *first, const struct msg_result *result,
    const struct verdict *v)
{
	json_append_member_int(out, first, "wall_us", (int64_t)result->run_us);
	json_append_member_int(out, first, "cpu_us", (int64_t)result->cpu_us);
	json_append_member_int(
	    out, first, "heap_peak_bytes", (int64_t)v->heap_peak_bytes);
	json_append_member_raw(
	    out, first, "cold", span_str(result->cold ? "true" : "false"));
}

void
local_outcome_append(
    struct buf *out, struct local_job *job, const struct msg_result *result)
{
	struct verdict v;
	bool first = true;

	judge(job, result, &v);
	buf_append_char(out, '{');
	append_id(out, &first, json_object_get(job->root, "id"));
	append_verdict(out, &first, &v);
	append_log(out, job, result->log);
	buf_append_str(out, ",\"calls\":[");
	buf_append_span(out, buf_span(&job->calls));
	buf_append_str(out, "],\"cache\":");
	local_cache_append(&job->cache, local_job_now_us(job), out);
	append_costs(out, &first, result, &v);
	json_append_member_str(out, &first, "diverged",
	    job->diverged[0] == '\0' ? (struct span){NULL, 0}
				     : span_str(job->diverged));
	buf_append_str(out, "}\n");
}

void
local_outcome_append_refusal(
    struct buf *out, const json_t *id, const char *sentence)
{
	bool first = true;

	buf_append_char(out, '{');
	append_id(out, &first, id);
	json_append_member_str(out, &first, "error", span_str(sentence));
	buf_append_str(out, "}\n");
}

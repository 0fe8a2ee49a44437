/*
 * Reading what an engine reported; see outcomes.h. Not here: what the result
 * means for a transaction or a token (gateway/oauth).
 */
#include "gateway/dispatch/outcomes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/dispatch/live_log.h"
#include "proto/frame.h"

/* A line costs at least so much of the log's limit, as in the runner: empty
 * ones are not free. */
#define LOG_LINE_COST_BYTES 32

/* A line, and one masked copy of it for each of many sensitive values. */
#define LOG_ARENA_BYTES (16 * 1024 * 1024)

/* A failure's message, file and line, for who watches the log. */
#define FAILURE_TEXT_BYTES (64 * 1024)

/* So much of a release's hash is enough to tell releases apart in a log. */
#define RELEASE_LOG_BYTES 6

static const uint8_t *
find_bytes(struct span text, size_t from, struct span value)
{
	return memmem(text.data + from, text.len - from, value.data, value.len);
}

static struct span
mask_one(struct span text, struct span value, struct arena *arena)
{
	const uint8_t *hit;
	struct buf out;
	size_t from = 0;

	if (find_bytes(text, 0, value) == NULL)
		return text;
	buf_init(&out, text.len * 2);
	while ((hit = find_bytes(text, from, value)) != NULL) {
		buf_append(
		    &out, text.data + from, (size_t)(hit - text.data) - from);
		buf_append_str(&out, "***");
		from = (size_t)(hit - text.data) + value.len;
	}
	buf_append(&out, text.data + from, text.len - from);
	text = arena_copy(arena, buf_span(&out));
	buf_wipe(&out);
	return text;
}

struct span
outcome_mask(
    struct span text, const struct string_set *values, struct arena *arena)
{
	for (size_t i = 0; i < values->count && span_present(text); i++)
		if (strlen(values->items[i]) >= MASK_MIN_BYTES)
			text =
			    mask_one(text, span_str(values->items[i]), arena);
	return text;
}

/* ---- reading --------------------------------------------------------------
 */

static enum err
fail(struct execution_result *r, enum script_code code, const char *message)
{
	r->code = code;
	r->message = message;
	return OK;
}

static bool
status_is_valid(uint64_t status)
{
	return (status >= 2000 && status <= 2999) ||
	       (status >= 4000 && status <= 5999);
}

/* A masked, terminated copy for the operator; NULL when absent or full. */
static const char *
text_of(struct span text, const struct execution *x, struct arena *arena)
{
	if (!span_present(text))
		return NULL;
	text = outcome_mask(text, &x->idp->sensitive_values, arena);
	return span_present(text) ? arena_copy_str(arena, text) : NULL;
}

/* The three parts of a good result; ERR_NOMEM when the arena is full. */
static enum err
copy_parts(const struct msg_outcome *o, const struct execution *x,
    struct arena *arena, struct execution_result *r)
{
	size_t sum = o->payload.len + o->user.len + o->registration_data.len;

	if (sum > (size_t)x->release->limits.result_kib * 1024)
		return fail(r, SCRIPT_BAD_RESULT,
		    "the result is larger than the limit result_kib");
	r->payload = arena_copy(arena, o->payload);
	r->user = arena_copy(arena, o->user);
	r->registration_data = arena_copy(arena, o->registration_data);
	if (span_present(r->payload) != span_present(o->payload) ||
	    span_present(r->user) != span_present(o->user) ||
	    span_present(r->registration_data) !=
		span_present(o->registration_data))
		return ERR_NOMEM;
	r->code = SCRIPT_OK;
	r->status = (unsigned)o->status;
	return OK;
}

static enum err
read_outcome(struct span bytes, const struct execution *x, struct arena *arena,
    struct execution_result *r)
{
	struct message message;
	const struct msg_outcome *o = &message.outcome;

	if (!span_present(bytes) ||
	    message_decode(bytes, SENDER_CHILD, &message, NULL) != OK ||
	    message.type != MSG_OUTCOME || !script_code_is_known(o->code))
		return fail(r, SCRIPT_CRASHED,
		    "the script's process sent a malformed outcome");
	r->heap_peak_bytes = o->heap_peak_bytes;
	if (o->code != SCRIPT_OK) {
		r->file = text_of(o->file, x, arena);
		r->line = (unsigned)o->line;
		r->stack = text_of(o->stack, x, arena);
		return fail(r, (enum script_code)o->code,
		    text_of(o->message, x, arena));
	}
	if (!status_is_valid(o->status))
		return fail(r, SCRIPT_BAD_RESULT,
		    "the status is outside the permitted ranges");
	return copy_parts(o, x, arena, r);
}

/* ---- telling --------------------------------------------------------------
 */

static void
release_text(const struct execution *x, char out[2 * RELEASE_LOG_BYTES + 1])
{
	for (int i = 0; i < RELEASE_LOG_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", x->release->hash[i]);
}

static enum log_level
level_of(uint64_t script_level)
{
	static const enum log_level levels[] = {
	    LOG_DEBUG, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};

	return levels[script_level <= 4 ? script_level : 2];
}

static void
log_script_line(const struct msg_log_line *line, const struct execution *x,
    struct arena *arena, struct live_log *live)
{
	const struct live_line shown = {(unsigned)line->level, line->cut,
	    outcome_mask(line->text, &x->idp->sensitive_values, arena)};
	char release[2 * RELEASE_LOG_BYTES + 1];
	enum log_level level = level_of(line->level);

	live_log_add(live, x, &shown);
	if (!log_enabled(level))
		return;
	release_text(x, release);
	log_at(level, "script log",
	    LOG_STR("correlation_id", x->correlation_id),
	    LOG_STR("idp", x->idp->identifier),
	    LOG_STR("script", script_kind_name(x->kind)),
	    LOG_STR("release", release), LOG_SPAN("text", shown.text),
	    LOG_STR("cut", line->cut ? "yes" : "no"));
}

/* The engine was told the limit of the log; it is not trusted to have kept to
 * it. Masking has an arena of its own, so that no log takes the room of an
 * answer. */
static void
log_script_lines(
    struct span frames, const struct execution *x, struct live_log *live)
{
	size_t left =
	    (size_t)x->release->limits.log_kib * 1024 + LOG_LINE_COST_BYTES;
	struct arena *arena = arena_new(LOG_ARENA_BYTES);
	struct message message;
	struct span body;
	size_t cost;

	while (arena != NULL && frame_next(&frames, &body) == OK) {
		if (message_decode(body, SENDER_CHILD, &message, NULL) != OK ||
		    message.type != MSG_LOG_LINE)
			break;
		cost = message.log_line.text.len;
		if (cost < LOG_LINE_COST_BYTES)
			cost = LOG_LINE_COST_BYTES;
		if (cost > left)
			break;
		left -= cost;
		log_script_line(&message.log_line, x, arena, live);
		arena_wipe(arena);
	}
	arena_free(arena);
}

/* Who watches the log sees why an execution failed, too. */
static void
show_failure(struct live_log *live, const struct execution *x,
    const struct execution_result *r)
{
	struct live_line line = {.level = LIVE_LOG_ERROR};
	struct buf text;

	if (r->code == SCRIPT_OK)
		return;
	buf_init(&text, FAILURE_TEXT_BYTES);
	buf_printf(&text, "failed: %d %s: %s", (int)r->code,
	    script_code_name(r->code), r->message);
	if (r->file != NULL)
		buf_printf(&text, " (%s:%u)", r->file, r->line);
	line.text = buf_span(&text);
	if (buf_status(&text) == OK)
		live_log_add(live, x, &line);
	buf_wipe(&text);
}

static void
tell(const struct execution *x, const struct execution_result *r)
{
	char release[2 * RELEASE_LOG_BYTES + 1];

	release_text(x, release);
	log_at(r->code == SCRIPT_OK ? LOG_INFO : LOG_WARN, "execution ended",
	    LOG_STR("correlation_id", x->correlation_id),
	    LOG_STR("idp", x->idp->identifier),
	    LOG_STR("script", script_kind_name(x->kind)),
	    LOG_STR("release", release), LOG_INT("code", r->code),
	    LOG_STR("name", script_code_name(r->code)),
	    LOG_UINT("status", r->status),
	    LOG_STR("message", r->code == SCRIPT_OK ? NULL : r->message),
	    LOG_STR("file", r->file), LOG_UINT("line", r->line),
	    LOG_STR("stack", r->stack), LOG_STR("engine", r->engine),
	    LOG_UINT("attempts", r->attempts), LOG_INT("run_us", r->run_us),
	    LOG_INT("cpu_us", r->cpu_us), LOG_INT("queue_us", r->queue_us),
	    LOG_INT("host_call_us", r->host_call_us),
	    LOG_UINT("host_calls", r->host_calls),
	    LOG_UINT("heap_peak_bytes", r->heap_peak_bytes),
	    LOG_STR("cold", r->cold ? "yes" : "no"));
}

/* Ended by their supervisor, or by themselves as none should. */
static bool
is_kill(enum script_code code)
{
	return code == SCRIPT_TIMEOUT || code == SCRIPT_MEMORY ||
	       code == SCRIPT_HOST_CALLS || code == SCRIPT_CRASHED ||
	       code == SCRIPT_VIOLATION;
}

static void
measure(const struct execution *x, const struct execution_result *r)
{
	const char *idp = x->idp->identifier;
	const char *script = script_kind_name(x->kind);

	metric_count(M_EXECUTIONS, idp, script_code_name(r->code));
	if (is_kill(r->code))
		metric_count(M_KILLS, idp, script_code_name(r->code));
	metric_observe_us(M_SCRIPT_QUEUE_SECONDS, idp, script, r->queue_us);
	metric_observe_us(M_SCRIPT_WIRE_SECONDS, idp, script, r->wire_us);
	metric_observe_us(M_SCRIPT_RUN_SECONDS, idp, script, r->run_us);
	metric_observe_us(M_SCRIPT_HOST_SECONDS, idp, script, r->host_call_us);
	metric_observe_us(M_EXECUTION_SECONDS, "queue", NULL, r->queue_us);
	metric_observe_us(M_EXECUTION_SECONDS, "wire", NULL, r->wire_us);
	metric_observe_us(M_EXECUTION_SECONDS, "run", NULL, r->run_us);
	metric_observe_us(
	    M_EXECUTION_SECONDS, "host_calls", NULL, r->host_call_us);
}

/* From admission to the end, with what it was made of. */
static void
trace(const struct execution *x, const struct execution_result *r,
    const struct job *job)
{
	const struct trace_span span = {.context = &x->trace,
	    .kind = TRACE_INTERNAL,
	    .name = "execute",
	    .start_us = job->admitted_us,
	    .end_us = job->ended_us,
	    .error = r->code == SCRIPT_OK ? NULL : script_code_name(r->code)};
	const struct trace_attribute attributes[] = {
	    TRACE_STR("postern.idp", x->idp->identifier),
	    TRACE_STR("postern.script", script_kind_name(x->kind)),
	    TRACE_STR("postern.code", script_code_name(r->code)),
	    TRACE_STR("postern.engine", r->engine == NULL ? "" : r->engine),
	    TRACE_INT("postern.status", r->status),
	    TRACE_INT("postern.attempts", r->attempts),
	    TRACE_INT("postern.queue_us", r->queue_us),
	    TRACE_INT("postern.wire_us", r->wire_us),
	    TRACE_INT("postern.run_us", r->run_us),
	    TRACE_INT("postern.host_call_us", r->host_call_us),
	};

	trace_write(
	    &span, attributes, sizeof attributes / sizeof attributes[0]);
}

/* ---- both -----------------------------------------------------------------
 */

/* A number an engine reported, cut to what its job can have taken. */
static int64_t
plausible_us(uint64_t reported_us, int64_t most_us)
{
	return reported_us > (uint64_t)most_us ? most_us : (int64_t)reported_us;
}

/* Kept for the record, where one is wanted; without room for it in the arena
 * the record does without. */
static void
keep_frames(const struct msg_result *m, const struct execution *x,
    struct arena *arena, struct execution_result *r)
{
	if (x->idp->record_mode == RECORD_OFF && !x->wants_recording)
		return;
	r->log_frames = arena_copy(arena, m->log);
	r->call_frames = arena_copy(arena, m->calls);
	r->recording = arena_copy(arena, m->recording);
	if (span_present(r->recording) && r->code != SCRIPT_OK)
		r->failure = arena_copy(arena, m->outcome);
}

static enum err
read_result(const struct msg_result *m, const struct job *job,
    const struct execution *x, struct arena *arena, struct execution_result *r)
{
	int64_t most_us = job->ended_us - job->sent_us;

	r->run_us = plausible_us(m->run_us, most_us);
	r->cpu_us = plausible_us(m->cpu_us, most_us);
	r->host_call_us = plausible_us(m->host_call_us, most_us);
	r->wire_us = most_us - r->run_us;
	r->host_calls = m->host_calls;
	r->cold = m->cold;
	r->diverged = m->diverged;
	if (!script_code_is_known(m->code))
		return fail(r, SCRIPT_CRASHED,
		    "the engine reported a code this gateway does not know");
	if (m->code == SCRIPT_OK)
		return read_outcome(m->outcome, x, arena, r);
	r->heap_peak_bytes = m->heap_peak_bytes;
	return fail(r, (enum script_code)m->code, text_of(m->error, x, arena));
}

enum err
outcome_read(struct live_log *live, const struct job *job,
    const struct execution *execution, struct arena *arena,
    struct execution_result *result_r)
{
	bool is_live = !span_present(execution->replay) && !execution->is_probe;
	struct execution_result r = {.code = job->verdict};
	struct message message;
	enum err err = OK;

	r.attempts = job->attempt;
	r.engine = arena_strdup(arena, job->engine_name);
	r.queue_us = job->sent_us == 0 ? 0 : job->sent_us - job->admitted_us;
	if (job->result != NULL) {
		err = message_decode(span_of(job->result, job->result_len),
		    SENDER_ENGINE, &message, NULL);
		if (err == OK) {
			if (is_live)
				log_script_lines(
				    message.result.log, execution, live);
			err = read_result(
			    &message.result, job, execution, arena, &r);
			keep_frames(&message.result, execution, arena, &r);
		}
	}
	if (err != OK)
		return err;
	if (r.message == NULL)
		r.message = script_code_sentence(r.code);
	if (is_live) {
		tell(execution, &r);
		measure(execution, &r);
		trace(execution, &r, job);
		show_failure(live, execution, &r);
	}
	*result_r = r;
	return OK;
}

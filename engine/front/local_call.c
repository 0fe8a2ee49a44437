/*
 * Answers to host calls; see local_call.h. CACHE itself is local_cache's, and
 * keyed cryptography the front's own, with the job's keys. Main thread.
 */
#include "engine/front/local_call.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/json_text.h"
#include "engine/front/execution.h"
#include "engine/front/hostcall.h"
#include "engine/front/local_message.h"
#include "engine/front/outbound.h"
#include "engine/front/target.h"
#include "proto/message_json.h"

/* "host:port" of a request that fakes are for. */
#define ALLOW_BYTES (TARGET_HOST_BYTES + 16)

static struct span
text_span(const json_t *text)
{
	return json_is_string(text)
		   ? span_of(json_string_value(text), json_string_length(text))
		   : (struct span){NULL, 0};
}

/* ---- what was called -----------------------------------------------------
 */

static void
append_request(struct buf *out, const struct hostcall *call)
{
	struct message request;

	if (message_decode(
		buf_span(&call->body), SENDER_CHILD, &request, NULL) == OK)
		message_json_append(out, &request);
	else
		buf_append_str(out, "{}");
}

/* The whole body, though the child gets it in parts. */
static void
append_answer(
    struct buf *out, const struct hostcall *call, const struct message *reply)
{
	struct message whole = *reply;

	if (whole.type == MSG_HTTP_RESPONSE && call->http_body.len > 0)
		whole.http_response.body = buf_span(&call->http_body);
	message_json_append(out, &whole);
}

void
local_call_note(struct local_job *job, const struct hostcall *call,
    const struct message *reply)
{
	struct buf *out = &job->calls;
	bool first = true;

	/* A later part of what is noted already. */
	if (reply != NULL && reply->type == MSG_HTTP_BODY)
		return;
	if (out->len > 0)
		buf_append_char(out, ',');
	buf_append_char(out, '{');
	json_append_member_str(
	    out, &first, "call", span_str(message_name(call->type)));
	json_append_key(out, &first, "request");
	append_request(out, call);
	if (reply == NULL) {
		json_append_member_raw(out, &first, "error",
		    span_str("{\"error\":\"unanswered\",\"sentence\":\"the "
			     "execution ended first\"}"));
	} else {
		json_append_key(out, &first,
		    reply->type == MSG_CALL_FAILED ? "error" : "answer");
		append_answer(out, call, reply);
	}
	json_append_member_int(
	    out, &first, "us", clock_mono_us() - call->since_us);
	buf_append_char(out, '}');
}

/* ---- HTTP ----------------------------------------------------------------
 */

/* `*` stands for any run of characters, also an empty one; nothing else is
 * special. */
static bool
matches(const char *pattern, struct span text)
{
	const char *star = NULL;
	size_t at = 0;
	size_t resume = 0;

	while (at < text.len) {
		if (*pattern == '*') {
			star = pattern++;
			resume = at;
		} else if (*pattern != '\0' &&
			   (uint8_t)*pattern == text.data[at]) {
			pattern++;
			at++;
		} else if (star != NULL) {
			pattern = star + 1;
			at = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static const json_t *
find_fake(struct local_job *job, const struct outbound_order *order)
{
	const json_t *fake;
	size_t i;

	json_array_foreach (job->fakes, i, fake) {
		const json_t *method = json_object_get(fake, "method");
		const json_t *url = json_object_get(fake, "url");
		const json_t *times = json_object_get(fake, "times");

		if (method != NULL &&
		    !span_equal(text_span(method), order->method))
			continue;
		if (!json_is_string(url) ||
		    !matches(json_string_value(url), order->url))
			continue;
		if (times != NULL &&
		    job->fake_uses[i] >= (unsigned)json_integer_value(times))
			continue;
		job->fake_uses[i]++;
		return fake;
	}
	return NULL;
}

/* "name: value\n" of each member; a list is as many lines. */
static void
append_headers(struct buf *out, const json_t *headers)
{
	const char *name;
	json_t *value;
	const json_t *item;
	size_t i;

	json_object_foreach ((json_t *)(uintptr_t)headers, name, value) {
		if (json_is_string(value))
			buf_printf(
			    out, "%s: %s\n", name, json_string_value(value));
		json_array_foreach (value, i, item)
			buf_printf(
			    out, "%s: %s\n", name, json_string_value(item));
	}
	for (size_t k = 0; k < out->len && !out->failed; k++) {
		/* Names are in lower case, as received ones are. */
		while (k < out->len && out->data[k] != ':') {
			if (out->data[k] >= 'A' && out->data[k] <= 'Z')
				out->data[k] = (uint8_t)(out->data[k] + 32);
			k++;
		}
		while (k < out->len && out->data[k] != '\n')
			k++;
	}
}

static void
fill_body(struct buf *body, const json_t *fake)
{
	const json_t *value = json_object_get(fake, "body");
	char *text = NULL;

	if (json_is_string(value)) {
		buf_append_span(body, text_span(value));
		return;
	}
	if (value != NULL)
		text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text != NULL)
		buf_append_str(body, text);
	free(text);
}

/* As much as fits; what is not printable ASCII is a question mark. */
static void
append_ascii(char *text, size_t text_bytes, struct span bytes)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < bytes.len && len + 1 < text_bytes; i++) {
		uint8_t c = bytes.data[i];

		text[len++] = c >= 0x20 && c <= 0x7e ? (char)c : '?';
	}
	text[len] = '\0';
}

static void
give_fake(struct hostcall *call, const struct outbound_order *order,
    const json_t *fake)
{
	const json_t *error = json_object_get(fake, "error");
	const json_t *status = json_object_get(fake, "status");
	struct outbound_answer answer = {.status = 200};
	struct buf headers;
	struct buf body;

	buf_init(&headers, MESSAGE_MAX_BYTES / 8);
	buf_init(&body, MESSAGE_MAX_BYTES * 16);
	append_headers(&headers, json_object_get(fake, "headers"));
	fill_body(&body, fake);
	if (status != NULL)
		answer.status = (unsigned)json_integer_value(status);
	answer.headers = buf_span(&headers);
	answer.body = &body;
	if (json_is_string(error)) {
		append_ascii(
		    answer.error, sizeof answer.error, text_span(error));
		(void)snprintf(answer.sentence, sizeof answer.sentence,
		    "%s (a fake of this run)", answer.error);
	} else if (body.failed || body.len > order->body_max) {
		(void)snprintf(answer.error, sizeof answer.error, "too_large");
		(void)snprintf(answer.sentence, sizeof answer.sentence,
		    "the body of the answer is over its limit");
	}
	hostcall_outside_http_done(call, &answer);
	buf_fini(&headers);
	buf_fini(&body);
}

/* Judged as a real one is, by the job's list if it has one. False: refused,
 * and the call is answered. */
static bool
judge_http(struct local_job *job, struct hostcall *call,
    const struct outbound_order *order)
{
	struct outbound_order judged = *order;
	struct outbound_answer refusal;
	struct outbound_call *prepared;
	struct target target;
	char allow[ALLOW_BYTES];

	if (!job->has_allow && target_parse(order->url, &target, NULL) == OK) {
		bool is_v6 = strchr(target.host, ':') != NULL;

		(void)snprintf(allow, sizeof allow, "%s%s%s:%u",
		    is_v6 ? "[" : "", target.host, is_v6 ? "]" : "",
		    target.port);
		judged.allow = span_str(allow);
	}
	prepared = outbound_prepare(
	    call->execution->front->outbound, &judged, &refusal);
	if (prepared == NULL) {
		hostcall_fail(call, refusal.error, refusal.sentence);
		return false;
	}
	outbound_cancel(prepared);
	return true;
}

bool
local_call_answer_http(struct local_job *job, struct hostcall *call,
    const struct outbound_order *order)
{
	char sentence[OUTBOUND_SENTENCE_BYTES];
	const json_t *fake;

	if (!judge_http(job, call, order))
		return true;
	fake = find_fake(job, order);
	if (fake != NULL) {
		give_fake(call, order, fake);
		return true;
	}
	if (job->is_http_real)
		return false;
	(void)snprintf(sentence, sizeof sentence, "no fake answer for %.*s ",
	    SPAN_ARG(order->method));
	append_ascii(sentence, sizeof sentence, order->url);
	hostcall_fail(call, "no_fake", sentence);
	return true;
}

/* ---- replay --------------------------------------------------------------
 */

static void
diverge(struct local_job *job, struct hostcall *call, const char *sentence)
{
	if (job->diverged[0] == '\0')
		(void)snprintf(
		    job->diverged, sizeof job->diverged, "%s", sentence);
	execution_end(call->execution, SCRIPT_LOST, job->diverged);
}

static bool
is_same_request(const struct hostcall *call, const json_t *recorded)
{
	struct buf text;
	json_t *request;
	bool same;

	buf_init(&text, 0);
	text.max_bytes = (size_t)16 * MESSAGE_MAX_BYTES;
	append_request(&text, call);
	request =
	    json_loadb((const char *)text.data, text.len, JSON_ALLOW_NUL, NULL);
	same = request != NULL && json_equal(request, recorded) == 1;
	json_decref(request);
	buf_fini(&text);
	return same;
}

static enum message_type
answer_type(enum message_type call)
{
	if (call == MSG_CACHE_STORE)
		return MSG_CALL_DONE;
	if (local_cache_is_call(call))
		return MSG_CACHE_VALUE;
	if (call == MSG_HTTP_REQUEST)
		return MSG_HTTP_RESPONSE;
	if (call == MSG_JWT_VERIFY)
		return MSG_JWT_VERIFIED;
	return call == MSG_JWT_SIGN ? MSG_JWT_SIGNED : MSG_PASSWORD_VERDICT;
}

/* A body goes in parts, as in the run that was recorded. */
static void
give_response(struct hostcall *call, const struct msg_http_response *response)
{
	struct outbound_answer answer = {
	    .status = (unsigned)response->status, .headers = response->headers};
	struct buf body;

	buf_init(&body, MESSAGE_MAX_BYTES * 16);
	buf_append_span(&body, response->body);
	answer.body = &body;
	hostcall_outside_http_done(call, &answer);
	buf_fini(&body);
}

static void
give_recorded(
    struct local_job *job, struct hostcall *call, const json_t *recorded)
{
	const json_t *answer = json_object_get(recorded, "answer");
	const json_t *error = json_object_get(recorded, "error");
	enum message_type type =
	    error != NULL ? MSG_CALL_FAILED : answer_type(call->type);
	struct err_detail detail = {0};
	struct message reply;

	/* The recorded run was killed while it waited: so is this one. */
	if (answer == NULL && error == NULL)
		return;
	if (local_message_read(error != NULL ? error : answer, type,
		&job->answer_bytes, &reply, &detail) != OK) {
		diverge(job, call, "a recorded answer cannot be read");
		return;
	}
	if (reply.type == MSG_HTTP_RESPONSE)
		give_response(call, &reply.http_response);
	else
		hostcall_reply(call, &reply);
}

static void
replay(struct local_job *job, struct hostcall *call)
{
	const json_t *recorded =
	    json_array_get(job->answers, job->answers_given);
	const char *name = json_string_value(json_object_get(recorded, "call"));
	char sentence[LOCAL_DIVERGED_BYTES];

	if (name == NULL)
		(void)snprintf(sentence, sizeof sentence,
		    "call %zu is %s, which the recorded run did not make",
		    job->answers_given + 1, message_name(call->type));
	else if (strcmp(name, message_name(call->type)) != 0)
		(void)snprintf(sentence, sizeof sentence,
		    "call %zu is %s, recorded was %.32s",
		    job->answers_given + 1, message_name(call->type), name);
	else if (!is_same_request(call, json_object_get(recorded, "request")))
		(void)snprintf(sentence, sizeof sentence,
		    "call %zu, %s, has other arguments than recorded",
		    job->answers_given + 1, name);
	else {
		job->answers_given++;
		give_recorded(job, call, recorded);
		return;
	}
	diverge(job, call, sentence);
}

void
local_call_end(struct local_job *job)
{
	size_t recorded = json_array_size(job->answers);

	if (job->answers == NULL || job->diverged[0] != '\0' ||
	    job->answers_given == recorded)
		return;
	(void)snprintf(job->diverged, sizeof job->diverged,
	    "only %zu of the %zu recorded calls were made", job->answers_given,
	    recorded);
}

/* ---- all ----------------------------------------------------------------- */

bool
local_call_answer(
    struct local_job *job, struct hostcall *call, const struct message *message)
{
	struct message reply;

	if (job->answers != NULL) {
		replay(job, call);
		return true;
	}
	if (!local_cache_is_call(message->type))
		return false;
	local_cache_call(&job->cache, message, local_job_now_us(job), &reply);
	hostcall_reply(call, &reply);
	return true;
}

/*
 * Host calls that the front carries out itself: HTTP and keyed CRYPTO, from
 * the child's message over keys and grant to the reply. What they do is
 * outbound's and keyed_task's. Main thread.
 */
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"
#include "engine/front/execution.h"
#include "engine/front/hostcall.h"
#include "engine/front/keyed_task.h"
#include "engine/front/local.h"
#include "engine/front/outbound.h"
#include "engine/front/property_keys.h"
#include "engine/front/worker.h"

/* messages.def: http_response.body and http_body.body. */
#define PART_BYTES 524288
/* messages.def: keys.ca. */
#define CA_BYTES 262144

void
hostcall_outside_init(struct hostcall *call)
{
	buf_init(&call->http_body, 0);
	buf_init(&call->http_ca, CA_BYTES);
}

void
hostcall_outside_drop(struct hostcall *call)
{
	outbound_cancel(call->http);
	call->http = NULL;
	secret_free(call->client_pem);
	call->client_pem = NULL;
	keyed_task_abandon(call->keyed);
	call->keyed = NULL;
	buf_fini(&call->http_ca);
	buf_wipe(&call->http_body);
	call->http_given = 0;
}

bool
hostcall_is_outside(enum message_type type)
{
	return type == MSG_HTTP_REQUEST || type == MSG_JWT_VERIFY ||
	       type == MSG_JWT_SIGN || type == MSG_PBKDF2_VERIFY ||
	       type == MSG_ARGON2ID_VERIFY;
}

/* ---- keys ------------------------------------------------------------------
 */

static void
ask_for_keys(struct hostcall *call)
{
	const struct msg_job *job = &call->execution->job;
	struct message question = {.type = MSG_KEYS_GET};

	question.keys_get.job = job->job;
	question.keys_get.properties = job->properties;
	(void)hostcall_question(call, &question, HOSTCALL_KEYS);
}

/*
 * The key property `id`, a copy. NULL: the call has been answered, or the
 * question for the keys is out and the call begins again with its answer.
 */
static struct secret *
take_key(struct hostcall *call, struct span id)
{
	const struct msg_job *job = &call->execution->job;
	struct front *front = call->execution->front;
	struct secret *key = NULL;
	enum err err;

	err = property_keys_get(front, job->properties, id, &key);
	if (err == OK)
		return key;
	if (err == ERR_STATE) {
		ask_for_keys(call);
	} else if (err == ERR_NOT_FOUND) {
		hostcall_fail(call, "invalid",
		    "there is no property of this id with kind: key");
	} else {
		hostcall_fail(call, "unavailable", "out of memory");
	}
	return NULL;
}

/* The identity provider's certificate authorities, if it has any. False: as
 * take_key(). */
static bool
take_ca(struct hostcall *call)
{
	const struct msg_job *job = &call->execution->job;
	enum err err;

	if (!job->http_ca || call->http_ca.len > 0)
		return true;
	err = property_keys_ca(
	    call->execution->front, job->properties, &call->http_ca);
	if (err == OK)
		return true;
	if (err == ERR_STATE)
		ask_for_keys(call);
	else
		hostcall_fail(call, "unavailable",
		    "the certificate authorities of http.ca are not to be had");
	return false;
}

/* ---- HTTP -------------------------------------------------------------------
 */

static int64_t
http_total_ms(const struct execution *execution, uint64_t wanted_ms)
{
	int64_t total_ms = execution->front->settings->http_total_ms;
	int64_t left_ms = (execution->deadline.at_us - clock_mono_us()) / 1000 -
			  FRONT_HTTP_MARGIN_MS;

	if (wanted_ms > 0 && (int64_t)wanted_ms < total_ms)
		total_ms = (int64_t)wanted_ms;
	if (left_ms < total_ms)
		total_ms = left_ms;
	return total_ms > 1 ? total_ms : 1;
}

static struct span
next_part(struct hostcall *call)
{
	size_t left = call->http_body.len - call->http_given;
	struct span part = span_of(call->http_body.data + call->http_given,
	    left < PART_BYTES ? left : PART_BYTES);

	call->http_given += part.len;
	return part;
}

void
hostcall_outside_http_done(
    struct hostcall *call, const struct outbound_answer *answer)
{
	struct message reply = {.type = MSG_HTTP_RESPONSE};

	call->http = NULL; /* frees itself */
	secret_free(call->client_pem);
	call->client_pem = NULL;
	if (answer->error[0] != '\0') {
		hostcall_fail(call, answer->error, answer->sentence);
		return;
	}
	buf_wipe(&call->http_body);
	call->http_body = *answer->body;
	call->http_given = 0;
	buf_init(answer->body, 0);
	reply.http_response.status = answer->status;
	reply.http_response.headers =
	    answer->headers.len > 0 ? answer->headers : span_str("");
	reply.http_response.body_bytes = call->http_body.len;
	if (call->http_body.len > 0)
		reply.http_response.body = next_part(call);
	hostcall_reply(call, &reply);
}

void
hostcall_outside_more(struct hostcall *call)
{
	struct message reply = {.type = MSG_HTTP_BODY};

	/* Only a child that was taken over asks for more than there is. */
	if (call->http_given >= call->http_body.len) {
		execution_end(call->execution, SCRIPT_CRASHED,
		    "the script's process asked for a body there is not");
		return;
	}
	reply.http_body.body = next_part(call);
	call->since_us = clock_mono_us();
	hostcall_reply(call, &reply);
}

static void
http_done(void *owner, const struct outbound_answer *answer)
{
	hostcall_outside_http_done(owner, answer);
}

static void
http_order(struct hostcall *call, const struct msg_http_request *request,
    struct outbound_order *order_r)
{
	const struct execution *execution = call->execution;
	const struct msg_job *job = &execution->job;

	*order_r = (struct outbound_order){.idp = job->idp,
	    .allow = job->http_allow,
	    .correlation_id = job->correlation_id,
	    .trace = &execution->trace,
	    .method = request->method,
	    .url = request->url,
	    .headers = request->headers,
	    .body = request->body,
	    .no_redirects = request->no_redirects,
	    .total_ms = http_total_ms(execution, request->timeout_ms),
	    .body_max = job->http_body_bytes > 0 ? job->http_body_bytes
						 : FRONT_HTTP_BODY_BYTES,
	    .done = http_done,
	    .owner = call};
	if (call->http_ca.len > 0)
		order_r->ca_pem = buf_span(&call->http_ca);
	if (call->client_pem != NULL)
		order_r->client_pem = secret_bytes(call->client_pem);
}

/* Judged before the gateway is asked: what is refused is no effect. */
static void
http_begin(struct hostcall *call, const struct msg_http_request *request)
{
	const struct msg_job *job = &call->execution->job;
	struct message question = {.type = MSG_HTTP_INTENT};
	struct outbound_answer refusal;
	struct outbound_order order;

	if (!take_ca(call))
		return;
	if (span_present(request->client_cert) && call->client_pem == NULL) {
		call->client_pem = take_key(call, request->client_cert);
		if (call->client_pem == NULL)
			return;
	}
	outbound_cancel(call->http); /* of before a lost connection */
	call->http = NULL;
	http_order(call, request, &order);
	if (local_answer_http(call, &order))
		return;
	call->http = outbound_prepare(
	    call->execution->front->outbound, &order, &refusal);
	if (call->http == NULL) {
		hostcall_fail(call, refusal.error, refusal.sentence);
		return;
	}
	question.http_intent.job = job->job;
	question.http_intent.attempt = job->attempt;
	question.http_intent.host = span_str(outbound_host(call->http));
	(void)hostcall_question(call, &question, HOSTCALL_INTENT);
}

/* ---- keyed calls ------------------------------------------------------------
 */

static void
keyed_done(void *owner, const struct message *reply)
{
	struct hostcall *call = owner;

	call->keyed = NULL;
	hostcall_reply(call, reply);
}

static void
keyed_begin(struct hostcall *call, const struct message *message)
{
	struct span id = keyed_task_key_id(message);
	struct keyed_order order = {.body = buf_span(&call->body),
	    .now_secs = clock_wall_secs(),
	    .done = keyed_done,
	    .owner = call};
	enum err err;

	if (span_present(id)) {
		order.key = take_key(call, id);
		if (order.key == NULL)
			return;
	}
	(void)local_now_secs(call->execution, &order.now_secs);
	call->wait = HOSTCALL_WORK;
	err = keyed_task_start(call->execution->front, &order, &call->keyed);
	if (err == ERR_FULL)
		hostcall_fail(call, "limit",
		    "too many password hashes are being checked");
	else if (err != OK)
		hostcall_fail(call, "unavailable", "out of memory");
}

/* ---- both -------------------------------------------------------------------
 */

void
hostcall_outside_begin(struct hostcall *call, const struct message *message)
{
	if (message->type == MSG_HTTP_REQUEST)
		http_begin(call, &message->http_request);
	else
		keyed_begin(call, message);
}

static void
answered_keys(struct hostcall *call, const struct message *answer)
{
	const struct msg_job *job = &call->execution->job;
	struct message message;

	if (answer->type != MSG_KEYS ||
	    property_keys_put(call->execution->front, job->properties,
		answer->keys.json, answer->keys.ca) != OK ||
	    message_decode(
		buf_span(&call->body), SENDER_CHILD, &message, NULL) != OK) {
		hostcall_fail(
		    call, "unavailable", "the keys cannot be had at present");
		return;
	}
	hostcall_outside_begin(call, &message);
}

static void
answered_intent(struct hostcall *call, const struct message *answer)
{
	if (answer->type == MSG_DONE) {
		call->wait = HOSTCALL_WORK;
		outbound_send(call->http);
		return;
	}
	outbound_cancel(call->http);
	call->http = NULL;
	if (answer->type == MSG_CALL_FAILED)
		hostcall_reply(call, answer);
	else
		hostcall_fail(call, "unavailable",
		    "the gateway's answer to this call is unusable");
}

void
hostcall_outside_answered(struct hostcall *call, const struct message *answer)
{
	if (call->wait == HOSTCALL_KEYS)
		answered_keys(call, answer);
	else if (call->wait == HOSTCALL_INTENT)
		answered_intent(call, answer);
}

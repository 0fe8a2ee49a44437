/*
 * Host calls on their way between child and gateway. The gateway says yes or
 * no; this only puts the job's name under the question. Main thread.
 */
#include "engine/front/hostcall.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "engine/front/execution.h"
#include "engine/front/local.h"
#include "engine/front/slot.h"
#include "engine/front/uplink.h"
#include "engine/front/worker.h"

/* The largest call: an http_request of the largest body, headers and URL. */
#define HOSTCALL_BODY_MAX (524288 + 32768 + 8192 + 1024)

static void hostcall_answered(void *owner, enum err err, struct span bytes);

void
hostcall_init(struct hostcall *call, struct execution *execution)
{
	*call = (struct hostcall){.execution = execution};
	buf_init(&call->body, HOSTCALL_BODY_MAX);
	ask_init(&call->ask, execution->front->settings->slots,
	    FRONT_CONTEXTS_CALLS, hostcall_answered, call);
	hostcall_outside_init(call);
}

bool
hostcall_is_one(enum message_type type)
{
	return (type >= MSG_CACHE_STORE && type <= MSG_CACHE_INCREMENT) ||
	       type == MSG_HTTP_MORE || hostcall_is_outside(type);
}

bool
hostcall_is_pending(const struct hostcall *call)
{
	return call->pending;
}

void
hostcall_drop(struct hostcall *call)
{
	ask_drop(&call->ask);
	if (call->pending)
		local_note(call, NULL);
	hostcall_outside_drop(call);
	if (call->pending)
		execution_note_call(call->execution, call->type,
		    clock_mono_us() - call->since_us, span_str("unanswered"));
	call->pending = false;
	buf_wipe(&call->body);
	/* The question's bytes hold what a script stores. */
	buf_wipe(&call->ask.bytes);
}

/* Every host call starts with job and attempt, but each in its own struct. */
static void
hostcall_sign(struct message *message, const struct msg_job *job)
{
	uint64_t *number = NULL;
	uint64_t *attempt = NULL;

#define HOSTCALL_CASE(UPPER, lower)                \
	if (message->type == MSG_##UPPER) {        \
		number = &message->lower.job;      \
		attempt = &message->lower.attempt; \
	}
	HOSTCALL_CASE(CACHE_STORE, cache_store)
	HOSTCALL_CASE(CACHE_FETCH, cache_fetch)
	HOSTCALL_CASE(CACHE_DELETE, cache_delete)
	HOSTCALL_CASE(CACHE_TAKE, cache_take)
	HOSTCALL_CASE(CACHE_INCREMENT, cache_increment)
#undef HOSTCALL_CASE
	CHECK(number != NULL && attempt != NULL);
	*number = job->job;
	*attempt = job->attempt;
}

bool
hostcall_question(struct hostcall *call, const struct message *question,
    enum hostcall_wait wait)
{
	struct execution *execution = call->execution;
	struct err_detail detail = {0};

	call->wait = wait;
	if (ask_send(uplink_asks(execution->slot->uplink), &call->ask, question,
		FRONT_CALL_TIMEOUT_MS, &detail) == OK)
		return true;
	execution->front->counters.spoke_out_of_turn++;
	execution_out_of_turn(execution, buf_span(&call->body));
	return false;
}

/* Begins the call, or asks again what was lost. Ends the execution if the
 * child's message is no valid call. */
static void
hostcall_ask(struct hostcall *call)
{
	struct execution *execution = call->execution;
	struct message message;

	if (message_decode(
		buf_span(&call->body), SENDER_CHILD, &message, NULL) != OK) {
		execution->front->counters.spoke_out_of_turn++;
		execution_out_of_turn(execution, buf_span(&call->body));
		return;
	}
	if (local_answer(call, &message))
		return;
	if (hostcall_is_outside(message.type)) {
		hostcall_outside_begin(call, &message);
		return;
	}
	hostcall_sign(&message, &execution->job);
	(void)hostcall_question(call, &message, HOSTCALL_GATEWAY);
}

void
hostcall_begin(struct hostcall *call, struct span body)
{
	struct execution *execution = call->execution;

	CHECK(!call->pending);
	if (message_peek(body) == MSG_HTTP_MORE) {
		recording_call(&execution->recording, body);
		if (replay_answer(call, body))
			return;
		hostcall_outside_more(call);
		return;
	}
	/* The runner keeps this limit first: a child that gets here either
	 * has been taken over or was about to be refused there. */
	if (execution->host_calls >= execution->job.host_calls) {
		execution_end(execution, SCRIPT_HOST_CALLS,
		    "the script made more host calls than its limit");
		return;
	}
	buf_reset(&call->body);
	buf_append_span(&call->body, body);
	if (buf_status(&call->body) != OK) {
		execution_out_of_turn(execution, body);
		return;
	}
	recording_call(&execution->recording, body);
	execution->host_calls++;
	call->pending = true;
	call->type = message_peek(body);
	call->since_us = clock_mono_us();
	if (!replay_answer(call, body))
		hostcall_ask(call);
}

void
hostcall_reply(struct hostcall *call, const struct message *reply)
{
	struct execution *execution = call->execution;
	struct err_detail detail = {0};

	execution_note_call(execution, call->type,
	    clock_mono_us() - call->since_us,
	    reply->type == MSG_CALL_FAILED ? reply->call_failed.error
					   : (struct span){NULL, 0});
	recording_answer(&execution->recording, reply);
	local_note(call, reply);
	call->pending = false;
	if (conduit_send(&execution->worker->conduit, reply, &detail) != OK &&
	    !execution->worker->conduit.is_lost)
		execution_end(execution, SCRIPT_CRASHED, detail.text);
}

void
hostcall_fail(struct hostcall *call, const char *error, const char *sentence)
{
	struct message reply = {.type = MSG_CALL_FAILED};

	reply.call_failed.error = span_str(error);
	reply.call_failed.sentence = span_str(sentence);
	hostcall_reply(call, &reply);
}

static void
hostcall_went_away(struct hostcall *call, const struct msg_go_away *go_away)
{
	if (uplink_is_about_job(go_away)) {
		execution_abandon(call->execution);
		return;
	}
	/* Refused unread, so without an effect: asked again with the next
	 * session. First close the session, then queue the question. */
	uplink_go_away(call->execution->slot->uplink, go_away);
	if (go_away->reason == GO_AWAY_UNKNOWN_SESSION ||
	    go_away->reason == GO_AWAY_DRAINING)
		hostcall_ask(call);
	else if (go_away->reason == GO_AWAY_BAD_MESSAGE)
		hostcall_fail(
		    call, "invalid", "the gateway did not accept this call");
	else
		hostcall_fail(
		    call, "unavailable", "the gateway cannot serve this call");
}

static void
hostcall_lost(struct hostcall *call)
{
	/* Asked again, with the next session (one that slips out before its
	 * hello is refused unread), or until the deadline. Keys have no
	 * effect, and an intent's is only to come. */
	if (call->type == MSG_CACHE_FETCH || call->wait == HOSTCALL_KEYS ||
	    call->wait == HOSTCALL_INTENT)
		hostcall_ask(call);
	else
		execution_end(call->execution, SCRIPT_LOST,
		    "the connection to the gateway was lost during a host "
		    "call: its effect is unknown");
}

static void
hostcall_answered(void *owner, enum err err, struct span bytes)
{
	struct hostcall *call = owner;
	struct err_detail detail = {0};
	struct message message;

	if (err != OK) {
		hostcall_lost(call);
		return;
	}
	err = message_decode(bytes, SENDER_GATEWAY, &message, &detail);
	if (err == OK && message.type == MSG_GO_AWAY) {
		hostcall_went_away(call, &message.go_away);
		return;
	}
	if (err == OK && call->wait != HOSTCALL_GATEWAY) {
		hostcall_outside_answered(call, &message);
		return;
	}
	if (err == OK && message.type == MSG_DONE)
		message = (struct message){.type = MSG_CALL_DONE};
	if (err != OK ||
	    (message.type != MSG_CALL_DONE && message.type != MSG_CACHE_VALUE &&
		message.type != MSG_CALL_FAILED)) {
		log_error("gateway's answer to a host call is unusable",
		    LOG_STR("error",
			err == OK ? message_name(message.type) : detail.text));
		hostcall_fail(call, "unavailable",
		    "the gateway's answer to this call is unusable");
		return;
	}
	hostcall_reply(call, &message);
}

/*
 * What engines ask, except CACHE (host_cache.c) and HTTP (host_http.c):
 * sessions, tickets, results, acknowledgements, sources and properties. See
 * hosts.h.
 */
#include "gateway/dispatch/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/dispatch/engines.h"
#include "gateway/dispatch/host_cache.h"
#include "gateway/dispatch/host_http.h"

/* Everything a handler gets; it answers the request, now or later. */
struct ask {
	struct dispatch *d;
	struct link_request *request;
	uint32_t pipe;
	const struct message *message;
	struct span bytes; /* the message as it came */
};

static void
answer_done(struct link_request *request)
{
	struct message message = {.type = MSG_DONE};

	answer_message(request, &message);
}

static void
answer_leave(struct link_request *request)
{
	answer_go_away(request, GO_AWAY_LEAVE,
	    "the gateway's operator drains this engine: finish and exit");
}

static void
refuse(struct ask *ask, enum go_away_reason reason, const char *sentence,
    const char *label)
{
	metric_count(M_ENGINE_REFUSED, label, NULL);
	answer_go_away(ask->request, reason, sentence);
}

static void
host_hello(struct ask *ask)
{
	engine_hello(ask->d, ask->request, &ask->message->hello);
}

static void
host_ping(struct ask *ask)
{
	answer_done(ask->request);
}

static void
host_heartbeat(struct ask *ask)
{
	const struct msg_heartbeat *beat = &ask->message->heartbeat;
	struct engine *engine;
	bool leaving = false;

	pthread_mutex_lock(&ask->d->lock);
	engine = engine_of_pipe(ask->d, ask->pipe);
	if (engine != NULL) {
		leaving = engine->leaving && !beat->draining;
		engine->draining = engine->leaving || beat->draining;
		engine->round_trip_us = beat->round_trip_us > ROUND_TRIP_MAX_US
					    ? ROUND_TRIP_MAX_US
					    : (int64_t)beat->round_trip_us;
		engine->resident_bytes = beat->resident_bytes > INT64_MAX
					     ? INT64_MAX
					     : beat->resident_bytes;
	}
	pthread_mutex_unlock(&ask->d->lock);
	if (leaving)
		answer_leave(ask->request);
	else
		answer_done(ask->request);
}

/* Keeps the request as a ticket and finds it a job. */
static void
offer(struct ask *ask)
{
	struct dispatch *d = ask->d;
	struct engine *engine;
	enum err err = ERR_STATE;
	bool draining, leaving;

	pthread_mutex_lock(&d->lock);
	draining = d->draining;
	engine = engine_of_pipe(d, ask->pipe);
	leaving = engine != NULL && engine->leaving;
	if (engine != NULL && !draining && !leaving)
		err = ticket_offer(d, engine, ask->request);
	pthread_mutex_unlock(&d->lock);
	if (leaving) {
		answer_leave(ask->request);
		return;
	}
	if (err != OK) {
		answer_go_away(ask->request,
		    draining ? GO_AWAY_DRAINING : GO_AWAY_UNKNOWN_SESSION,
		    "this ticket cannot be kept; say hello again");
		return;
	}
	engines_match(d);
}

static void
host_ticket(struct ask *ask)
{
	offer(ask);
}

/*
 * The job, if the engine holds this attempt of it. Who speaks of an attempt
 * that was never its own, of a job there is, lies; one that it lost meanwhile
 * is no matter. Locked.
 */
static struct job *
held_or_lied(struct dispatch *d, struct engine *engine, uint64_t number,
    uint64_t attempt)
{
	struct job *job = job_held_by(d, number, attempt, engine);

	if (job != NULL || engine == NULL)
		return job;
	job = job_find(d, number);
	if (job != NULL && !job_was_held_by(job, attempt, engine))
		engine_lied(engine);
	return NULL;
}

/* The bytes outlive the request, which becomes the next ticket: a copy. Freed
 * by the job. False: not this engine's attempt (any more). */
static bool
keep_result(struct ask *ask)
{
	const struct msg_result *result = &ask->message->result;
	uint8_t *copy = malloc(ask->bytes.len);
	struct dispatch *d = ask->d;
	struct engine *engine;
	struct job *job = NULL;

	if (copy != NULL)
		memcpy(copy, ask->bytes.data, ask->bytes.len);
	pthread_mutex_lock(&d->lock);
	engine = engine_of_pipe(d, ask->pipe);
	job = held_or_lied(d, engine, result->job, result->attempt);
	if (job != NULL) {
		if (script_code_is_known(result->code))
			engine_served(engine);
		else
			engine_lied(engine);
		job->result = copy;
		job->result_len = copy == NULL ? 0 : ask->bytes.len;
		job_end(d, job, copy == NULL ? SCRIPT_LOST : SCRIPT_OK);
		if (result->code == SCRIPT_OK)
			d->last_success_us = clock_mono_us();
		copy = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	free(copy);
	return job != NULL;
}

static void
host_result(struct ask *ask)
{
	bool ticket = ask->message->result.ticket;

	if (!keep_result(ask))
		metric_count(M_DISPATCH_EVENTS, "stale", NULL);
	if (ticket)
		offer(ask);
	else
		answer_done(ask->request);
}

static void
host_ack(struct ask *ask)
{
	struct dispatch *d = ask->d;
	struct job *job;

	pthread_mutex_lock(&d->lock);
	job = held_or_lied(d, engine_of_pipe(d, ask->pipe),
	    ask->message->ack.job, ask->message->ack.attempt);
	if (job != NULL && job->state == JOB_SENT)
		job_move(d, job, JOB_RUNNING);
	pthread_mutex_unlock(&d->lock);
	if (job == NULL)
		refuse(
		    ask, GO_AWAY_STALE, "this attempt was given up", "stale");
	else
		answer_done(ask->request);
}

/* The job that an engine names and holds, whatever its attempt. Locked. */
static struct job *
job_of(struct ask *ask, uint64_t number)
{
	struct job *job = job_find(ask->d, number);

	if (job == NULL || job->engine == NULL)
		return NULL;
	return job->engine == engine_of_pipe(ask->d, ask->pipe) ? job : NULL;
}

/* Encodes under the lock: what the answer points to lives only as long as the
 * job does. False: nothing was encoded. */
static bool
encode_source(struct ask *ask, struct buf *out)
{
	const struct msg_source_get *get = &ask->message->source_get;
	struct message answer = {.type = MSG_SOURCE};
	const struct job *job = job_of(ask, get->job);
	const struct realm_script *script;

	if (job == NULL)
		return false;
	script = job->execution->release->scripts[job->execution->kind];
	if (!span_equal(
		get->source, span_of(script->source_hash, DIGEST_BYTES)))
		return false;
	answer.source.text = script->source;
	answer.source.file = span_str(script->file);
	return message_encode(&answer, out, NULL) == OK;
}

static bool
encode_properties(struct ask *ask, struct buf *out)
{
	const struct msg_properties_get *get = &ask->message->properties_get;
	struct message answer = {.type = MSG_PROPERTIES};
	const struct job *job = job_of(ask, get->job);

	if (job == NULL ||
	    !span_equal(get->properties,
		span_of(job->execution->idp->properties_version, DIGEST_BYTES)))
		return false;
	answer.properties.json = span_str(job->execution->idp->properties_json);
	return message_encode(&answer, out, NULL) == OK;
}

static bool
encode_keys(struct ask *ask, struct buf *out)
{
	const struct msg_keys_get *get = &ask->message->keys_get;
	struct message answer = {.type = MSG_KEYS};
	const struct job *job = job_of(ask, get->job);

	if (job == NULL ||
	    !span_equal(get->properties,
		span_of(job->execution->idp->properties_version, DIGEST_BYTES)))
		return false;
	answer.keys.json = span_str(job->execution->idp->keys_json);
	if (job->execution->idp->http_ca_pem != NULL)
		answer.keys.ca = span_str(job->execution->idp->http_ca_pem);
	return message_encode(&answer, out, NULL) == OK;
}

static void
answer_encoded(
    struct ask *ask, bool (*encode)(struct ask *ask, struct buf *out))
{
	struct buf bytes;
	bool found;

	buf_init(&bytes, MESSAGE_MAX_BYTES);
	pthread_mutex_lock(&ask->d->lock);
	found = encode(ask, &bytes);
	pthread_mutex_unlock(&ask->d->lock);
	if (found)
		link_answer(ask->request, buf_span(&bytes));
	else
		refuse(ask, GO_AWAY_NOT_YOURS,
		    "this engine holds no job with it", "not_yours");
	buf_wipe(&bytes);
}

static void
host_source_get(struct ask *ask)
{
	answer_encoded(ask, encode_source);
}

static void
host_properties_get(struct ask *ask)
{
	answer_encoded(ask, encode_properties);
}

static void
host_keys_get(struct ask *ask)
{
	answer_encoded(ask, encode_keys);
}

static void
host_http(struct ask *ask)
{
	host_http_intent(ask->d, ask->request, &ask->message->http_intent);
}

static void
host_cache(struct ask *ask)
{
	host_cache_call(ask->d, ask->request, ask->message);
}

/* Who may send what: a message without a row is refused whoever sends it. */
static const struct host_row {
	enum message_type type;
	bool needs_session;
	void (*handle)(struct ask *ask);
} host_rows[] = {
    {MSG_PING, false, host_ping},
    {MSG_HELLO, false, host_hello},
    {MSG_TICKET, true, host_ticket},
    {MSG_RESULT, true, host_result},
    {MSG_ACK, true, host_ack},
    {MSG_HEARTBEAT, true, host_heartbeat},
    {MSG_SOURCE_GET, true, host_source_get},
    {MSG_PROPERTIES_GET, true, host_properties_get},
    {MSG_KEYS_GET, true, host_keys_get},
    {MSG_HTTP_INTENT, true, host_http},
    {MSG_CACHE_STORE, true, host_cache},
    {MSG_CACHE_FETCH, true, host_cache},
    {MSG_CACHE_DELETE, true, host_cache},
    {MSG_CACHE_TAKE, true, host_cache},
    {MSG_CACHE_INCREMENT, true, host_cache},
};

static const struct host_row *
row_of(enum message_type type)
{
	for (size_t i = 0; i < sizeof host_rows / sizeof host_rows[0]; i++)
		if (host_rows[i].type == type)
			return &host_rows[i];
	return NULL;
}

/* Any message is a sign of life. False: this pipe never said hello. */
static bool
hear(struct dispatch *d, uint32_t pipe)
{
	struct engine *engine;

	pthread_mutex_lock(&d->lock);
	engine = engine_of_pipe(d, pipe);
	if (engine != NULL)
		engine->heard_us = clock_mono_us();
	pthread_mutex_unlock(&d->lock);
	return engine != NULL;
}

/* What does not decode is no message of any version's. */
static void
note_lie(struct dispatch *d, uint32_t pipe)
{
	struct engine *engine;

	pthread_mutex_lock(&d->lock);
	engine = engine_of_pipe(d, pipe);
	if (engine != NULL)
		engine_lied(engine);
	pthread_mutex_unlock(&d->lock);
}

void
host_received(void *dispatch, struct link_request *request, struct span bytes)
{
	struct ask ask = {.d = dispatch, .request = request, .bytes = bytes};
	struct err_detail detail = {0};
	const struct host_row *row = NULL;
	struct message message;
	bool session;
	enum err err;

	ask.pipe = link_request_pipe(request);
	err = message_decode(bytes, SENDER_ENGINE, &message, &detail);
	if (err == OK)
		row = row_of(message.type);
	if (row == NULL) {
		log_warn("engine message refused", LOG_UINT("pipe", ask.pipe),
		    LOG_STR("error", err_text(&detail, err)));
		if (err != OK)
			note_lie(dispatch, ask.pipe);
		refuse(&ask, GO_AWAY_BAD_MESSAGE, err_text(&detail, err),
		    "malformed");
		return;
	}
	ask.message = &message;
	session = hear(dispatch, ask.pipe);
	if (row->needs_session && !session) {
		refuse(&ask, GO_AWAY_UNKNOWN_SESSION, "say hello first",
		    "no_session");
		return;
	}
	row->handle(&ask);
}

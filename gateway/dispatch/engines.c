/*
 * Engine sessions, tickets, and matching them with jobs; see engines.h. Not
 * here: what engines ask for while they run a job (hosts.c).
 */
#include "gateway/dispatch/engines.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/metric.h"
#include "proto/frame.h"

/* Longest label an engine or an IdP may have, and its terminator. */
#define LABEL_BYTES 65

void
delivery_send(struct delivery *delivery)
{
	if (delivery->request == NULL)
		return;
	link_answer(delivery->request, buf_span(&delivery->bytes));
	buf_wipe(&delivery->bytes);
	delivery->request = NULL;
}

void
answer_message(struct link_request *request, const struct message *message)
{
	struct buf bytes;

	buf_init(&bytes, MESSAGE_MAX_BYTES);
	/* Without memory the answer is empty, which is none: the engine asks
	 * again, or its question failed. */
	if (message_encode(message, &bytes, NULL) != OK)
		buf_reset(&bytes);
	link_answer(request, buf_span(&bytes));
	buf_wipe(&bytes);
}

void
answer_go_away(struct link_request *request, enum go_away_reason reason,
    const char *sentence)
{
	struct message message = {.type = MSG_GO_AWAY};

	message.go_away.reason = reason;
	message.go_away.sentence = span_str(sentence);
	answer_message(request, &message);
}

static bool
has_label_of(const char *labels, const struct string_set *wanted)
{
	char label[LABEL_BYTES];
	const char *cursor = labels;

	if (wanted->count == 0)
		return true;
	while (conf_list_next(&cursor, label, sizeof label))
		if (string_set_has(wanted, span_str(label)))
			return true;
	return false;
}

bool
engine_may_run(struct dispatch *d, const struct engine *engine,
    const struct realm_idp *idp)
{
	return has_label_of(engine->labels, &idp->engine_labels) &&
	       engine_is_fit(d, engine);
}

struct engine *
engine_of_pipe(struct dispatch *d, uint32_t pipe)
{
	struct engine *engine;

	LIST_FOREACH (engine, &d->engines, link)
		if (engine->pipe == pipe)
			return engine;
	return NULL;
}

bool
engines_have(struct dispatch *d, const struct realm_idp *idp)
{
	int64_t lately_us = clock_mono_us() - ENGINE_RETURN_US;
	const struct engine *engine;

	LIST_FOREACH (engine, &d->engines, link)
		if (engine->heard_us > lately_us &&
		    !engine_is_out_for_long(engine) &&
		    has_label_of(engine->labels, &idp->engine_labels))
			return true;
	/* A restarted gateway's engines are on their way back. */
	if (d->opened_us != 0 && d->opened_us > lately_us)
		return true;
	return d->gone_us != 0 && d->gone_us > lately_us &&
	       has_label_of(d->gone_labels, &idp->engine_labels);
}

/* ---- tickets --------------------------------------------------------------
 */

enum err
ticket_offer(
    struct dispatch *d, struct engine *engine, struct link_request *request)
{
	struct ticket *ticket = calloc(1, sizeof *ticket);

	if (ticket == NULL)
		return ERR_NOMEM;
	ticket->request = request;
	ticket->engine = engine;
	TAILQ_INSERT_TAIL(&d->tickets, ticket, link);
	d->ticket_count++;
	return OK;
}

/* The oldest that fits; one of the engine that has just lost this job only
 * where there is no other: an engine on probation would get the same job until
 * its attempts are used up. */
static struct ticket *
ticket_find(struct dispatch *d, const struct job *job, int64_t weights,
    enum share_claim claim)
{
	struct ticket *ticket;
	struct ticket *same = NULL;

	TAILQ_FOREACH (ticket, &d->tickets, link) {
		if (!engine_may_run(d, ticket->engine, job->idp) ||
		    !share_allows(d, job, ticket->engine, weights, claim))
			continue;
		if (job->attempt == 0 ||
		    strcmp(job->engine_name, ticket->engine->name) != 0)
			return ticket;
		if (same == NULL)
			same = ticket;
	}
	return same;
}

bool
ticket_take(struct dispatch *d, struct job *job, int64_t weights,
    enum share_claim claim)
{
	struct ticket *ticket = ticket_find(d, job, weights, claim);

	if (ticket == NULL)
		return false;
	TAILQ_REMOVE(&d->tickets, ticket, link);
	d->ticket_count--;
	job->ticket = ticket;
	job_move(d, job, JOB_HELD);
	return true;
}

void
ticket_give_back(struct dispatch *d, struct job *job)
{
	TAILQ_INSERT_HEAD(&d->tickets, job->ticket, link);
	d->ticket_count++;
	job->ticket = NULL;
}

/* Enough of the boot id to tell engines apart; it outlives a session. */
static uint64_t
engine_boot(const struct engine *engine)
{
	uint64_t boot;

	_Static_assert(sizeof boot <= BOOT_ID_BYTES, "part of a boot id");
	memcpy(&boot, engine->boot_id, sizeof boot);
	return boot;
}

void
job_send(struct dispatch *d, struct job *job, struct delivery *delivery_r)
{
	struct ticket *ticket = job->ticket;

	job->attempt++;
	job->host_calls = 0;
	buf_init(&delivery_r->bytes, MESSAGE_MAX_BYTES);
	if (job_encode(job, &delivery_r->bytes) != OK) {
		/* Over the wire's limit in sum: the request is what it is. */
		buf_fini(&delivery_r->bytes);
		ticket_give_back(d, job);
		job_end(d, job, SCRIPT_BAD_RESULT);
		return;
	}
	job->ticket = NULL;
	job->engine = ticket->engine;
	job->sent_us = clock_mono_us();
	job->holders[(job->attempt - 1) % ATTEMPTS_MAX] =
	    engine_boot(ticket->engine);
	memcpy(job->engine_name, ticket->engine->name, sizeof job->engine_name);
	job_move(d, job, JOB_SENT);
	delivery_r->request = ticket->request;
	free(ticket);
}

/* The first waiting job that a free ticket fits. What one job of an IdP does
 * not get, no other of it does: a long queue is looked at once an IdP. Locked.
 */
static struct job *
match_claim(struct dispatch *d, int64_t weights, enum share_claim claim)
{
	uint64_t round = ++d->round;
	struct job *job;

	TAILQ_FOREACH (job, &d->jobs[JOB_QUEUED], link) {
		if (d->ticket_count == 0)
			return NULL;
		if (job->share->round == round)
			continue;
		if (ticket_take(d, job, weights, claim))
			return job;
		job->share->round = round;
	}
	return NULL;
}

/* One waiting job gets a free ticket, those within their share first; its HTTP
 * thread is woken if it is not ready to be sent. False: none. Locked. */
static bool
match_one(struct dispatch *d, struct delivery *delivery_r)
{
	int64_t weights;
	struct job *job;

	if (d->ticket_count == 0 || d->counts[JOB_QUEUED] == 0)
		return false;
	weights = share_weights(d, clock_mono_us());
	job = match_claim(d, weights, SHARE_WITHIN);
	if (job == NULL)
		job = match_claim(d, weights, SHARE_BEYOND);
	if (job == NULL)
		return false;
	if (job->execution == NULL)
		pthread_cond_signal(&job->wake);
	else
		job_send(d, job, delivery_r);
	return true;
}

void
engines_match(struct dispatch *d)
{
	struct delivery delivery = {0};
	bool matched;

	do {
		pthread_mutex_lock(&d->lock);
		matched = match_one(d, &delivery);
		pthread_mutex_unlock(&d->lock);
		delivery_send(&delivery);
	} while (matched);
}

/* ---- sessions -------------------------------------------------------------
 */

/* Tickets of an engine leave the list, HELD jobs go back to wait; the requests
 * are collected for answering without the lock. */
void
engine_take_tickets(
    struct dispatch *d, struct engine *engine, struct ticket_list *dropped)
{
	struct ticket *ticket, *next;
	struct job *job, *next_job;

	for (job = TAILQ_FIRST(&d->jobs[JOB_HELD]); job; job = next_job) {
		next_job = TAILQ_NEXT(job, link);
		if (job->ticket == NULL || job->ticket->engine != engine)
			continue;
		TAILQ_INSERT_TAIL(dropped, job->ticket, link);
		job->ticket = NULL;
		job_requeue(d, job);
	}
	for (ticket = TAILQ_FIRST(&d->tickets); ticket; ticket = next) {
		next = TAILQ_NEXT(ticket, link);
		if (ticket->engine != engine)
			continue;
		TAILQ_REMOVE(&d->tickets, ticket, link);
		d->ticket_count--;
		TAILQ_INSERT_TAIL(dropped, ticket, link);
	}
}

void
tickets_drop(struct ticket_list *dropped, uint32_t live)
{
	struct ticket *ticket;

	while ((ticket = TAILQ_FIRST(dropped)) != NULL) {
		TAILQ_REMOVE(dropped, ticket, link);
		if (live == TICKETS_ALL_LIVE ||
		    link_request_pipe(ticket->request) == live)
			answer_go_away(ticket->request, GO_AWAY_UNKNOWN_SESSION,
			    "this ticket's session ended");
		else
			link_request_drop(ticket->request);
		free(ticket);
	}
}

void
engine_pipe_lost(struct dispatch *d, uint32_t pipe)
{
	struct ticket_list dropped = TAILQ_HEAD_INITIALIZER(dropped);
	char name[ENGINE_NAME_MAX + 1] = "";
	struct engine *engine;

	pthread_mutex_lock(&d->lock);
	engine_identity_forget(&d->identity, pipe);
	engine = engine_of_pipe(d, pipe);
	if (engine != NULL) {
		engine->pipe = 0;
		engine->lost_us = clock_mono_us();
		engine_take_tickets(d, engine, &dropped);
		memcpy(name, engine->name, sizeof name);
	}
	pthread_mutex_unlock(&d->lock);
	tickets_drop(&dropped, TICKETS_NONE_LIVE);
	if (name[0] != '\0')
		log_warn("engine disconnected", LOG_STR("engine", name));
}

/* Calls `act` on every job an engine holds; `act` may move the job. Locked. */
static void
for_jobs_of(struct dispatch *d, const struct engine *engine,
    void (*act)(struct dispatch *, struct job *))
{
	static const enum job_state states[] = {JOB_SENT, JOB_RUNNING};
	struct job *job, *next;

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		for (job = TAILQ_FIRST(&d->jobs[states[i]]); job; job = next) {
			next = TAILQ_NEXT(job, link);
			if (job->engine == engine)
				act(d, job);
		}
	}
}

void
engine_forget(struct dispatch *d, struct engine *engine)
{
	for_jobs_of(d, engine, job_lost);
	d->gone_us = engine->heard_us;
	memcpy(d->gone_labels, engine->labels, sizeof d->gone_labels);
	LIST_REMOVE(engine, link);
	d->engine_count--;
	free(engine);
}

void
engine_end_session(
    struct dispatch *d, struct engine *engine, struct ticket_list *dropped)
{
	engine_take_tickets(d, engine, dropped);
	engine_forget(d, engine);
}

bool
job_was_held_by(
    const struct job *job, uint64_t attempt, const struct engine *engine)
{
	return attempt >= 1 && attempt <= job->attempt &&
	       attempt <= ATTEMPTS_MAX &&
	       job->holders[attempt - 1] == engine_boot(engine);
}

static void
move_if_untouched(struct dispatch *d, struct job *job)
{
	if (!job->effect)
		job_lost(d, job);
}

void
engine_move_jobs(struct dispatch *d, struct engine *engine)
{
	for_jobs_of(d, engine, move_if_untouched);
}

/* ---- hello ----------------------------------------------------------------
 */

static bool
name_is_valid(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '_' ||
			c == '-'))
			return false;
	}
	return name.len > 0;
}

/* True if hello.running lists this attempt of this job. */
static bool
lists_job(struct span running, const struct job *job)
{
	struct message message;
	struct span body;

	while (frame_next(&running, &body) == OK) {
		if (message_decode(body, SENDER_ENGINE, &message, NULL) != OK ||
		    message.type != MSG_RUNNING_JOB)
			return false;
		if (message.running_job.job == job->number &&
		    message.running_job.attempt == job->attempt)
			return true;
	}
	return false;
}

/* Jobs the engine no longer knows are lost; the others go on, and being listed
 * acknowledges them. Locked. */
static void
resume_jobs(struct dispatch *d, struct engine *engine, struct span running)
{
	static const enum job_state states[] = {JOB_RUNNING, JOB_SENT};
	struct job *job, *next;

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		for (job = TAILQ_FIRST(&d->jobs[states[i]]); job; job = next) {
			next = TAILQ_NEXT(job, link);
			if (job->engine != engine)
				continue;
			if (!lists_job(running, job))
				job_lost(d, job);
			else if (job->state == JOB_SENT)
				job_move(d, job, JOB_RUNNING);
		}
	}
}

/* A hello says anew what the engine holds, also on the connection it had: it
 * gave up its tickets before, and a job that is not listed did not reach it.
 * Locked. */
static void
resume(struct dispatch *d, struct engine *engine, struct span running,
    struct ticket_list *dropped)
{
	engine_take_tickets(d, engine, dropped);
	resume_jobs(d, engine, running);
	metric_count(M_DISPATCH_EVENTS, "resumed", NULL);
}

static void
copy_text(char *out, size_t out_bytes, struct span text)
{
	size_t len = text.len < out_bytes ? text.len : out_bytes - 1;

	if (len > 0)
		memcpy(out, text.data, len);
	out[len] = '\0';
}

static struct engine *
engine_of_boot(struct dispatch *d, struct span boot_id)
{
	struct engine *engine;

	LIST_FOREACH (engine, &d->engines, link)
		if (memcmp(engine->boot_id, boot_id.data, BOOT_ID_BYTES) == 0)
			/* The analyzer thinks that LIST_REMOVE may leave an
			 * engine in the list that engine_forget() frees.
			 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
			return engine;
	return NULL;
}

/* Finds or makes the record and fills it. Locked. NULL: stopping, too many, or
 * no memory. A connection that it replaces is left to end by itself,
 * nothing is served on it any more: nng's reaper can hang for good if a pipe
 * is closed from this end while messages come in. */
static struct engine *
engine_admit(struct dispatch *d, uint32_t pipe, const struct msg_hello *hello,
    struct ticket_list *dropped)
{
	struct engine *engine = engine_of_boot(d, hello->boot_id);

	/* While stopping only who still has something to deliver comes in. */
	if (d->draining && hello->running.len == 0)
		return NULL;
	if (engine != NULL) {
		resume(d, engine, hello->running, dropped);
	} else {
		if (d->engine_count >= ENGINES_MAX)
			return NULL;
		engine = calloc(1, sizeof *engine);
		if (engine == NULL)
			return NULL;
		engine->since = clock_wall_secs();
		LIST_INSERT_HEAD(&d->engines, engine, link);
		d->engine_count++;
	}
	engine->pipe = pipe;
	memcpy(engine->boot_id, hello->boot_id.data, BOOT_ID_BYTES);
	copy_text(engine->name, sizeof engine->name, hello->engine);
	copy_text(engine->labels, sizeof engine->labels, hello->labels);
	copy_text(engine->sandbox_missing, sizeof engine->sandbox_missing,
	    hello->sandbox_missing);
	copy_text(engine->version, sizeof engine->version, hello->version);
	engine->slots = (unsigned)hello->slots;
	engine->heard_us = clock_mono_us();
	/* Who was told to leave does not get around it by another hello. */
	engine->draining = engine->leaving;
	return engine;
}

/* An engine that says hello on a pipe that carried another one is that other
 * one restarted behind a proxy, or a liar: the old session ends. Locked. */
static void
end_other_session(struct dispatch *d, uint32_t pipe, struct span boot_id,
    struct ticket_list *dropped)
{
	struct engine *engine = engine_of_pipe(d, pipe);

	if (engine == NULL ||
	    memcmp(engine->boot_id, boot_id.data, BOOT_ID_BYTES) == 0)
		return;
	engine_end_session(d, engine, dropped);
}

static bool
hello_is_acceptable(struct link_request *request, const struct msg_hello *hello)
{
	if (hello->protocol_min > PROTOCOL_MAX ||
	    hello->protocol_max < PROTOCOL_MIN) {
		log_error("engine refused: protocol version",
		    LOG_UINT("engine_min", hello->protocol_min),
		    LOG_UINT("engine_max", hello->protocol_max),
		    LOG_INT("gateway_min", PROTOCOL_MIN),
		    LOG_INT("gateway_max", PROTOCOL_MAX));
		answer_go_away(request, GO_AWAY_VERSION,
		    hello->protocol_min > PROTOCOL_MAX
			? "this gateway is older than the engine: upgrade the "
			  "gateway first"
			: "this engine is older than the gateway: upgrade the "
			  "engine");
		return false;
	}
	if (!name_is_valid(hello->engine)) {
		answer_go_away(request, GO_AWAY_BAD_MESSAGE,
		    "the engine's name may hold only A-Z a-z 0-9 . _ -");
		return false;
	}
	return true;
}

static void
answer_welcome(
    struct dispatch *d, struct link_request *request, uint64_t protocol)
{
	struct message message = {.type = MSG_WELCOME};

	message.welcome.protocol = protocol;
	message.welcome.boot_id = span_of(d->boot_id, BOOT_ID_BYTES);
	message.welcome.heartbeat_ms = HEARTBEAT_MS;
	message.welcome.ack_after_ms = ACK_AFTER_MS;
	answer_message(request, &message);
}

/*
 * With identity keys a name is one engine's. Of two that prove the same name
 * the one at work stays, as long as it is heard: a copy made by mistake does
 * not disturb it, and a stolen key cannot push it out unseen. A restarted
 * engine comes in at once if its old connection is closed (its host did that),
 * after a second's silence if the host is gone, and beside one that drains.
 * Locked.
 */
static bool
name_is_taken(struct dispatch *d, const struct msg_hello *hello)
{
	const struct engine *engine;

	LIST_FOREACH (engine, &d->engines, link)
		if (span_is(hello->engine, engine->name) &&
		    memcmp(engine->boot_id, hello->boot_id.data,
			BOOT_ID_BYTES) != 0 &&
		    engine->pipe != 0 && !engine->draining &&
		    clock_mono_us() - engine->heard_us < ENGINE_SILENT_US)
			return true;
	return false;
}

/* The old boot of a name that has a new one. Locked. */
static void
end_same_name(struct dispatch *d, const struct msg_hello *hello,
    struct ticket_list *dropped)
{
	struct engine *engine, *next;

	for (engine = LIST_FIRST(&d->engines); engine; engine = next) {
		next = LIST_NEXT(engine, link);
		if (span_is(hello->engine, engine->name) && !engine->draining &&
		    memcmp(engine->boot_id, hello->boot_id.data,
			BOOT_ID_BYTES) != 0)
			engine_end_session(d, engine, dropped);
	}
}

/* What a hello comes to; `engine` is there in SESSION. */
struct greeting {
	enum {
		GREETING_SESSION,
		GREETING_CHALLENGE,
		GREETING_IDENTITY,
		GREETING_NAME_TAKEN,
		GREETING_NO_ROOM
	} kind;
	struct challenge challenge;
	const char *sentence;
};

/* Locked. */
static void
greet(struct dispatch *d, struct link_request *request,
    const struct msg_hello *hello, struct ticket_list *dropped,
    struct greeting *greeting_r)
{
	uint32_t pipe = link_request_pipe(request);
	struct engine *engine;

	switch (engine_identity_judge(&d->identity, pipe, hello,
	    &greeting_r->challenge, &greeting_r->sentence)) {
	case IDENTITY_CHALLENGED:
		greeting_r->kind = GREETING_CHALLENGE;
		return;
	case IDENTITY_REFUSED:
		greeting_r->kind = GREETING_IDENTITY;
		return;
	case IDENTITY_PROVEN:
		break;
	}
	greeting_r->kind = GREETING_NAME_TAKEN;
	if (d->identity.keys != NULL) {
		if (name_is_taken(d, hello))
			return;
		end_same_name(d, hello, dropped);
	}
	end_other_session(d, pipe, hello->boot_id, dropped);
	engine = engine_admit(d, pipe, hello, dropped);
	if (engine != NULL)
		link_request_peer(request, engine->peer);
	greeting_r->kind = engine == NULL ? GREETING_NO_ROOM : GREETING_SESSION;
}

static void
log_connected(struct link_request *request, const struct msg_hello *hello)
{
	char peer[LINK_PEER_BYTES];

	link_request_peer(request, peer);
	log_info("engine connected", LOG_SPAN("engine", hello->engine),
	    LOG_STR("peer", peer), LOG_UINT("slots", hello->slots),
	    LOG_SPAN("labels", hello->labels),
	    LOG_SPAN("version", hello->version),
	    LOG_SPAN("sandbox_missing", hello->sandbox_missing));
}

static void
refuse_hello(struct link_request *request, const struct msg_hello *hello,
    enum go_away_reason reason, const char *label, const char *sentence)
{
	char peer[LINK_PEER_BYTES];

	link_request_peer(request, peer);
	metric_count(M_ENGINE_REFUSED, label, NULL);
	log_warn("engine refused", LOG_SPAN("engine", hello->engine),
	    LOG_STR("peer", peer), LOG_STR("reason", label),
	    LOG_STR("sentence", sentence));
	answer_go_away(request, reason, sentence);
}

static void
answer_challenge(
    struct link_request *request, const struct challenge *challenge)
{
	struct message message = {.type = MSG_CHALLENGE};

	message.challenge.nonce =
	    span_of(challenge->nonce, sizeof challenge->nonce);
	message.challenge.proof =
	    span_of(challenge->proof, sizeof challenge->proof);
	answer_message(request, &message);
}

static uint64_t
common_version(const struct msg_hello *hello)
{
	return hello->protocol_max < PROTOCOL_MAX ? hello->protocol_max
						  : PROTOCOL_MAX;
}

void
engine_hello(struct dispatch *d, struct link_request *request,
    const struct msg_hello *hello)
{
	struct ticket_list dropped = TAILQ_HEAD_INITIALIZER(dropped);
	struct greeting greeting = {.kind = GREETING_NO_ROOM};

	if (!hello_is_acceptable(request, hello)) {
		metric_count(M_ENGINE_REFUSED, "hello", NULL);
		return;
	}
	pthread_mutex_lock(&d->lock);
	greet(d, request, hello, &dropped, &greeting);
	pthread_mutex_unlock(&d->lock);
	tickets_drop(&dropped, link_request_pipe(request));
	switch (greeting.kind) {
	case GREETING_SESSION:
		log_connected(request, hello);
		answer_welcome(d, request, common_version(hello));
		break;
	case GREETING_CHALLENGE:
		answer_challenge(request, &greeting.challenge);
		break;
	case GREETING_IDENTITY:
		refuse_hello(request, hello, GO_AWAY_IDENTITY, "identity",
		    greeting.sentence);
		break;
	case GREETING_NAME_TAKEN:
		refuse_hello(request, hello, GO_AWAY_NAME_TAKEN, "name_taken",
		    "an engine of this name is at work: give each engine a "
		    "name and a key of its own");
		break;
	case GREETING_NO_ROOM:
		refuse_hello(request, hello, GO_AWAY_DRAINING, "too_many",
		    "the gateway stops, or serves as many engines as it can");
		break;
	}
	engines_match(d);
}

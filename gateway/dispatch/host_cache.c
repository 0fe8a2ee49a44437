/*
 * CACHE, the gateway's side; see host_cache.h. Keys reach the store as MACs and
 * values sealed, each bound to its namespace and key.
 */
#include "gateway/dispatch/host_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/dispatch/engines.h"
#include "gateway/store/store_cache.h"

/* nonce, tag and slack around a sealed value */
#define SEALED_EXTRA_BYTES 64

/* A call on its way through the store. */
struct pending {
	struct dispatch *d;
	struct link_request *request;
	enum message_type type;
};

/* What the job's IdP allows, copied under the lock. */
struct grant {
	char ns[65];
	const char *refusal; /* set with ERR_LIMIT */
	int64_t ttl_secs;
	unsigned max_entries;
};

/* The fields all cache messages share, and what differs. */
struct cache_ask {
	enum store_cache_action action;
	bool effect;
	uint64_t job, attempt, ttl_secs;
	struct span key, value;
};

static struct cache_ask
ask_of(const struct message *m)
{
	struct cache_ask ask;

	/* Only the five types host_rows sends here. */
	if (m->type == MSG_CACHE_STORE)
		ask = (struct cache_ask){CACHE_STORE, true, m->cache_store.job,
		    m->cache_store.attempt, m->cache_store.ttl_secs,
		    m->cache_store.key, m->cache_store.value};
	else if (m->type == MSG_CACHE_DELETE)
		ask =
		    (struct cache_ask){CACHE_DELETE, true, m->cache_delete.job,
			m->cache_delete.attempt, 0, m->cache_delete.key, {0}};
	else if (m->type == MSG_CACHE_TAKE)
		ask = (struct cache_ask){CACHE_TAKE, true, m->cache_take.job,
		    m->cache_take.attempt, 0, m->cache_take.key, {0}};
	else if (m->type == MSG_CACHE_INCREMENT)
		ask = (struct cache_ask){CACHE_INCREMENT, true,
		    m->cache_increment.job, m->cache_increment.attempt,
		    m->cache_increment.ttl_secs, m->cache_increment.key, {0}};
	else
		ask = (struct cache_ask){CACHE_FETCH, false, m->cache_fetch.job,
		    m->cache_fetch.attempt, 0, m->cache_fetch.key, {0}};
	return ask;
}

/* Why the call of an attempt that holds its job is refused; NULL: it is not. */
static const char *
refusal_of(const struct job *job, const struct cache_ask *ask)
{
	const struct script_limits *limits = &job->execution->release->limits;

	if (job->host_calls > (uint64_t)limits->host_calls)
		return "too many host calls";
	if (ask->key.len == 0 ||
	    ask->value.len > (size_t)limits->cache_value_kib * 1024)
		return "the key is empty or the value too large";
	return NULL;
}

/*
 * The yes before an effect: this engine holds this attempt, and the call is
 * within its limits. From here on a lost engine means unknown fate.
 * ERR_STALE; ERR_LIMIT: `grant_r->refusal` says why.
 */
static enum err
grant_call(struct dispatch *d, uint32_t pipe, const struct cache_ask *ask,
    struct grant *grant_r)
{
	const struct realm_idp *idp;
	const struct script_limits *limits;
	enum err err = ERR_STALE;
	struct job *job;

	pthread_mutex_lock(&d->lock);
	job = job_held_by(d, ask->job, ask->attempt, engine_of_pipe(d, pipe));
	/* A shadow run is given its answers and has no effects. */
	if (job != NULL && !span_present(job->execution->replay)) {
		idp = job->execution->idp;
		limits = &job->execution->release->limits;
		job->host_calls++;
		grant_r->refusal = refusal_of(job, ask);
		err = grant_r->refusal == NULL ? OK : ERR_LIMIT;
		job->effect |= ask->effect && err == OK;
		if (job->state == JOB_SENT)
			job_move(d, job, JOB_RUNNING);
		snprintf(grant_r->ns, sizeof grant_r->ns, "%s",
		    idp->cache_shared ? "" : idp->identifier);
		grant_r->max_entries = (unsigned)limits->cache_entries;
		grant_r->ttl_secs = ask->ttl_secs != 0
					? (int64_t)ask->ttl_secs
					: job->execution->realm->cache_ttl_secs;
	}
	pthread_mutex_unlock(&d->lock);
	return err;
}

/* ---- sealing --------------------------------------------------------------
 */

static enum err
codec_unseal(void *vault, const uint8_t key[STORE_HASH_BYTES],
    struct span sealed, char **text_r)
{
	struct buf plain;
	const char *text;
	enum err err;

	buf_init(&plain, sealed.len + 1);
	err = vault_unseal(
	    vault, VAULT_CACHE, span_of(key, STORE_HASH_BYTES), sealed, &plain);
	if (err == OK) {
		text = buf_cstr(&plain);
		*text_r = text == NULL ? NULL : strdup(text);
		err = *text_r == NULL ? ERR_NOMEM : OK;
	}
	buf_wipe(&plain);
	return err;
}

static enum err
seal_bytes(void *vault, const uint8_t key[STORE_HASH_BYTES], struct span text,
    uint8_t **sealed_r, size_t *len_r)
{
	struct buf sealed;
	enum err err;

	buf_init(&sealed, text.len + SEALED_EXTRA_BYTES);
	err = vault_seal(
	    vault, VAULT_CACHE, span_of(key, STORE_HASH_BYTES), text, &sealed);
	if (err != OK) {
		buf_fini(&sealed);
		return err;
	}
	*sealed_r = sealed.data; /* malloc'd: ownership moves */
	*len_r = sealed.len;
	return OK;
}

static enum err
codec_seal(void *vault, const uint8_t key[STORE_HASH_BYTES], const char *text,
    uint8_t **sealed_r, size_t *len_r)
{
	return seal_bytes(vault, key, span_str(text), sealed_r, len_r);
}

/* MAC of namespace and key: equal keys of two namespaces differ. */
static void
mac_key(struct vault *vault, const char *ns, struct span key,
    uint8_t mac_r[STORE_HASH_BYTES])
{
	uint8_t bytes[65 + 1024];
	size_t ns_len = strlen(ns) + 1;

	memcpy(bytes, ns, ns_len);
	memcpy(bytes + ns_len, key.data, key.len);
	vault_mac(
	    vault, VAULT_CACHE_KEYS, span_of(bytes, ns_len + key.len), mac_r);
}

/* ---- answers --------------------------------------------------------------
 */

static void
answer_failed(
    struct link_request *request, const char *error, const char *sentence)
{
	struct message message = {.type = MSG_CALL_FAILED};

	message.call_failed.error = span_str(error);
	message.call_failed.sentence = span_str(sentence);
	answer_message(request, &message);
}

static void
answer_error(struct link_request *request, enum err err)
{
	if (err == ERR_LIMIT)
		answer_failed(request, "limit",
		    "CACHE holds as many entries as this identity provider "
		    "may have");
	else if (err == ERR_INVALID)
		answer_failed(request, "invalid",
		    "CACHE.increment needs a value that is a whole number");
	else
		answer_failed(request, "unavailable",
		    "CACHE cannot be reached at present");
}

static void
answer_value(struct dispatch *d, struct link_request *request,
    const struct store_cache_call *call)
{
	struct message message = {.type = MSG_CACHE_VALUE};
	struct buf plain;
	char number[24];
	enum err err = OK;

	buf_init(&plain, call->found_value_len + 1);
	message.cache_value.found = call->found;
	if (call->action == CACHE_INCREMENT) {
		snprintf(number, sizeof number, "%" PRId64, call->number);
		message.cache_value.found = true;
		message.cache_value.value = span_str(number);
	} else if (call->found_value != NULL && call->action != CACHE_DELETE) {
		err = vault_unseal(d->config.vault, VAULT_CACHE,
		    span_of(call->key, STORE_HASH_BYTES),
		    span_of(call->found_value, call->found_value_len), &plain);
		message.cache_value.value = buf_span(&plain);
		if (plain.len == 0)
			message.cache_value.value = span_of("", 0);
	}
	if (err == OK)
		answer_message(request, &message);
	else
		answer_error(request, err);
	buf_wipe(&plain);
}

/* On the store's writer thread, after the commit. */
static void
call_done(struct store_cache_call *call, enum err err)
{
	struct message done = {.type = MSG_DONE};
	struct pending *pending = call->user;

	metric_count(M_HOST_CALLS, message_name(pending->type),
	    err == OK ? "ok" : err_name(err));
	if (err != OK)
		answer_error(pending->request, err);
	else if (call->action == CACHE_STORE)
		answer_message(pending->request, &done);
	else
		answer_value(pending->d, pending->request, call);
	free(pending);
	store_cache_call_free(call);
}

/* ---- the call -------------------------------------------------------------
 */

static struct store_cache_call *
call_new(struct dispatch *d, const struct cache_ask *ask,
    const struct grant *grant, struct pending *pending)
{
	struct store_cache_call *call = calloc(1, sizeof *call);

	if (call == NULL)
		return NULL;
	call->action = ask->action;
	memcpy(call->ns, grant->ns, sizeof call->ns);
	mac_key(d->config.vault, grant->ns, ask->key, call->key);
	call->now = clock_wall_secs();
	call->expires_at = call->now + grant->ttl_secs;
	call->max_entries = grant->max_entries;
	call->codec = &d->cache_codec;
	call->done = call_done;
	call->user = pending;
	if (ask->action == CACHE_STORE &&
	    seal_bytes(d->config.vault, call->key, ask->value, &call->value,
		&call->value_len) != OK) {
		store_cache_call_free(call);
		return NULL;
	}
	return call;
}

/* Hands a granted call to the store; false: no memory. */
static bool
submit(struct dispatch *d, struct link_request *request, enum message_type type,
    const struct cache_ask *ask, const struct grant *grant)
{
	struct pending *pending = calloc(1, sizeof *pending);
	struct store_cache_call *call = NULL;

	if (pending != NULL)
		call = call_new(d, ask, grant, pending);
	if (call == NULL) {
		free(pending);
		return false;
	}
	*pending = (struct pending){d, request, type};
	store_cache_submit(d->config.store, call);
	return true;
}

void
host_cache_init(struct dispatch *d)
{
	d->cache_codec = (struct store_cache_codec){.user = d->config.vault,
	    .unseal = codec_unseal,
	    .seal = codec_seal};
}

void
host_cache_call(struct dispatch *d, struct link_request *request,
    const struct message *message)
{
	const struct cache_ask ask = ask_of(message);
	struct grant grant = {0};
	enum err err;

	err = grant_call(d, link_request_pipe(request), &ask, &grant);
	if (err == ERR_STALE) {
		metric_count(M_DISPATCH_EVENTS, "stale", NULL);
		answer_go_away(
		    request, GO_AWAY_STALE, "this attempt was given up");
		return;
	}
	if (err != OK) {
		metric_count(
		    M_HOST_CALLS, message_name(message->type), "refused");
		answer_failed(request, "limit", grant.refusal);
		return;
	}
	if (!submit(d, request, message->type, &ask, &grant))
		answer_failed(request, "unavailable", "out of memory");
}

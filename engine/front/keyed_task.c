/*
 * Keyed calls as tasks (see keyed_task.h): copies in, work on a thread, a
 * message out. The cryptography is jwt.c's and password_hash.c's.
 */
#include "engine/front/keyed_task.h"

#include <stdlib.h>

#include "common/check.h"
#include "engine/front/front.h"
#include "engine/front/jwt.h"
#include "engine/front/offload.h"
#include "engine/front/password_hash.h"

#define TOKEN_BYTES 131072

struct keyed_task {
	struct offload_task task;
	void (*done)(void *owner, const struct message *reply);
	void *owner; /* NULL: abandoned */
	struct buf body;
	struct message message; /* its spans point into `body` */
	int64_t now_secs;
	struct secret *key; /* NULL: none needed */

	/* Made by the thread. */
	enum err err;
	struct err_detail detail;
	bool matches;
	struct buf token;
	struct jwt_verdict verdict;
};

struct span
keyed_task_key_id(const struct message *message)
{
	static const struct span absent = {NULL, 0};

	if (message->type == MSG_JWT_SIGN)
		return message->jwt_sign.key;
	if (message->type == MSG_JWT_VERIFY)
		return message->jwt_verify.key;
	return absent;
}

static bool
is_slow(enum message_type type)
{
	return type == MSG_PBKDF2_VERIFY || type == MSG_ARGON2ID_VERIFY;
}

/* ---- on a thread of the offload -------------------------------------------
 */

static struct span
key_of(const struct keyed_task *keyed)
{
	static const struct span absent = {NULL, 0};

	return keyed->key == NULL ? absent : secret_bytes(keyed->key);
}

static enum err
run_verify(struct keyed_task *keyed)
{
	const struct msg_jwt_verify *ask = &keyed->message.jwt_verify;
	const struct jwt_trust trust = {
	    .jwk = ask->jwk, .pem = ask->pem, .property = key_of(keyed)};
	const struct jwt_expectation expected = {.algorithms = ask->algorithms,
	    .issuer = ask->issuer,
	    .audience = ask->audience,
	    .clock_skew_secs = (int64_t)ask->clock_skew_secs,
	    .now = keyed->now_secs};

	if (span_present(ask->jwk) + span_present(ask->pem) +
		span_present(ask->key) !=
	    1)
		return err_set(&keyed->detail, ERR_INVALID,
		    "jwtVerify needs exactly one of jwk, jwks, pem and key");
	return jwt_verify(
	    ask->token, &trust, &expected, &keyed->verdict, &keyed->detail);
}

static enum err
run_sign(struct keyed_task *keyed)
{
	const struct msg_jwt_sign *ask = &keyed->message.jwt_sign;
	const struct jwt_order order = {.claims = ask->claims,
	    .algorithm = ask->algorithm,
	    .kid = ask->kid,
	    .typ = ask->typ,
	    .property = key_of(keyed)};

	return jwt_sign(&order, &keyed->token, &keyed->detail);
}

static void
keyed_run(struct offload_task *task)
{
	struct keyed_task *keyed = (struct keyed_task *)(void *)task;
	const struct message *m = &keyed->message;

	if (m->type == MSG_JWT_VERIFY)
		keyed->err = run_verify(keyed);
	else if (m->type == MSG_JWT_SIGN)
		keyed->err = run_sign(keyed);
	else if (m->type == MSG_PBKDF2_VERIFY)
		keyed->err = password_hash_pbkdf2(m->pbkdf2_verify.password,
		    m->pbkdf2_verify.digest, m->pbkdf2_verify.iterations,
		    m->pbkdf2_verify.salt, m->pbkdf2_verify.hash,
		    &keyed->matches, &keyed->detail);
	else
		keyed->err = password_hash_argon2id(m->argon2id_verify.password,
		    m->argon2id_verify.encoded, &keyed->matches,
		    &keyed->detail);
}

/* ---- on the main thread ---------------------------------------------------
 */

static void
keyed_free(struct keyed_task *keyed)
{
	secret_free(keyed->key);
	buf_wipe(&keyed->body);
	buf_wipe(&keyed->token);
	jwt_verdict_fini(&keyed->verdict);
	free(keyed);
}

static void
reply_verified(const struct keyed_task *keyed, struct message *reply_r)
{
	const struct jwt_verdict *verdict = &keyed->verdict;

	reply_r->type = MSG_JWT_VERIFIED;
	reply_r->jwt_verified.valid = verdict->error == NULL;
	reply_r->jwt_verified.error = span_str(verdict->error);
	if (verdict->header.len > 0)
		reply_r->jwt_verified.header = buf_span(&verdict->header);
	if (verdict->claims.len > 0)
		reply_r->jwt_verified.claims = buf_span(&verdict->claims);
}

static void
keyed_reply(struct keyed_task *keyed, struct message *reply_r)
{
	*reply_r = (struct message){.type = MSG_CALL_FAILED};
	if (keyed->err != OK) {
		reply_r->call_failed.error = span_str(
		    keyed->err == ERR_INVALID ? "invalid" : "unavailable");
		reply_r->call_failed.sentence =
		    span_str(err_text(&keyed->detail, keyed->err));
		return;
	}
	if (keyed->message.type == MSG_JWT_VERIFY) {
		reply_verified(keyed, reply_r);
	} else if (keyed->message.type == MSG_JWT_SIGN) {
		reply_r->type = MSG_JWT_SIGNED;
		reply_r->jwt_signed.token = buf_span(&keyed->token);
	} else {
		reply_r->type = MSG_PASSWORD_VERDICT;
		reply_r->password_verdict.matches = keyed->matches;
	}
}

static void
keyed_done(struct offload_task *task)
{
	struct keyed_task *keyed = (struct keyed_task *)(void *)task;
	struct message reply;

	if (keyed->owner != NULL) {
		keyed_reply(keyed, &reply);
		keyed->done(keyed->owner, &reply);
	}
	keyed_free(keyed);
}

enum err
keyed_task_start(struct front *front, const struct keyed_order *order,
    struct keyed_task **task_r)
{
	struct keyed_task *keyed = calloc(1, sizeof *keyed);
	enum err err = ERR_NOMEM;

	if (keyed == NULL) {
		secret_free(order->key);
		return ERR_NOMEM;
	}
	keyed->task.run = keyed_run;
	keyed->task.done = keyed_done;
	keyed->done = order->done;
	keyed->owner = order->owner;
	keyed->key = order->key;
	keyed->now_secs = order->now_secs;
	buf_init(&keyed->body, order->body.len);
	buf_init(&keyed->token, TOKEN_BYTES);
	jwt_verdict_init(&keyed->verdict);
	buf_append_span(&keyed->body, order->body);
	if (buf_status(&keyed->body) == OK)
		err = message_decode(buf_span(&keyed->body), SENDER_CHILD,
		    &keyed->message, NULL);
	if (err == OK)
		err = offload_submit(is_slow(keyed->message.type)
					 ? front->passwords
					 : front->signatures,
		    &keyed->task);
	if (err != OK) {
		keyed_free(keyed);
		return err;
	}
	*task_r = keyed;
	return OK;
}

void
keyed_task_abandon(struct keyed_task *task)
{
	if (task != NULL)
		task->owner = NULL;
}

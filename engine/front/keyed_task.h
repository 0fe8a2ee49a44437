/*
 * One keyed call of a script (jwt_verify, jwt_sign, pbkdf2_verify,
 * argon2id_verify) on its way through the offload and back.
 *
 * Threads: the main one; the work itself runs on the offload's.
 */
#ifndef POSTERN_KEYED_TASK_H
#define POSTERN_KEYED_TASK_H

#include <stdint.h>

#include "common/err.h"
#include "common/secret.h"
#include "common/span.h"
#include "proto/message.h"

struct front;
struct keyed_task;

/* The id of the key property it needs; absent: none. */
struct span keyed_task_key_id(const struct message *message);

struct keyed_order {
	struct span body;   /* the child's message, which decodes; copied */
	struct secret *key; /* taken over; NULL: it needs none */
	int64_t now_secs;   /* what a token's times are judged by */
	/* From the loop with the message for the child, unless
	 * keyed_task_abandon() came first. */
	void (*done)(void *owner, const struct message *reply);
	void *owner;
};

/* Starts the work. ERR_FULL: too many wait; ERR_NOMEM. The key is freed then,
 * too. */
enum err keyed_task_start(struct front *front, const struct keyed_order *order,
    struct keyed_task **task_r) MUST_USE;

/* Nobody waits any more; it frees itself once its thread is through. */
void keyed_task_abandon(struct keyed_task *task); /* NULL is fine */

#endif

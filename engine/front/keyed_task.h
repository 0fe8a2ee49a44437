/*
 * One keyed call of a script (jwt_verify, jwt_sign, pbkdf2_verify,
 * argon2id_verify) on its way through the offload and back.
 *
 * Threads: the main one; the work itself runs on the offload's.
 */
#ifndef POSTERN_KEYED_TASK_H
#define POSTERN_KEYED_TASK_H

#include "common/err.h"
#include "common/secret.h"
#include "common/span.h"
#include "proto/message.h"

struct front;
struct keyed_task;

/* The id of the key property it needs; absent: none. */
struct span keyed_task_key_id(const struct message *message);

/*
 * Starts the work on a copy of `body`, a message of the child that decodes.
 * `key` is taken over (NULL: it needs none). `done` comes from the loop with
 * the message for the child, unless keyed_task_abandon() came first. ERR_FULL:
 * too many wait; ERR_NOMEM. The key is freed then, too.
 */
enum err keyed_task_start(struct front *front, struct span body,
    struct secret *key, void (*done)(void *owner, const struct message *reply),
    void *owner, struct keyed_task **task_r) MUST_USE;

/* Nobody waits any more; it frees itself once its thread is through. */
void keyed_task_abandon(struct keyed_task *task); /* NULL is fine */

#endif

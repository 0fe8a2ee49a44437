/*
 * Host calls: what a script's process asks of its engine. Threads: one.
 */
#ifndef POSTERN_HOST_H
#define POSTERN_HOST_H

#include <duktape.h>

#include "proto/message.h"

/*
 * Sends the call and waits for its answer of type `expected`, whose spans
 * live until the next call. A call that was refused or failed throws an Error
 * whose `name` is HostError (HttpError, CryptoError) and whose `code` is the
 * short name. One call over the limit ends the process with its outcome sent:
 * nothing for the script to catch. Also ends it when the engine is gone or
 * speaks nonsense.
 */
void host_call(duk_context *ctx, const struct message *call,
    enum message_type expected, struct message *answer_r);

/* The same for what belongs to a call that was counted already. */
void host_follow(duk_context *ctx, const struct message *call,
    enum message_type expected, struct message *answer_r);

/* Sends something that has no answer; ends the process if it cannot. */
void host_tell(duk_context *ctx, const struct message *message);

#endif

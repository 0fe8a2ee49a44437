/*
 * The four arguments of execute() (SPEC 3.1). Threads: one.
 */
#ifndef POSTERN_PAYLOAD_H
#define POSTERN_PAYLOAD_H

#include <duktape.h>

#include "proto/message.h"

/* Pushes requestPayload, userIdentifier, registrationData and
 * hookContextCustomParams. May throw. */
void payload_push_arguments(duk_context *ctx, const struct msg_run *run);

#endif

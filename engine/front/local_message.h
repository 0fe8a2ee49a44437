/*
 * Messages from JSON objects as proto/message_json.h writes them: the answers
 * to host calls that a replay brings along. Threads: any.
 */
#ifndef POSTERN_LOCAL_MESSAGE_H
#define POSTERN_LOCAL_MESSAGE_H

#include <jansson.h>

#include "common/buf.h"
#include "common/err.h"
#include "proto/message.h"

/* MSG_NONE: no message has that name. */
enum message_type local_message_type(const char *name);

/*
 * Fills a message of that type from an object; members no field is named by
 * are ignored. Spans point into the object, and into `bytes` for what was
 * base64. ERR_INVALID: a member is not of its field's type.
 */
enum err local_message_read(const json_t *object, enum message_type type,
    struct buf *bytes, struct message *message_r,
    struct err_detail *detail) MUST_USE;

#endif

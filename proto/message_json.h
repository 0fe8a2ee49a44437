/*
 * A message's fields as JSON, for people and for recordings. Writing only: who
 * reads such JSON knows which message it expects and what to check of it.
 */
#ifndef POSTERN_MESSAGE_JSON_H
#define POSTERN_MESSAGE_JSON_H

#include "common/buf.h"
#include "proto/message.h"

/*
 * Appends {"key":"..","ttl_secs":300}: fields in wire order by their names,
 * without those that are absent (0, false) and without `job` and `attempt`,
 * which only name the execution. BYTES that are UTF-8 are a string, others
 * {"base64":".."}, as are IDs. Errors are the buffer's.
 */
void message_json_append(struct buf *out, const struct message *message);

#endif

/*
 * A request's JSON body where a handler reads it itself. The tree ends in the
 * handler. Threads: any.
 */
#ifndef POSTERN_ADMIN_BODY_H
#define POSTERN_ADMIN_BODY_H

#include <jansson.h>
#include <stdbool.h>

#include "gateway/http/http.h"

/* The body as an object, an empty one for an empty body; json_decref() it.
 * NULL: answered. Duplicate keys, trailing bytes, depth are refused. */
json_t *admin_body_parse(
    const struct http_request *request, struct http_response *response);

/*
 * A member that may be absent or null: then the output is left alone. False:
 * it has another type; answered. Text is borrowed from the tree and has no
 * NUL in it.
 */
bool admin_body_text(json_t *body, const char *name, const char **text_r,
    struct http_response *response);
bool admin_body_bool(json_t *body, const char *name, bool *value_r,
    struct http_response *response);

/* No other members than these, which NULL ends: a misspelt one would have no
 * effect without anybody noticing. False: answered. */
bool admin_body_has_only(
    json_t *body, const char *const *names, struct http_response *response);

#endif

/*
 * A change of the realm that came over HTTP: If-Match, who asks, the audit
 * event, and what an answer says when it fails. Threads: any.
 */
#ifndef POSTERN_ADMIN_CHANGE_H
#define POSTERN_ADMIN_CHANGE_H

#include "gateway/admin/admin.h"

/* Longer ones are none of ours. */
#define ADMIN_ETAG_BYTES 80

/* What an audit event keeps of a reason, and a terminator. */
#define ADMIN_WHY_BYTES 301

/* One change: begin, call a config_..() with `request`, `outcome`, `detail`,
 * answer, end. */
struct admin_change {
	struct config_request request; /* for the config_..() */
	struct config_outcome outcome;
	struct err_detail detail;
	struct store_event event;
	char if_match[ADMIN_ETAG_BYTES];
	bool has_if_match; /* false also for "*" */
	char why[ADMIN_WHY_BYTES];
};

/*
 * Fills request: event, admin, If-Match as `etag`, the query's `why`. False:
 * answered (a directory rules, or one of these is malformed); do not end it
 * then. `change` must not move afterwards.
 */
bool admin_change_begin(struct admin_change *change,
    const struct admin_context *admin, const struct http_request *request,
    struct http_response *response);

/* The reason for the audit event, copied; absent is fine. False: answered. */
bool admin_change_why(struct admin_change *change, struct span why,
    struct http_response *response);

/* Answers for a config_..() that failed. */
void admin_change_fail(const struct admin_change *change, enum err err,
    struct http_response *response);

/* Appends "path":..,"action":.. of a change; members of an open object. */
void admin_change_append(
    struct buf *out, bool *first, const struct config_change *change);

void admin_change_end(struct admin_change *change);

/* An entity tag as a header has it; NULL: the arena is full. */
const char *admin_change_etag(const char *etag, struct arena *arena);

#endif

/*
 * What surrounds every authentication, whatever its method: the throttle
 * before it, counters, events and the throttle's memory after it.
 * Threads: any.
 */
#ifndef POSTERN_AUTH_GUARD_H
#define POSTERN_AUTH_GUARD_H

#include "gateway/oauth/auth_throttle.h"
#include "gateway/oauth/oauth.h"

struct auth_attempt {
	const struct oauth *oauth;
	const struct http_request *http; /* NULL: nobody is throttled (tests) */
	const char *kind;                /* "client", "api_client" */
	struct span client_id;           /* as shown */
};

/* AUTH_REFUSE_*: counted; the caller answers as to wrong credentials, without
 * having looked at them. */
enum auth_verdict auth_guard_enter(const struct auth_attempt *attempt);

/* One of these after auth_guard_enter() let it pass. */
void auth_guard_passed(const struct auth_attempt *attempt);
void auth_guard_failed(const struct auth_attempt *attempt);

#endif

/*
 * One call of a registration endpoint: the checks that init, complete and
 * backchannel share, in the order of SPEC 1, and how a script's run is
 * answered.
 *
 * A check returns false after it has answered; the endpoint then goes to
 * call_end(). Lifetime: one request.
 */
#ifndef POSTERN_CALL_H
#define POSTERN_CALL_H

#include "gateway/oauth/attempt_limit.h"
#include "gateway/oauth/event.h"
#include "gateway/oauth/oauth.h"
#include "gateway/oauth/registration_request.h"

struct call {
	const struct oauth *oauth;
	const struct http_request *http;
	struct http_response *response;
	enum script_kind kind;
	const char *step;          /* "init", ...: metric label */
	bool by_assertion;         /* a v2 path: private_key_jwt */
	const struct realm *realm; /* a reference */
	struct registration_request body;
	const struct realm_client *client; /* NULL for backchannel */
	const char *caller_id; /* of the client or API client; once known */
	const struct realm_idp *idp;
	const struct release *release; /* NULL: the IdP's present one */
	const char *sub;               /* the user's, once the script said */
	struct job *job;               /* admitted and not yet run; or NULL */
	/* What ran and what came of it, for its record; NULL before. */
	const struct execution *execution;
	const struct execution_result *result;
};

/* Body syntax. Takes the realm; every call ends with call_end(). */
bool
call_begin(struct call *call, const struct oauth *oauth, enum script_kind kind,
    const struct http_request *http, struct http_response *response);
void call_end(struct call *call);

bool call_check_client(struct call *call);
bool call_check_api_client(struct call *call, unsigned scope);

/* The IdP exists, is enabled and, for a client, assigned to it. */
bool call_check_idp(struct call *call);

/* Types, sizes and the grant type of the body. */
bool call_check_body(struct call *call);

/* Store writable, not over the attempt limit, engine there, queue slot. */
bool call_admit(struct call *call);

/*
 * Runs the script; false: it was answered (500 or 503) and the caller only has
 * its transaction to settle: `started_r` says whether anything ran.
 */
bool call_run(struct call *call, const struct execution *execution,
    struct execution_result *result_r, bool *started_r);

/* An execution whose result breaks a rule that the gateway checks: logs it as
 * SCRIPT_BAD_RESULT and answers 500. */
void call_bad_result(struct call *call, const char *sentence);

/* Fills the parts of an execution that come from the request. */
void call_execution(const struct call *call, const struct release *release,
    enum script_kind kind, struct execution *execution_r);

/* The IdP lacks this script: code 3000, 500. */
void call_no_script(struct call *call, enum script_kind kind);

/* Records an event about this call; the IdP must be known. */
void
call_event(const struct call *call, enum event_type type, const char *detail);

/* Counts a 4xxx outcome against the source. */
void call_count_failure(struct call *call);

/* Counts and records the outcome of this status: success, retry or fail. */
void call_count_outcome(struct call *call, unsigned status);

/* {"status":..,"data":..} for backchannel and for 4xxx/5xxx. */
void
call_answer_status(struct call *call, const struct execution_result *result);

#endif

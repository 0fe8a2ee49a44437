/*
 * The body of init, complete and backchannel, JSON or form, as a struct.
 *
 * Syntax and types only; whether a value is acceptable is the endpoint's to
 * say, in the order of checks of SPEC 1.
 */
#ifndef POSTERN_REGISTRATION_REQUEST_H
#define POSTERN_REGISTRATION_REQUEST_H

#include "gateway/http/http.h"

/* More scopes than any client has. */
#define REQUEST_SCOPES_MAX 64

/* Deepest nesting of a body; hook_context_custom_params needs 3. */
#define REQUEST_DEPTH_MAX 16

/* Spans live in the request's arena; absent when not sent. */
struct registration_request {
	struct span data;
	struct span transaction_id;
	struct span profile_id;
	struct span grant_type;
	struct span custom_params; /* JSON text of an object, checked */
	struct span scopes[REQUEST_SCOPES_MAX];
	unsigned scope_count;
	/* JSON only, for the v2 paths; anything but text counts as not sent */
	struct span client_assertion_type;
	struct span client_assertion;
	struct span assertion_client_id;
	/* form only */
	struct span client_id;
	struct span client_secret;
	/* A member had the wrong type: what to say, else NULL. Told only after
	 * client and IdP were checked. */
	const char *wrong_field;
};

/*
 * ERR_SYNTAX: the body is no JSON object or form, `detail` says why.
 * ERR_NOMEM: the arena is full. Wrong types of members are not an error here:
 * see wrong_field.
 */
enum err registration_request_parse(const struct http_request *http,
    struct registration_request *request_r, struct err_detail *detail) MUST_USE;

#endif

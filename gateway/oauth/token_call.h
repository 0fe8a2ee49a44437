/*
 * One call of the endpoints that take or tell tokens: what the token,
 * revocation, introspection, UserInfo and user's-tokens endpoints share.
 *
 * A check returns false after it has answered and recorded why; the endpoint
 * then goes to token_call_end(). Lifetime: one request.
 */
#ifndef POSTERN_TOKEN_CALL_H
#define POSTERN_TOKEN_CALL_H

#include "gateway/oauth/oauth.h"
#include "gateway/oauth/presented_token.h"

struct token_call {
	const struct oauth *oauth;
	const struct http_request *http;
	struct http_response *response;
	const char *endpoint;              /* "token", ...: metric label */
	const struct realm *realm;         /* a reference */
	struct http_form form;             /* of the body; empty without one */
	const struct realm_client *client; /* once checked */
	const struct realm_api_client *api_client; /* once checked */
	const char *sub; /* the user it is about, if no token says so */
};

/* Body syntax. Takes the realm; every call ends with token_call_end(). */
bool token_call_begin(struct token_call *call, const char *endpoint,
    const struct oauth *oauth, const struct http_request *http,
    struct http_response *response);
void token_call_end(struct token_call *call);

/* By secret or by assertion (RFC 7523); 401 invalid_client (RFC 6749 section
 * 5.2). */
bool token_call_check_client(struct token_call *call);

/* Also 403 insufficient_permissions. */
bool token_call_check_api_client(struct token_call *call, unsigned scope);

/* 503 while nothing can be stored. */
bool token_call_check_writable(struct token_call *call);

/* A field of the form; one without a value counts as not sent (RFC 6749 section
 * 3.2). */
struct span token_call_field(const struct token_call *call, const char *name);

/* The token that the form's `token` is, if we know it: false and NULL with an
 * answer (no `token`, no memory), true and NULL for an unknown token. */
bool token_call_find(struct token_call *call, struct presented_token *room,
    const struct presented_token **token_r);

/*
 * What was decided, for metrics, the log and the audit events: once a call.
 * `token` NULL: about none; `detail` NULL: there is nothing to add.
 */
void token_call_decided(const struct token_call *call, const char *outcome,
    const struct store_token_view *token, const char *detail);

/* Answers and records an error; always false. */
bool token_call_refuse(
    struct token_call *call, enum problem problem, const char *description);

/* As above for what failed inside: 503 where the disk failed, else 500. */
bool token_call_fail(struct token_call *call, enum err err);

#endif

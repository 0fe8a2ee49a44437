/*
 * A token endpoint's successful answer (RFC 6749 section 5.1).
 */
#ifndef POSTERN_TOKEN_ANSWER_H
#define POSTERN_TOKEN_ANSWER_H

#include "gateway/oauth/access_token.h"

/* Borrowed for the call. */
struct token_answer {
	const struct access_token *access;
	const char *scope;
	const char *refresh_token; /* NULL: none */
	struct span id_token;      /* empty: none */
};

void token_answer_append(struct buf *body, const struct token_answer *answer);

#endif

/*
 * The grant types of the token endpoint. Each answers and records what it
 * decided; the client is authenticated and the store writable by then.
 */
#ifndef POSTERN_TOKEN_GRANTS_H
#define POSTERN_TOKEN_GRANTS_H

#include "gateway/oauth/token_call.h"

/* RFC 6749 section 6, with rotation (RFC 9700 section 4.14.2). */
void token_grant_refresh(struct token_call *call);

/* RFC 6749 section 4.4. */
void token_grant_client_credentials(struct token_call *call);

#endif

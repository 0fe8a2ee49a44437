/*
 * Who may use a route of the admin listener: Host, Cookie, credentials of an
 * API client, its scope. Threads: any.
 */
#ifndef POSTERN_ADMIN_AUTH_H
#define POSTERN_ADMIN_AUTH_H

#include "gateway/http/http.h"

/* For http_config; its context is a struct admin_context, `caller` becomes a
 * struct admin_caller except on OPEN routes. */
http_admit admin_auth_admit;

#endif

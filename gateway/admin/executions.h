/*
 * The records of executions over HTTP, read-only. Handlers expect a struct
 * admin_context; the Host has been checked.
 *
 *	GET /api/v1/configuration/executions?idp=ID&max=N
 *	GET /api/v1/configuration/executions/{correlation_id}
 *
 * For API clients with `admin` alone: stacks and log lines are a customer's
 * inside. The answers are record_list()'s and record_get()'s.
 */
#ifndef POSTERN_EXECUTIONS_H
#define POSTERN_EXECUTIONS_H

#include "gateway/http/http.h"

http_handler executions_list, executions_get;

#endif

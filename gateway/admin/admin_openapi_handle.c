/*
 * GET openapi.json. Not the document (admin_openapi.c).
 */
#include "gateway/admin/admin.h"
#include "gateway/admin/admin_openapi.h"

void
admin_openapi_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	(void)request;
	admin_openapi_append(&response->body);
}

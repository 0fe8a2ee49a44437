/*
 * The OpenAPI 3.1 document of the admin listener, from its tables alone
 * (admin_routes.def, admin_shapes.def, realm_schema.def). Threads: any.
 */
#ifndef POSTERN_ADMIN_OPENAPI_H
#define POSTERN_ADMIN_OPENAPI_H

#include "common/buf.h"

void admin_openapi_append(struct buf *out);

#endif

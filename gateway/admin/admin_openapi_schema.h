/*
 * The schemas of the OpenAPI document. Threads: any.
 */
#ifndef POSTERN_ADMIN_OPENAPI_SCHEMA_H
#define POSTERN_ADMIN_OPENAPI_SCHEMA_H

#include "common/buf.h"

/* JSON schemas without their braces, for the tables. */
#define OAS_TEXT         "\"type\":\"string\""
#define OAS_TEXT_OR_NULL "\"type\":[\"string\",\"null\"]"
#define OAS_OBJECT       "\"type\":\"object\""
#define OAS_INT          "\"type\":\"integer\""
#define OAS_INT_OR_NULL  "\"type\":[\"integer\",\"null\"]"
#define OAS_BOOL         "\"type\":\"boolean\""
#define OAS_ACTION       "\"enum\":[\"add\",\"change\",\"remove\"]"
#define OAS_SHAPE(shape) "\"$ref\":\"#/components/schemas/" #shape "\""
#define OAS_LIST(type)   "\"type\":\"array\",\"items\":{" type "}"
/* An object whose members are all text. */
#define OAS_TEXTS "\"type\":\"object\",\"additionalProperties\":{" OAS_TEXT "}"

/* Members of components.schemas; one at least. */
void admin_openapi_schema_append(struct buf *out);

#endif

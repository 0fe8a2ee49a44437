/*
 * Fuzz target: a body of the registration endpoints, first as JSON, then as a
 * form. What is taken from it must be text that the job message takes.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/oauth/registration_request.h"

/* As an HTTP worker's for such a body. */
#define ARENA_BYTES (8 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_body(enum http_body type, struct span body)
{
	struct http_request http = {.body_type = type, .body = body};
	struct registration_request r;
	struct err_detail detail = {{0}};
	enum err err;

	http.arena = arena_new(ARENA_BYTES);
	CHECK(http.arena != NULL);
	err = registration_request_parse(&http, &r, &detail);
	CHECK(err == OK || err == ERR_SYNTAX || err == ERR_NOMEM);
	if (err == OK) {
		CHECK(r.scope_count <= REQUEST_SCOPES_MAX);
		CHECK(utf8_is_valid(r.data));
		CHECK(utf8_is_valid(r.custom_params));
		CHECK(r.custom_params.len <= 2 * body.len);
	}
	arena_free(http.arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_body(HTTP_BODY_JSON, span_of(data, size));
	try_body(HTTP_BODY_FORM, span_of(data, size));
	return 0;
}

/* Bodies and queries of the configuration API: read, or answered with 400. */
#include <stdint.h>

#include "common/check.h"
#include "gateway/admin/admin_body.h"
#include "gateway/admin/admin_query.h"

#define ANSWER_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_body(const struct http_request *request, struct http_response *response)
{
	static const char *const names[] = {"files", "why", "force", NULL};
	json_t *body = admin_body_parse(request, response);
	const char *why = NULL;
	bool force = false, read;

	CHECK((body == NULL) == (response->status == 400));
	if (body == NULL)
		return;
	read = admin_body_has_only(body, names, response) &&
	       admin_body_text(body, "why", &why, response) &&
	       admin_body_bool(body, "force", &force, response);
	CHECK(read == (response->status == 200));
	json_decref(body);
}

static void
read_query(const struct http_request *request, struct http_response *response)
{
	struct admin_page page;

	if (admin_query_page(request, &page, response))
		CHECK(page.limit >= 1 && page.limit <= ADMIN_PAGE_MAX);
	else
		CHECK(response->status == 400);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((1 << 20) + 4 * size);
	const struct http_request request = {.arena = arena,
	    .body = span_of(data, size),
	    .query = span_of(data, size)};
	struct http_response response = {.status = 200};

	CHECK(arena != NULL);
	buf_init(&response.body, ANSWER_BYTES);
	read_body(&request, &response);
	response.status = 200;
	read_query(&request, &response);
	CHECK(buf_status(&response.body) == OK);
	buf_fini(&response.body);
	arena_free(arena);
	return 0;
}

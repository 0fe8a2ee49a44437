/* Forms and query strings: few, distinct, valid fields, or an error. */
#include <stdint.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((1 << 20) + 4 * size);
	struct http_form form;
	enum err err;

	CHECK(arena != NULL);
	err = http_form_parse(span_of(data, size), arena, &form);
	if (err != OK) {
		CHECK(err == ERR_SYNTAX || err == ERR_INVALID ||
		      err == ERR_LIMIT);
		arena_free(arena);
		return 0;
	}
	CHECK(form.count <= HTTP_FORM_FIELDS_MAX);
	for (size_t i = 0; i < form.count; i++) {
		CHECK(utf8_is_valid(form.fields[i].name));
		CHECK(utf8_is_valid(form.fields[i].value));
		for (size_t j = 0; j < i; j++)
			CHECK(!span_equal(
			    form.fields[i].name, form.fields[j].name));
	}
	arena_free(arena);
	return 0;
}

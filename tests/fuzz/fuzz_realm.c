/*
 * Fuzz target: a document as a file of a realm. The first byte says as which
 * one: '0' realm.yaml, '1' scopes, '2' properties, '3' client, '4' API client,
 * '5' identity provider. Every problem is one line of valid text.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/realm/realm_draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libfyaml leaks on an unclosed quote; see YAML_QUOTE_PAIRS_MAX. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf problems;

	if (size == 0 || size - 1 > REALM_FILE_BYTES)
		return 0;
	buf_init(&problems, (size_t)1 << 20);
	realm_load_bytes(data[0], span_of(data + 1, size - 1), &problems);
	CHECK(!problems.failed);
	CHECK(utf8_is_valid(buf_span(&problems)));
	CHECK(problems.len == 0 || problems.data[problems.len - 1] == '\n');
	buf_fini(&problems);
	return 0;
}

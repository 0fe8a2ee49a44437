/*
 * Fuzz target: the canonical form. The first byte says as which file, as for
 * fuzz_realm. What the loader finds right has a canonical form that the loader
 * finds right too, and that is its own.
 */
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/check.h"
#include "gateway/config/config_canon.h"
#include "gateway/realm/realm_draft.h"

#define ARENA_BYTES ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libfyaml leaks on an unclosed quote; see YAML_QUOTE_PAIRS_MAX. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static bool
is_right(unsigned kind, struct span text)
{
	struct buf problems;
	bool right;

	buf_init(&problems, (size_t)1 << 20);
	realm_load_bytes(kind, text, &problems);
	right = problems.len == 0 && !problems.failed;
	buf_fini(&problems);
	return right;
}

static void
check_again(unsigned kind, const struct config_file *file)
{
	struct config_canon canon = {.arena = arena_new(ARENA_BYTES)};
	struct err_detail detail = {0};

	CHECK(is_right(kind, file->text));
	CHECK(canon.arena != NULL);
	CHECK(config_canon_add(&canon, file->path, file->text, &detail));
	CHECK(canon.count == 1);
	CHECK(strcmp(canon.files[0].path, file->path) == 0);
	CHECK(span_equal(canon.files[0].text, file->text));
	arena_free(canon.arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {"realm.yaml", "scopes.yaml",
	    "properties.yaml", "clients/c.yaml", "api-clients/c.yaml",
	    "idps/fuzz/idp.yaml"};
	struct config_canon canon = {.arena = arena_new(ARENA_BYTES)};
	struct err_detail detail = {0};
	unsigned kind;
	struct span text;

	CHECK(canon.arena != NULL);
	if (size > 0 && size - 1 <= REALM_FILE_BYTES) {
		kind = data[0] % 6;
		text = span_of(data + 1, size - 1);
		/* Of wrong files too: then it only must not harm. A canonical
		 * form may be too long for a file. */
		if (config_canon_add(&canon, paths[kind], text, &detail) &&
		    canon.count == 1 && is_right(kind, text))
			check_again(kind, &canon.files[0]);
	}
	arena_free(canon.arena);
	return 0;
}

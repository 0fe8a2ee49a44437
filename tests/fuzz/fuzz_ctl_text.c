/*
 * What a gateway sends to the postern command: text for a terminal, paths of
 * an export, texts of a plan's diff. The input is a path and two texts, each
 * ended by a NUL byte or the end.
 */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/encoding.h"
#include "common/text_diff.h"
#include "gateway/ctl/ctl_path.h"
#include "gateway/ctl/ctl_text.h"

#define OUT_BYTES ((size_t)1 << 24)

/* Longer ones only take time. */
#define INPUT_BYTES_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_clean(struct span text)
{
	struct span rest;
	struct buf out;

	buf_init(&out, OUT_BYTES);
	ctl_text_clean(&out, text, false);
	CHECK(!out.failed);
	rest = buf_span(&out);
	while (rest.len > 0) {
		uint32_t c = 0;
		size_t len = utf8_next(rest, &c);

		CHECK(len > 0);
		CHECK(c == '\t' || (c >= 0x20 && c < 0x7f) || c >= 0xa0);
		CHECK(c < 0x202a || c > 0x202e);
		rest = span_of(rest.data + len, rest.len - len);
	}
	buf_fini(&out);
}

static void
check_path(const char *path)
{
	if (!ctl_path_is_realm_file(path) && !ctl_path_is_authorities(path))
		return;
	CHECK(path[0] != '/' && path[0] != '.');
	CHECK(strstr(path, "/.") == NULL && strstr(path, "//") == NULL);
	for (; *path != '\0'; path++)
		CHECK(*path > ' ' && *path < 0x7f);
}

static void
check_diff(struct span before, struct span after)
{
	struct buf out;

	buf_init(&out, OUT_BYTES);
	CHECK(text_diff(&out, "f", before, after) == OK);
	CHECK((out.len == 0) == span_equal(before, after));
	buf_fini(&out);
}

static struct span
take_text(struct span *input)
{
	const uint8_t *end =
	    input->len == 0 ? NULL : memchr(input->data, 0, input->len);
	size_t len = end == NULL ? input->len : (size_t)(end - input->data);
	struct span text = len == 0 ? span_str("") : span_of(input->data, len);

	len += end != NULL;
	*input = span_of(input->data + len, input->len - len);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_of(data, size);
	struct span path, before, after;
	char *copy;

	if (size > INPUT_BYTES_MAX)
		return 0;
	check_clean(input);
	path = take_text(&input);
	before = take_text(&input);
	after = take_text(&input);
	copy = strndup((const char *)path.data, path.len);
	CHECK(copy != NULL);
	check_path(copy);
	check_diff(before, after);
	free(copy);
	return 0;
}

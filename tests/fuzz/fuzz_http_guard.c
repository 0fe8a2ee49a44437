/*
 * The framing guard with any head that civetweb would hand on. What is let
 * through must be beyond doubt: that is checked here again, in other words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#include "common/check.h"
#include "tests/unit/http_head_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
count_byte(struct span text, uint8_t byte)
{
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == byte;
	return count;
}

/*
 * From the first header on, a line a header, each with its CR: nothing was
 * folded, cut off or ended otherwise. How the request line ended cannot be
 * told (see the guard), so a length there must not outlive its request.
 */
static void
check_lines(struct span head, const struct head_sample *sample, bool may_keep)
{
	size_t at = (size_t)(sample->fields[0].name - sample->bytes);
	struct span lines = span_of(head.data + at, head.len - at);

	CHECK(count_byte(lines, '\n') == sample->head.field_count + 1);
	CHECK(count_byte(lines, '\r') == sample->head.field_count + 1);
	if (strcasecmp(sample->fields[0].name, "Content-Length") == 0)
		CHECK(!may_keep);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head_sample sample;
	struct http_framing framing;
	/* What follows is not the guard's: see is_head_end() there. */
	struct span head =
	    span_of(data, head_sample_len((const char *)data, size));

	if (head_sample_cut(head.data, head.len, &sample) &&
	    http_guard_check(&sample.head, &framing) == HTTP_REFUSAL_NONE) {
		if (sample.head.field_count > 0)
			check_lines(head, &sample, framing.may_keep);
		CHECK(sample.head.path[0] == '/');
		CHECK(framing.is_http_1_0 || span_present(framing.host));
		CHECK(!framing.is_http_1_0 || !framing.may_keep);
	}
	head_sample_free(&sample);
	return 0;
}

/*
 * The framing guard with any head that civetweb would hand on. What is let
 * through must be beyond doubt: that is checked here again, in other words.
 */
#include <stdint.h>
#include <stdlib.h>

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
		/* A line a header, each with its CR: nothing was folded, cut
		 * off or ended otherwise. (Without headers: see the guard.) */
		if (sample.head.field_count > 0) {
			CHECK(count_byte(head, '\n') ==
			      sample.head.field_count + 2);
			CHECK(count_byte(head, '\r') ==
			      sample.head.field_count + 2);
		}
		CHECK(sample.head.path[0] == '/');
		CHECK(framing.is_http_1_0 || span_present(framing.host));
		CHECK(!framing.is_http_1_0 || !framing.may_keep);
	}
	head_sample_free(&sample);
	return 0;
}

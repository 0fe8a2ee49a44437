/* Trace contexts: what is read, what is passed on, what is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/trace.h"

#define SAMPLE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void
reads_what_the_specification_has(void **state)
{
	static const char sample[] = SAMPLE;
	struct trace_context context = {.is_set = false};
	char text[TRACE_PARENT_BYTES];

	(void)state;
	assert_int_equal(trace_parse(span_str(SAMPLE), &context), OK);
	assert_true(context.is_set && context.has_parent);
	assert_true(context.is_sampled);
	assert_int_equal(context.trace[0], 0x0a);
	assert_int_equal(context.parent[7], 0x31);
	trace_parent_text(&context, text);
	assert_int_equal(strlen(text), sizeof text - 1);
	assert_memory_equal(text, SAMPLE, 36);
	assert_string_equal(text + 52, "-01");
	/* The span passed on is ours, not the sender's. */
	assert_memory_not_equal(&text[36], &sample[36], 16);
}

static void
takes_later_versions_and_other_flags(void **state)
{
	static const struct {
		const char *text;
		bool sampled;
	} good[] = {
	    {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", false},
	    {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff", true},
	    {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true},
	    {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", true},
	};
	struct trace_context context;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(
		    trace_parse(span_str(good[i].text), &context), OK);
		assert_int_equal(context.is_sampled, good[i].sampled);
	}
}

static void
refuses_the_rest(void **state)
{
	static const char *const bad[] = {"", "00", SAMPLE "-", SAMPLE "0",
	    "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	    "00-00000000000000000000000000000000-b7ad6b7169203331-01",
	    "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
	    "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
	    "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	    "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x"};
	struct trace_context context = {.is_set = false};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(
		    trace_parse(span_str(bad[i]), &context), ERR_SYNTAX);
	assert_int_equal(trace_parse(span_str(NULL), &context), ERR_SYNTAX);
	assert_false(context.is_set);
}

/* In memory of its own length, so that a byte too far is seen. */
static enum err
parse_copy(const char *text, size_t len)
{
	struct trace_context context;
	uint8_t *copy = malloc(len + (len == 0));
	enum err err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = trace_parse(span_of(copy, len), &context);
	free(copy);
	return err;
}

static void
survives_flips_and_cuts(void **state)
{
	char text[] = SAMPLE;
	unsigned taken = 0;

	(void)state;
	for (size_t len = 0; len < strlen(SAMPLE); len++)
		assert_int_equal(parse_copy(SAMPLE, len), ERR_SYNTAX);
	for (size_t bit = 0; bit < 8 * strlen(SAMPLE); bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		taken += parse_copy(text, strlen(SAMPLE)) == OK;
		text[bit / 8] = SAMPLE[bit / 8];
	}
	/* A flipped digit may be another digit; a dash is no other dash. */
	assert_in_range(taken, 52, 8 * 52 - 1);
}

static void
has_the_trace_of_the_correlation_id(void **state)
{
	static const char id[] = "00112233445566778899aabbccddeeff";
	struct trace_context context, other, child;
	char text[TRACE_PARENT_BYTES];

	(void)state;
	trace_begin(&context, span_str(id));
	trace_parent_text(&context, text);
	assert_memory_equal(&text[3], id, 32);
	assert_false(context.has_parent);
	trace_begin(&other, span_str("a-name.of-its-own"));
	trace_begin(&context, span_str("a-name.of-its-own"));
	assert_memory_not_equal(other.trace, context.trace, TRACE_ID_BYTES);
	trace_child(&other, &child);
	assert_memory_equal(child.trace, other.trace, TRACE_ID_BYTES);
	assert_memory_equal(child.parent, other.span, TRACE_SPAN_BYTES);
	assert_memory_not_equal(child.span, other.span, TRACE_SPAN_BYTES);
}

static void
writes_sampled_spans_only(void **state)
{
	char path[] = "/tmp/postern-trace-XXXXXX", line[4096] = "";
	const struct trace_attribute attributes[] = {
	    TRACE_STR("quote", "a\"b\n"), TRACE_INT("number", -7)};
	struct err_detail detail = {{0}};
	struct trace_context context;
	struct trace_span span = {.context = &context,
	    .kind = TRACE_SERVER,
	    .name = "complete",
	    .start_us = 1,
	    .end_us = 2};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(trace_parse(span_str(SAMPLE), &context), OK);
	assert_false(trace_is_on(&context)); /* not opened */
	assert_int_equal(trace_open("test", "/nonexistent/x", &detail), ERR_IO);
	assert_int_equal(trace_open("test", path, &detail), OK);
	context.is_sampled = false;
	trace_write(&span, attributes, 2);
	assert_int_equal(read(fd, line, sizeof line), 0);
	context.is_sampled = true;
	trace_write(&span, attributes, 2);
	assert_true(read(fd, line, sizeof line - 1) > 0);
	assert_non_null(
	    strstr(line, "\"traceId\":\"0af7651916cd43dd8448eb211c80319c\""));
	assert_non_null(strstr(line, "\"parentSpanId\":\"b7ad6b7169203331\""));
	assert_non_null(strstr(line, "{\"stringValue\":\"a\\\"b\\n\"}"));
	assert_non_null(strstr(line, "{\"intValue\":\"-7\"}"));
	assert_int_equal(line[strlen(line) - 1], '\n');
	(void)close(fd);
	(void)unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_what_the_specification_has),
	    cmocka_unit_test(takes_later_versions_and_other_flags),
	    cmocka_unit_test(refuses_the_rest),
	    cmocka_unit_test(survives_flips_and_cuts),
	    cmocka_unit_test(has_the_trace_of_the_correlation_id),
	    cmocka_unit_test(writes_sampled_spans_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

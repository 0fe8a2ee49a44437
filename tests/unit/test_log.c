/* Log lines as an operator gets them: stderr is a pipe here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

/* Holds several lines of the longest kind. */
#define PIPE_BYTES (1 << 16)
#define TIME_LEN   24
#define THREADS    4
#define LINES      100

static char captured[PIPE_BYTES + 1];
static int read_end = -1;
static int real_stderr = -1;

static void
capture_start(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	real_stderr = dup(STDERR_FILENO);
	assert_true(real_stderr >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	assert_int_equal(close(ends[1]), 0);
	read_end = ends[0];
}

/* What was written since, terminated; its length. */
static size_t
capture_stop(void)
{
	size_t len = 0;
	ssize_t got;

	assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
	(void)close(real_stderr);
	while ((got = read(read_end, captured + len, PIPE_BYTES - len)) > 0)
		len += (size_t)got;
	(void)close(read_end);
	captured[len] = '\0';
	return len;
}

/* One line with one value, without its time; JSON in JSON format. */
static const char *
line_of(enum log_format format, struct span value)
{
	size_t len;

	log_setup("test", format, LOG_INFO);
	capture_start();
	log_info("seen", LOG_SPAN("v", value));
	len = capture_stop();
	assert_true(len > TIME_LEN);
	assert_int_equal(captured[len - 1], '\n');
	assert_ptr_equal(strchr(captured, '\n'), captured + len - 1);
	return captured + (format == LOG_JSON ? 9 : 0) + TIME_LEN;
}

static void
text_lines(void **state)
{
	(void)state;
	log_setup("gateway", LOG_TEXT, LOG_INFO);
	capture_start();
	log_info("engine connected", LOG_STR("engine", "a"), LOG_INT("n", -8),
	    LOG_UINT("u", UINT64_MAX), LOG_STR("none", NULL));
	log_debug("not this");
	log_error("bare");
	(void)capture_stop();
	assert_int_equal(captured[10], 'T');
	assert_int_equal(captured[23], 'Z');
	assert_non_null(
	    strstr(captured, "Z info  gateway: engine connected engine=a n=-8 "
			     "u=18446744073709551615 none=-\n"));
	assert_non_null(strstr(captured, "Z error gateway: bare\n"));
	assert_null(strstr(captured, "not this"));
}

static void
json_lines(void **state)
{
	(void)state;
	log_setup("gateway", LOG_JSON, LOG_DEBUG);
	capture_start();
	log_warn("engine connected", LOG_STR("engine", "a"), LOG_INT("n", -8),
	    LOG_UINT("u", UINT64_MAX), LOG_STR("none", NULL));
	(void)capture_stop();
	assert_memory_equal(captured, "{\"time\":\"", 9);
	assert_string_equal(captured + 9 + TIME_LEN,
	    "\",\"level\":\"warn\",\"process\":\"gateway\","
	    "\"event\":\"engine connected\",\"engine\":\"a\",\"n\":-8,"
	    "\"u\":18446744073709551615,\"none\":null}\n");
}

static void
values_cannot_forge_a_line(void **state)
{
	(void)state;
#define HEAD " info  test: seen v="
	assert_string_equal(
	    line_of(LOG_TEXT, span_str("a\nb")), HEAD "\"a\\u000ab\"\n");
	assert_string_equal(line_of(LOG_TEXT, span_str("a b=\"c\\")),
	    HEAD "\"a b=\\\"c\\\\\"\n");
	assert_string_equal(line_of(LOG_TEXT, span_str("")), HEAD "\"\"\n");
	assert_string_equal(line_of(LOG_TEXT, span_of("a\0\xFF", 3)),
	    HEAD "\"a\\u0000\\xff\"\n");
	assert_string_equal(line_of(LOG_TEXT, span_str("\xC2\x9B\xE2\x80\xAE")),
	    HEAD "\"\\u009b\\u202e\"\n");
	assert_string_equal(
	    line_of(LOG_TEXT, span_str("\xC3\xA9")), HEAD "\"\xC3\xA9\"\n");
#undef HEAD
#define HEAD \
	"\",\"level\":\"info\",\"process\":\"test\",\"event\":\"seen\",\"v\":"
	assert_string_equal(line_of(LOG_JSON, span_str("a\n\"\\\x7F")),
	    HEAD "\"a\\u000a\\\"\\\\\\u007f\"}\n");
	assert_string_equal(
	    line_of(LOG_JSON, span_str("a\xFF")), HEAD "\"a\xEF\xBF\xBD\"}\n");
#undef HEAD
}

static void
long_lines_are_cut(void **state)
{
	size_t len = 20000;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', len);
	(void)line_of(LOG_TEXT, span_of(text, len));
	assert_in_range(strlen(captured), 8000, LOG_LINE_BYTES);
	assert_non_null(strstr(captured, "aaa [cut]\n"));
	(void)line_of(LOG_JSON, span_of(text, len));
	assert_in_range(strlen(captured), 8000, LOG_LINE_BYTES);
	assert_non_null(strstr(captured, "aaa\",\"cut\":true}\n"));
	/* Escapes are whole or absent, at every place the cut can fall. */
	memset(text, '\n', len);
	for (size_t shift = 0; shift < 8; shift++) {
		memset(text, 'a', shift);
		(void)line_of(LOG_JSON, span_of(text, len));
		assert_non_null(strstr(captured, "\\u000a\",\"cut\":true}\n"));
		assert_in_range(strlen(captured), 8000, LOG_LINE_BYTES);
		(void)line_of(LOG_TEXT, span_of(text, len));
		assert_non_null(strstr(captured, "\\u000a\" [cut]\n"));
		assert_in_range(strlen(captured), 8000, LOG_LINE_BYTES);
	}
	free(text);
}

static void
fields_after_a_cut_are_left_out(void **state)
{
	static char text[9000];

	(void)state;
	memset(text, 'b', sizeof text - 1);
	log_setup(NULL, LOG_JSON, LOG_INFO);
	capture_start();
	log_info("seen", LOG_STR("v", text), LOG_INT("after", 1));
	(void)capture_stop();
	assert_null(strstr(captured, "after"));
	assert_null(strstr(captured, "process"));
	assert_non_null(strstr(captured, "bbb\",\"cut\":true}\n"));
}

static void
levels(void **state)
{
	enum log_level level = LOG_ERROR;

	(void)state;
	assert_int_equal(log_level_parse("debug", &level), OK);
	assert_int_equal(level, LOG_DEBUG);
	assert_int_equal(log_level_parse("error", &level), OK);
	assert_int_equal(level, LOG_ERROR);
	assert_int_equal(log_level_parse("INFO", &level), ERR_INVALID);
	assert_int_equal(log_level_parse("", &level), ERR_INVALID);
	assert_int_equal(level, LOG_ERROR);
	log_setup("test", LOG_TEXT, LOG_WARN);
	assert_false(log_enabled(LOG_INFO));
	assert_true(log_enabled(LOG_WARN));
}

static void
journal_priorities(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	capture_start();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_setup("test", LOG_TEXT, LOG_INFO);
	log_warn("seen");
	(void)capture_stop();
	assert_memory_equal(captured, "<4>2", 4);
	/* Inherited, but stderr is something else. */
	assert_int_equal(setenv("JOURNAL_STREAM", "1:1", 1), 0);
	assert_string_equal(
	    line_of(LOG_TEXT, span_str("x")), " info  test: seen v=x\n");
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

static void
errno_survives(void **state)
{
	(void)state;
	log_setup("test", LOG_TEXT, LOG_INFO);
	capture_start();
	errno = ENOTDIR;
	log_info("seen");
	assert_int_equal(errno, ENOTDIR);
	(void)capture_stop();
}

static void *
log_in_thread(void *argument)
{
	for (int i = 0; i < LINES; i++)
		log_info("threaded", LOG_STR("who", argument), LOG_INT("i", i));
	return NULL;
}

static void
threads_do_not_mix_lines(void **state)
{
	static char name[] = "thread";
	pthread_t threads[THREADS];
	unsigned lines = 0;

	(void)state;
	log_setup("test", LOG_TEXT, LOG_INFO);
	capture_start();
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, log_in_thread, name), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	(void)capture_stop();
	for (char *line = captured; *line != '\0'; lines++) {
		char *end = strchr(line, '\n');

		assert_non_null(end);
		assert_memory_equal(
		    line + TIME_LEN, " info  test: threaded who=thread i=", 35);
		line = end + 1;
	}
	assert_int_equal(lines, THREADS * LINES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_lines),
	    cmocka_unit_test(json_lines),
	    cmocka_unit_test(values_cannot_forge_a_line),
	    cmocka_unit_test(long_lines_are_cut),
	    cmocka_unit_test(fields_after_a_cut_are_left_out),
	    cmocka_unit_test(levels),
	    cmocka_unit_test(journal_priorities),
	    cmocka_unit_test(errno_survives),
	    cmocka_unit_test(threads_do_not_mix_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

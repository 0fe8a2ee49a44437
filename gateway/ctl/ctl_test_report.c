/*
 * Writing results; see ctl_test_report.h. Runs in `postern`, which has one
 * thread.
 */
#include "gateway/ctl/ctl_test_report.h"

#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "gateway/ctl/ctl_out.h"

static size_t
failures(const struct ctl_test_result *results, size_t count)
{
	size_t failed = 0;

	for (size_t i = 0; i < count; i++)
		failed += !results[i].passed;
	return failed;
}

/* The next line of a text without its end; absent after the last. */
static struct span
next_line(struct span *text)
{
	struct span line = {NULL, 0};
	const uint8_t *end;

	if (text->len == 0)
		return line;
	end = memchr(text->data, '\n', text->len);
	line = span_of(
	    text->data, end == NULL ? text->len : (size_t)(end - text->data));
	*text = end == NULL ? span_of("", 0)
			    : span_of(end + 1, text->len - line.len - 1);
	return line;
}

/* ---- for people ----------------------------------------------------------
 */

static enum ctl_style
style_of(struct span line)
{
	if (line.len > 4 && memcmp(line.data, "  - ", 4) == 0)
		return STYLE_RED;
	if (line.len > 4 && memcmp(line.data, "  + ", 4) == 0)
		return STYLE_GREEN;
	return STYLE_PLAIN;
}

static void
print_differences(const struct ctl_test_result *result)
{
	struct span rest = buf_span(&result->differences);
	struct span line;

	while (span_present(line = next_line(&rest))) {
		ctl_out(STYLE_PLAIN, "       ");
		ctl_out_span(style_of(line), line);
		ctl_out(STYLE_PLAIN, "\n");
	}
}

void
ctl_test_report_text(const struct ctl_test_result *results, size_t count)
{
	size_t failed = failures(results, count);
	const char *file = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct ctl_test_result *result = &results[i];

		if (file == NULL || strcmp(file, result->file) != 0)
			ctl_out(STYLE_BOLD, "%s\n", result->file);
		file = result->file;
		ctl_out(result->passed ? STYLE_GREEN : STYLE_RED, "  %s ",
		    result->passed ? "ok  " : "FAIL");
		ctl_out(STYLE_PLAIN, "%s", result->name);
		if (result->passed)
			ctl_out(STYLE_DIM, "  %.1f ms\n",
			    (double)result->wall_us / 1000);
		else
			ctl_out(STYLE_DIM, "  line %d\n", result->line);
		print_differences(result);
	}
	ctl_out(failed > 0 ? STYLE_RED : STYLE_GREEN,
	    "%zu passed, %zu failed\n", count - failed, failed);
}

/* ---- TAP -----------------------------------------------------------------
 */

void
ctl_test_report_tap(const struct ctl_test_result *results, size_t count)
{
	ctl_out(STYLE_PLAIN, "TAP version 13\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		const struct ctl_test_result *result = &results[i];
		struct span rest = buf_span(&result->differences);
		struct span line;

		/* '#' would begin a directive, a line end another line. */
		ctl_out(STYLE_PLAIN, "%sok %zu - ",
		    result->passed ? "" : "not ", i + 1);
		for (const char *c = result->name; *c != '\0'; c++)
			ctl_out(STYLE_PLAIN, "%c",
			    *c == '#' || *c == '\n' ? ' ' : *c);
		ctl_out(STYLE_PLAIN, " (%s:%d)\n", result->file, result->line);
		while (span_present(line = next_line(&rest))) {
			ctl_out(STYLE_PLAIN, "# ");
			ctl_out_span(STYLE_PLAIN, line);
			ctl_out(STYLE_PLAIN, "\n");
		}
	}
}

/* ---- JUnit ---------------------------------------------------------------
 */

/* XML 1.0 has no way to write most control characters. */
static void
append_xml(struct buf *out, struct span text)
{
	while (text.len > 0) {
		uint32_t c = 0;
		size_t len = utf8_next(text, &c);

		if (len == 0 || (c < 0x20 && c != '\n' && c != '\t') ||
		    c == 0xfffe || c == 0xffff)
			buf_append_str(out, "?");
		else if (c == '<')
			buf_append_str(out, "&lt;");
		else if (c == '>')
			buf_append_str(out, "&gt;");
		else if (c == '&')
			buf_append_str(out, "&amp;");
		else if (c == '"')
			buf_append_str(out, "&quot;");
		else
			buf_append(out, text.data, len);
		len = len == 0 ? 1 : len;
		text = span_of(text.data + len, text.len - len);
	}
}

static void
append_case(struct buf *out, const struct ctl_test_result *result)
{
	buf_append_str(out, "    <testcase classname=\"");
	append_xml(out, span_str(result->file));
	buf_append_str(out, "\" name=\"");
	append_xml(out, span_str(result->name));
	buf_printf(out, "\" line=\"%d\" time=\"%.6f\"", result->line,
	    (double)result->wall_us / 1000000);
	if (result->passed) {
		buf_append_str(out, "/>\n");
		return;
	}
	buf_append_str(out, ">\n      <failure message=\"");
	append_xml(out,
	    span_of(result->differences.data,
		result->differences.len == 0
		    ? 0
		    : strcspn((const char *)result->differences.data, "\n")));
	buf_append_str(out, "\">");
	append_xml(out, buf_span(&result->differences));
	buf_append_str(out, "</failure>\n    </testcase>\n");
}

/* A suite a file. */
void
ctl_test_report_junit(
    const struct ctl_test_result *results, size_t count, struct buf *out)
{
	size_t next;

	buf_append_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	buf_printf(out, "<testsuites tests=\"%zu\" failures=\"%zu\">\n", count,
	    failures(results, count));
	for (size_t i = 0; i < count; i = next) {
		for (next = i; next < count && strcmp(results[next].file,
						   results[i].file) == 0;)
			next++;
		buf_append_str(out, "  <testsuite name=\"");
		append_xml(out, span_str(results[i].file));
		buf_printf(out, "\" tests=\"%zu\" failures=\"%zu\">\n",
		    next - i, failures(results + i, next - i));
		for (size_t k = i; k < next; k++)
			append_case(out, &results[k]);
		buf_append_str(out, "  </testsuite>\n");
	}
	buf_append_str(out, "</testsuites>\n");
}

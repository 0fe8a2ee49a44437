/*
 * Trace contexts and spans; see trace.h. Not who has which span. Any process;
 * any thread after trace_open().
 */
#include "common/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/json_text.h"
#include "common/random.h"

/* Beyond it a span is not written: names and values are bounded, so none is. */
#define TRACE_LINE_BYTES ((size_t)16 * 1024)

/* W3C Trace Context section 3.2.2: where the parts of version 00 stand. */
#define TRACE_AT      3
#define SPAN_AT       36
#define FLAGS_AT      53
#define PARENT_LEN    55
#define FLAG_SAMPLED  1
#define VERSION_NEVER 0xff

/* Set by trace_open() before there are threads. */
static struct {
	const char *service;
	int file;
} state = {NULL, -1};

enum err
trace_open(const char *service, const char *path, struct err_detail *detail)
{
	state.service = service;
	if (path == NULL)
		return OK;
	state.file = open(
	    path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (state.file < 0)
		return err_set_errno(
		    detail, ERR_IO, "trace_file: cannot open %s", path);
	return OK;
}

bool
trace_is_on(const struct trace_context *context)
{
	return state.file >= 0 && context->is_set && context->is_sampled;
}

static bool
is_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

void
trace_begin(struct trace_context *context_r, struct span id)
{
	struct trace_context context = {.is_set = true, .is_sampled = true};

	if (hex_decode(id, context.trace, sizeof context.trace) != OK ||
	    is_zero(context.trace, sizeof context.trace))
		random_bytes(context.trace, sizeof context.trace);
	random_bytes(context.span, sizeof context.span);
	*context_r = context;
}

/* Lower case only, as the specification has it. */
static bool
read_hex(struct span text, size_t at, uint8_t *out_r, size_t len)
{
	for (size_t i = at; i < at + 2 * len; i++)
		if (text.data[i] >= 'A' && text.data[i] <= 'F')
			return false;
	return hex_decode(span_of(text.data + at, 2 * len), out_r, len) == OK;
}

enum err
trace_parse(struct span text, struct trace_context *context_r)
{
	struct trace_context context = {.is_set = true, .has_parent = true};
	uint8_t version, flags;

	if (!span_present(text) || text.len < PARENT_LEN ||
	    !read_hex(text, 0, &version, 1) || version == VERSION_NEVER)
		return ERR_SYNTAX;
	/* A later version may go on after a dash; ours ends here. */
	if (text.len > PARENT_LEN &&
	    (version == 0 || text.data[PARENT_LEN] != '-'))
		return ERR_SYNTAX;
	if (text.data[TRACE_AT - 1] != '-' || text.data[SPAN_AT - 1] != '-' ||
	    text.data[FLAGS_AT - 1] != '-')
		return ERR_SYNTAX;
	if (!read_hex(text, TRACE_AT, context.trace, TRACE_ID_BYTES) ||
	    !read_hex(text, SPAN_AT, context.parent, TRACE_SPAN_BYTES) ||
	    !read_hex(text, FLAGS_AT, &flags, 1))
		return ERR_SYNTAX;
	if (is_zero(context.trace, TRACE_ID_BYTES) ||
	    is_zero(context.parent, TRACE_SPAN_BYTES))
		return ERR_SYNTAX;
	context.is_sampled = (flags & FLAG_SAMPLED) != 0;
	random_bytes(context.span, sizeof context.span);
	*context_r = context;
	return OK;
}

void
trace_child(const struct trace_context *parent, struct trace_context *child_r)
{
	struct trace_context child = *parent;

	if (parent->is_set) {
		child.has_parent = true;
		memcpy(child.parent, parent->span, sizeof child.parent);
		random_bytes(child.span, sizeof child.span);
	}
	*child_r = child;
}

static char *
put_hex(char *at, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	return at;
}

void
trace_parent_text(
    const struct trace_context *context, char text_r[TRACE_PARENT_BYTES])
{
	char *at = text_r;

	memcpy(at, "00-", 3);
	at = put_hex(at + 3, context->trace, sizeof context->trace);
	*at++ = '-';
	at = put_hex(at, context->span, sizeof context->span);
	*at++ = '-';
	*at++ = '0';
	*at++ = context->is_sampled ? '1' : '0';
	*at = '\0';
}

/* ---- spans ----------------------------------------------------------------
 */

static void
append_id(struct buf *out, bool *first, const char *key, const uint8_t *id,
    size_t len)
{
	json_append_key(out, first, key);
	buf_append_char(out, '"');
	hex_append_lower(out, span_of(id, len));
	buf_append_char(out, '"');
}

/* 64-bit numbers are text in OTLP's JSON. */
static void
append_number(struct buf *out, bool *first, const char *key, int64_t number)
{
	json_append_key(out, first, key);
	buf_printf(out, "\"%" PRId64 "\"", number);
}

static void
append_attribute(struct buf *out, const struct trace_attribute *attribute)
{
	bool first = true, first_value = true;

	buf_append_char(out, '{');
	json_append_member_str(out, &first, "key", span_str(attribute->key));
	json_append_key(out, &first, "value");
	buf_append_char(out, '{');
	if (span_present(attribute->text))
		json_append_member_str(
		    out, &first_value, "stringValue", attribute->text);
	else
		append_number(out, &first_value, "intValue", attribute->number);
	buf_append_str(out, "}}");
}

static void
append_attributes(struct buf *out, bool *first,
    const struct trace_attribute *attributes, unsigned count)
{
	json_append_key(out, first, "attributes");
	buf_append_char(out, '[');
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		append_attribute(out, &attributes[i]);
	}
	buf_append_char(out, ']');
}

/* What to add to monotonic microseconds for nanoseconds since 1970. */
static int64_t
wall_offset_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec -
	       clock_mono_us() * 1000;
}

static void
append_status(struct buf *out, bool *first, const char *error)
{
	json_append_key(out, first, "status");
	if (error == NULL) {
		buf_append_str(out, "{}");
		return;
	}
	buf_append_str(out, "{\"code\":2,\"message\":");
	json_append_string(out, span_str(error));
	buf_append_char(out, '}');
}

static void
append_span(struct buf *out, const struct trace_span *span,
    const struct trace_attribute *attributes, unsigned count)
{
	const struct trace_context *context = span->context;
	int64_t offset_ns = wall_offset_ns();
	bool first = true;

	buf_append_char(out, '{');
	append_id(out, &first, "traceId", context->trace, TRACE_ID_BYTES);
	append_id(out, &first, "spanId", context->span, TRACE_SPAN_BYTES);
	if (context->has_parent)
		append_id(out, &first, "parentSpanId", context->parent,
		    TRACE_SPAN_BYTES);
	json_append_member_str(out, &first, "name", span_str(span->name));
	json_append_member_int(out, &first, "kind", (int64_t)span->kind);
	append_number(out, &first, "startTimeUnixNano",
	    span->start_us * 1000 + offset_ns);
	append_number(
	    out, &first, "endTimeUnixNano", span->end_us * 1000 + offset_ns);
	append_attributes(out, &first, attributes, count);
	append_status(out, &first, span->error);
	buf_append_char(out, '}');
}

void
trace_write(const struct trace_span *span,
    const struct trace_attribute *attributes, unsigned count)
{
	const struct trace_attribute service =
	    TRACE_STR("service.name", state.service);
	int saved = errno; /* as for a log line */
	struct buf line;
	ssize_t wrote;

	if (!trace_is_on(span->context))
		return;
	buf_init(&line, TRACE_LINE_BYTES);
	buf_append_str(
	    &line, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
	append_attribute(&line, &service);
	buf_append_str(&line, "]},\"scopeSpans\":[{\"scope\":{\"name\":"
			      "\"postern\"},\"spans\":[");
	append_span(&line, span, attributes, count);
	buf_append_str(&line, "]}]}]}\n");
	if (buf_status(&line) == OK) {
		do {
			wrote = write(state.file, line.data, line.len);
		} while (wrote < 0 && errno == EINTR);
	}
	buf_fini(&line);
	errno = saved;
}

/*
 * Traces: W3C Trace Context in and out, and spans as lines that a collector
 * takes.
 *
 * A context names one span: its trace, itself and its parent. A request's
 * comes from a trusted proxy's traceparent or is made here; each part of the
 * work beneath it has a child. Spans go to the file of trace_open(), one line
 * each, as OTLP in JSON (an ExportTraceServiceRequest with one span): what the
 * OpenTelemetry collector's receiver `otlpjsonfile` reads. Without a file, and
 * for a trace whose sender does not sample it, nothing is written.
 *
 * Threads: any, after trace_open(). A line is one write(2).
 */
#ifndef POSTERN_TRACE_H
#define POSTERN_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

#define TRACE_ID_BYTES   16
#define TRACE_SPAN_BYTES 8

/* "00-" trace "-" span "-" flags, terminated. */
#define TRACE_PARENT_BYTES 56

struct trace_context {
	bool is_set;
	bool is_sampled;
	bool has_parent;
	uint8_t trace[TRACE_ID_BYTES];
	uint8_t span[TRACE_SPAN_BYTES];
	uint8_t parent[TRACE_SPAN_BYTES];
};

/* `service` names the process ("postern-gateway"); `path` NULL: no spans. The
 * file is appended to and never rotated here. */
enum err trace_open(
    const char *service, const char *path, struct err_detail *detail) MUST_USE;

/* Spans of this context are written. */
bool trace_is_on(const struct trace_context *context);

/* A trace of its own; sampled. Its id is `id` where that is 32 hexadecimal
 * digits (a correlation id), so that one finds the other. */
void trace_begin(struct trace_context *context_r, struct span id);

/* A span beneath the one that a traceparent header names (W3C Trace Context,
 * section 3.2). ERR_SYNTAX: it is none, and nothing is set. */
enum err
trace_parse(struct span traceparent, struct trace_context *context_r) MUST_USE;

/* A span beneath `parent`; not set where that is not. */
void
trace_child(const struct trace_context *parent, struct trace_context *child_r);

/* The header's value that names this span to whom we call. */
void trace_parent_text(
    const struct trace_context *context, char text_r[TRACE_PARENT_BYTES]);

/* OTLP's numbers. */
enum trace_kind { TRACE_INTERNAL = 1, TRACE_SERVER = 2, TRACE_CLIENT = 3 };

/* An attribute; `text` absent: the number. */
struct trace_attribute {
	const char *key;
	struct span text;
	int64_t number;
};

#define TRACE_STR(key, value) \
	((struct trace_attribute){key, span_str(value), 0})
#define TRACE_SPAN(key, value) ((struct trace_attribute){key, (value), 0})
#define TRACE_INT(key, value) \
	((struct trace_attribute){key, {NULL, 0}, (int64_t)(value)})

struct trace_span {
	const struct trace_context *context;
	enum trace_kind kind;
	const char *name;
	int64_t start_us, end_us; /* monotonic */
	const char *error;        /* NULL: it went well */
};

/* Writes it if trace_is_on(). */
void trace_write(const struct trace_span *span,
    const struct trace_attribute *attributes, unsigned count);

#endif

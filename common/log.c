/*
 * Formats one line an event and writes it to stderr. Not a log rotation or a
 * queue: the line is out when the call returns. Any process; any thread after
 * log_setup().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/log.h"
#include "common/log_journal.h"

/* Kept free for what ends a cut line: a quote, the mark, a newline. */
#define LOG_TAIL_BYTES 32U

/* Longest thing put whole: a key and a number, a character's escape. */
#define LOG_PIECE_BYTES 256

/* On the stack: civetweb's workers have 100 KB of it, and a line under memory
 * pressure must not need the heap. */
struct line {
	char text[LOG_LINE_BYTES];
	size_t len;
	bool cut; /* nothing more fits; later pieces are left out */
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

/* Set by log_setup() before there are threads. */
static struct {
	const char *process;
	enum log_format format;
	enum log_level min;
	bool journal; /* stderr is the journal's */
	bool native;  /* and it takes entries of fields */
} state = {NULL, LOG_TEXT, LOG_INFO, false, false};

/* JOURNAL_STREAM is inherited, so it is compared with what stderr is. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[LOG_PIECE_BYTES];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	(void)snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(stream, ours) == 0;
}

void
log_setup(const char *process, enum log_format format, enum log_level min)
{
	state.process = process;
	state.format = format;
	state.min = min;
	state.journal = stderr_is_journal();
	/* Who asks for JSON means to parse the lines. */
	state.native = false;
	if (state.journal && format == LOG_TEXT)
		(void)log_use_journal(LOG_JOURNAL_SOCKET);
}

bool
log_use_journal(const char *socket)
{
	state.native = log_journal_open(socket);
	return state.native;
}

enum err
log_level_parse(const char *text, enum log_level *level_r)
{
	for (int i = LOG_DEBUG; i <= (int)LOG_ERROR; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level_r = (enum log_level)i;
			return OK;
		}
	}
	return ERR_INVALID;
}

bool
log_enabled(enum log_level level)
{
	return level >= state.min;
}

/* The whole piece or, marking the line cut, nothing of it. */
static bool
line_put(struct line *line, const char *piece, size_t len)
{
	if (line->cut || len > sizeof line->text - LOG_TAIL_BYTES - line->len) {
		line->cut = true;
		return false;
	}
	memcpy(line->text + line->len, piece, len);
	line->len += len;
	return true;
}

/* Uses the space kept for it, so it goes out also after a cut. */
static void
line_end(struct line *line, const char *tail)
{
	size_t len = strlen(tail);

	memcpy(line->text + line->len, tail, len);
	line->len += len;
}

static bool __attribute__((format(printf, 2, 3)))
line_printf(struct line *line, const char *format, ...)
{
	char piece[LOG_PIECE_BYTES];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(piece, sizeof piece, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof piece) {
		line->cut = true;
		return false;
	}
	return line_put(line, piece, (size_t)len);
}

/*
 * Controls of ASCII and Latin-1, and the characters that break or reorder
 * lines in a terminal: none may reach an operator's screen from a client.
 */
static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) ||
	       (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* What stands inside quotes, in both formats. */
static void
line_put_escaped(struct line *line, struct span text)
{
	while (text.len > 0 && !line->cut) {
		uint32_t c;
		size_t len = utf8_next(text, &c);

		if (len == 0) {
			/* JSON has no escape for a byte. */
			len = 1;
			if (state.format == LOG_JSON)
				(void)line_put(line, "\xEF\xBF\xBD", 3);
			else
				(void)line_printf(
				    line, "\\x%02x", (unsigned)text.data[0]);
		} else if (c == '"' || c == '\\') {
			(void)line_printf(line, "\\%c", (int)c);
		} else if (is_control(c)) {
			(void)line_printf(line, "\\u%04x", (unsigned)c);
		} else {
			(void)line_put(line, (const char *)text.data, len);
		}
		text = span_of(text.data + len, text.len - len);
	}
}

/* True for a value that needs no quotes to be told from its surroundings. */
static bool
is_plain(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return text.len > 0;
}

static void
line_put_quoted(struct line *line, struct span text)
{
	if (!line_put(line, "\"", 1))
		return;
	line_put_escaped(line, text);
	line_end(line, "\"");
}

static void
text_put_field(struct line *line, const struct log_field *field)
{
	if (!line_printf(line, " %s=", field->key))
		return;
	switch (field->kind) {
	case LOG_FIELD_INT:
		(void)line_printf(line, "%" PRId64, field->i);
		break;
	case LOG_FIELD_UINT:
		(void)line_printf(line, "%" PRIu64, field->u);
		break;
	case LOG_FIELD_SPAN:
		if (!span_present(field->text))
			(void)line_put(line, "-", 1);
		else if (is_plain(field->text))
			line_put_escaped(line, field->text);
		else
			line_put_quoted(line, field->text);
		break;
	}
}

static void
json_put_field(struct line *line, const struct log_field *field)
{
	switch (field->kind) {
	case LOG_FIELD_INT:
		(void)line_printf(
		    line, ",\"%s\":%" PRId64, field->key, field->i);
		break;
	case LOG_FIELD_UINT:
		(void)line_printf(
		    line, ",\"%s\":%" PRIu64, field->key, field->u);
		break;
	case LOG_FIELD_SPAN:
		if (!span_present(field->text)) {
			(void)line_printf(line, ",\"%s\":null", field->key);
			break;
		}
		/* With the quote, so that a cut leaves no key alone. */
		if (!line_printf(line, ",\"%s\":\"", field->key))
			break;
		line_put_escaped(line, field->text);
		line_end(line, "\"");
		break;
	}
}

/* syslog(3) priorities of our levels. */
static const int priorities[] = {7, 6, 4, 3};

/* The event and its fields, as text. */
static void
text_put_event(struct line *line, const char *event,
    const struct log_field *fields, unsigned count)
{
	line_put_escaped(line, span_str(event));
	for (unsigned i = 0; i < count; i++)
		text_put_field(line, &fields[i]);
}

static void
text_put(struct line *line, enum log_level level, const char *event,
    const struct log_field *fields, unsigned count)
{
	char now[CLOCK_ISO_BYTES];

	clock_iso_now(now);
	if (state.journal)
		(void)line_printf(line, "<%d>", priorities[level]);
	(void)line_printf(line, "%s %-5s ", now, level_names[level]);
	if (state.process != NULL)
		(void)line_printf(line, "%s: ", state.process);
	text_put_event(line, event, fields, count);
	line_end(line, line->cut ? " [cut]\n" : "\n");
}

static void
json_put(struct line *line, enum log_level level, const char *event,
    const struct log_field *fields, unsigned count)
{
	struct log_field head = LOG_STR("event", event);
	struct log_field process = LOG_STR("process", state.process);
	char now[CLOCK_ISO_BYTES];

	clock_iso_now(now);
	(void)line_printf(
	    line, "{\"time\":\"%s\",\"level\":\"%s\"", now, level_names[level]);
	if (state.process != NULL)
		json_put_field(line, &process);
	json_put_field(line, &head);
	for (unsigned i = 0; i < count; i++)
		json_put_field(line, &fields[i]);
	line_end(line, line->cut ? ",\"cut\":true}\n" : "}\n");
}

/* POSTERN_KEY=value; absent values are left out. What is escaped has no line
 * feed, so none can begin a field of its own. */
static void
journal_put_field(struct line *line, const struct log_field *field)
{
	size_t before = line->len;

	if (field->kind == LOG_FIELD_SPAN && !span_present(field->text))
		return;
	(void)line_put(line, "POSTERN_", 8);
	for (const char *c = field->key; *c != '\0'; c++) {
		char upper = *c;

		if (upper >= 'a' && upper <= 'z')
			upper = (char)(upper - 'a' + 'A');
		(void)line_put(line, &upper, 1);
	}
	(void)line_put(line, "=", 1);
	if (field->kind == LOG_FIELD_INT)
		(void)line_printf(line, "%" PRId64, field->i);
	else if (field->kind == LOG_FIELD_UINT)
		(void)line_printf(line, "%" PRIu64, field->u);
	else
		line_put_escaped(line, field->text);
	(void)line_put(line, "\n", 1);
	/* Half a field says something else than the whole. */
	if (line->cut)
		line->len = before;
}

/* The message first: fields have what it leaves. */
static void
journal_put(struct line *line, enum log_level level, const char *event,
    const struct log_field *fields, unsigned count)
{
	struct log_field name = LOG_STR("event", event);

	(void)line_printf(line, "PRIORITY=%d\nSYSLOG_IDENTIFIER=postern-%s\n",
	    priorities[level], state.process == NULL ? "" : state.process);
	(void)line_put(line, "MESSAGE=", 8);
	text_put_event(line, event, fields, count);
	line_end(line, line->cut ? " [cut]\n" : "\n");
	journal_put_field(line, &name);
	for (unsigned i = 0; i < count; i++)
		journal_put_field(line, &fields[i]);
}

static bool
write_native(enum log_level level, const char *event,
    const struct log_field *fields, unsigned count)
{
	struct line line;

	line.len = 0;
	line.cut = false;
	journal_put(&line, level, event, fields, count);
	return log_journal_send(line.text, line.len);
}

void
log_write(enum log_level level, const char *event,
    const struct log_field *fields, unsigned count)
{
	struct line line;
	int saved = errno; /* logging is no reason to lose a caller's */
	ssize_t wrote;

	if (state.native && write_native(level, event, fields, count)) {
		errno = saved;
		return;
	}
	line.len = 0;
	line.cut = false;
	if (state.format == LOG_JSON)
		json_put(&line, level, event, fields, count);
	else
		text_put(&line, level, event, fields, count);
	do {
		wrote = write(STDERR_FILENO, line.text, line.len);
	} while (wrote < 0 && errno == EINTR);
	errno = saved;
}

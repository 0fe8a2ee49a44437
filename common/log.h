/*
 * One structured line an event, to stderr: text for people or JSON.
 *
 * Text: "2026-11-22T14:17:17.123Z info  gateway: engine connected engine=a
 *       slots=8"; a value with more than plain characters stands in quotes.
 * JSON: {"time":..,"level":..,"process":"gateway","event":..,"engine":"a",
 *       "slots":8}; an absent span is null (text: a dash).
 * Values are escaped (no control bytes, no newlines), so what a script or a
 * client chose cannot forge a line. A line over LOG_LINE_BYTES is cut and ends
 * in " [cut]" (JSON: ,"cut":true} and stays valid).
 * Under systemd (JOURNAL_STREAM names stderr) a text line becomes an entry of
 * the journal with a field POSTERN_KEY for each value; where its socket takes
 * none, and before log_setup(), lines go to stderr and start with "<N>".
 *
 * Threads: any, after log_setup(). A line is one write(2).
 */
#ifndef POSTERN_LOG_H
#define POSTERN_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/span.h"

/* One line with its newline: a bound for what a value can do to the log. */
#define LOG_LINE_BYTES 8192

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

/* Made by the LOG_* macros below; borrowed for the call only. */
struct log_field {
	const char *key;
	enum { LOG_FIELD_SPAN, LOG_FIELD_INT, LOG_FIELD_UINT } kind;
	struct span text;
	int64_t i;
	uint64_t u;
};

#define LOG_STR(key, value) \
	((struct log_field){key, LOG_FIELD_SPAN, span_str(value), 0, 0})
#define LOG_SPAN(key, value) \
	((struct log_field){key, LOG_FIELD_SPAN, (value), 0, 0})
#define LOG_INT(key, value) \
	((struct log_field){key, LOG_FIELD_INT, {0}, (int64_t)(value), 0})
#define LOG_UINT(key, value) \
	((struct log_field){key, LOG_FIELD_UINT, {0}, 0, (uint64_t)(value)})

/* `process` names the process in every line ("gateway", "engine"). */
void log_setup(const char *process, enum log_format format, enum log_level min);

/* Text lines become entries of the journal at this socket; log_setup() does it
 * where stderr is the journal's. False: there is none. */
bool log_use_journal(const char *socket);

/* "debug", "info", "warn", "error"; ERR_INVALID otherwise. */
enum err log_level_parse(const char *text, enum log_level *level_r) MUST_USE;

bool log_enabled(enum log_level level);

void log_write(enum log_level level, const char *event,
    const struct log_field *fields, unsigned count);

/* log_info("engine connected", LOG_STR("engine", name), LOG_INT("slots", n));
 * The last element is there so that an event may stand alone. */
#define log_at(level, ...) log_at_(level, __VA_ARGS__, LOG_STR(NULL, NULL))
#define log_at_(level, event, ...)                                            \
	do {                                                                  \
		if (log_enabled(level)) {                                     \
			const struct log_field log_fields_[] = {__VA_ARGS__}; \
			log_write((level), (event), log_fields_,              \
			    (unsigned)(sizeof log_fields_ /                   \
				       sizeof log_fields_[0]) -               \
				1);                                           \
		}                                                             \
	} while (0)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

#endif

/*
 * Writes a response's bytes, see http_answer.h. Not sending them, not what a
 * response says. Runs on civetweb's workers.
 */
#include <inttypes.h>
#include <time.h>

#include "gateway/http/http_answer.h"

static const char *
reason_phrase(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 204:
		return "No Content";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 411:
		return "Length Required";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 417:
		return "Expectation Failed";
	case 421:
		return "Misdirected Request";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Answer"; /* RFC 9112 section 4: nobody reads it */
	}
}

/* Control characters are left out: no value may end its line. */
static void
append_header(struct buf *out, const char *name, const char *value)
{
	buf_append_str(out, name);
	buf_append(out, ": ", 2);
	for (; *value != '\0'; value++)
		if ((unsigned char)*value >= ' ' && *value != 0x7f)
			buf_append_char(out, *value);
	buf_append(out, "\r\n", 2);
}

static void
append_date(struct buf *out)
{
	static const char days[7][4] = {
	    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t now = time(NULL);
	struct tm tm;

	/* Not strftime(): its names follow the locale. */
	if (gmtime_r(&now, &tm) == NULL)
		return;
	buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void
append_caching(struct buf *out, const struct http_response *response)
{
	if (response->cache_control != NULL) {
		append_header(out, "Cache-Control", response->cache_control);
		return;
	}
	buf_append_str(out, "Cache-Control: no-store\r\nPragma: no-cache\r\n");
}

static void
append_optional(struct buf *out, const struct http_answer *answer)
{
	const struct http_response *response = answer->response;

	if (answer->allow != NULL)
		append_header(out, "Allow", answer->allow);
	if (response->www_authenticate != NULL)
		append_header(
		    out, "WWW-Authenticate", response->www_authenticate);
	if (response->location != NULL)
		append_header(out, "Location", response->location);
	if (response->etag != NULL)
		append_header(out, "ETag", response->etag);
	if (response->retry_after_secs > 0)
		buf_printf(
		    out, "Retry-After: %d\r\n", response->retry_after_secs);
	if (answer->closes)
		buf_append_str(out, "Connection: close\r\n");
}

void
http_answer_write(struct buf *out, const struct http_answer *answer)
{
	const struct http_response *response = answer->response;
	const char *type = response->content_type;

	buf_printf(out, "HTTP/1.1 %d %s\r\n", response->status,
	    reason_phrase(response->status));
	append_date(out);
	if (response->status != 204) {
		append_header(out, "Content-Type",
		    type != NULL ? type : "application/json;charset=UTF-8");
		buf_printf(out, "Content-Length: %" PRIu64 "\r\n",
		    response->is_file ? response->file_bytes
				      : (uint64_t)response->body.len);
	}
	append_caching(out, response);
	append_header(out, "X-Correlation-Id", answer->correlation_id);
	buf_append_str(out, "X-Content-Type-Options: nosniff\r\n");
	append_optional(out, answer);
	buf_append(out, "\r\n", 2);
	/* RFC 9110 section 6.4.1. */
	if (!answer->is_bodiless && response->status != 204 &&
	    !response->is_file)
		buf_append_span(out, buf_span(&response->body));
}

/*
 * The framing guard, see http_guard.h: first the bytes of the head, line by
 * line, then what its headers say of the body. Not routing, not the body.
 * Runs on civetweb's workers; pure, so the fuzz target needs no server.
 */
#include <string.h>
#include <strings.h>

#include "gateway/http/http.h"
#include "gateway/http/http_guard.h"

/* More digits than any limit of ours; civetweb's number ends at 19. */
#define LENGTH_DIGITS_MAX 18U

static bool
is_token(const char *text)
{
	/* RFC 9110 section 5.6.2 */
	static const char marks[] = "!#$%&'*+-.^_`|~";

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		char c = *text;
		bool is_alpha =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_alpha && !(c >= '0' && c <= '9') &&
		    strchr(marks, c) == NULL)
			return false;
	}
	return true;
}

/* Printable ASCII; '#' would be a fragment, which is never sent. */
static bool
is_target(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text >= 0x7f || *text == '#')
			return false;
	return true;
}

/* RFC 9110 section 5.5 without the tab; bytes above ASCII are opaque. */
static bool
is_value(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* CR LF, both overwritten, and then directly `next`. */
static bool
is_line_end(const char *end, const char *next)
{
	return end[0] == '\0' && end[1] == '\0' && next == end + 2;
}

/*
 * CR LF and then the empty line, of which civetweb overwrites the LF. A head
 * that ends in LF LF looks the same if CR NUL follows it; that is let through
 * since those two bytes then begin a body or a request that is refused for the
 * NUL, and the end of the head is at the same byte for everybody.
 */
static bool
is_head_end(const char *end)
{
	return end[0] == '\0' && end[1] == '\0' && end[2] == '\r' &&
	       end[3] == '\0';
}

/* METHOD SP PATH [? QUERY] SP HTTP/VERSION with nothing else between. */
static bool
is_request_line(const struct http_head *head)
{
	const char *target_end = head->path + strlen(head->path);

	if (head->path != head->method + strlen(head->method) + 1)
		return false;
	if (head->query != NULL) {
		if (head->query != target_end + 1)
			return false;
		target_end = head->query + strlen(head->query);
	}
	return head->version == target_end + 1 + strlen("HTTP/") &&
	       memcmp(target_end + 1, "HTTP/", strlen("HTTP/")) == 0 &&
	       (strcmp(head->version, "1.1") == 0 ||
		   strcmp(head->version, "1.0") == 0);
}

/* The colon directly after the name, then only spaces before the value. A
 * second NUL is a space that civetweb forgave before the colon. */
static bool
is_name_joined(const struct http_head_field *field)
{
	const char *p = field->name + strlen(field->name) + 1;

	while (p < field->value && *p == ' ')
		p++;
	return p == field->value;
}

static enum http_refusal
check_request_line(const struct http_head *head)
{
	if (head->path == NULL || head->path[0] != '/' ||
	    !is_target(head->path))
		return HTTP_REFUSAL_TARGET;
	if (head->query != NULL && !is_target(head->query))
		return HTTP_REFUSAL_TARGET;
	return is_request_line(head) ? HTTP_REFUSAL_NONE
				     : HTTP_REFUSAL_REQUEST_LINE;
}

static enum http_refusal
check_lines(const struct http_head *head)
{
	const char *end = head->version + strlen(head->version);

	for (unsigned i = 0; i < head->field_count; i++) {
		const struct http_head_field *field = &head->fields[i];

		if (!is_line_end(end, field->name))
			return HTTP_REFUSAL_LINE;
		if (!is_token(field->name) || !is_name_joined(field))
			return HTTP_REFUSAL_NAME;
		if (!is_value(field->value))
			return HTTP_REFUSAL_VALUE;
		end = field->value + strlen(field->value);
	}
	/* Without headers civetweb overwrites the empty line too. Whatever it
	 * cut off there stays harmless: HTTP/1.0 connections are closed. */
	if (head->field_count > 0 && !is_head_end(end))
		return HTTP_REFUSAL_LINE;
	return HTTP_REFUSAL_NONE;
}

static struct span
trimmed(const char *value)
{
	size_t len = strlen(value);

	while (len > 0 && value[len - 1] == ' ')
		len--;
	return span_of(value, len);
}

static bool
equals_ignoring_case(struct span text, const char *word)
{
	return text.len == strlen(word) &&
	       strncasecmp((const char *)text.data, word, text.len) == 0;
}

/* Absent span: not sent. More than once: `*count_r` says so. */
static struct span
find(const struct http_head *head, const char *name, unsigned *count_r)
{
	struct span value = {NULL, 0};

	*count_r = 0;
	for (unsigned i = 0; i < head->field_count; i++) {
		if (strcasecmp(head->fields[i].name, name) != 0)
			continue;
		if ((*count_r)++ == 0)
			value = trimmed(head->fields[i].value);
	}
	return value;
}

static bool
parse_length(struct span text, uint64_t *length_r)
{
	uint64_t length = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		if (i < LENGTH_DIGITS_MAX)
			length = length * 10 + (uint64_t)(text.data[i] - '0');
	}
	*length_r = text.len > LENGTH_DIGITS_MAX ? UINT64_MAX : length;
	return true;
}

/* The characters of host names, addresses and ports (RFC 3986 section 3.2.2,
 * without escapes and sub-delimiters, which no host of ours has). */
static bool
is_host(struct span text)
{
	static const char others[] = ".-_:[]";

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		bool is_alpha =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_alpha && !(c >= '0' && c <= '9') &&
		    memchr(others, c, sizeof others - 1) == NULL)
			return false;
	}
	return text.len > 0;
}

/* The body's length; refuses where two parsers could see two lengths. */
static enum http_refusal
check_length(const struct http_head *head, struct http_framing *framing)
{
	unsigned lengths, encodings;
	struct span length = find(head, "Content-Length", &lengths);

	(void)find(head, "Transfer-Encoding", &encodings);
	/* RFC 9112 section 6.1: a sign of smuggling. */
	if (lengths > 0 && encodings > 0)
		return HTTP_REFUSAL_LENGTH_AND_ENCODING;
	/* Chunked would have to be read within our limits and time; nobody
	 * who calls these endpoints needs it. */
	if (encodings > 0)
		return HTTP_REFUSAL_ENCODING;
	if (lengths > 1)
		return HTTP_REFUSAL_REPEATED;
	if (lengths == 1 && !parse_length(length, &framing->content_length))
		return HTTP_REFUSAL_LENGTH;
	return HTTP_REFUSAL_NONE;
}

static enum http_refusal
check_host(const struct http_head *head, struct http_framing *framing)
{
	unsigned hosts;

	framing->host = find(head, "Host", &hosts);
	if (hosts > 1)
		return HTTP_REFUSAL_REPEATED;
	if (hosts == 0)
		return framing->is_http_1_0 ? HTTP_REFUSAL_NONE
					    : HTTP_REFUSAL_HOST;
	return is_host(framing->host) ? HTTP_REFUSAL_NONE : HTTP_REFUSAL_HOST;
}

/*
 * After the request line civetweb overwrites every blank, so CR LF cannot be
 * told from LF SP or CR CR: another parser may not see the first header. That
 * matters only where it gives the body's length, and then only for what comes
 * after this request: nothing may.
 */
static bool
is_first_header_length(const struct http_head *head)
{
	return head->field_count > 0 &&
	       strcasecmp(head->fields[0].name, "Content-Length") == 0;
}

/*
 * Stricter than civetweb in one direction only: what we keep, it keeps too.
 * It looks at the first Connection header and keeps where that says so.
 */
static bool
may_keep(const struct http_head *head, const struct http_framing *framing)
{
	unsigned count;
	struct span value = find(head, "Connection", &count);

	if (framing->is_http_1_0 || is_first_header_length(head))
		return false;
	return count == 0 ||
	       (count == 1 && equals_ignoring_case(value, "keep-alive"));
}

static enum http_refusal
check_rest(const struct http_head *head, struct http_framing *framing)
{
	unsigned authorizations, types, accepts, expects, matches, cookies;
	struct span expect;

	framing->authorization = find(head, "Authorization", &authorizations);
	framing->content_type = find(head, "Content-Type", &types);
	framing->accept = find(head, "Accept", &accepts);
	framing->if_match = find(head, "If-Match", &matches);
	(void)find(head, "Cookie", &cookies);
	framing->has_cookie = cookies > 0;
	/* Two If-Match are one list (RFC 9110 section 5.3): not taken here. */
	if (authorizations > 1 || types > 1 || matches > 1)
		return HTTP_REFUSAL_REPEATED;
	expect = find(head, "Expect", &expects);
	if (expects > 1 ||
	    (expects == 1 && !equals_ignoring_case(expect, "100-continue")))
		return HTTP_REFUSAL_EXPECT;
	/* RFC 9110 section 10.1.1: ignored from an HTTP/1.0 client. */
	framing->expects_continue = expects == 1 && !framing->is_http_1_0;
	framing->may_keep = may_keep(head, framing);
	return HTTP_REFUSAL_NONE;
}

enum http_refusal
http_guard_check(const struct http_head *head, struct http_framing *framing_r)
{
	struct http_framing framing = {0};
	enum http_refusal refusal;

	/* civetweb's list is full at 64: there may have been more. */
	if (head->field_count > HTTP_HEADERS_MAX)
		return HTTP_REFUSAL_HEADERS;
	refusal = check_request_line(head);
	if (refusal == HTTP_REFUSAL_NONE)
		refusal = check_lines(head);
	if (refusal != HTTP_REFUSAL_NONE)
		return refusal;
	framing.is_http_1_0 = strcmp(head->version, "1.0") == 0;
	refusal = check_length(head, &framing);
	if (refusal == HTTP_REFUSAL_NONE)
		refusal = check_host(head, &framing);
	if (refusal == HTTP_REFUSAL_NONE)
		refusal = check_rest(head, &framing);
	if (refusal == HTTP_REFUSAL_NONE)
		*framing_r = framing;
	return refusal;
}

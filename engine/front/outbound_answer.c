/*
 * What comes back from a server: head and body within their limits, and
 * libcurl's verdicts in our words. Not redirections. Main thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/front/front_limits.h"
#include "engine/front/header_lines.h"
#include "engine/front/outbound_call.h"

void
outbound_answer_set(struct outbound_answer *answer_r, const char *error,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(
	    answer_r->sentence, sizeof answer_r->sentence, format, args);
	va_end(args);
	(void)snprintf(answer_r->error, sizeof answer_r->error, "%s", error);
	/* Names from certificates and hosts may be in it. */
	for (char *c = answer_r->sentence; *c != '\0'; c++)
		if (*c < 0x20 || *c >= 0x7f)
			*c = '?';
}

void
outbound_answer_reset(struct outbound_call *call)
{
	buf_reset(&call->headers);
	buf_reset(&call->body);
	call->head_bytes = 0;
	call->head_lines = 0;
	call->is_too_large = false;
	call->is_refused = false;
	call->is_opened = false;
	call->curl_error[0] = '\0';
}

size_t
outbound_on_header(char *data, size_t size, size_t count, void *owner)
{
	struct outbound_call *call = owner;
	size_t len = size * count;

	/* Interim answers and trailers count too: there may be any number. */
	call->head_bytes += len;
	call->head_lines++;
	if (call->head_bytes > FRONT_HTTP_HEAD_BYTES ||
	    call->head_lines > FRONT_HTTP_HEAD_LINES) {
		call->is_too_large = true;
		return 0;
	}
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
		buf_reset(&call->headers);
	else
		header_lines_append_received(
		    &call->headers, span_of(data, len));
	return call->headers.failed ? 0 : len;
}

size_t
outbound_on_body(char *data, size_t size, size_t count, void *owner)
{
	struct outbound_call *call = owner;
	size_t len = size * count;

	if (len > call->order.body_max - call->body.len) {
		call->is_too_large = true;
		return 0;
	}
	buf_append(&call->body, data, len);
	return call->body.failed ? 0 : len;
}

/* The rows are few and the codes many: what has no row is `response`. */
static const struct verdict {
	CURLcode code;
	const char *error;
	const char *sentence;
} verdicts[] = {
    {CURLE_COULDNT_RESOLVE_HOST, "connect", "the name did not resolve"},
    {CURLE_COULDNT_CONNECT, "connect", "no connection"},
    {CURLE_OPERATION_TIMEDOUT, "timeout", "no connection in time"},
    {CURLE_SEND_ERROR, "connect", "the connection broke"},
    {CURLE_RECV_ERROR, "connect", "the connection broke"},
    {CURLE_GOT_NOTHING, "response", "the server answered nothing"},
    {CURLE_PARTIAL_FILE, "response", "the answer was cut short"},
    {CURLE_BAD_CONTENT_ENCODING, "response",
	"the body's encoding is broken or unknown"},
    {CURLE_WEIRD_SERVER_REPLY, "response", "the answer is no HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, "response", "the answer is no HTTP/1"},
    {CURLE_SSL_CONNECT_ERROR, "tls", "no TLS session"},
    {CURLE_PEER_FAILED_VERIFICATION, "tls", "certificate not accepted"},
    {CURLE_SSL_CERTPROBLEM, "tls", "client certificate not usable"},
    {CURLE_SSL_CIPHER, "tls", "no cipher in common"},
    {CURLE_SSL_CACERT_BADFILE, "tls", "the engine's http_ca is unreadable"},
    {CURLE_SSL_ISSUER_ERROR, "tls", "certificate not accepted"},
};

static const struct verdict *
verdict_of(CURLcode code)
{
	static const struct verdict other = {
	    CURLE_OK, "response", "the answer cannot be used"};

	for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
		if (verdicts[i].code == code)
			return &verdicts[i];
	return &other;
}

void
outbound_answer_failed(const struct outbound_call *call, CURLcode code,
    struct outbound_answer *answer_r)
{
	const struct verdict *verdict = verdict_of(code);
	const char *host = call->target.host;
	bool is_tls = strcmp(verdict->error, "tls") == 0;

	if (call->is_too_large && code == CURLE_WRITE_ERROR)
		outbound_answer_set(answer_r, "too_large",
		    call->body.len > 0
			? "the body of %s's answer is over its limit"
			: "the answer of %s is over its limit",
		    host);
	else if (call->is_refused && !call->is_opened &&
		 code == CURLE_COULDNT_CONNECT)
		outbound_answer_set(answer_r, "refused",
		    "%s has an address that is not public and not listed in "
		    "the realm's http.allow for port %u",
		    host, call->target.port);
	else if (is_tls && call->curl_error[0] != '\0')
		outbound_answer_set(answer_r, verdict->error, "%s: %s (%s)",
		    host, verdict->sentence, call->curl_error);
	else
		outbound_answer_set(answer_r, verdict->error, "%s: %s", host,
		    verdict->sentence);
}

/*
 * One libcurl handle for one hop: every option that matters, in one place.
 * Where an option is left alone its default is the safe one: no proxy but the
 * one refused here, no netrc, no cookies, no HSTS or alt-svc cache, no
 * authentication of libcurl's own. Main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/log.h"
#include "engine/front/address_judge.h"
#include "engine/front/allow_list.h"
#include "engine/front/front.h"
#include "engine/front/header_lines.h"
#include "engine/front/outbound_call.h"
#include "engine/front/outbound_set.h"

#define HEADER_LINE_BYTES 33000

/*
 * The address that will be connected to, judged at the last moment. libcurl
 * tries the name's other addresses after a refusal.
 */
static curl_socket_t
on_open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *peer)
{
	struct outbound_call *call = owner;
	struct address address;

	if (purpose != CURLSOCKTYPE_IPCXN ||
	    !address_of_sockaddr(&peer->addr, peer->addrlen, &address) ||
	    (address_is_special(&address) &&
		!allow_list_has_address(call->order.allow, &address))) {
		call->is_refused = true;
		log_warn("HTTP to an address that is not allowed",
		    LOG_SPAN("idp", call->order.idp),
		    LOG_SPAN("correlation_id", call->order.correlation_id),
		    LOG_STR("host", call->target.host));
		return CURL_SOCKET_BAD;
	}
	call->is_opened = true;
	return socket(
	    peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

/* Appends to the list; on failure the list is gone and stays NULL. */
static void
slist_add(struct outbound_call *call, bool *failed, const char *line)
{
	struct curl_slist *longer = curl_slist_append(call->slist, line);

	*failed |= longer == NULL;
	if (longer != NULL)
		call->slist = longer;
}

/* What the script sent, less what may not go along any more. */
static void
add_script_headers(struct outbound_call *call, bool *failed, bool *has_agent)
{
	struct span lines = call->order.headers;
	struct header_line line;
	static char text[HEADER_LINE_BYTES]; /* main thread only */

	while (header_lines_next(&lines, &line) == OK) {
		if (!call->has_credentials &&
		    header_lines_is_credential(line.name))
			continue;
		if (!call->has_body && line.name.len > 8 &&
		    strncasecmp((const char *)line.name.data, "content-", 8) ==
			0)
			continue;
		*has_agent |= header_lines_is(line.name, "user-agent");
		/* "Name;" is how libcurl sends a field without a value. */
		(void)snprintf(text, sizeof text,
		    line.value.len == 0 ? "%.*s;%.*s" : "%.*s: %.*s",
		    SPAN_ARG(line.name), SPAN_ARG(line.value));
		slist_add(call, failed, text);
	}
}

static bool
names_content_type(const struct outbound_call *call)
{
	struct span lines = call->order.headers;
	struct header_line line;

	while (header_lines_next(&lines, &line) == OK)
		if (header_lines_is(line.name, "content-type"))
			return true;
	return false;
}

/* W3C Trace Context: one trace an execution, one span a hop. */
static void
add_trace(struct outbound_call *call, bool *failed)
{
	static const char name[] = "traceparent: ";
	char line[sizeof name + TRACE_PARENT_BYTES];

	trace_child(call->order.trace, &call->trace);
	call->hop_us = clock_mono_us();
	memcpy(line, name, sizeof name - 1);
	trace_parent_text(&call->trace, line + sizeof name - 1);
	slist_add(call, failed, line);
}

static enum err
make_headers(struct outbound_call *call)
{
	char line[128];
	bool failed = false;
	bool has_agent = false;

	add_script_headers(call, &failed, &has_agent);
	add_trace(call, &failed);
	(void)snprintf(line, sizeof line, "X-Correlation-Id: %.*s",
	    SPAN_ARG(call->order.correlation_id));
	slist_add(call, &failed, line);
	/* libcurl would add these two by itself. */
	slist_add(call, &failed, "Expect:");
	if (call->has_body && !names_content_type(call))
		slist_add(call, &failed, "Content-Type:");
	if (!has_agent)
		slist_add(
		    call, &failed, "User-Agent: postern/" POSTERN_VERSION);
	return failed ? ERR_NOMEM : OK;
}

static void
set_method(struct outbound_call *call)
{
	CURL *easy = call->easy;
	bool is_post = strcmp(call->method, "POST") == 0;

	if (strcmp(call->method, "HEAD") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (call->has_body || is_post) {
		size_t len = call->has_body ? call->order.body.len : 0;

		(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
		    len == 0 ? "" : (const char *)call->order.body.data);
	}
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void
set_answer(struct outbound_call *call)
{
	CURL *easy = call->easy;

	(void)curl_easy_setopt(
	    easy, CURLOPT_HEADERFUNCTION, outbound_on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, outbound_on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	(void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_error);
}

static void
set_connection(struct outbound_call *call, const struct outbound_limits *limits)
{
	CURL *easy = call->easy;

	(void)curl_easy_setopt(easy, CURLOPT_URL, call->target.url);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not even by env */
	(void)curl_easy_setopt(
	    easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(
	    easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, call);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* A name still being resolved must not hold the loop at its end. */
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)limits->connect_ms);
	if (limits->resolve != NULL)
		(void)curl_easy_setopt(easy, CURLOPT_RESOLVE, limits->resolve);
}

/* Fails rather than trust the system's authorities in place of the realm's. */
static enum err
set_tls(struct outbound_call *call, const struct outbound_limits *limits)
{
	CURL *easy = call->easy;
	struct span ca = call->order.ca_pem;

	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(
	    easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (span_present(ca)) {
		struct curl_blob blob = {.data = (void *)(uintptr_t)ca.data,
		    .len = ca.len,
		    .flags = CURL_BLOB_NOCOPY};

		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) ==
			       CURLE_OK
			   ? OK
			   : ERR_NOMEM;
	}
	if (limits->ca != NULL) {
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, limits->ca);
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	return OK;
}

/* The blocks of one kind; the other bytes of the text go nowhere. */
static void
take_pem_blocks(struct span pem, bool want_key, struct buf *out)
{
	static const char begin[] = "-----BEGIN ";
	static const char end[] = "-----END ";
	const uint8_t *at = pem.data;
	const uint8_t *limit = pem.data + pem.len;

	for (;;) {
		const uint8_t *first =
		    memmem(at, (size_t)(limit - at), begin, sizeof begin - 1);
		const uint8_t *last, *stop;
		bool is_key;

		if (first == NULL)
			return;
		last =
		    memmem(first, (size_t)(limit - first), end, sizeof end - 1);
		if (last == NULL)
			return;
		stop = memchr(last, '\n', (size_t)(limit - last));
		stop = stop == NULL ? limit : stop + 1;
		is_key = memmem(first, (size_t)(last - first), "KEY-----", 8) !=
			 NULL;
		if (is_key == want_key) {
			buf_append(out, first, (size_t)(stop - first));
			buf_append_char(out, '\n');
		}
		at = stop;
	}
}

/* The key is lent, not copied into libcurl's memory, which is not wiped; the
 * certificate is no secret. */
static enum err
set_client_certificate(struct outbound_call *call, struct err_detail *detail)
{
	struct span pem = call->order.client_pem;
	struct buf certificate, key;
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};
	enum err err = OK;

	buf_init(&certificate, pem.len + 64);
	buf_init(&key, pem.len + 64);
	take_pem_blocks(pem, false, &certificate);
	take_pem_blocks(pem, true, &key);
	if (certificate.len == 0 || key.len == 0)
		err = err_set(detail, ERR_INVALID,
		    "clientCert needs a property with a certificate and its "
		    "private key in PEM");
	if (err == OK) {
		call->client_key = secret_new(buf_span(&key));
		err = call->client_key == NULL ? ERR_NOMEM : OK;
	}
	if (err == OK) {
		blob.data = certificate.data;
		blob.len = certificate.len;
		(void)curl_easy_setopt(call->easy, CURLOPT_SSLCERT_BLOB, &blob);
		blob.data =
		    (void *)(uintptr_t)secret_bytes(call->client_key).data;
		blob.len = secret_bytes(call->client_key).len;
		blob.flags = CURL_BLOB_NOCOPY;
		(void)curl_easy_setopt(call->easy, CURLOPT_SSLKEY_BLOB, &blob);
	}
	buf_fini(&certificate);
	buf_wipe(&key);
	return err;
}

enum err
outbound_easy_make(
    struct outbound_call *call, CURLSH *share, struct err_detail *detail)
{
	const struct outbound_limits *limits = outbound_limits(call->outbound);
	enum err err;

	call->easy = curl_easy_init();
	if (call->easy == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	err = make_headers(call);
	if (err == OK && call->has_credentials &&
	    span_present(call->order.client_pem))
		err = set_client_certificate(call, detail);
	if (err == OK)
		err = set_tls(call, limits);
	if (err != OK)
		return err;
	(void)curl_easy_setopt(call->easy, CURLOPT_SHARE, share);
	(void)curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->slist);
	set_connection(call, limits);
	set_method(call);
	set_answer(call);
	return OK;
}

void
outbound_easy_free(struct outbound_call *call)
{
	if (call->easy != NULL)
		curl_easy_cleanup(call->easy);
	call->easy = NULL;
	curl_slist_free_all(call->slist);
	call->slist = NULL;
	secret_free(call->client_key);
	call->client_key = NULL;
}

/*
 * HTTP by libcurl; see ctl_http.h. Knows no route and prints nothing but the
 * progress line. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock.h"
#include "gateway/ctl/ctl_interrupt.h"
#include "gateway/ctl/ctl_out.h"

/* A gateway that is there takes a connection at once, also from far away. */
#define CONNECT_MS 10000L

/* When the progress line appears: what is quicker needs none. */
#define PROGRESS_AFTER_MS 1000

/* Longest URL: a base, a path and encoded identifiers. */
#define URL_BYTES_MAX 8192

struct ctl_http {
	CURL *curl;
	const struct ctl_profile *profile;
	char *base; /* owned; scheme, host, port and path, no slash last */
	char curl_error[CURL_ERROR_SIZE];
};

/* What the callbacks of one exchange share. */
struct exchange {
	CURL *curl;
	const struct ctl_request *request;
	struct ctl_answer *answer;
	int64_t began_ms;
	int64_t shown_secs;
};

/* ---- the URL ------------------------------------------------------------- */

static bool
is_this_host(const char *host)
{
	struct in_addr address;

	/* libcurl resolves localhost by itself, to the loopback addresses. */
	if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == 127;
}

static enum err
check_scheme(CURLU *url, bool insecure_http, struct err_detail *detail)
{
	char *scheme = NULL;
	char *host = NULL;
	enum err err = OK;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		err = err_set(detail, ERR_INVALID,
		    "the gateway's URL has no scheme or no host");
	else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		err = err_set(detail, ERR_INVALID,
		    "the gateway's URL begins with https:// or http://");
	else if (strcmp(scheme, "http") == 0 && !insecure_http &&
		 !is_this_host(host))
		err = err_set(detail, ERR_INVALID,
		    "http would send the secret in clear to %s: use https, or "
		    "an ssh tunnel, or --insecure-http if the network may "
		    "know it",
		    host);
	curl_free(scheme);
	curl_free(host);
	return err;
}

static bool
has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

static enum err
take_base(CURLU *url, char **base_r, struct err_detail *detail)
{
	char *text = NULL;
	size_t len;

	if (has_part(url, CURLUPART_USER) || has_part(url, CURLUPART_PASSWORD))
		return err_set(detail, ERR_INVALID,
		    "a URL with credentials in it is not taken: others see it");
	if (has_part(url, CURLUPART_QUERY) || has_part(url, CURLUPART_FRAGMENT))
		return err_set(
		    detail, ERR_INVALID, "the gateway's URL has no ? and no #");
	if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return err_set(detail, ERR_NOMEM, "out of memory");
	*base_r = strdup(text);
	curl_free(text);
	if (*base_r == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	len = strlen(*base_r);
	while (len > 0 && (*base_r)[len - 1] == '/')
		(*base_r)[--len] = '\0';
	return OK;
}

static enum err
read_url(const char *text, bool insecure_http, char **base_r,
    struct err_detail *detail)
{
	CURLU *url = curl_url();
	enum err err;

	if (url == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) !=
	    CURLUE_OK)
		err = err_set(detail, ERR_INVALID,
		    "the gateway's URL is none; it reads like "
		    "http://127.0.0.1:8081");
	else
		err = check_scheme(url, insecure_http, detail);
	if (err == OK)
		err = take_base(url, base_r, detail);
	curl_url_cleanup(url);
	return err;
}

/* ---- callbacks of libcurl ------------------------------------------------ */

static bool
goes_into_file(const struct exchange *exchange)
{
	long status = 0;

	(void)curl_easy_getinfo(
	    exchange->curl, CURLINFO_RESPONSE_CODE, &status);
	return exchange->request->file != NULL && status == 200;
}

/* What was written; less than `count` ends the exchange. */
static size_t
write_file(int file, const char *bytes, size_t count)
{
	size_t done = 0;

	while (done < count) {
		ssize_t written = write(file, bytes + done, count - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return 0;
		done += (size_t)written;
	}
	return done;
}

static size_t
take_body(char *bytes, size_t one, size_t count, void *context)
{
	const struct exchange *exchange = context;
	struct buf *body = &exchange->answer->body;

	(void)one; /* always 1 */
	if (goes_into_file(exchange))
		return write_file(*exchange->request->file, bytes, count);
	buf_append(body, bytes, count);
	return body->failed ? 0 : count;
}

/* The value of the header if it has this name, without white space. */
static struct span
header_value(struct span line, const char *name)
{
	size_t len = strlen(name);

	if (line.len <= len || line.data[len] != ':' ||
	    strncasecmp((const char *)line.data, name, len) != 0)
		return (struct span){NULL, 0};
	line = span_of(line.data + len + 1, line.len - len - 1);
	while (line.len > 0 && line.data[0] == ' ')
		line = span_of(line.data + 1, line.len - 1);
	while (line.len > 0 && line.data[line.len - 1] <= ' ')
		line.len--;
	return line;
}

static size_t
take_header(char *bytes, size_t one, size_t count, void *context)
{
	const struct exchange *exchange = context;
	struct ctl_answer *answer = exchange->answer;
	struct span etag = header_value(span_of(bytes, count), "ETag");
	struct span type = header_value(span_of(bytes, count), "Content-Type");

	(void)one; /* always 1 */
	if (span_present(etag) && etag.len < sizeof answer->etag) {
		memcpy(answer->etag, etag.data, etag.len);
		answer->etag[etag.len] = '\0';
	}
	if (span_present(type))
		answer->is_json = type.len >= 16 &&
				  strncasecmp((const char *)type.data,
				      "application/json", 16) == 0 &&
				  (type.len == 16 || type.data[16] == ';');
	return count;
}

static int
take_progress(void *context, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	struct exchange *exchange = context;
	int64_t ms = clock_mono_ms() - exchange->began_ms;

	(void)down_total;
	(void)up_total;
	if (ctl_interrupt_came())
		return 1;
	if (exchange->request->activity == NULL || ms < PROGRESS_AFTER_MS ||
	    ms / 1000 == exchange->shown_secs)
		return 0;
	exchange->shown_secs = ms / 1000;
	ctl_out_progress("%s: %lld s, %lld KiB sent, %lld KiB received",
	    exchange->request->activity, (long long)(ms / 1000),
	    (long long)(up / 1024), (long long)(down / 1024));
	return 0;
}

/* ---- life ---------------------------------------------------------------- */

static enum err
set_credentials(struct ctl_http *http, struct err_detail *detail)
{
	struct span secret = secret_bytes(http->profile->secret);
	/* RFC 6749 section 2.3.1: both are encoded before they are joined. */
	char *id = curl_easy_escape(http->curl, http->profile->client_id, 0);
	char *password = secret.len == 0
			     ? NULL
			     : curl_easy_escape(http->curl,
				   (const char *)secret.data, (int)secret.len);
	enum err err = OK;

	if (id == NULL || password == NULL ||
	    curl_easy_setopt(http->curl, CURLOPT_USERNAME, id) != CURLE_OK ||
	    curl_easy_setopt(http->curl, CURLOPT_PASSWORD, password) !=
		CURLE_OK)
		err = err_set(detail, ERR_INVALID, "the secret is empty");
	if (password != NULL)
		secret_wipe(password, strlen(password));
	curl_free(id);
	curl_free(password);
	return err;
}

static void
set_options(struct ctl_http *http)
{
	CURL *curl = http->curl;
	const char *ca = http->profile->ca;

	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->curl_error);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl_easy_setopt(
	    curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	if (ca != NULL)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, take_progress);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(
	    curl, CURLOPT_USERAGENT, "postern/" POSTERN_VERSION);
}

enum err
ctl_http_open(const struct ctl_profile *profile, bool insecure_http,
    struct ctl_http **http_r, struct err_detail *detail)
{
	struct ctl_http *http = calloc(1, sizeof *http);
	enum err err;

	if (http == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	http->profile = profile;
	err = read_url(profile->url, insecure_http, &http->base, detail);
	if (err == OK) {
		/* Not by itself thread-safe; there is one thread. */
		(void)curl_global_init(CURL_GLOBAL_DEFAULT);
		http->curl = curl_easy_init();
		if (http->curl == NULL)
			err = err_set(detail, ERR_NOMEM, "out of memory");
	}
	if (err == OK) {
		set_options(http);
		err = set_credentials(http, detail);
	}
	if (err == OK)
		*http_r = http;
	else
		ctl_http_close(http);
	return err;
}

void
ctl_http_close(struct ctl_http *http)
{
	if (http == NULL)
		return;
	if (http->curl != NULL)
		curl_easy_cleanup(http->curl);
	free(http->base);
	free(http);
}

void
ctl_answer_fini(struct ctl_answer *answer)
{
	buf_wipe(&answer->body);
}

/* ---- one exchange -------------------------------------------------------- */

static enum err
explain(const struct ctl_http *http, CURLcode code,
    const struct ctl_answer *answer, struct err_detail *detail)
{
	const char *reason = http->curl_error[0] != '\0'
				 ? http->curl_error
				 : curl_easy_strerror(code);

	if (ctl_interrupt_came())
		return err_set(detail, ERR_STATE, "interrupted");
	if (answer->body.failed)
		return err_set(detail, ERR_LIMIT,
		    "%s answered more than %zu bytes", http->base,
		    answer->body.max_bytes);
	if (code == CURLE_WRITE_ERROR)
		return err_set_errno(detail, ERR_IO, "the file");
	if (code == CURLE_PARTIAL_FILE)
		return err_set(detail, ERR_UNKNOWN_FATE,
		    "%s ended its answer before the end", http->base);
	if (code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CONNECT_ERROR)
		return err_set(detail, ERR_DENIED,
		    "TLS with %s failed: %s; --ca FILE names the authority to "
		    "trust",
		    http->base, reason);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(detail, ERR_TIMEOUT, "%s did not answer in time",
		    http->base);
	if (code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST)
		return err_set(detail, ERR_UNKNOWN_FATE,
		    "%s gave no whole answer: %s", http->base, reason);
	return err_set(detail, ERR_LOST,
	    "%s cannot be reached: %s; is it the gateway's admin listener, and "
	    "does the gateway run?",
	    http->base, reason);
}

static bool
add_header(struct curl_slist **headers, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*headers, line);

	if (longer == NULL)
		return false;
	*headers = longer;
	return true;
}

static bool
make_headers(const struct ctl_request *request, struct curl_slist **headers)
{
	char if_match[sizeof "If-Match: " + CTL_HTTP_ETAG_BYTES];

	/* "Expect:" keeps libcurl from waiting for a 100 Continue. */
	if (!add_header(headers, "Accept: application/json") ||
	    !add_header(headers, "Expect:"))
		return false;
	if (span_present(request->body) &&
	    !add_header(headers, "Content-Type: application/json"))
		return false;
	if (request->if_match == NULL)
		return true;
	(void)snprintf(
	    if_match, sizeof if_match, "If-Match: %s", request->if_match);
	return add_header(headers, if_match);
}

static void
set_request(struct ctl_http *http, const struct ctl_request *request,
    struct exchange *exchange)
{
	CURL *curl = http->curl;

	(void)curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	if (span_present(request->body)) {
		(void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(
		    curl, CURLOPT_POSTFIELDS, request->body.data);
		(void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body.len);
	}
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	/* libcurl sends again what a kept connection gave no answer to: fine
	 * for a GET only. */
	(void)curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT,
	    strcmp(request->method, "GET") == 0 ? 0L : 1L);
	(void)curl_easy_setopt(
	    curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
}

enum err
ctl_http_send(struct ctl_http *http, const struct ctl_request *request,
    struct ctl_answer *answer_r, struct err_detail *detail)
{
	struct exchange exchange = {
	    http->curl, request, answer_r, clock_mono_ms(), 0};
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	struct buf url;

	*answer_r = (struct ctl_answer){0};
	buf_init(&answer_r->body, request->answer_max_bytes);
	buf_init(&url, URL_BYTES_MAX);
	buf_printf(&url, "%s%s", http->base, request->path);
	http->curl_error[0] = '\0';
	if (buf_cstr(&url) != NULL && make_headers(request, &headers)) {
		set_request(http, request, &exchange);
		(void)curl_easy_setopt(http->curl, CURLOPT_URL, buf_cstr(&url));
		(void)curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
		code = curl_easy_perform(http->curl);
	}
	ctl_out_progress_end();
	curl_slist_free_all(headers);
	buf_fini(&url);
	if (code != CURLE_OK)
		return explain(http, code, answer_r, detail);
	(void)curl_easy_getinfo(
	    http->curl, CURLINFO_RESPONSE_CODE, &answer_r->status);
	return OK;
}

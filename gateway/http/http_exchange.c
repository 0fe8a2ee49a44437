/*
 * One request and its answer: guard, source, route, content type, size, body,
 * handler, answer, log line, counters, in this order. Every answer of the
 * gateway leaves through here. Not the checks themselves (their own files),
 * not threads or listeners (http_server.c). Runs on civetweb's workers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <civetweb.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/log.h"
#include "common/metric.h"
#include "gateway/http/http_answer.h"
#include "gateway/http/http_body.h"
#include "gateway/http/http_exchange.h"
#include "gateway/http/http_guard.h"
#include "gateway/http/http_route.h"

/* A handler's copies of a body (decoded, parsed, rendered) stay below this
 * many bodies; results of scripts come on top, at most 1 MiB each. */
#define ARENA_BODIES     8
#define ARENA_BASE_BYTES ((size_t)4 * 1024 * 1024)

/* A worker gives memory back after an answer larger than usual ones. */
#define WORKER_KEEPS_BYTES ((size_t)64 * 1024)

/* A file is read and sent in pieces of this size. */
#define FILE_PIECE_BYTES ((size_t)64 * 1024)

struct exchange {
	const struct http_site *site;
	struct http_worker *worker;
	struct mg_connection *conn;
	const struct mg_request_info *info;
	struct http_head_field fields[MG_MAX_HEADERS];
	struct http_head head;
	struct http_framing framing;
	struct http_routing routing;
	struct http_request request;
	struct http_response response;
	const char *refused; /* the guard's reason; NULL: none */
	bool is_body_unread;
	bool closes;
};

/* The longest body that any route takes. */
static size_t
longest_body(const struct http_config *config)
{
	size_t longest = config->body_max_bytes;

	for (size_t i = 0; i < config->route_count; i++)
		if (config->routes[i].body_max_bytes > longest)
			longest = config->routes[i].body_max_bytes;
	return longest;
}

struct http_worker *
http_worker_new(const struct http_config *config)
{
	struct http_worker *worker = calloc(1, sizeof *worker);
	size_t response_max = config->response_max_bytes != 0
				  ? config->response_max_bytes
				  : HTTP_RESPONSE_MAX_BYTES;

	if (worker == NULL)
		return NULL;
	worker->arena =
	    arena_new(ARENA_BASE_BYTES + ARENA_BODIES * longest_body(config));
	if (worker->arena == NULL) {
		free(worker);
		return NULL;
	}
	worker->socket = -1;
	buf_init(&worker->body, response_max);
	buf_init(&worker->out, HTTP_ANSWER_HEAD_MAX + response_max);
	return worker;
}

void
http_worker_free(struct http_worker *worker)
{
	if (worker == NULL)
		return;
	arena_free(worker->arena);
	buf_wipe(&worker->body);
	buf_wipe(&worker->out);
	free(worker);
}

static void
wipe_kept(struct buf *buf)
{
	if (buf->capacity > WORKER_KEEPS_BYTES) {
		buf_wipe(buf);
		return;
	}
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->len);
	buf_reset(buf);
}

static void
read_head(struct exchange *x)
{
	const struct mg_request_info *info = x->info;
	int count = info->num_headers < 0 ? 0 : info->num_headers;

	for (int i = 0; i < count; i++) {
		x->fields[i].name = info->http_headers[i].name;
		x->fields[i].value = info->http_headers[i].value;
	}
	x->head = (struct http_head){
	    .method = info->request_method,
	    .path = info->local_uri_raw,
	    .query = info->query_string,
	    .version = info->http_version,
	    .fields = x->fields,
	    .field_count = (unsigned)count,
	};
}

static enum err
guard(struct exchange *x)
{
	static const struct {
		const char *label;
		enum problem problem;
		const char *description;
	} rows[HTTP_REFUSAL_COUNT] = {
#define HTTP_REFUSAL(symbol, label, problem, description) \
	[symbol] = {label, problem, description},
#include "gateway/http/http_refusals.def"
#undef HTTP_REFUSAL
	};
	enum http_refusal refusal = http_guard_check(&x->head, &x->framing);

	if (refusal == HTTP_REFUSAL_NONE)
		return OK;
	x->refused = rows[refusal].label;
	http_problem(
	    &x->response, rows[refusal].problem, rows[refusal].description);
	return ERR_INVALID;
}

/* Who asks, for the answer and the log; also where the guard refused, and then
 * from the connection alone. */
static void
identify(struct exchange *x, const struct http_head *head)
{
	const struct http_proxies *proxies = &x->site->proxies;
	const char *peer = x->info->remote_addr;

	x->request.source =
	    http_source_find(proxies, peer, head, x->request.arena);
	x->request.correlation_id =
	    http_correlation_find(proxies, peer, head, x->request.arena);
	/* Before any byte of the request was copied an arena has room. */
	CHECK(x->request.source != NULL && x->request.correlation_id != NULL);
	http_trace_find(
	    proxies, peer, head, x->request.correlation_id, &x->request.trace);
}

static enum err
route(struct exchange *x)
{
	const struct http_config *config = &x->site->config;

	http_route_find(config->routes, config->route_count, x->head.method,
	    x->head.path, &x->routing);
	switch (x->routing.match) {
	case HTTP_MATCH_NONE:
		http_problem(&x->response, PROBLEM_NOT_FOUND, NULL);
		return ERR_NOT_FOUND;
	case HTTP_MATCH_PATH:
		http_problem(&x->response, PROBLEM_METHOD, NULL);
		return ERR_INVALID;
	case HTTP_MATCH_ROUTE:
		break;
	}
	return OK;
}

static bool
starts_ignoring_case(struct span text, const char *word)
{
	return text.len >= strlen(word) &&
	       strncasecmp((const char *)text.data, word, strlen(word)) == 0;
}

/* `; charset=utf-8`, quoted or not, is the only parameter taken. */
static bool
is_utf8_parameter(struct span text)
{
	static const char *const forms[] = {
	    "charset=utf-8", "charset=\"utf-8\""};

	while (text.len > 0 && text.data[0] == ' ')
		text = span_of(text.data + 1, text.len - 1);
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (text.len == strlen(forms[i]) &&
		    starts_ignoring_case(text, forms[i]))
			return true;
	return false;
}

static bool
is_media_type(struct span value, const char *type)
{
	size_t at = strlen(type);

	if (!starts_ignoring_case(value, type))
		return false;
	while (at < value.len && value.data[at] == ' ')
		at++;
	if (at == value.len)
		return true;
	return value.data[at] == ';' &&
	       is_utf8_parameter(
		   span_of(value.data + at + 1, value.len - at - 1));
}

static enum http_body
body_type(struct span content_type)
{
	if (is_media_type(content_type, "application/json"))
		return HTTP_BODY_JSON;
	if (is_media_type(content_type, "application/x-www-form-urlencoded"))
		return HTTP_BODY_FORM;
	return HTTP_BODY_NONE;
}

/* Type, then size: neither needs a byte of the body. */
static enum err
check_body(struct exchange *x)
{
	const struct http_route *found = x->routing.route;
	unsigned taken = found->bodies;
	size_t most = found->body_max_bytes != 0
			  ? found->body_max_bytes
			  : x->site->config.body_max_bytes;

	if (x->framing.content_length == 0)
		return OK;
	if (taken == HTTP_BODY_NONE) {
		http_problem(&x->response, PROBLEM_INVALID_REQUEST,
		    "This path takes no request body.");
		return ERR_INVALID;
	}
	x->request.body_type = body_type(x->framing.content_type);
	if ((taken & (unsigned)x->request.body_type) == 0) {
		http_problem(&x->response, PROBLEM_CONTENT_TYPE, NULL);
		return ERR_INVALID;
	}
	if (x->framing.content_length > most) {
		http_problem(&x->response, PROBLEM_TOO_LARGE, NULL);
		return ERR_LIMIT;
	}
	return OK;
}

static bool
is_admitted(struct exchange *x)
{
	const struct http_config *config = &x->site->config;

	return config->admit == NULL ||
	       config->admit(config->context, x->routing.route, &x->request,
		   &x->response);
}

static enum err
read_body(struct exchange *x)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	size_t len = (size_t)x->framing.content_length;
	uint8_t *body;
	enum err err;

	if (len == 0)
		return OK;
	body = arena_alloc(x->request.arena, len);
	if (body == NULL) {
		http_problem(&x->response, PROBLEM_UNAVAILABLE, NULL);
		return ERR_NOMEM;
	}
	if (x->framing.expects_continue)
		(void)mg_write(x->conn, go_on, sizeof go_on - 1);
	err = http_body_read(x->conn, x->site->watch, &x->worker->socket,
	    x->request.deadline_us, body, len);
	if (err != OK) {
		/* Nothing more is to be had from this client. */
		x->is_body_unread = false;
		x->closes = true;
		http_problem(&x->response, PROBLEM_TIMEOUT, NULL);
		return err;
	}
	x->is_body_unread = false;
	x->request.body = span_of(body, len);
	return OK;
}

/* Absent where the segment is no text. */
static struct span
decode_segment(struct span raw, struct arena *arena)
{
	struct span segment = {NULL, 0};
	struct buf text;

	if (!span_present(raw))
		return raw;
	buf_init(&text, raw.len);
	if (percent_decode(raw, false, &text) == OK &&
	    utf8_is_valid(buf_span(&text)))
		segment = arena_copy(arena, buf_span(&text));
	buf_fini(&text);
	return segment;
}

static void
fill_request(struct exchange *x)
{
	struct http_request *request = &x->request;

	request->method = x->routing.route->method;
	request->path = x->head.path;
	request->query = span_str(x->head.query);
	request->idp = x->routing.segments[0];
	for (size_t i = 0; i < HTTP_SEGMENTS_MAX; i++)
		request->segments[i] =
		    decode_segment(x->routing.segments[i], request->arena);
	request->authorization = x->framing.authorization;
	request->accept = x->framing.accept;
	request->host = x->framing.host;
	request->if_match = x->framing.if_match;
	request->has_cookie = x->framing.has_cookie;
	request->body = span_of("", 0);
}

static void
serve(struct exchange *x, bool is_draining)
{
	if (guard(x) != OK) {
		identify(x, NULL);
		x->closes = true;
		return;
	}
	identify(x, &x->head);
	x->is_body_unread = x->framing.content_length > 0;
	if (is_draining) {
		x->closes = true;
		http_problem(&x->response, PROBLEM_UNAVAILABLE, NULL);
		return;
	}
	if (route(x) != OK)
		return;
	fill_request(x);
	if (check_body(x) != OK || !is_admitted(x) || read_body(x) != OK)
		return;
	x->routing.route->handler(
	    x->site->config.context, &x->request, &x->response);
}

static bool
send_bytes(struct exchange *x, const void *bytes, size_t len)
{
	int sent = mg_write(x->conn, bytes, len);

	return sent > 0 && (size_t)sent == len;
}

/* The head announced its length: what falls short ends the connection, by
 * which the client knows. */
static bool
send_file(struct exchange *x)
{
	uint64_t left = x->response.file_bytes;
	char *bytes = malloc(FILE_PIECE_BYTES);
	bool is_sent = bytes != NULL;

	while (is_sent && left > 0) {
		size_t want =
		    left < FILE_PIECE_BYTES ? (size_t)left : FILE_PIECE_BYTES;
		ssize_t len = read(x->response.file, bytes, want);

		is_sent = len > 0 && send_bytes(x, bytes, (size_t)len);
		if (is_sent)
			left -= (uint64_t)len;
	}
	free(bytes);
	return is_sent;
}

/* One write for head and body. False: the peer is gone. */
static bool
send_answer(struct exchange *x)
{
	bool is_head =
	    x->head.method != NULL && strcmp(x->head.method, "HEAD") == 0;
	struct http_answer answer = {
	    .response = &x->response,
	    .correlation_id = x->request.correlation_id,
	    .allow =
		x->routing.match == HTTP_MATCH_PATH ? x->routing.allow : NULL,
	    .closes = x->closes,
	    .is_bodiless = is_head,
	};
	struct buf *out = &x->worker->out;

	if (buf_status(&x->response.body) != OK)
		http_problem(&x->response, PROBLEM_INTERNAL, NULL);
	http_answer_write(out, &answer);
	if (buf_status(out) != OK)
		return false;
	if (!send_bytes(x, out->data, out->len))
		return false;
	return !x->response.is_file || is_head || send_file(x);
}

static void
trace(const struct exchange *x, const char *route, int64_t end_us)
{
	const struct http_response *response = &x->response;
	const struct trace_span span = {.context = &x->request.trace,
	    .kind = TRACE_SERVER,
	    .name = route,
	    .start_us = x->request.received_us,
	    .end_us = end_us,
	    .error = response->status >= 500 ? response->outcome : NULL};
	const char *client = response->client;
	const char *idp = response->idp;
	const struct trace_attribute attributes[] = {
	    TRACE_STR("http.route", route),
	    TRACE_STR("http.request.method",
		x->refused == NULL ? x->head.method : "_OTHER"),
	    TRACE_INT("http.response.status_code", response->status),
	    TRACE_STR("client.address", x->request.source),
	    TRACE_STR("postern.correlation_id", x->request.correlation_id),
	    TRACE_STR("postern.client", client == NULL ? "" : client),
	    TRACE_STR("postern.idp", idp == NULL ? "" : idp),
	};

	trace_write(
	    &span, attributes, sizeof attributes / sizeof attributes[0]);
}

static void
measure(const struct exchange *x, const char *route, int64_t us)
{
	const char *outcome = x->response.outcome;
	char status[12];

	(void)snprintf(status, sizeof status, "%d", x->response.status);
	metric_count(M_HTTP_REQUESTS, route, status);
	metric_count(M_HTTP_OUTCOMES, route, outcome == NULL ? "ok" : outcome);
	metric_observe_us(M_HTTP_SECONDS, route, NULL, us);
	if (x->refused != NULL)
		metric_count(M_HTTP_REFUSED, x->refused, NULL);
}

static void
record(const struct exchange *x)
{
	const struct http_route *found = x->routing.route;
	const struct http_response *response = &x->response;
	const char *name = found == NULL ? "none" : found->name;
	int64_t end_us = clock_mono_us();
	int64_t us = end_us - x->request.received_us;

	measure(x, name, us);
	/* Never the target: credentials may stand in a query. */
	log_info(x->refused == NULL ? "request" : "request refused",
	    LOG_STR("listener", x->site->config.name),
	    LOG_STR("method", x->refused == NULL ? x->head.method : NULL),
	    LOG_STR("route", name), LOG_INT("status", response->status),
	    LOG_STR("outcome",
		response->outcome == NULL ? "ok" : response->outcome),
	    LOG_STR("reason", x->refused), LOG_STR("client", response->client),
	    LOG_STR("idp", response->idp), LOG_INT("us", us),
	    LOG_STR("source", x->request.source),
	    LOG_STR("correlation_id", x->request.correlation_id));
	if (trace_is_on(&x->request.trace))
		trace(x, name, end_us);
}

static void
finish(struct exchange *x)
{
	struct http_worker *worker = x->worker;
	bool is_sent;

	/* What is left of a body must never be read as the next request. */
	if (x->is_body_unread || !x->framing.may_keep)
		x->closes = true;
	is_sent = send_answer(x);
	if (x->closes || !is_sent)
		mg_disable_connection_keep_alive(x->conn);
	record(x);
	if (x->response.is_file)
		(void)close(x->response.file);
	if (x->response.sent != NULL)
		x->response.sent(x->response.sent_user);
	/* A client that waits for its 100 sends nothing more. */
	if (is_sent && x->is_body_unread && !x->framing.expects_continue)
		http_body_discard(x->conn, x->site->watch, &x->worker->socket);
	worker->body = x->response.body;
	wipe_kept(&worker->body);
	wipe_kept(&worker->out);
	arena_wipe(worker->arena);
}

static void
begin(struct exchange *x, const struct http_site *site,
    struct http_worker *worker, struct mg_connection *conn)
{
	x->site = site;
	x->worker = worker;
	x->conn = conn;
	x->info = mg_get_request_info(conn);
	x->request.arena = worker->arena;
	x->request.received_us = clock_mono_us();
	x->request.deadline_us =
	    x->request.received_us + site->config.request_ms * 1000;
	x->response.status = 200;
	x->response.body = worker->body;
	x->response.write_problem = site->config.write_problem;
}

int
http_exchange_run(const struct http_site *site, struct http_worker *worker,
    struct mg_connection *conn, bool is_draining)
{
	struct exchange x = {.closes = false};

	begin(&x, site, worker, conn);
	read_head(&x);
	serve(&x, is_draining);
	finish(&x);
	return x.response.status;
}

/* Whatever the library says, these are our documented answers. */
static void
describe_refusal(struct http_response *response, int status)
{
	if (status == 505)
		http_problem(response, PROBLEM_VERSION, NULL);
	else if (status == 503)
		http_problem(response, PROBLEM_UNAVAILABLE, NULL);
	else if (status >= 500)
		http_problem(response, PROBLEM_INTERNAL, NULL);
	else
		http_problem(response, PROBLEM_INVALID_REQUEST,
		    "The head of the request is malformed, too large or did "
		    "not arrive in time.");
}

void
http_exchange_refuse(const struct http_site *site, struct http_worker *worker,
    struct mg_connection *conn, int status)
{
	struct exchange x = {.refused = "library", .closes = true};

	begin(&x, site, worker, conn);
	identify(&x, NULL);
	describe_refusal(&x.response, status);
	finish(&x);
}

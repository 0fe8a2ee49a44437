/*
 * A server with toy handlers and a client that says every byte it sends, for
 * the tests that need real connections. Header only.
 */
#ifndef POSTERN_HTTP_FIXTURE_H
#define POSTERN_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/http/http.h"

#define REQUEST_MS 400
#define BODY_MAX   4096

/* Only a hang takes this long. */
#define HANG_MS 20000

#define HOST "Host: localhost\r\n"

/* ---- the server under test ---- */

static struct http_server *server;
static unsigned port;

/* What the `hold` handler waits for, and that it does. */
static pthread_mutex_t hold_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t hold_changed = PTHREAD_COND_INITIALIZER;
static bool is_held, may_go;

static inline void
echo(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	buf_printf(&response->body, "%d:%zu:", (int)request->body_type,
	    request->body.len);
	buf_append_span(&response->body, request->body);
}

static inline void
who(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	buf_printf(&response->body, "source=%s idp=%.*s query=%.*s auth=%.*s",
	    request->source, SPAN_ARG(request->idp), SPAN_ARG(request->query),
	    SPAN_ARG(request->authorization));
	response->content_type = "text/plain";
}

static inline void
wrong(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	http_problem(response,
	    span_is(request->query, "401") ? PROBLEM_INVALID_CLIENT_401
					   : PROBLEM_UNAVAILABLE,
	    "Say \"please\".");
}

static inline void
flood(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	(void)request;
	while (!response->body.failed)
		buf_append_str(&response->body, "too much of everything ");
}

static inline void
hold(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	(void)request;
	assert_int_equal(pthread_mutex_lock(&hold_mutex), 0);
	is_held = true;
	(void)pthread_cond_broadcast(&hold_changed);
	while (!may_go)
		(void)pthread_cond_wait(&hold_changed, &hold_mutex);
	assert_int_equal(pthread_mutex_unlock(&hold_mutex), 0);
	buf_append_str(&response->body, "{}");
}

/* Says what admit() said of the caller, and the entity tag that was sent. */
static inline void
make(void *context, const struct http_request *request,
    struct http_response *response)
{
	const char *caller = request->caller;

	(void)context;
	response->status = 201;
	response->location = "/made/1";
	response->etag = "\"2\"";
	buf_printf(&response->body, "%s match=%.*s", caller,
	    SPAN_ARG(request->if_match));
}

static inline void
forget(void *context, const struct http_request *request,
    struct http_response *response)
{
	(void)context;
	(void)request;
	response->status = 204;
	response->etag = "\"3\"";
	buf_append_str(&response->body, "never sent");
}

/* A listener that takes no cookies, and callers of a kind. */
static inline bool
admit(void *context, const struct http_route *route,
    struct http_request *request, struct http_response *response)
{
	(void)context;
	if (request->has_cookie) {
		http_problem(response, PROBLEM_INVALID_REQUEST, "No cookies.");
		return false;
	}
	request->caller = route->access == 7 ? "a seventh" : "somebody";
	return true;
}

static const struct http_route routes[] = {
    {"made", HTTP_POST, "/made", HTTP_BODY_JSON, make, 0, 7},
    {"gone", HTTP_DELETE, "/made", HTTP_BODY_NONE, forget, 0, 0},
    {"large", HTTP_POST, "/large", HTTP_BODY_JSON, echo, BODY_MAX + 1, 0},
    {"echo", HTTP_POST, "/echo", HTTP_BODY_JSON | HTTP_BODY_FORM, echo, 0, 0},
    {"json", HTTP_POST, "/json", HTTP_BODY_JSON, echo, 0, 0},
    {"who", HTTP_GET, "/who/{idp}/is", HTTP_BODY_NONE, who, 0, 0},
    {"fail", HTTP_GET, "/fail", HTTP_BODY_NONE, wrong, 0, 0},
    {"flood", HTTP_GET, "/flood", HTTP_BODY_NONE, flood, 0, 0},
    {"hold", HTTP_GET, "/hold", HTTP_BODY_NONE, hold, 0, 0},
};

static inline struct http_config
config_for(const char *listen)
{
	return (struct http_config){.name = "test",
	    .listen = listen,
	    .trusted_proxy = "127.0.0.1",
	    .threads = 4,
	    .request_ms = REQUEST_MS,
	    .body_max_bytes = BODY_MAX,
	    .admit = admit,
	    .routes = routes,
	    .route_count = sizeof routes / sizeof routes[0]};
}

static inline int
start(void **state)
{
	const struct http_config config = config_for("127.0.0.1:0");
	struct err_detail detail = {{0}};

	(void)state;
	log_setup("test", LOG_TEXT, LOG_ERROR);
	is_held = may_go = false;
	if (http_open(&config, &server, &detail) != OK) {
		(void)fprintf(stderr, "%s\n", detail.text);
		return -1;
	}
	port = http_port(server);
	return 0;
}

static inline int
stop(void **state)
{
	(void)state;
	if (server != NULL && http_drain(server, HANG_MS))
		http_close(server);
	server = NULL;
	return 0;
}

/* ---- a client that says every byte ---- */

struct client {
	int fd;
	char text[65536]; /* what came, terminated */
	size_t len;
	bool is_closed; /* by the server */
};

static struct client client;

static inline void
client_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};

	client.len = 0;
	client.text[0] = '\0';
	client.is_closed = false;
	client.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(client.fd >= 0);
	assert_int_equal(connect(client.fd, (const struct sockaddr *)&address,
			     sizeof address),
	    0);
}

static inline void
client_close(void)
{
	assert_int_equal(close(client.fd), 0);
}

static inline void
client_send_bytes(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(client.fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0)
			return; /* refused and closed meanwhile */
		bytes += n;
		len -= (size_t)n;
	}
}

static inline void
client_send(const char *text)
{
	client_send_bytes(text, strlen(text));
}

/* One read; false at the end of the connection or when nothing came in
 * `wait_ms`. */
static inline bool
client_read(int wait_ms)
{
	struct pollfd poll_fd = {.fd = client.fd, .events = POLLIN};
	size_t room = sizeof client.text - 1 - client.len;
	ssize_t n;

	assert_true(room > 0);
	if (poll(&poll_fd, 1, wait_ms) <= 0)
		return false;
	n = recv(client.fd, client.text + client.len, room, 0);
	if (n <= 0) {
		client.is_closed = true;
		return false;
	}
	client.len += (size_t)n;
	client.text[client.len] = '\0';
	return true;
}

/* Bytes of the first whole answer that came; 0: none yet. */
static inline size_t
answer_len(void)
{
	const char *end = strstr(client.text, "\r\n\r\n");
	const char *length = strstr(client.text, "Content-Length: ");
	size_t total;

	if (end == NULL)
		return 0;
	if (strncmp(client.text, "HTTP/1.1 100 ", 13) == 0 ||
	    strncmp(client.text, "HTTP/1.1 204 ", 13) == 0)
		return (size_t)(end - client.text) + 4;
	assert_non_null(length);
	total = (size_t)(end - client.text) + 4 +
		strtoul(length + strlen("Content-Length: "), NULL, 10);
	return client.len >= total ? total : 0;
}

/* Moves the first answer into `answer`, leaves what came behind it. */
static char answer[65536];

static inline void
take_answer(void)
{
	size_t len;

	while ((len = answer_len()) == 0)
		assert_true(client_read(HANG_MS));
	memcpy(answer, client.text, len);
	answer[len] = '\0';
	client.len -= len;
	memmove(client.text, client.text + len, client.len + 1);
}

static inline void
assert_has(const char *part)
{
	if (strstr(answer, part) == NULL)
		fail_msg("no \"%s\" in: %s", part, answer);
}

static inline void
assert_status(int status)
{
	char line[32];

	(void)snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	if (strncmp(answer, line, strlen(line)) != 0)
		fail_msg("not %d: %s", status, answer);
}

/* The server ends the connection, and nothing more comes. */
static inline void
assert_ends(void)
{
	while (client_read(HANG_MS))
		;
	assert_true(client.is_closed);
	assert_int_equal(client.len, 0);
}

/* On a connection of its own; closed by us. */
static inline void
exchange(const char *text)
{
	client_open();
	client_send(text);
	take_answer();
	client_close();
}

/* As exchange(), for a request that the server must not trust further. */
static inline void
refused(const char *text, int status)
{
	client_open();
	client_send(text);
	take_answer();
	assert_status(status);
	assert_has("\"error\":\"invalid_request\"");
	assert_has("Connection: close\r\n");
	assert_has("X-Correlation-Id: ");
	assert_has("Content-Type: application/json;charset=UTF-8\r\n");
	assert_ends();
	client_close();
}

#define POST(path, type, length)                                \
	"POST " path " HTTP/1.1\r\n" HOST "Content-Type: " type \
	"\r\nContent-Length: " length "\r\n\r\n"
#define JSON "application/json"

#endif

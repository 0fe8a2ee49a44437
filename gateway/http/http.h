/*
 * HTTP as the rest of the gateway sees it: a checked request, a response to
 * fill, a route table. civetweb is at home in this folder only.
 *
 * A request reaches a handler after: framing guard, correlation id, route,
 * method (405 + Allow), content type (415), size (413), the listener's admit(),
 * whole body read within its time. What remains wrong is the handler's to say.
 *
 * Lifetime: a request, its arena and all it points to end when the handler
 * returns. Threads: a handler runs on one of civetweb's worker threads (100 KB
 * of stack: no big locals, no recursion on hostile depth) and may block.
 */
#ifndef POSTERN_HTTP_H
#define POSTERN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "common/trace.h"

#define HTTP_HEADERS_MAX        63 /* civetweb cuts its list at 64 silently */
#define HTTP_CORRELATION_ID_MAX 64
#define HTTP_SEGMENTS_MAX       2 /* {..} of one route */

/* Above all answers of the public listener; /metrics with every series is the
 * longest. */
#define HTTP_RESPONSE_MAX_BYTES ((size_t)4 * 1024 * 1024)

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, HTTP_PUT, HTTP_PATCH };

/* Content types a route takes, bits. HTTP_BODY_NONE: a body is refused. An
 * empty body needs no Content-Type. */
enum http_body {
	HTTP_BODY_NONE = 0,
	HTTP_BODY_JSON = 1, /* application/json, charset utf-8 or none */
	HTTP_BODY_FORM = 2  /* application/x-www-form-urlencoded */
};

struct http_request {
	struct arena *arena;
	enum http_method method;
	const char *path;  /* raw, as sent, without the query */
	struct span query; /* absent without "?" */
	struct span idp;   /* the {idp} segment of the route, raw */
	/* The route's {..} segments in order, percent-decoded once; absent
	 * where that is impossible or gives no UTF-8: then it names nothing. */
	struct span segments[HTTP_SEGMENTS_MAX];
	struct span authorization; /* the header's value; absent */
	struct span accept;        /* absent if not sent */
	struct span host;          /* absent only on HTTP/1.0 */
	struct span if_match;      /* absent if not sent */
	bool has_cookie;           /* a Cookie header was sent */
	const void *caller; /* admit()'s, for the handlers; in the arena */
	enum http_body body_type; /* HTTP_BODY_NONE for an empty body */
	struct span body;
	const char *correlation_id;
	struct trace_context trace; /* the request's span */
	const char *source;         /* peer, or X-Forwarded-For by the proxy */
	int64_t received_us;        /* monotonic, when the head was complete */
	int64_t deadline_us;        /* received_us + request_ms */
};

/* Writes the body of an error answer; `code` and `description` are those of
 * problems.def, or the handler's. */
typedef void http_problem_writer(
    struct buf *body, int status, const char *code, const char *description);

/* Initialised by the server to 200, an empty body, no-store. The body is JSON
 * unless content_type says otherwise; a 204 has neither body nor type. */
struct http_response {
	int status;
	const char *content_type;  /* NULL: application/json;charset=UTF-8 */
	const char *cache_control; /* NULL: no-store (and Pragma: no-cache) */
	const char *www_authenticate; /* NULL: none */
	int retry_after_secs;         /* 0: none */
	const char *location; /* NULL: none; lives as long as the arena */
	const char *etag;     /* NULL: none; with its quotes; as location */
	http_problem_writer *write_problem; /* the listener's; NULL: OAuth's */
	/* For the log and the metrics: the error code (static; NULL: it went
	 * well), who asked and whose scripts ran, where known (in the arena or
	 * longer; names of the realm, never what was only claimed). */
	const char *outcome;
	const char *client;
	const char *idp;
	struct buf body; /* wiped after sending */
	/* Instead of a body of its own, the file's bytes; closed after. */
	bool is_file;
	int file;
	uint64_t file_bytes;
	/* Called once when the answer has left or cannot; NULL: nothing. */
	void (*sent)(void *user);
	void *sent_user;
};

/* Every handler answers; there is no failure to return. */
typedef void http_handler(void *context, const struct http_request *request,
    struct http_response *response);

/* A route: the path matches segment by segment; "{idp}", or any other name in
 * braces, takes one that is not empty. */
struct http_route {
	const char *name; /* metric label */
	enum http_method method;
	const char *path;
	unsigned bodies; /* enum http_body bits */
	http_handler *handler;
	size_t body_max_bytes; /* 0: the listener's */
	unsigned access;       /* what admit() asks of callers */
};

/*
 * Whether the request may go on to its body and its handler; false: answered.
 * May set `caller`. Runs once method, type and size are known to be right.
 */
typedef bool http_admit(void *context, const struct http_route *route,
    struct http_request *request, struct http_response *response);

struct http_config {
	const char *name;          /* "public" or "admin", for logs */
	const char *listen;        /* ADDRESS:PORT, [v6]:PORT; port 0: any */
	const char *trusted_proxy; /* comma-separated addresses; "" none */
	unsigned threads;
	int64_t request_ms;
	size_t body_max_bytes;
	size_t response_max_bytes; /* 0: HTTP_RESPONSE_MAX_BYTES */
	/* On each worker's thread before it serves; may die; NULL: nothing. */
	void (*worker_begins)(void);
	const struct http_route *routes;
	size_t route_count;
	void *context;                      /* given to every handler */
	http_admit *admit;                  /* NULL: all may */
	http_problem_writer *write_problem; /* NULL: OAuth's errors */
};

/* ---- addresses (http_listen.c) ---------------------------------------------
 */

/* A numeric address and a port, from "127.0.0.1:8080" or "[::1]:8080". */
struct http_listen {
	char address[46]; /* without brackets */
	unsigned port;
	bool is_loopback;
};

enum err http_listen_parse(const char *text, struct http_listen *listen_r,
    struct err_detail *detail) MUST_USE;

/* A Host header's value, with or without port: a loopback address or
 * "localhost"; the address of `listen` (ADDRESS:PORT; NULL: of none). */
bool http_host_is_loopback(struct span host);
bool http_host_is_listen(struct span host, const char *listen);

/* OK, or ERR_INVALID naming what in a comma-separated list is no address. */
enum err
http_proxy_list_check(const char *list, struct err_detail *detail) MUST_USE;

/* ---- the server ------------------------------------------------------------
 */

struct http_server;

enum err http_open(const struct http_config *config,
    struct http_server **server_r, struct err_detail *detail) MUST_USE;

/* The port it listens on (for port 0). */
unsigned http_port(const struct http_server *server);

/*
 * From now on new requests are answered 503 with "Connection: close"; returns
 * when none is running or after `grace_ms`. True: none is left. The process
 * may then end at once.
 */
bool http_drain(struct http_server *server, int64_t grace_ms);

/* After a drain that left nothing: closes the listener and frees the server.
 * civetweb takes up to 2 s for it, so a process about to end does without. */
void http_close(struct http_server *server);

/* ---- errors ---------------------------------------------------------------
 */

/* Every error answer of the gateway: problems.def has status, code, text. */
enum problem {
#define PROBLEM(symbol, status, code, description) symbol,
#include "gateway/http/problems.def"
#undef PROBLEM
	PROBLEM_COUNT
};

/*
 * Fills status and {"error","error_description"}, or what the listener's errors
 * look like; `description` NULL: the table's. Adds what a status cannot go
 * without: WWW-Authenticate to a 401, Retry-After to a 503. The one place where
 * an error becomes HTTP.
 */
void http_problem(struct http_response *response, enum problem problem,
    const char *description);

/* The table's error code, for metrics and the log. */
const char *http_problem_code(enum problem problem);

/* ---- parsing of what requests carry (http_basic.c, http_form.c) ------------
 */

/*
 * RFC 7617 Basic as RFC 6749 section 2.3.1 wants it: base64, split at the
 * first colon, each half percent-decoded. Outputs in the arena.
 * ERR_NOT_FOUND: another scheme. ERR_SYNTAX: Basic, but malformed.
 */
enum err http_basic_parse(struct span authorization, struct arena *arena,
    struct span *id_r, struct span *secret_r) MUST_USE;

struct http_field {
	struct span name;
	struct span value; /* decoded, valid UTF-8 */
};

struct http_form {
	struct http_field *fields; /* in the arena */
	size_t count;
};

#define HTTP_FORM_FIELDS_MAX 64

/* ERR_SYNTAX: bad escape or not UTF-8; ERR_INVALID: a name twice (RFC 6749
 * section 3.2); ERR_LIMIT: too many fields. Also parses a query string. */
enum err http_form_parse(
    struct span text, struct arena *arena, struct http_form *form_r) MUST_USE;

/* Absent span when there is no such field. */
struct span http_form_get(const struct http_form *form, const char *name);

#endif

/*
 * HTTP: what a script asks for as one message, and the answer as an object.
 * The request itself is the engine's front's, which also judges it again: what
 * is checked here only makes for better messages. Threads: one.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "engine/runner/api_bytes.h"
#include "engine/runner/host.h"
#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

/* Limits of the message's rows. */
#define METHOD_MAX_BYTES  16
#define URL_MAX_BYTES     8192
#define HEADERS_MAX_BYTES 32768
#define BODY_MAX_BYTES    524288
#define CERT_MAX_BYTES    128
#define TIMEOUT_MAX_MS    600000.0

/* Where perform() has what it works on. */
enum {
	AT_METHOD,
	AT_URL,
	AT_BODY,
	AT_OPTIONS,
	AT_HEADERS,
	AT_TIMEOUT,
	AT_CERT,
	AT_FOLLOW,
	AT_TOP
};

/* ---- the request ----------------------------------------------------------
 */

/* Pushes options[name], undefined without options. Runs script code. */
static void
push_option(duk_context *ctx, const char *name)
{
	if (duk_is_undefined(ctx, AT_OPTIONS))
		duk_push_undefined(ctx);
	else
		duk_get_prop_string(ctx, AT_OPTIONS, name);
}

/* Appends "name: value\n" to the text on top; name and value stay below it. */
static void
join_line(duk_context *ctx, const char *name)
{
	/* ... text value -> ... text+line */
	if (!duk_is_string(ctx, -1) && !duk_is_number(ctx, -1))
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "the header %.64s must be a string, or an array of them",
		    name);
	duk_to_string(ctx, -1);
	if (strpbrk(duk_get_string(ctx, -1), "\r\n") != NULL)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "the header %.64s has a line break in it", name);
	duk_push_string(ctx, name);
	duk_push_string(ctx, ": ");
	duk_pull(ctx, -3);
	duk_push_string(ctx, "\n");
	duk_concat(ctx, 5);
	if (duk_get_length(ctx, -1) > HEADERS_MAX_BYTES)
		(void)vm_throw(ctx, DUK_ERR_RANGE_ERROR,
		    "the headers are longer than %d bytes", HEADERS_MAX_BYTES);
}

/* The header object at AT_HEADERS becomes its lines. Runs script code. True:
 * it names a content type. */
static bool
make_headers(duk_context *ctx)
{
	bool has_type = false;
	duk_idx_t names;

	duk_push_string(ctx, "");
	if (duk_is_null_or_undefined(ctx, AT_HEADERS)) {
		duk_replace(ctx, AT_HEADERS);
		return false;
	}
	if (!duk_is_object(ctx, AT_HEADERS))
		(void)vm_throw(
		    ctx, DUK_ERR_TYPE_ERROR, "headers must be an object");
	duk_enum(ctx, AT_HEADERS, DUK_ENUM_OWN_PROPERTIES_ONLY);
	duk_swap_top(ctx, -2); /* enum, text */
	names = duk_get_top_index(ctx) - 1;
	while (duk_next(ctx, names, 1)) {
		/* enum text name value -> enum name value text */
		const char *name = duk_get_string(ctx, -2);

		has_type |= strcasecmp(name, "content-type") == 0;
		duk_pull(ctx, -3);
		if (duk_is_array(ctx, -2)) {
			duk_size_t count = duk_get_length(ctx, -2);

			for (duk_size_t i = 0; i < count; i++) {
				duk_get_prop_index(ctx, -2, (duk_uarridx_t)i);
				join_line(ctx, name);
			}
		} else {
			duk_dup(ctx, -2);
			join_line(ctx, name);
		}
		duk_replace(ctx, names + 1); /* enum text value */
		duk_set_top(ctx, names + 2);
	}
	duk_replace(ctx, AT_HEADERS);
	duk_pop(ctx);
	return has_type;
}

/* What is neither text nor bytes is sent as JSON. Runs script code. */
static void
make_body(duk_context *ctx, bool has_type)
{
	if (duk_is_null_or_undefined(ctx, AT_BODY) ||
	    duk_is_string(ctx, AT_BODY) || duk_is_buffer_data(ctx, AT_BODY))
		return;
	duk_dup(ctx, AT_BODY);
	if (duk_json_encode(ctx, -1) == NULL)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "the body must be a string, bytes, or something JSON can "
		    "express");
	duk_replace(ctx, AT_BODY);
	if (has_type)
		return;
	duk_dup(ctx, AT_HEADERS);
	duk_push_string(ctx, "Content-Type: application/json\n");
	duk_concat(ctx, 2);
	duk_replace(ctx, AT_HEADERS);
}

static uint64_t
timeout_ms(duk_context *ctx)
{
	double ms;

	if (duk_is_null_or_undefined(ctx, AT_TIMEOUT))
		return 0;
	ms = duk_get_number(ctx, AT_TIMEOUT); /* NaN unless a number */
	if (!(ms >= 1 && ms <= TIMEOUT_MAX_MS))
		(void)vm_throw(ctx, DUK_ERR_RANGE_ERROR,
		    "timeoutMs must be a number from 1 to %.0f",
		    TIMEOUT_MAX_MS);
	return (uint64_t)ms;
}

/* All of it into the scratch buffer; no script code from here on. */
static void
make_call(duk_context *ctx, struct message *call_r)
{
	struct vm *vm = vm_of(ctx);
	struct msg_http_request *request = &call_r->http_request;
	bool has_body = !duk_is_null_or_undefined(ctx, AT_BODY);
	bool has_cert = !duk_is_null_or_undefined(ctx, AT_CERT);
	size_t url, headers, body, cert, end;
	const uint8_t *data;

	*call_r = (struct message){.type = MSG_HTTP_REQUEST};
	request->timeout_ms = timeout_ms(ctx);
	request->no_redirects =
	    duk_is_boolean(ctx, AT_FOLLOW) && !duk_get_boolean(ctx, AT_FOLLOW);
	buf_reset(&vm->scratch);
	(void)api_bytes_take_text(
	    ctx, AT_METHOD, "the method", METHOD_MAX_BYTES);
	url = api_bytes_take_text(ctx, AT_URL, "the url", URL_MAX_BYTES);
	headers = api_bytes_take_text(
	    ctx, AT_HEADERS, "the headers", HEADERS_MAX_BYTES);
	body = vm->scratch.len;
	if (has_body)
		(void)api_bytes_take(ctx, AT_BODY, "the body", BODY_MAX_BYTES);
	cert = vm->scratch.len;
	if (has_cert)
		(void)api_bytes_take_text(
		    ctx, AT_CERT, "clientCert", CERT_MAX_BYTES);
	end = vm->scratch.len;
	data = vm->scratch.data;
	request->method = span_of(data, url);
	request->url = span_of(data + url, headers - url);
	if (body > headers)
		request->headers = span_of(data + headers, body - headers);
	if (has_body)
		request->body = span_of(data + body, cert - body);
	if (has_cert)
		request->client_cert = span_of(data + cert, end - cert);
}

/* ---- the answer -----------------------------------------------------------
 */

static duk_ret_t
response_json(duk_context *ctx)
{
	duk_push_this(ctx);
	duk_get_prop_string(ctx, -1, "body");
	duk_require_string(ctx, -1);
	duk_json_decode(ctx, -1);
	return 1;
}

/* Adds a value (on top) under a name: set-cookie collects in an array, what
 * comes again is joined. The object is below the value. */
static void
add_header(duk_context *ctx, struct span name)
{
	const char *text = (const char *)name.data;
	bool is_cookie = span_is(name, "set-cookie");

	if (duk_get_prop_lstring(ctx, -2, text, name.len)) {
		if (is_cookie) {
			/* object value array */
			duk_swap_top(ctx, -2);
			duk_put_prop_index(
			    ctx, -2, (duk_uarridx_t)duk_get_length(ctx, -2));
			duk_pop(ctx);
			return;
		}
		duk_push_string(ctx, ", ");
		duk_pull(ctx, -3);
		duk_concat(ctx, 3);
	} else {
		duk_pop(ctx);
		if (is_cookie) {
			duk_push_array(ctx);
			duk_swap_top(ctx, -2);
			duk_put_prop_index(ctx, -2, 0);
		}
	}
	duk_put_prop_lstring(ctx, -2, text, name.len);
}

static void
push_headers(duk_context *ctx, struct span lines)
{
	duk_push_object(ctx);
	duk_push_undefined(ctx);
	duk_set_prototype(ctx, -2); /* names are a server's choice */
	while (lines.len > 0) {
		const uint8_t *end = memchr(lines.data, '\n', lines.len);
		const uint8_t *colon = memchr(lines.data, ':', lines.len);
		size_t len;

		if (end == NULL || colon == NULL || colon + 2 > end)
			return;
		len = (size_t)(end - lines.data);
		vm_push_text(
		    ctx, span_of(colon + 2, (size_t)(end - colon) - 2));
		add_header(
		    ctx, span_of(lines.data, (size_t)(colon - lines.data)));
		lines.data += len + 1;
		lines.len -= len + 1;
	}
}

/* Puts a part where it belongs; a part that does not fit is a broken engine. */
static size_t
add_part(uint8_t *body, size_t total, size_t have, struct span part)
{
	if (part.len == 0 || part.len > total - have)
		return have;
	memcpy(body + have, part.data, part.len);
	return have + part.len;
}

static void
push_response(duk_context *ctx, const struct msg_http_response *response)
{
	const struct message more = {.type = MSG_HTTP_MORE};
	size_t total = response->body_bytes;
	struct message answer;
	size_t have, before;
	uint8_t *body;

	duk_push_object(ctx);
	duk_push_uint(ctx, (duk_uint_t)response->status);
	duk_put_prop_string(ctx, -2, "status");
	body = duk_push_fixed_buffer(ctx, total);
	have = add_part(body, total, 0, response->body);
	push_headers(ctx, response->headers);
	duk_put_prop_string(ctx, -3, "headers");
	/* What the answer's spans point to is gone with the next one. */
	while (have < total) {
		before = have;
		host_follow(ctx, &more, MSG_HTTP_BODY, &answer);
		have = add_part(body, total, have, answer.http_body.body);
		if (have == before)
			(void)vm_throw(ctx, DUK_ERR_ERROR,
			    "the engine did not hand out the whole body");
	}
	api_bytes_push_text_lossy(ctx, span_of(body, total));
	duk_put_prop_string(ctx, -3, "body");
	duk_pop(ctx);
	duk_push_string(ctx, "json");
	duk_push_c_function(ctx, response_json, 0);
	duk_def_prop(ctx, -3,
	    DUK_DEFPROP_HAVE_VALUE | DUK_DEFPROP_SET_WC |
		DUK_DEFPROP_CLEAR_ENUMERABLE);
}

/* ---- members ---------------------------------------------------------------
 */

/* Method, URL, body and options are in their places. */
static duk_ret_t
perform(duk_context *ctx)
{
	struct message call, answer;

	duk_set_top(ctx, AT_HEADERS);
	if (duk_is_null(ctx, AT_OPTIONS)) {
		duk_push_undefined(ctx);
		duk_replace(ctx, AT_OPTIONS);
	}
	if (!duk_is_undefined(ctx, AT_OPTIONS) &&
	    !duk_is_object(ctx, AT_OPTIONS))
		return vm_throw(
		    ctx, DUK_ERR_TYPE_ERROR, "the options must be an object");
	push_option(ctx, "headers");
	push_option(ctx, "timeoutMs");
	push_option(ctx, "clientCert");
	push_option(ctx, "followRedirects");
	make_body(ctx, make_headers(ctx));
	make_call(ctx, &call);
	host_call(ctx, &call, MSG_HTTP_RESPONSE, &answer);
	push_response(ctx, &answer.http_response);
	return 1;
}

/* (url[, options]) */
static duk_ret_t
perform_without_body(duk_context *ctx, const char *method)
{
	duk_set_top(ctx, 2);
	duk_push_undefined(ctx);
	duk_swap_top(ctx, -2); /* url body options */
	duk_push_string(ctx, method);
	duk_insert(ctx, AT_METHOD);
	return perform(ctx);
}

/* (url[, body[, options]]) */
static duk_ret_t
perform_with_body(duk_context *ctx, const char *method)
{
	duk_set_top(ctx, 3);
	duk_push_string(ctx, method);
	duk_insert(ctx, AT_METHOD);
	return perform(ctx);
}

duk_ret_t
api_http_request(duk_context *ctx)
{
	if (!duk_is_object(ctx, 0))
		return vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "HTTP.request takes an object: {method, url, headers, "
		    "body, timeoutMs}");
	duk_get_prop_string(ctx, 0, "method");
	if (duk_is_null_or_undefined(ctx, -1)) {
		duk_push_string(ctx, "GET");
		duk_replace(ctx, -2);
	}
	duk_get_prop_string(ctx, 0, "url");
	duk_get_prop_string(ctx, 0, "body");
	duk_pull(ctx, 0); /* method url body options */
	return perform(ctx);
}

duk_ret_t
api_http_get(duk_context *ctx)
{
	return perform_without_body(ctx, "GET");
}

duk_ret_t
api_http_delete(duk_context *ctx)
{
	return perform_without_body(ctx, "DELETE");
}

duk_ret_t
api_http_post(duk_context *ctx)
{
	return perform_with_body(ctx, "POST");
}

duk_ret_t
api_http_put(duk_context *ctx)
{
	return perform_with_body(ctx, "PUT");
}

duk_ret_t
api_http_patch(duk_context *ctx)
{
	return perform_with_body(ctx, "PATCH");
}

/*
 * Scripts' requests from judgement to answer (see outbound.h): the limits of
 * concurrency and time, hop after hop. libcurl's options are outbound_easy's,
 * its sockets outbound_set's. Main thread.
 */
#include "engine/front/outbound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "engine/front/front.h"
#include "engine/front/header_lines.h"
#include "engine/front/outbound_call.h"
#include "engine/front/outbound_set.h"

/* name:port:address, the longest entry of http_resolve. */
#define RESOLVE_BYTES 512

struct outbound {
	struct front *front;
	struct outbound_limits limits;
	struct outbound_sets *sets;
	struct outbound_calls calls; /* sent: queued and active ones, oldest
				      * first */
};

static void outbound_hop_ended(struct outbound_call *call, CURLcode code);
static void outbound_total_due(void *owner);
static void outbound_step(struct outbound_call *call);

const struct outbound_limits *
outbound_limits(const struct outbound *outbound)
{
	return &outbound->limits;
}

/* ---- opening --------------------------------------------------------------
 */

/* Of the slots, what one host may hold: whoever waits holds one as well. */
static void
take_bounds(struct outbound_limits *limits, const struct front_settings *from)
{
	limits->host_share = from->slots * 3 / 4;
	if (limits->host_share < 1)
		limits->host_share = 1;
	limits->per_host = from->http_per_host;
	if (limits->per_host > limits->host_share)
		limits->per_host = limits->host_share;
	log_info("bounds of HTTP to one host",
	    LOG_UINT("running", limits->per_host),
	    LOG_UINT("running_and_waiting", limits->host_share),
	    LOG_UINT("slots", from->slots));
}

static enum err
take_resolve(struct outbound *outbound, const char *list)
{
	char entry[RESOLVE_BYTES];

	while (conf_list_next(&list, entry, sizeof entry)) {
		struct curl_slist *longer =
		    curl_slist_append(outbound->limits.resolve, entry);

		if (longer == NULL)
			return ERR_NOMEM;
		outbound->limits.resolve = longer;
	}
	return OK;
}

enum err
outbound_open(struct front *front, struct err_detail *detail)
{
	const struct front_settings *settings = front->settings;
	struct outbound *outbound;
	enum err err;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(detail, ERR_CRYPTO, "libcurl does not start");
	outbound = calloc(1, sizeof *outbound);
	if (outbound == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	TAILQ_INIT(&outbound->calls);
	front->outbound = outbound;
	outbound->front = front;
	outbound->limits.ca = settings->http_ca;
	outbound->limits.connect_ms = settings->http_connect_ms;
	outbound->limits.total_ms = settings->http_total_ms;
	take_bounds(&outbound->limits, settings);
	err = take_resolve(outbound, settings->http_resolve);
	if (err == OK)
		err = outbound_sets_open(
		    front, outbound_hop_ended, &outbound->sets, detail);
	return err;
}

/* ---- the end of a call ----------------------------------------------------
 */

/* Takes the call out of everything it is in; it can be freed then. */
static void
outbound_detach(struct outbound_call *call)
{
	struct outbound *outbound = call->outbound;

	timer_clear(&outbound->front->loop.timers, &call->total);
	if (call->state == OUTBOUND_ACTIVE && call->easy != NULL)
		outbound_set_stop(call->set, call->easy);
	outbound_easy_free(call);
	if (call->state != OUTBOUND_PREPARED)
		TAILQ_REMOVE(&outbound->calls, call, link);
	if (call->set != NULL)
		outbound_set_leave(call->set);
}

static void
outbound_free(struct outbound_call *call)
{
	/* Both may hold personal data. */
	buf_wipe(&call->headers);
	buf_wipe(&call->body);
	free(call);
}

static bool
is_same_host(const struct outbound_call *a, const struct outbound_call *b)
{
	return a->target.port == b->target.port &&
	       strcasecmp(a->target.host, b->target.host) == 0;
}

/* Of its own identity provider, to the same host. */
static unsigned
count_of(const struct outbound_call *call, enum outbound_state state)
{
	const struct outbound_call *other;
	unsigned count = 0;

	TAILQ_FOREACH (other, &call->outbound->calls, link)
		count += other != call && other->state == state &&
			 other->set == call->set && is_same_host(other, call);
	return count;
}

/* Whether it may run or wait without taking the slots that others keep. All
 * identity providers' requests count: the slots are one engine's. */
static bool
fits_share(const struct outbound_call *call)
{
	const struct outbound_call *other;
	unsigned count = 0;

	TAILQ_FOREACH (other, &call->outbound->calls, link)
		count += other != call && other->state != OUTBOUND_SENT &&
			 is_same_host(other, call);
	return count < call->outbound->limits.host_share;
}

/* A place is free: whoever waited longest for a host that has one starts. */
static void
outbound_next(struct outbound *outbound)
{
	struct outbound_call *call;

	TAILQ_FOREACH (call, &outbound->calls, link) {
		if (call->state == OUTBOUND_QUEUED &&
		    count_of(call, OUTBOUND_ACTIVE) <
			outbound->limits.per_host) {
			/* Starting one may end it, and so change the list. */
			outbound_step(call);
			return;
		}
	}
}

static void
outbound_log_end(
    const struct outbound_call *call, const struct outbound_answer *answer)
{
	bool failed = answer->error[0] != '\0';

	/* No path: what is in it may be personal or secret. */
	log_at(failed ? LOG_INFO : LOG_DEBUG, "HTTP call ended",
	    LOG_SPAN("correlation_id", call->order.correlation_id),
	    LOG_SPAN("idp", call->order.idp),
	    LOG_STR("host", call->target.host),
	    LOG_UINT("port", call->target.port),
	    LOG_UINT("status", answer->status),
	    LOG_STR("error", failed ? answer->error : NULL),
	    LOG_STR("sentence", failed ? answer->sentence : NULL),
	    LOG_UINT("redirects", call->redirects),
	    LOG_INT("ms", (clock_mono_us() - call->sent_us) / 1000));
}

/* The span of the hop that ended, once. No path, as in the log. */
static void
outbound_trace(struct outbound_call *call, const char *error)
{
	const struct trace_span span = {.context = &call->trace,
	    .kind = TRACE_CLIENT,
	    .name = call->method,
	    .start_us = call->hop_us,
	    .end_us = clock_mono_us(),
	    .error = error[0] == '\0' ? NULL : error};
	const struct trace_attribute attributes[] = {
	    TRACE_STR("http.request.method", call->method),
	    TRACE_STR("server.address", call->target.host),
	    TRACE_INT("server.port", call->target.port),
	    TRACE_INT("http.response.status_code", call->status),
	    TRACE_SPAN("postern.idp", call->order.idp),
	    TRACE_SPAN("postern.correlation_id", call->order.correlation_id),
	};

	trace_write(
	    &span, attributes, sizeof attributes / sizeof attributes[0]);
	call->trace.is_set = false;
}

static void
outbound_end(struct outbound_call *call, struct outbound_answer *answer)
{
	struct outbound *outbound = call->outbound;

	outbound_trace(call, answer->error);
	outbound_log_end(call, answer);
	outbound_detach(call);
	answer->headers = buf_span(&call->headers);
	answer->body = &call->body;
	call->order.done(call->order.owner, answer);
	outbound_free(call);
	outbound_next(outbound);
}

void
outbound_cancel(struct outbound_call *call)
{
	struct outbound *outbound;

	if (call == NULL)
		return;
	outbound = call->outbound;
	outbound_detach(call);
	outbound_free(call);
	outbound_next(outbound);
}

static void
outbound_total_due(void *owner)
{
	struct outbound_call *call = owner;
	struct outbound_answer answer = {.status = 0};

	outbound_answer_set(&answer, "timeout",
	    call->state == OUTBOUND_QUEUED
		? "%s: other requests to it did not end in time"
		: "%s: no complete answer in time",
	    call->target.host);
	outbound_end(call, &answer);
}

/* ---- hops -----------------------------------------------------------------
 */

/* Whether the present hop is to be sent now. If not it waits for its turn, or
 * the call has ended. */
static bool
outbound_may_start(struct outbound_call *call)
{
	struct outbound_answer answer = {.status = 0};
	unsigned per_host = call->outbound->limits.per_host;
	bool fits = fits_share(call);

	if (fits && count_of(call, OUTBOUND_ACTIVE) < per_host)
		return true;
	call->state = OUTBOUND_QUEUED;
	if (fits && count_of(call, OUTBOUND_QUEUED) < per_host)
		return false;
	outbound_answer_set(&answer, "limit",
	    "too many requests to %s are under way and waiting",
	    call->target.host);
	outbound_end(call, &answer);
	return false;
}

/* Sends the present hop, or has it wait for its turn, or ends the call. */
static void
outbound_step(struct outbound_call *call)
{
	struct outbound_answer answer = {.status = 0};
	struct err_detail detail = {0};
	enum err err;

	if (!outbound_may_start(call))
		return;
	call->state = OUTBOUND_ACTIVE;
	outbound_answer_reset(call);
	err = outbound_easy_make(call, outbound_set_share(call->set), &detail);
	if (err == OK) {
		err = outbound_set_start(call->set, call->easy);
		if (err == OK)
			return;
	}
	outbound_easy_free(call); /* never started: nothing to stop */
	outbound_answer_set(&answer,
	    err == ERR_INVALID ? "invalid" : "unavailable", "%s",
	    err_text(&detail, err));
	outbound_end(call, &answer);
}

static void
outbound_hop_ended(struct outbound_call *call, CURLcode code)
{
	struct outbound_answer answer = {.status = 0};
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->status = status > 0 && status < 1000 ? (unsigned)status : 0;
	if (code == CURLE_OK)
		outbound_trace(call, "");
	if (code != CURLE_OK)
		outbound_answer_failed(call, code, &answer);
	else if (call->status == 0)
		outbound_answer_set(&answer, "response",
		    "%s: the answer is no HTTP", call->target.host);
	else if (outbound_redirect(call, &answer)) {
		struct outbound *outbound = call->outbound;

		outbound_set_stop(call->set, call->easy);
		outbound_easy_free(call);
		outbound_step(call);
		outbound_next(outbound); /* its place at the old host */
		return;
	}
	if (answer.error[0] == '\0')
		answer.status = call->status;
	outbound_end(call, &answer);
}

/* ---- from the script ------------------------------------------------------
 */

static bool
take_method(struct outbound_call *call)
{
	static const char *const methods[] = {
	    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (!span_is(call->order.method, methods[i]))
			continue;
		(void)snprintf(
		    call->method, sizeof call->method, "%s", methods[i]);
		return true;
	}
	return false;
}

/* NULL: they are fine. */
static const char *
headers_problem(struct span lines)
{
	struct header_line line;
	enum err err;

	while ((err = header_lines_next(&lines, &line)) == OK)
		if (header_lines_is_ours(line.name))
			return "a header that only Postern may set";
	return err == ERR_NOT_FOUND ? NULL : "a header that is malformed";
}

static bool
judge(struct outbound_call *call, struct outbound_answer *answer_r)
{
	struct err_detail detail = {0};
	const char *problem = headers_problem(call->order.headers);

	if (!take_method(call)) {
		outbound_answer_set(answer_r, "invalid", "no such method");
		return false;
	}
	if (problem != NULL) {
		outbound_answer_set(
		    answer_r, "invalid", "the request has %s", problem);
		return false;
	}
	if (target_parse(call->order.url, &call->target, &detail) != OK) {
		outbound_answer_set(
		    answer_r, "invalid", "%s", err_text(&detail, ERR_INVALID));
		return false;
	}
	if (!outbound_is_allowed(call, &call->target)) {
		outbound_answer_set(answer_r, "refused",
		    "%s port %u is not in the realm's http.allow",
		    call->target.host, call->target.port);
		return false;
	}
	return true;
}

struct outbound_call *
outbound_prepare(struct outbound *outbound, const struct outbound_order *order,
    struct outbound_answer *answer_r)
{
	struct outbound_call *call = calloc(1, sizeof *call);

	*answer_r = (struct outbound_answer){.status = 0};
	if (call == NULL) {
		outbound_answer_set(answer_r, "unavailable", "out of memory");
		return NULL;
	}
	call->outbound = outbound;
	call->order = *order;
	call->has_body = span_present(order->body);
	call->has_credentials = true;
	timer_init(&call->total, outbound_total_due, call);
	/* Latin-1 may double what a head has. */
	buf_init(&call->headers, (size_t)2 * FRONT_HTTP_HEAD_BYTES);
	buf_init(&call->body, order->body_max);
	if (judge(call, answer_r))
		call->set = outbound_sets_get(
		    outbound->sets, order->idp, order->ca_pem, order->allow);
	if (call->set != NULL) {
		outbound_set_enter(call->set);
		return call;
	}
	if (answer_r->error[0] == '\0')
		outbound_answer_set(answer_r, "unavailable", "out of memory");
	outbound_free(call);
	return NULL;
}

const char *
outbound_host(const struct outbound_call *call)
{
	return call->target.host;
}

static void
outbound_first_step(void *owner)
{
	struct outbound_call *call = owner;
	struct loop *loop = &call->outbound->front->loop;
	int64_t spent_ms = (clock_mono_us() - call->sent_us) / 1000;
	int64_t left_ms = call->order.total_ms - spent_ms;

	timer_init(&call->total, outbound_total_due, call);
	loop_timer_in(loop, &call->total, left_ms > 0 ? left_ms : 0);
	outbound_step(call);
}

void
outbound_send(struct outbound_call *call)
{
	CHECK(call->state == OUTBOUND_PREPARED);
	call->state = OUTBOUND_SENT;
	call->sent_us = clock_mono_us();
	TAILQ_INSERT_TAIL(&call->outbound->calls, call, link);
	/* From the loop, so that `done` never comes before this returns. */
	timer_init(&call->total, outbound_first_step, call);
	loop_timer_in(&call->outbound->front->loop, &call->total, 0);
}

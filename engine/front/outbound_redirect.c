/*
 * Redirections (RFC 9110 section 15.4): whether, whereto, and what goes along.
 * Main thread.
 */
#include <string.h>

#include "engine/front/allow_list.h"
#include "engine/front/front_limits.h"
#include "engine/front/outbound_call.h"

bool
outbound_is_allowed(
    const struct outbound_call *call, const struct target *target)
{
	return allow_list_has_host(
	    call->order.allow, target->host, target->port);
}

static bool
is_redirection(unsigned status)
{
	return status == 301 || status == 302 || status == 303 ||
	       status == 307 || status == 308;
}

/* 303 asks for the result elsewhere; 301 and 302 of a POST are treated so by
 * everybody (section 15.4.2, note). 307 and 308 repeat the request. */
static void
rewrite_method(struct outbound_call *call)
{
	bool is_post = strcmp(call->method, "POST") == 0;

	if (call->status == 307 || call->status == 308 ||
	    strcmp(call->method, "HEAD") == 0)
		return;
	if (call->status == 303 || is_post) {
		memcpy(call->method, "GET", sizeof "GET");
		call->has_body = false;
	}
}

static bool
go_to(struct outbound_call *call, const struct target *next,
    struct outbound_answer *answer_r)
{
	if (call->redirects >= FRONT_HTTP_REDIRECTS_MAX) {
		outbound_answer_set(answer_r, "redirect",
		    "more than %d redirections", FRONT_HTTP_REDIRECTS_MAX);
		return false;
	}
	if (call->target.is_https && !next->is_https) {
		outbound_answer_set(answer_r, "refused",
		    "%s redirects from https to http", call->target.host);
		return false;
	}
	if (!outbound_is_allowed(call, next)) {
		outbound_answer_set(answer_r, "refused",
		    "%s redirects to %s port %u, which the realm's http.allow "
		    "does not list",
		    call->target.host, next->host, next->port);
		return false;
	}
	call->redirects++;
	rewrite_method(call);
	/* Once given up they do not come back, even if it returns. */
	if (!target_is_same_origin(&call->target, next))
		call->has_credentials = false;
	call->target = *next;
	return true;
}

bool
outbound_redirect(struct outbound_call *call, struct outbound_answer *answer_r)
{
	struct err_detail detail = {0};
	struct target next;
	const char *location = NULL;

	if (!is_redirection(call->status) || call->order.no_redirects)
		return false;
	(void)curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &location);
	if (location == NULL)
		return false; /* nowhere to go: the script's to judge */
	if (target_parse(span_str(location), &next, &detail) != OK) {
		outbound_answer_set(answer_r, "redirect",
		    "%s redirects to something unusable: %s", call->target.host,
		    detail.text);
		return false;
	}
	return go_to(call, &next, answer_r);
}

/*
 * One request under way, as outbound's files share it. Threads: the main one.
 */
#ifndef POSTERN_OUTBOUND_CALL_H
#define POSTERN_OUTBOUND_CALL_H

#include <curl/curl.h>
#include <sys/queue.h>

#include "common/secret.h"
#include "engine/front/outbound.h"
#include "engine/front/target.h"
#include "engine/front/timers.h"

#define OUTBOUND_METHOD_BYTES 17

enum outbound_state {
	OUTBOUND_PREPARED, /* in no list yet */
	OUTBOUND_SENT,     /* takes its first step with the next turn */
	OUTBOUND_QUEUED,   /* its host has all it may have */
	OUTBOUND_ACTIVE
};

struct outbound_set;

struct outbound_call {
	TAILQ_ENTRY(outbound_call) link; /* once sent */
	enum outbound_state state;
	struct outbound *outbound;
	struct outbound_set *set;
	struct outbound_order order;
	struct timer total; /* from outbound_send() to the answer */
	int64_t sent_us;

	/* The hop it is at. */
	struct target target;
	char method[OUTBOUND_METHOD_BYTES];
	struct trace_context trace; /* of the hop; unset before it is sent */
	int64_t hop_us;             /* when it was */
	bool has_body;
	bool has_credentials; /* still at the origin the script named */
	unsigned redirects;
	CURL *easy;
	struct curl_slist *slist;
	struct secret *client_key; /* lent to libcurl while `easy` lives */
	char curl_error[CURL_ERROR_SIZE];

	/* What came back. */
	unsigned status;
	struct buf headers; /* header_lines.h, of the last response head */
	struct buf body;
	size_t head_bytes; /* of all heads and trailers of this hop */
	unsigned head_lines;
	bool is_too_large;
	bool is_refused; /* an address was not allowed */
	bool is_opened;  /* one was: a socket to it exists or did */
};

TAILQ_HEAD(outbound_calls, outbound_call);

/* ---- outbound_easy.c ------------------------------------------------------
 */

/* Makes `easy` for the present hop. ERR_NOMEM, ERR_INVALID (client_pem). */
enum err outbound_easy_make(struct outbound_call *call, CURLSH *share,
    struct err_detail *detail) MUST_USE;

/* Frees it; it must not be in a multi any more. */
void outbound_easy_free(struct outbound_call *call);

/* ---- outbound_answer.c ----------------------------------------------------
 */

/* libcurl's callbacks for head and body; `owner` is the call. */
size_t outbound_on_header(char *data, size_t size, size_t count, void *owner);
size_t outbound_on_body(char *data, size_t size, size_t count, void *owner);

/* Empties what came back, for the next hop. */
void outbound_answer_reset(struct outbound_call *call);

/* Turns libcurl's verdict on the hop into an error name and a sentence. */
void outbound_answer_failed(const struct outbound_call *call, CURLcode code,
    struct outbound_answer *answer_r);

void outbound_answer_set(struct outbound_answer *answer_r, const char *error,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- outbound_redirect.c --------------------------------------------------
 */

/*
 * Looks at the answer of a hop. True: the call now stands at the next hop,
 * which is to be sent. False: the answer is the script's, or `answer_r->error`
 * is set.
 */
bool
outbound_redirect(struct outbound_call *call, struct outbound_answer *answer_r);

/* Whether the realm lets this request go there at all. */
bool outbound_is_allowed(
    const struct outbound_call *call, const struct target *target);

#endif

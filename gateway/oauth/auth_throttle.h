/*
 * Who must wait before credentials are looked at again: from the 6th failure
 * of a (source, client) pair and the 50th of a source (an IPv6 source is its
 * /64) within a minute, each further failure starts a penalty of 100 ms that
 * doubles up to 5 s. While it lasts, nothing of that pair or source is
 * checked; nobody is kept waiting, since that would hold a thread.
 *
 * A pair that succeeded is remembered and exempt: the right secret is never
 * locked out by somebody else's guesses. Successes and failures are kept
 * apart, so no number of failures evicts a success; a full table of failures
 * forgets those that failed least. In memory only. Threads: any.
 */
#ifndef POSTERN_AUTH_THROTTLE_H
#define POSTERN_AUTH_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/span.h"

struct auth_throttle;

/* Borrowed for the call. `kind` keeps clients and API clients apart. */
struct auth_who {
	const char *source; /* an address; anything else counts as it is */
	const char *kind;
	struct span client_id; /* as shown */
};

enum auth_verdict {
	AUTH_CHECK,       /* go on */
	AUTH_CHECK_KNOWN, /* a penalty lasts, but this pair succeeded before:
			     check what costs nothing */
	AUTH_REFUSE_CLIENT,
	AUTH_REFUSE_SOURCE
};

struct auth_throttle *auth_throttle_new(void);
void auth_throttle_free(struct auth_throttle *throttle); /* NULL is fine */

/* `now_ms` is monotonic. A NULL throttle lets everybody pass (tests). */
enum auth_verdict auth_throttle_check(
    struct auth_throttle *throttle, const struct auth_who *who, int64_t now_ms);

/* True: this failure started a penalty. */
bool auth_throttle_failed(
    struct auth_throttle *throttle, const struct auth_who *who, int64_t now_ms);

void auth_throttle_succeeded(
    struct auth_throttle *throttle, const struct auth_who *who, int64_t now_ms);

#endif

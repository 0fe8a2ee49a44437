/*
 * Space-delimited scopes (RFC 6749 section 3.3), as they are stored and sent.
 * Threads: any; pure functions.
 */
#ifndef POSTERN_SCOPE_H
#define POSTERN_SCOPE_H

#include "common/arena.h"
#include "common/err.h"
#include "gateway/realm/realm.h"

/* The next scope of a list, which is cut down to what comes after it; absent at
 * its end. */
struct span scope_next(struct span *list);

bool scope_has(struct span list, struct span scope);

/*
 * What a refresh gives (RFC 6749 section 6): of `granted`, what is asked for
 * (absent: all), without what the client has lost since. ERR_DENIED: something
 * is asked for that was not granted or was lost, or nothing is left. In the
 * arena; ERR_NOMEM.
 */
enum err scope_narrow(const struct realm_client *client, struct span granted,
    struct span asked, struct arena *arena, const char **scope_r) MUST_USE;

/* As many as fit; true: all did. */
bool scope_split(
    struct span list, struct span *scopes_r, unsigned max, unsigned *count_r);

#endif

/*
 * CACHE, the gateway's side: grants the effect to the attempt, seals, hands to
 * the store, answers after the commit.
 */
#ifndef POSTERN_HOST_CACHE_H
#define POSTERN_HOST_CACHE_H

#include "gateway/dispatch/jobs.h"

/* Once, before the link opens. */
void host_cache_init(struct dispatch *d);

/* `message` is one of cache_*. Answers the request, now (refused) or from the
 * store's writer thread. Runs on nng's threads; never blocks. */
void host_cache_call(struct dispatch *d, struct link_request *request,
    const struct message *message);

#endif

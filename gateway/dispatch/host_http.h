/*
 * HTTP, the gateway's side: the grant of the effect, before an engine sends a
 * script's request. The gateway sees no more of it than the host.
 */
#ifndef POSTERN_HOST_HTTP_H
#define POSTERN_HOST_HTTP_H

#include "gateway/dispatch/jobs.h"

/* Answers the request: done, call_failed over the host-call limit, go_away for
 * an attempt that was given up. Runs on nng's threads; never blocks. */
void host_http_intent(struct dispatch *d, struct link_request *request,
    const struct msg_http_intent *intent);

#endif

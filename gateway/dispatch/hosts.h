/*
 * What engines ask: the gateway's side of every message that an engine may
 * send. Its bytes are hostile: an engine is believed only about the jobs it
 * holds, and reaches only their IdP.
 */
#ifndef POSTERN_HOSTS_H
#define POSTERN_HOSTS_H

#include "gateway/dispatch/jobs.h"

/* The link's `received` handler: decodes, checks who may say it, answers now
 * or later. Runs on nng's threads; never blocks. */
void
host_received(void *dispatch, struct link_request *request, struct span bytes);

#endif

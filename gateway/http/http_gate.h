/*
 * Shutting a listener so that no connection is lost. Private to gateway/http.
 */
#ifndef POSTERN_HTTP_GATE_H
#define POSTERN_HTTP_GATE_H

#include <stdint.h>

#include "common/err.h"

/*
 * Nobody new gets in at `listen` (ADDRESS:PORT, its port being `port`) from now
 * on: what would open a connection is ignored, as if it had been lost on the
 * way, so a client's kernel tries again and reaches the next process. Returns
 * when a worker has taken up every connection that was made before, at the
 * latest at `until_us` (ERR_TIMEOUT). ERR_IO: the gate stays open.
 */
enum err http_gate_shut(const char *listen, unsigned port, int64_t until_us,
    struct err_detail *detail) MUST_USE;

#endif

/*
 * Asking a listener one question the way an engine does, spoken by hand on a
 * plain socket: nng's ipc framing and REQ header. By hand because it blocks
 * with one deadline for everything, leaves nothing behind in nng (closing
 * nng's own sockets hangs in this version), and never leaves a handshake half
 * done, which is what kills a listener.
 *
 * Threads: any; blocks.
 */
#ifndef POSTERN_LINK_PROBE_H
#define POSTERN_LINK_PROBE_H

#include "common/err.h"
#include "common/span.h"

/*
 * Connects to the socket at `path`, shakes hands and goes. OK: somebody is
 * there. ERR_NOT_FOUND: nobody listens (no file, or the socket of a process
 * that is gone). ERR_TIMEOUT: there is a listener that does not shake hands.
 * ERR_IO: cannot tell.
 */
enum err link_probe_greet(
    const char *path, int timeout_ms, struct err_detail *detail) MUST_USE;

/* As link_probe_greet(), then asks and waits for an answer, whatever it says.
 */
enum err link_probe_ask(const char *path, struct span question, int timeout_ms,
    struct err_detail *detail) MUST_USE;

#endif

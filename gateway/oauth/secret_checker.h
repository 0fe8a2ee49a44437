/*
 * Imported secret hashes, computed one at a time on a thread of their own
 * behind a bounded queue, and remembered: right secrets until the client's
 * hash changes, wrong ones for 60 s. Remembered are MACs of (kind, client id,
 * hash, secret), in memory only.
 * Threads: any.
 */
#ifndef POSTERN_SECRET_CHECKER_H
#define POSTERN_SECRET_CHECKER_H

#include "common/err.h"
#include "common/span.h"
#include "gateway/keys/vault.h"

struct secret_checker; /* process lifetime */

enum err secret_checker_open(struct vault *vault,
    struct secret_checker **checker_r, struct err_detail *detail) MUST_USE;

/* Borrowed for the call. */
struct imported_secret {
	const char *kind; /* "client", "api_client" */
	struct span client_id;
	const char *phc;
	struct span secret; /* as shown */
};

/*
 * OK: it is the right secret. ERR_DENIED: it is not, or the hash cannot be
 * computed here (logged). ERR_UNAVAILABLE: the queue is full, or the deadline
 * (monotonic) came first; what was begun is remembered all the same.
 */
enum err secret_checker_check(struct secret_checker *checker,
    const struct imported_secret *imported, int64_t deadline_us) MUST_USE;

/* The same from memory only: ERR_DENIED also where it is not known. */
enum err secret_checker_recall(struct secret_checker *checker,
    const struct imported_secret *imported) MUST_USE;

#endif

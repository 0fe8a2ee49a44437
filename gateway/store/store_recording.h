/*
 * Records of failed executions and their recordings, over restarts. Both come
 * sealed; which are kept is the caller's to say (gateway/dispatch/record.h).
 */
#ifndef POSTERN_STORE_RECORDING_H
#define POSTERN_STORE_RECORDING_H

#include "gateway/store/store.h"
#include "gateway/store/store_transaction.h"

/* A row. All is the caller's, or borrowed for the length of `each`. */
struct store_recording {
	uint64_t number; /* the caller's; later ones are greater */
	const char *correlation_id;
	const char *idp;
	struct span release; /* hash */
	int64_t kind;        /* enum script_kind */
	int64_t summary_len; /* of the record's bytes, once unsealed */
	struct span record;
	struct span recording; /* absent: there is none */
};

/* A row comes in, or the one of this number goes. */
struct store_recording_change {
	uint64_t number;
	const struct store_recording *put; /* NULL: it goes */
};

/* One durable operation for all of them, in their order. */
enum err store_recording_change(struct store *store,
    const struct store_recording_change *changes, unsigned count) MUST_USE;

/* By number; stops at the first error of `each` and returns it. */
enum err store_recording_each(struct store *store,
    enum err (*each)(void *user, const struct store_recording *row),
    void *user) MUST_USE;

#endif

/*
 * CACHE: values that the scripts of an IdP share (SPEC 3.2). Asynchronous,
 * because its callers are the link's threads, which must not block. All of it
 * runs on the writer, in order, and is answered after the commit, so a code
 * that was taken cannot come back.
 */
#ifndef POSTERN_STORE_CACHE_H
#define POSTERN_STORE_CACHE_H

#include "gateway/store/store.h"
#include "gateway/store/store_transaction.h"

/* Values are sealed by the caller and keys are MACs; the store sees neither.
 * An increment must read the old number, so the caller gives the two
 * functions that open and seal it. */
struct store_cache_codec {
	void *user;
	/* malloc'd results; called on the writer thread. */
	enum err (*unseal)(void *user, const uint8_t key[STORE_HASH_BYTES],
	    struct span sealed, char **text_r);
	enum err (*seal)(void *user, const uint8_t key[STORE_HASH_BYTES],
	    const char *text, uint8_t **sealed_r, size_t *len_r);
};

enum store_cache_action {
	CACHE_STORE,
	CACHE_FETCH,
	CACHE_DELETE,
	CACHE_TAKE,
	CACHE_INCREMENT
};

/* One call, in and out. Allocate, fill, submit; freed by the caller in done. */
struct store_cache_call {
	struct store_op op; /* filled by store_cache_submit() */
	/* in */
	enum store_cache_action action;
	char ns[65]; /* IdP, or "" for the realm's namespace */
	uint8_t key[STORE_HASH_BYTES]; /* MAC of namespace and key */
	uint8_t *value; /* CACHE_STORE: sealed, malloc'd, owned */
	size_t value_len;
	int64_t now;
	int64_t expires_at;   /* CACHE_STORE; new CACHE_INCREMENT */
	unsigned max_entries; /* live entries of the namespace */
	const struct store_cache_codec *codec; /* CACHE_INCREMENT */
	void (*done)(struct store_cache_call *call, enum err err);
	void *user;
	/* out, valid in done() */
	bool found;
	uint8_t *found_value; /* sealed, malloc'd; owned by the call */
	size_t found_value_len;
	int64_t number; /* CACHE_INCREMENT: the new number */
};

/*
 * done() comes on the writer thread after the commit (or at once with
 * ERR_FULL). ERR_LIMIT: the namespace has max_entries live entries.
 * ERR_INVALID: CACHE_INCREMENT on a value that is not a number.
 */
void store_cache_submit(struct store *store, struct store_cache_call *call);

/* Frees what the call owns, then the call. */
void store_cache_call_free(struct store_cache_call *call);

#endif

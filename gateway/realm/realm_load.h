/*
 * Building a snapshot from a realm's files: read, type, validate as a whole,
 * compile-check the scripts. All or nothing.
 *
 * Threads: one load at a time, on a thread that may block.
 */
#ifndef POSTERN_REALM_LOAD_H
#define POSTERN_REALM_LOAD_H

#include "common/buf.h"
#include "gateway/realm/realm.h"
#include "gateway/realm/realm_dir.h"
#include "gateway/realm/realm_problem.h"

/* What the loader needs of others, so that realm/ knows no SQL. */
struct realm_sources {
	struct vault *vault;
	/* Path of postern-runner, for --compile; NULL: scripts are not compiled
	 * (--check without a runner at hand says so). */
	const char *runner_path;
	/* Directory for generated secrets (data_dir/secrets), made if missing.
	 */
	const char *secrets_dir;
	/* true: validate only; nothing is generated or written. */
	bool check_only;
	/* true: the realm came over the API and may name only variables and
	 * files that are meant for it; see realm_value.h. */
	bool confined;
	const char *values_dir; /* where those files are; NULL: none */
	void *user;
	/* Digest of a secret generated earlier; ERR_NOT_FOUND. */
	enum err (*secret_get)(void *user, const char *kind,
	    const char *client_id, uint8_t digest_r[DIGEST_BYTES]);
	enum err (*secret_put)(void *user, const char *kind,
	    const char *client_id, const uint8_t digest[DIGEST_BYTES]);
	/* The imported hash (PHC) that is kept for a client; ERR_NOT_FOUND.
	 * May be NULL. */
	enum err (*phc_get)(void *user, const char *kind, const char *client_id,
	    struct buf *phc);
	/* The value that is kept for a property that is sensitive or, with
	 * `is_key`, of kind key; ERR_NOT_FOUND. May be NULL. */
	enum err (*property_get)(
	    void *user, const char *id, bool is_key, struct buf *value);
	/* Told each file that is part of the realm, as it is read, also where
	 * the load then fails. May be NULL. */
	void (*seen)(void *user, const char *path, struct span bytes);
	/* Keeps a release by hash; again is a no-op. */
	enum err (*release_put)(void *user, const uint8_t hash[DIGEST_BYTES],
	    const char *idp, struct span content);
};

/*
 * Loads `dir` and gives one reference in `realm_r`. On failure `problems` has
 * a line for each mistake found, "FILE:LINE: KEY: sentence", and the result is
 * ERR_INVALID (or ERR_IO, ERR_NOMEM). Warnings (a two-step IdP without
 * init.js) are lines too, starting "warning: ", on success as well.
 */
enum err realm_load(const char *dir, const struct realm_sources *sources,
    const struct realm **realm_r, struct buf *problems) MUST_USE;

/* The same of an open directory or set of files, with the mistakes told as
 * `problems` says. */
enum err realm_load_from(const struct realm_dir *dir,
    const struct realm_sources *sources, const struct realm **realm_r,
    struct realm_problems *problems) MUST_USE;

/* A release's content as kept in the store, and back. The struct and all it
 * points to is one malloc'd block: free() it. ERR_CORRUPT: not a release, or
 * its content does not have this hash. */
enum err release_decode(const uint8_t hash[DIGEST_BYTES], struct span content,
    struct release **release_r) MUST_USE;

#endif

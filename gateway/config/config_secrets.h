/*
 * The secrets of a realm's documents: those of a change on their way into the
 * store, and those that are there. Private to config/.
 *
 * In the store a client's secret is a keyed digest or a sealed imported hash,
 * a property's value is sealed; each is bound to whose it is, a value also to
 * the property's kind: a key that becomes text must be given anew.
 *
 * Threads: one at a time per change.
 */
#ifndef POSTERN_CONFIG_SECRETS_H
#define POSTERN_CONFIG_SECRETS_H

#include "gateway/config/config_canon.h"
#include "gateway/config/config_state.h"

/* A secret of a change. */
struct config_secret {
	enum config_kind kind; /* CONFIG_CLIENT, _API_CLIENT, _PROPERTY */
	const char *id;
	const char *path;
	bool set;  /* the store gets it; false: as it is there */
	bool drop; /* the document names it elsewhere: the store forgets it */
	bool is_key;
	bool has_digest;
	uint8_t digest[DIGEST_BYTES];
	const char *phc;    /* NULL: none */
	const char *value;  /* of a property; NULL: none */
	const char *made;   /* in the clear, to be shown once; NULL: not ours */
	struct span sealed; /* of phc or value, once sealed */
};

struct config_secrets {
	struct config_secret *items; /* sorted by kind and id */
	size_t count;
};

/*
 * From what documents give. One that gives none keeps what is stored, unless
 * it is `fresh` (NULL: none is); else one is made, not in a `dry_run`. In
 * `arena`, which then holds secrets.
 */
enum err config_secrets_take(const struct config *config, struct arena *arena,
    const struct config_canon *canon, const char *fresh, bool dry_run,
    struct config_secrets *secrets_r) MUST_USE;

/* Seals what the store gets sealed. */
enum err config_secrets_seal(const struct config *config, struct arena *arena,
    struct config_secrets *secrets) MUST_USE;

/* "client" or "api_client": as the digest and the store have it. */
const char *config_secrets_kind(enum config_kind kind);

/* ---- for the loader: of the change (NULL: none), else what is stored ------
 */

enum err config_secrets_digest(const struct config *config,
    const struct config_secrets *secrets, const char *kind,
    const char *client_id, uint8_t digest_r[DIGEST_BYTES]) MUST_USE;
enum err config_secrets_phc(const struct config *config,
    const struct config_secrets *secrets, const char *kind,
    const char *client_id, struct buf *phc) MUST_USE;
enum err config_secrets_value(const struct config *config,
    const struct config_secrets *secrets, const char *id, bool is_key,
    struct buf *value) MUST_USE;

#endif

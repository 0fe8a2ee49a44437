/*
 * Releases of identity providers: drafts, publishing, rolling back, and the
 * history that every change of a script or its settings leaves.
 *
 * A draft is what the realm would make of other scripts or settings: checked
 * as an apply is, kept, and nothing that serves. Publishing makes a release
 * the identity provider's: its scripts and settings in the realm's files
 * change with it, in one durable step, so an export says what serves. Rolling
 * back publishes what ran before; twice, what ran before that. Transactions
 * end on the release they began with.
 *
 * Where a directory rules the history is of what was loaded, and every change
 * is ERR_STATE.
 *
 * Threads: any; changes block (compiler, disk). Not here: HTTP, how long
 * releases are kept (store_release.h).
 */
#ifndef POSTERN_CONFIG_RELEASE_H
#define POSTERN_CONFIG_RELEASE_H

#include "gateway/config/config.h"
#include "gateway/store/store_release.h"

/* Fewer digits of a hash name no release. */
#define CONFIG_RELEASE_DIGITS_MIN 8

/* 32 digits of the hash, row, state. */
#define CONFIG_RELEASE_ETAG_CHARS 56

/* Borrowed. */
struct config_releases {
	struct config *config;
	struct store *store;
};

/* From now on every change is in the history; now it says what is in force.
 * After config_open(), before serving. */
enum err config_release_open(struct config *config) MUST_USE;

/* ---- reading ------------------------------------------------------------- */

/* A release by "live", its hash or the first digits of it; the row's texts are
 * in the arena. ERR_NOT_FOUND: no such one; ERR_INVALID: several. */
enum err
config_release_find(struct store *store, const char *idp, struct span name,
    struct arena *arena, struct store_release_row *row_r) MUST_USE;

/* Its content; free() it. */
enum err config_release_load(struct store *store,
    const uint8_t hash[DIGEST_BYTES], struct release **release_r) MUST_USE;

/* Changes with the row: also when a draft is published. */
void config_release_etag(const struct store_release_row *row,
    char etag_r[CONFIG_RELEASE_ETAG_CHARS + 1]);

/* ---- changing ------------------------------------------------------------ */

struct config_release_draft {
	const char *idp;
	struct {
		bool given;         /* else as in the live release */
		struct span source; /* absent: none */
	} scripts[SCRIPT_KINDS];
	struct span settings; /* JSON of a script block; absent: as live */
};

/* What came of a change. */
struct config_release_done {
	struct config_outcome *outcome; /* the caller's; see config.h */
	uint8_t hash[DIGEST_BYTES];
	uint8_t previous[DIGEST_BYTES]; /* of a draft: the live one */
};

/*
 * All take a config_request as config.h's changes do: event and why are kept;
 * etag, where there is one, is that of the live release; admin, revision and
 * dry_run do not apply. Errors are those of config.h, and
 *   ERR_EXISTS  a draft of what is live already
 *   ERR_LIMIT   too many drafts
 *   ERR_NOT_FOUND  no such identity provider or release
 */
enum err config_release_draft(const struct config_releases *releases,
    const struct config_request *request,
    const struct config_release_draft *draft, struct config_release_done *done,
    struct err_detail *detail) MUST_USE;

/* `hash` NULL: roll back. What failed left all as
 * it was. ERR_EXISTS: rolling back, and nothing ran before. */
enum err config_release_publish(const struct config_releases *releases,
    const struct config_request *request, const char *idp, const uint8_t *hash,
    struct config_release_done *done, struct err_detail *detail) MUST_USE;

/* Deletes a draft; etag is its own. ERR_EXISTS: it is no draft. */
enum err config_release_drop(const struct config_releases *releases,
    const struct config_request *request, const char *idp,
    const struct store_release_row *row, struct err_detail *detail) MUST_USE;

#endif

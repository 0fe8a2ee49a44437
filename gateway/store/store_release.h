/*
 * The history of each identity provider's releases: drafts, what runs now, and
 * what ran before, with who, when and why. And how long a release's content
 * (store_config.h keeps it) is needed.
 *
 * A row is a draft, or one coming into force of a release; the same release
 * may come several times. A draft that is published gets a new row, so rows
 * that are no drafts are in the order in which they came into force. At most
 * one row of an identity provider is live.
 *
 * Bounded: STORE_RELEASES_PAST past rows and STORE_RELEASE_DRAFTS drafts an
 * identity provider. The content of a release that no row has is kept another
 * STORE_RELEASE_UNUSED_SECS, for transactions that began with it, and then
 * dropped by store_expire().
 */
#ifndef POSTERN_STORE_RELEASE_H
#define POSTERN_STORE_RELEASE_H

#include "common/arena.h"
#include "gateway/store/store.h"
#include "gateway/store/store_event.h"
#include "gateway/store/store_transaction.h"

#define STORE_RELEASES_PAST  50
#define STORE_RELEASE_DRAFTS 20

/* The longest life of a transaction (realm_schema.def), and an hour for those
 * that a request still holds. */
#define STORE_RELEASE_UNUSED_SECS (86400 + 3600)

/* Stored as these numbers. */
enum store_release_state {
	STORE_RELEASE_DRAFT = 0,
	STORE_RELEASE_LIVE = 1,
	STORE_RELEASE_PAST = 2
};

/* Borrowed for the length of `each`, or in the arena that was given. */
struct store_release_row {
	uint64_t number;
	uint8_t hash[STORE_HASH_BYTES];
	enum store_release_state state;
	uint64_t origin; /* number of the row it stands for; 0: a draft */
	int64_t created_at;
	const char *created_by; /* API client; NULL: a directory */
	const char *created_why;
	int64_t published_at; /* 0: never */
	const char *published_by;
	const char *published_why;
};

/* A roll back: the row stands in the place of an older one. */
static inline bool
store_release_is_rollback(const struct store_release_row *row)
{
	return row->origin != 0 && row->origin != row->number;
}

/* ---- reading ------------------------------------------------------------- */

/* At most `limit` rows with numbers below `before` (0: all), newest first. */
enum err store_release_each(struct store *store, const char *idp,
    uint64_t before, unsigned limit,
    void (*each)(void *user, const struct store_release_row *row),
    void *user) MUST_USE;

/* The newest row of the one release whose hash begins with these `digits`
 * hexadecimal digits of `prefix`. ERR_NOT_FOUND; ERR_INVALID: of several. */
enum err store_release_find(struct store *store, const char *idp,
    const uint8_t prefix[STORE_HASH_BYTES], unsigned digits,
    struct arena *arena, struct store_release_row *row_r) MUST_USE;

enum err store_release_live(struct store *store, const char *idp,
    struct arena *arena, struct store_release_row *row_r) MUST_USE;

/* What ran before the live one and is another release: before what it rolled
 * back to, where it is a roll back itself. ERR_NOT_FOUND. */
enum err store_release_before(struct store *store, const char *idp,
    struct arena *arena, struct store_release_row *row_r) MUST_USE;

/* ---- changing ------------------------------------------------------------ */

/* All borrowed. */
struct store_release_change {
	const char *idp;
	const uint8_t *hash;
	struct span content; /* of a draft */
	int64_t at;
	const char *by;  /* NULL: a directory */
	const char *why; /* NULL: not said */
	uint64_t origin; /* a roll back's; 0: none */
	/* Of a draft, written in the same operation; NULL: none. */
	const struct store_event *event;
};

/* Content and row in one operation; a draft that is there already stays and
 * gets the new who, when and why. ERR_LIMIT: too many drafts. */
enum err store_release_draft(
    struct store *store, const struct store_release_change *change) MUST_USE;

/* ERR_NOT_FOUND: no such draft. */
enum err store_release_draft_drop(
    struct store *store, const struct store_release_change *change) MUST_USE;

/* For the operation of a change of the realm, on the writer thread: the release
 * came into force. It is already: nothing happens. */
enum err store_release_publish(struct store_writer *writer,
    const struct store_release_change *change) MUST_USE;

/*
 * The same, for all that runs now, sorted by idp: makes the histories say so.
 * An identity provider that is not among them is gone, and its history with it.
 */
enum err store_release_sync(struct store_writer *writer,
    const struct store_release_change *live, size_t count, int64_t at) MUST_USE;

#endif

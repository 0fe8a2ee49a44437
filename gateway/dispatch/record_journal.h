/*
 * Carries changes among the failures' records into the store, on a thread of
 * its own: whoever records never waits for a disk. Bounded: what does not fit
 * is in memory only, and a crash loses the last moment's, as with events.
 *
 * Threads: any, for record_journal_put() and _drop().
 */
#ifndef POSTERN_RECORD_JOURNAL_H
#define POSTERN_RECORD_JOURNAL_H

#include "common/err.h"
#include "common/span.h"
#include "gateway/keys/vault.h"
#include "gateway/store/store_recording.h"

/* Records that may wait, in bytes: some of the largest, or a second of a
 * thousand ordinary failures. */
#define RECORD_JOURNAL_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define RECORD_JOURNAL_MAX       4096

/* Between the first that waits and the operation that takes it along. */
#define RECORD_JOURNAL_LINGER_MS 50

struct record_journal;

enum err record_journal_open(struct store *store, struct vault *vault,
    struct record_journal **journal_r, struct err_detail *detail) MUST_USE;

/* Copies what it is given; `record` is in clear and sealed on the thread. */
void record_journal_put(
    struct record_journal *journal, const struct store_recording *row);
void record_journal_drop(struct record_journal *journal, uint64_t number);

/* Writes what waits and ends the thread; nothing is taken any more. */
void record_journal_stop(struct record_journal *journal);

/* After record_journal_stop(). NULL is fine. */
void record_journal_free(struct record_journal *journal);

/* A stored record in clear. ERR_CORRUPT: under another key, or another row's.
 */
enum err record_journal_open_row(struct vault *vault,
    const struct store_recording *row, struct buf *record) MUST_USE;

#endif

/*
 * The queue of changes and the thread that empties it; see record_journal.h.
 * Not which records are kept (record.c), nor the table (store_recording.c).
 */
#include "gateway/dispatch/record_journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"

/* Rows of one operation: with ordinary records a millisecond of the writer. */
#define BATCH_MAX 64

/* "record", an IdP and a correlation id. */
#define CONTEXT_BYTES 256

/* One change; of one that drops a row only the number holds. */
struct change {
	STAILQ_ENTRY(change) link;
	bool is_put;
	struct store_recording row; /* points behind the struct */
	size_t bytes;
	char copy[];
};
STAILQ_HEAD(change_queue, change);

struct record_journal {
	struct store *store;
	struct vault *vault;
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t work;  /* something waits, or stopping was set */
	struct change_queue queue;
	unsigned count;
	size_t bytes;
	bool stopping;
};

static void
append_context(struct buf *out, const struct store_recording *row)
{
	buf_printf(out, "record %s %s", row->idp, row->correlation_id);
}

enum err
record_journal_open_row(
    struct vault *vault, const struct store_recording *row, struct buf *record)
{
	struct buf context;
	enum err err;

	buf_init(&context, CONTEXT_BYTES);
	append_context(&context, row);
	err = buf_status(&context);
	if (err == OK)
		err = vault_unseal(vault, VAULT_RECORDINGS, buf_span(&context),
		    row->record, record);
	buf_fini(&context);
	return err;
}

/* ---- taking ----------------------------------------------------------------
 */

static char *
copy_in(char *at, const void *data, size_t len)
{
	if (len > 0)
		memcpy(at, data, len);
	return at + len;
}

/* NULL: out of memory. */
static struct change *
change_of(const struct store_recording *row)
{
	size_t id = strlen(row->correlation_id) + 1;
	size_t idp = strlen(row->idp) + 1;
	size_t bytes =
	    id + idp + row->release.len + row->record.len + row->recording.len;
	struct change *change = malloc(sizeof *change + bytes);
	char *at;

	if (change == NULL)
		return NULL;
	change->is_put = true;
	change->row = *row;
	change->bytes = sizeof *change + bytes;
	at = change->copy;
	change->row.correlation_id = at;
	at = copy_in(at, row->correlation_id, id);
	change->row.idp = at;
	at = copy_in(at, row->idp, idp);
	change->row.release = span_of(at, row->release.len);
	at = copy_in(at, row->release.data, row->release.len);
	change->row.record = span_of(at, row->record.len);
	at = copy_in(at, row->record.data, row->record.len);
	if (span_present(row->recording))
		change->row.recording = span_of(at, row->recording.len);
	(void)copy_in(at, row->recording.data, row->recording.len);
	return change;
}

/* Takes `change`, which may be NULL. */
static void
queue_up(struct record_journal *journal, struct change *change)
{
	bool taken = false;

	pthread_mutex_lock(&journal->lock);
	if (change != NULL && !journal->stopping &&
	    journal->count < RECORD_JOURNAL_MAX &&
	    journal->bytes + change->bytes <= RECORD_JOURNAL_MAX_BYTES) {
		STAILQ_INSERT_TAIL(&journal->queue, change, link);
		journal->bytes += change->bytes;
		if (journal->count++ == 0)
			pthread_cond_signal(&journal->work);
		taken = true;
	}
	pthread_mutex_unlock(&journal->lock);
	if (taken)
		return;
	metric_count(M_RECORDS, "memory_only", NULL);
	free(change);
}

void
record_journal_put(
    struct record_journal *journal, const struct store_recording *row)
{
	queue_up(journal, change_of(row));
}

void
record_journal_drop(struct record_journal *journal, uint64_t number)
{
	struct change *change = calloc(1, sizeof *change);

	if (change != NULL) {
		change->row.number = number;
		change->bytes = sizeof *change;
	}
	queue_up(journal, change);
}

/* ---- writing ---------------------------------------------------------------
 */

/* The record's text in its seal, over the clear one. */
static enum err
seal(struct record_journal *journal, struct change *change, struct buf *sealed)
{
	struct buf context;
	enum err err;

	buf_init(&context, CONTEXT_BYTES);
	append_context(&context, &change->row);
	err = vault_seal(journal->vault, VAULT_RECORDINGS, buf_span(&context),
	    change->row.record, sealed);
	buf_fini(&context);
	if (err == OK)
		change->row.record = buf_span(sealed);
	return err;
}

/* Whether it goes into the operation. */
static bool
prepare(struct record_journal *journal, struct change *change,
    struct buf *sealed, struct store_recording_change *row_r)
{
	buf_init(sealed, RECORD_JOURNAL_MAX_BYTES);
	row_r->number = change->row.number;
	row_r->put = NULL;
	if (!change->is_put)
		return true;
	row_r->put = &change->row;
	return seal(journal, change, sealed) == OK;
}

static void
write_changes(struct record_journal *journal, struct change_queue *batch)
{
	struct store_recording_change rows[BATCH_MAX];
	struct buf sealed[BATCH_MAX];
	struct change *change;
	unsigned count = 0;
	unsigned sealed_count = 0;
	enum err err;

	STAILQ_FOREACH (change, batch, link)
		count += prepare(
		    journal, change, &sealed[sealed_count++], &rows[count]);
	err = store_recording_change(journal->store, rows, count);
	metric_add(
	    M_RECORDS, err == OK ? "stored" : "memory_only", NULL, count);
	if (err != OK)
		log_warn("records of failed executions not stored",
		    LOG_UINT("count", count),
		    LOG_STR("error", err_sentence(err)));
	for (unsigned i = 0; i < sealed_count; i++)
		buf_fini(&sealed[i]);
	while ((change = STAILQ_FIRST(batch)) != NULL) {
		STAILQ_REMOVE_HEAD(batch, link);
		free(change);
	}
}

/* Under the lock: until something waits, and then for what else comes within
 * the linger time. */
static void
wait_for_changes(struct record_journal *journal)
{
	struct timespec until;

	while (journal->count == 0 && !journal->stopping)
		pthread_cond_wait(&journal->work, &journal->lock);
	until = clock_timespec_of_us(
	    clock_mono_us() + RECORD_JOURNAL_LINGER_MS * 1000);
	while (
	    !journal->stopping && journal->count < BATCH_MAX &&
	    pthread_cond_timedwait(&journal->work, &journal->lock, &until) == 0)
		continue;
}

/* Under the lock. */
static void
take_batch(struct record_journal *journal, struct change_queue *batch)
{
	for (unsigned i = 0; i < BATCH_MAX && journal->count > 0; i++) {
		struct change *change = STAILQ_FIRST(&journal->queue);

		STAILQ_REMOVE_HEAD(&journal->queue, link);
		STAILQ_INSERT_TAIL(batch, change, link);
		journal->bytes -= change->bytes;
		journal->count--;
	}
}

static void *
journal_main(void *argument)
{
	struct change_queue batch = STAILQ_HEAD_INITIALIZER(batch);
	struct record_journal *journal = argument;
	bool stop;

	do {
		pthread_mutex_lock(&journal->lock);
		wait_for_changes(journal);
		take_batch(journal, &batch);
		stop = journal->stopping && journal->count == 0;
		pthread_mutex_unlock(&journal->lock);
		if (!STAILQ_EMPTY(&batch))
			write_changes(journal, &batch);
	} while (!stop);
	return NULL;
}

/* ---- life ------------------------------------------------------------------
 */

enum err
record_journal_open(struct store *store, struct vault *vault,
    struct record_journal **journal_r, struct err_detail *detail)
{
	struct record_journal *journal = calloc(1, sizeof *journal);
	pthread_condattr_t attributes;

	if (journal == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	journal->store = store;
	journal->vault = vault;
	STAILQ_INIT(&journal->queue);
	CHECK(pthread_mutex_init(&journal->lock, NULL) == 0);
	CHECK(pthread_condattr_init(&attributes) == 0);
	CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_cond_init(&journal->work, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&journal->thread, NULL, journal_main, journal) !=
	    0) {
		free(journal);
		return err_set(detail, ERR_NOMEM,
		    "the thread of the records cannot be started");
	}
	*journal_r = journal;
	return OK;
}

void
record_journal_stop(struct record_journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	journal->stopping = true;
	pthread_cond_signal(&journal->work);
	pthread_mutex_unlock(&journal->lock);
	pthread_join(journal->thread, NULL);
}

void
record_journal_free(struct record_journal *journal)
{
	if (journal == NULL)
		return;
	pthread_cond_destroy(&journal->work);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}

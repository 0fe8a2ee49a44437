/*
 * Which records are kept and how they are found; see record.h. Not here: what
 * one says (record_json.c).
 */
#include "gateway/dispatch/record.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/check.h"
#include "gateway/dispatch/record_job.h"
#include "gateway/dispatch/record_journal.h"
#include "gateway/dispatch/record_json.h"

#define RECORD_BUCKETS 1024

/* "recording", an IdP and a correlation id. */
#define CONTEXT_BYTES 256

/* What sealing adds, with room to spare (vault.h). */
#define SEAL_BYTES 64

/* HTTP's correlation ids, terminated. */
#define CORRELATION_ID_BYTES 65

/* Successes and failures are kept apart everywhere. */
enum fate { FATE_OK, FATE_FAILED, FATES };

struct owner;

struct record {
	TAILQ_ENTRY(record) by_age; /* store.ages[fate], oldest first */
	TAILQ_ENTRY(record) by_idp; /* owner->rings[fate], oldest first */
	LIST_ENTRY(record) bucket;  /* store.buckets, by correlation id */
	struct owner *owner;
	enum fate fate;
	uint64_t number; /* later ones have greater ones */
	char correlation_id[CORRELATION_ID_BYTES];
	uint8_t release[DIGEST_BYTES];
	enum script_kind kind;
	size_t summary_len;
	size_t len;        /* of the JSON */
	size_t sealed_len; /* of the recording behind it; 0: there is none */
	uint8_t bytes[];
};
TAILQ_HEAD(record_list_head, record);
LIST_HEAD(record_bucket, record);

struct owner {
	LIST_ENTRY(owner) link;
	char idp[RECORD_IDP_BYTES];
	struct record_list_head rings[FATES];
	size_t counts[FATES];
};
LIST_HEAD(owner_list, owner);

struct record_store {
	struct vault *vault;
	struct record_journal *journal; /* NULL: in memory only */
	pthread_mutex_t lock;           /* guards all below */
	uint64_t next_number;
	size_t bytes;
	struct record_list_head ages[FATES];
	struct record_bucket buckets[RECORD_BUCKETS];
	struct owner_list owners;
};

struct record_store *
record_store_new(struct vault *vault)
{
	struct record_store *records = calloc(1, sizeof *records);

	if (records == NULL)
		return NULL;
	records->vault = vault;
	CHECK(pthread_mutex_init(&records->lock, NULL) == 0);
	for (int fate = 0; fate < FATES; fate++)
		TAILQ_INIT(&records->ages[fate]);
	for (int i = 0; i < RECORD_BUCKETS; i++)
		LIST_INIT(&records->buckets[i]);
	LIST_INIT(&records->owners);
	return records;
}

static size_t
size_of(const struct record *record)
{
	return sizeof *record + record->len + record->sealed_len;
}

/* An owner goes with its last record. Locked. */
static void
drop_from_memory(struct record_store *records, struct record *record)
{
	struct owner *owner = record->owner;

	TAILQ_REMOVE(&records->ages[record->fate], record, by_age);
	TAILQ_REMOVE(&owner->rings[record->fate], record, by_idp);
	LIST_REMOVE(record, bucket);
	records->bytes -= size_of(record);
	owner->counts[record->fate]--;
	free(record);
	if (owner->counts[FATE_OK] + owner->counts[FATE_FAILED] > 0)
		return;
	LIST_REMOVE(owner, link);
	free(owner);
}

/* The same, and from the store. Locked. */
static void
drop(struct record_store *records, struct record *record)
{
	if (record->fate == FATE_FAILED && records->journal != NULL)
		record_journal_drop(records->journal, record->number);
	drop_from_memory(records, record);
}

void
record_store_free(struct record_store *records)
{
	struct record *record;

	if (records == NULL)
		return;
	for (int fate = 0; fate < FATES; fate++)
		while ((record = TAILQ_FIRST(&records->ages[fate])) != NULL)
			drop_from_memory(records, record);
	record_journal_free(records->journal);
	pthread_mutex_destroy(&records->lock);
	free(records);
}

/* FNV-1a: callers choose correlation ids only through a trusted proxy. */
static struct record_bucket *
bucket_of(struct record_store *records, struct span correlation_id)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < correlation_id.len; i++)
		hash = (hash ^ correlation_id.data[i]) * 16777619u;
	return &records->buckets[hash % RECORD_BUCKETS];
}

/* NULL: none. Locked. */
static struct owner *
owner_find(struct record_store *records, struct span idp)
{
	struct owner *owner;

	LIST_FOREACH (owner, &records->owners, link)
		if (span_is(idp, owner->idp))
			return owner;
	return NULL;
}

/* NULL: out of memory. Locked. */
static struct owner *
owner_get(struct record_store *records, const char *idp)
{
	struct owner *owner = owner_find(records, span_str(idp));

	if (owner != NULL)
		return owner;
	owner = calloc(1, sizeof *owner);
	if (owner == NULL)
		return NULL;
	(void)snprintf(owner->idp, sizeof owner->idp, "%s", idp);
	for (int fate = 0; fate < FATES; fate++)
		TAILQ_INIT(&owner->rings[fate]);
	LIST_INSERT_HEAD(&records->owners, owner, link);
	return owner;
}

/* The newest: later ones are in front. Locked. */
static struct record *
record_find(struct record_store *records, struct span correlation_id)
{
	struct record *record;

	LIST_FOREACH (record, bucket_of(records, correlation_id), bucket)
		if (span_is(correlation_id, record->correlation_id))
			return record;
	return NULL;
}

/* The analyzer thinks that TAILQ_REMOVE and LIST_REMOVE may leave in a list
 * what drop() frees: they take it out of all three it is in.
 * NOLINTBEGIN(clang-analyzer-unix.Malloc) */

/* Makes room for `bytes` in all. Locked. */
static void
evict(struct record_store *records, size_t bytes)
{
	for (int fate = 0; fate < FATES; fate++)
		while (records->bytes + bytes > RECORDS_MAX_BYTES &&
		       !TAILQ_EMPTY(&records->ages[fate]))
			drop(records, TAILQ_FIRST(&records->ages[fate]));
}

/* Its place in all lists, as the newest. Locked. */
static void
link_in(
    struct record_store *records, struct record *record, struct owner *owner)
{
	record->owner = owner;
	TAILQ_INSERT_TAIL(&records->ages[record->fate], record, by_age);
	TAILQ_INSERT_TAIL(&owner->rings[record->fate], record, by_idp);
	LIST_INSERT_HEAD(bucket_of(records, span_str(record->correlation_id)),
	    record, bucket);
	records->bytes += size_of(record);
	owner->counts[record->fate]++;
}

/* Locked. */
static void
journal(struct record_store *records, const struct record *record)
{
	struct store_recording row = {.number = record->number,
	    .correlation_id = record->correlation_id,
	    .idp = record->owner->idp,
	    .release = span_of(record->release, DIGEST_BYTES),
	    .kind = record->kind,
	    .summary_len = (int64_t)record->summary_len,
	    .record = span_of(record->bytes, record->len)};

	if (record->fate != FATE_FAILED || records->journal == NULL)
		return;
	if (record->sealed_len > 0)
		row.recording =
		    span_of(record->bytes + record->len, record->sealed_len);
	record_journal_put(records->journal, &row);
}

/* Locked. */
static void
keep(struct record_store *records, struct record *record, struct owner *owner,
    int64_t keep_most)
{
	record->number = records->next_number++;
	link_in(records, record, owner);
	journal(records, record);
	while (owner->counts[record->fate] > (size_t)keep_most)
		drop(records, TAILQ_FIRST(&owner->rings[record->fate]));
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

/* Where a sealed recording belongs: it does not open as another's. */
static void
append_context(struct buf *out, const char *idp, const char *correlation_id)
{
	buf_printf(out, "recording %s %s", idp, correlation_id);
}

/* Appends the sealed recording; nothing where it cannot be had. Says why it
 * cannot be run again, else NULL. */
static const char *
seal_recording(struct record_store *records, const struct execution *x,
    const struct execution_result *r, struct buf *sealed)
{
	const char *why_not;
	struct buf plain, context;

	buf_init(&plain, RECORD_JOB_MAX_BYTES);
	buf_init(&context, CONTEXT_BYTES);
	append_context(&context, x->idp->identifier, x->correlation_id);
	why_not = record_job_append(&plain, x, r);
	if (buf_status(&plain) != OK)
		why_not = "it is larger than a recording may be";
	else if (vault_seal(records->vault, VAULT_RECORDINGS,
		     buf_span(&context), buf_span(&plain), sealed) != OK)
		why_not = "it could not be sealed";
	buf_wipe(&plain);
	buf_fini(&context);
	return why_not;
}

static void
fill(struct record *record, const struct execution *x,
    const struct execution_result *r, size_t summary_len)
{
	memset(record, 0, sizeof *record);
	(void)snprintf(record->correlation_id, sizeof record->correlation_id,
	    "%s", x->correlation_id);
	memcpy(record->release, x->release->hash, DIGEST_BYTES);
	record->kind = x->kind;
	record->fate = r->code == SCRIPT_OK ? FATE_OK : FATE_FAILED;
	record->summary_len = summary_len;
}

/* NULL: out of memory. */
static struct record *
record_new(struct record_store *records, const struct execution *x,
    const struct execution_result *r)
{
	struct record *record = NULL;
	struct buf json, sealed;
	const char *why_not = "there was no script to run";
	size_t summary_len;

	buf_init(&json, RECORD_MAX_BYTES);
	buf_init(&sealed, RECORD_JOB_MAX_BYTES + SEAL_BYTES);
	if (r->attempts > 0)
		why_not = seal_recording(records, x, r, &sealed);
	record_json_append(&json, x, r, why_not, &summary_len);
	if (buf_status(&json) == OK)
		record = malloc(sizeof *record + json.len + sealed.len);
	if (record != NULL) {
		fill(record, x, r, summary_len);
		record->len = json.len;
		record->sealed_len = sealed.len;
		memcpy(record->bytes, json.data, json.len);
		if (sealed.len > 0)
			memcpy(
			    record->bytes + json.len, sealed.data, sealed.len);
	}
	buf_wipe(&json);
	buf_fini(&sealed);
	return record;
}

static bool
is_wanted(const struct realm_idp *idp, enum script_code code)
{
	if (idp->record_keep <= 0)
		return false;
	return idp->record_mode == RECORD_ALL ||
	       (idp->record_mode == RECORD_FAILURES && code != SCRIPT_OK);
}

void
record_add(struct record_store *records, const struct execution *execution,
    const struct execution_result *result, enum record_origin origin)
{
	struct record *record, *old;
	struct owner *owner = NULL;

	if (!is_wanted(execution->idp, result->code))
		return;
	record = record_new(records, execution, result);
	if (record == NULL)
		return;
	pthread_mutex_lock(&records->lock);
	old = record_find(records, span_str(execution->correlation_id));
	if (origin == RECORD_AMENDED && old != NULL &&
	    strcmp(old->owner->idp, execution->idp->identifier) == 0)
		drop(records, old);
	evict(records, size_of(record));
	owner = owner_get(records, execution->idp->identifier);
	if (owner != NULL)
		keep(records, record, owner, execution->idp->record_keep);
	pthread_mutex_unlock(&records->lock);
	if (owner == NULL)
		free(record);
}

/* ---- over restarts ---------------------------------------------------------
 */

/* NULL: out of memory, or nothing a gateway has written. */
static struct record *
record_of_row(const struct store_recording *row, struct span json)
{
	struct record *record;

	if (row->release.len != DIGEST_BYTES || row->summary_len < 0 ||
	    (size_t)row->summary_len > json.len || row->kind < 0 ||
	    row->kind >= SCRIPT_KINDS)
		return NULL;
	record = malloc(sizeof *record + json.len + row->recording.len);
	if (record == NULL)
		return NULL;
	memset(record, 0, sizeof *record);
	(void)snprintf(record->correlation_id, sizeof record->correlation_id,
	    "%s", row->correlation_id);
	memcpy(record->release, row->release.data, DIGEST_BYTES);
	record->kind = (enum script_kind)row->kind;
	record->fate = FATE_FAILED;
	record->number = row->number;
	record->summary_len = (size_t)row->summary_len;
	record->len = json.len;
	record->sealed_len = row->recording.len;
	memcpy(record->bytes, json.data, json.len);
	if (row->recording.len > 0)
		memcpy(record->bytes + json.len, row->recording.data,
		    row->recording.len);
	return record;
}

/* One that cannot be read is left out: it is no reason not to start. */
static enum err
restore_row(void *user, const struct store_recording *row)
{
	struct record_store *records = user;
	struct record *record = NULL;
	struct owner *owner;
	struct buf json;

	buf_init(&json, RECORD_MAX_BYTES);
	if (record_journal_open_row(records->vault, row, &json) == OK)
		record = record_of_row(row, buf_span(&json));
	buf_wipe(&json);
	if (row->number >= records->next_number)
		records->next_number = row->number + 1;
	if (record == NULL) {
		record_journal_drop(records->journal, row->number);
		return OK;
	}
	evict(records, size_of(record));
	owner = owner_get(records, row->idp);
	if (owner == NULL) {
		free(record);
		return ERR_NOMEM;
	}
	link_in(records, record, owner);
	return OK;
}

enum err
record_store_persist(struct record_store *records, struct store *store,
    struct err_detail *detail)
{
	enum err err = record_journal_open(
	    store, records->vault, &records->journal, detail);

	if (err != OK)
		return err;
	pthread_mutex_lock(&records->lock);
	err = store_recording_each(store, restore_row, records);
	pthread_mutex_unlock(&records->lock);
	if (err != OK)
		return err_set(detail, err,
		    "the records of failed executions cannot be read");
	return OK;
}

void
record_store_stop(struct record_store *records)
{
	if (records->journal != NULL)
		record_journal_stop(records->journal);
}

/* ---- reading ---------------------------------------------------------------
 */

/* The later of the two, which may be NULL. */
static const struct record *
later(const struct record *a, const struct record *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return a->number > b->number ? a : b;
}

/* The one before it, in its IdP's ring or among all of its fate. */
static const struct record *
older(const struct record *record, bool of_idp)
{
	return of_idp ? TAILQ_PREV(record, record_list_head, by_idp)
		      : TAILQ_PREV(record, record_list_head, by_age);
}

/* Merges two lists from their new ends. Locked. */
static void
list_merged(const struct record *ok, const struct record *failed, bool of_idp,
    size_t max, struct buf *out)
{
	const struct record *next;

	for (size_t i = 0; i < max; i++) {
		next = later(ok, failed);
		if (next == NULL)
			return;
		if (i > 0)
			buf_append_char(out, ',');
		buf_append(out, next->bytes, next->summary_len);
		buf_append_char(out, '}');
		if (next == ok)
			ok = older(ok, of_idp);
		else
			failed = older(failed, of_idp);
	}
}

/* Locked. */
static void
list_of(struct record_store *records, const struct record_query *query,
    struct buf *out)
{
	const struct record_list_head *lists = records->ages;
	bool of_idp = span_present(query->idp);
	const struct owner *owner;

	if (of_idp) {
		owner = owner_find(records, query->idp);
		if (owner == NULL)
			return;
		lists = owner->rings;
	}
	list_merged(query->failed_only
			? NULL
			: TAILQ_LAST(&lists[FATE_OK], record_list_head),
	    TAILQ_LAST(&lists[FATE_FAILED], record_list_head), of_idp,
	    query->max, out);
}

void
record_list(struct record_store *records, const struct record_query *query,
    struct buf *out)
{
	buf_append_char(out, '[');
	pthread_mutex_lock(&records->lock);
	list_of(records, query, out);
	pthread_mutex_unlock(&records->lock);
	buf_append_char(out, ']');
}

enum err
record_get(
    struct record_store *records, struct span correlation_id, struct buf *out)
{
	const struct record *record;

	pthread_mutex_lock(&records->lock);
	record = record_find(records, correlation_id);
	if (record != NULL)
		buf_append(out, record->bytes, record->len);
	pthread_mutex_unlock(&records->lock);
	return record == NULL ? ERR_NOT_FOUND : OK;
}

/* Locked: copies what is sealed; opening it takes longer. */
static enum err
copy_sealed(struct record_store *records, struct span correlation_id,
    struct record_of *of_r, struct buf *context, struct buf *sealed)
{
	const struct record *record = record_find(records, correlation_id);

	if (record == NULL)
		return ERR_NOT_FOUND;
	if (record->sealed_len == 0)
		return ERR_STATE;
	(void)snprintf(of_r->idp, sizeof of_r->idp, "%s", record->owner->idp);
	memcpy(of_r->release, record->release, DIGEST_BYTES);
	of_r->kind = record->kind;
	append_context(context, record->owner->idp, record->correlation_id);
	buf_append(sealed, record->bytes + record->len, record->sealed_len);
	return buf_status(sealed);
}

enum err
record_open(struct record_store *records, struct span correlation_id,
    struct record_of *of_r, struct buf *out)
{
	struct buf sealed, context;
	enum err err;

	buf_init(&sealed, RECORD_JOB_MAX_BYTES + SEAL_BYTES);
	buf_init(&context, CONTEXT_BYTES);
	pthread_mutex_lock(&records->lock);
	err = copy_sealed(records, correlation_id, of_r, &context, &sealed);
	pthread_mutex_unlock(&records->lock);
	if (err == OK)
		err = vault_unseal(records->vault, VAULT_RECORDINGS,
		    buf_span(&context), buf_span(&sealed), out);
	buf_fini(&sealed);
	buf_fini(&context);
	return err;
}

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
#include "gateway/dispatch/record_json.h"

#define RECORD_BUCKETS 1024

/* HTTP's correlation ids, and REALM.md's identifiers, terminated. */
#define CORRELATION_ID_BYTES 65
#define IDP_BYTES            65

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
	size_t summary_len;
	size_t len;
	char json[];
};
TAILQ_HEAD(record_list_head, record);
LIST_HEAD(record_bucket, record);

struct owner {
	LIST_ENTRY(owner) link;
	char idp[IDP_BYTES];
	struct record_list_head rings[FATES];
	size_t counts[FATES];
};
LIST_HEAD(owner_list, owner);

struct record_store {
	pthread_mutex_t lock; /* guards all below */
	uint64_t next_number;
	size_t bytes;
	struct record_list_head ages[FATES];
	struct record_bucket buckets[RECORD_BUCKETS];
	struct owner_list owners;
};

struct record_store *
record_store_new(void)
{
	struct record_store *records = calloc(1, sizeof *records);

	if (records == NULL)
		return NULL;
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
	return sizeof *record + record->len;
}

/* An owner goes with its last record. Locked. */
static void
drop(struct record_store *records, struct record *record)
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

void
record_store_free(struct record_store *records)
{
	struct record *record;

	if (records == NULL)
		return;
	for (int fate = 0; fate < FATES; fate++)
		while ((record = TAILQ_FIRST(&records->ages[fate])) != NULL)
			drop(records, record);
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

/* Locked. */
static void
keep(struct record_store *records, struct record *record, struct owner *owner,
    int64_t keep_most)
{
	record->owner = owner;
	record->number = records->next_number++;
	TAILQ_INSERT_TAIL(&records->ages[record->fate], record, by_age);
	TAILQ_INSERT_TAIL(&owner->rings[record->fate], record, by_idp);
	LIST_INSERT_HEAD(bucket_of(records, span_str(record->correlation_id)),
	    record, bucket);
	records->bytes += size_of(record);
	owner->counts[record->fate]++;
	while (owner->counts[record->fate] > (size_t)keep_most)
		drop(records, TAILQ_FIRST(&owner->rings[record->fate]));
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

/* NULL: out of memory. */
static struct record *
record_new(const struct execution *x, const struct execution_result *r)
{
	struct record *record = NULL;
	size_t summary_len;
	struct buf json;

	buf_init(&json, RECORD_MAX_BYTES);
	record_json_append(&json, x, r, &summary_len);
	if (buf_status(&json) == OK)
		record = malloc(sizeof *record + json.len);
	if (record != NULL) {
		memset(record, 0, sizeof *record);
		(void)snprintf(record->correlation_id,
		    sizeof record->correlation_id, "%s", x->correlation_id);
		record->fate = r->code == SCRIPT_OK ? FATE_OK : FATE_FAILED;
		record->summary_len = summary_len;
		record->len = json.len;
		memcpy(record->json, json.data, json.len);
	}
	buf_wipe(&json);
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
	record = record_new(execution, result);
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

/* The later of the two, which may be NULL. */
static const struct record *
later(const struct record *a, const struct record *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	return a->number > b->number ? a : b;
}

/* Merges the owner's two rings from their new ends. Locked. */
static void
list_of(const struct owner *owner, size_t max, struct buf *out)
{
	const struct record *ok, *failed, *next;

	ok = TAILQ_LAST(&owner->rings[FATE_OK], record_list_head);
	failed = TAILQ_LAST(&owner->rings[FATE_FAILED], record_list_head);
	for (size_t i = 0; i < max; i++) {
		next = later(ok, failed);
		if (next == NULL)
			return;
		if (i > 0)
			buf_append_char(out, ',');
		buf_append(out, next->json, next->summary_len);
		buf_append_char(out, '}');
		if (next == ok)
			ok = TAILQ_PREV(ok, record_list_head, by_idp);
		else
			failed = TAILQ_PREV(failed, record_list_head, by_idp);
	}
}

void
record_list(
    struct record_store *records, struct span idp, size_t max, struct buf *out)
{
	const struct owner *owner;

	buf_append_char(out, '[');
	pthread_mutex_lock(&records->lock);
	owner = owner_find(records, idp);
	if (owner != NULL)
		list_of(owner, max, out);
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
		buf_append(out, record->json, record->len);
	pthread_mutex_unlock(&records->lock);
	return record == NULL ? ERR_NOT_FOUND : OK;
}

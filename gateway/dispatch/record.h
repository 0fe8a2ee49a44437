/*
 * Records of executions, for whoever asks afterwards what a script did: kept in
 * memory, bounded. Those of failures are also in the store, a moment later and
 * sealed, and come back with the next process; others are gone with it.
 *
 * What is kept says the IdP's `record`: its mode (off, failures, all), how many
 * (`keep` of those that went well and as many that failed, so that successes
 * never push failures out). Over all IdPs there is RECORDS_MAX_BYTES: beyond
 * it the oldest successes go first, then the oldest failures.
 *
 * A record is one JSON object, made when the execution ends. Sensitive values
 * are masked in it, and what the IdP's `record.mask` points at in arguments
 * and result:
 *
 *	correlation_id, idp, script, release, code, name, status, ended_at
 *	message, file, line, stack        where the script failed, else null
 *	engine, attempts, cold
 *	queue_us, wire_us, run_us, host_call_us, cpu_us, host_calls,
 *	heap_peak_bytes
 *	replayable, not_replayable        and why not, else null
 *	data, registration_data, custom_params
 *	result {"payload","user","registration_data"}
 *	calls  [{"call":"cache_fetch","us":95,"error":null}, ..]
 *	log    [{"level":"info","text":"..","cut":false}, ..]
 *
 * Beside it there is the recording: all that the script could see, with true
 * values, sealed under a key of its own (record_job.h). It counts towards
 * RECORDS_MAX_BYTES and goes with its record.
 *
 * Threads: any. One mutex, held for moving pointers and copying one record (the
 * copy for the store is sealed and written on another thread); an
 * execution that is not recorded takes it not at all.
 */
#ifndef POSTERN_RECORD_H
#define POSTERN_RECORD_H

#include "common/buf.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/keys/vault.h"

/* All records together: some thousands of ordinary ones, a hundred whose log
 * is at its limit. */
#define RECORDS_MAX_BYTES (32 * 1024 * 1024)

/* One, as JSON: the longest line there is, all of it escaped, stack, message.
 * What does not fit of a log is left out. */
#define RECORD_MAX_BYTES (2 * 1024 * 1024)

/* REALM.md's identifiers, terminated. */
#define RECORD_IDP_BYTES 65

struct record_store;

/* Borrows the vault. NULL: out of memory. */
struct record_store *record_store_new(struct vault *vault);
void record_store_free(struct record_store *records); /* NULL is fine */

/* Brings back the failures of before, and stores them from now on. Before
 * anybody else uses the records; the store is borrowed until
 * record_store_stop(). */
enum err record_store_persist(struct record_store *records, struct store *store,
    struct err_detail *detail) MUST_USE;

/* Writes what is not stored yet. Later ones stay in memory. */
void record_store_stop(struct record_store *records);

enum record_origin {
	RECORD_NEW,
	RECORD_AMENDED /* in place of the record of the same execution */
};

/* Keeps a record if the IdP's settings want one; without memory it is not
 * kept. Borrows nothing after it returns. */
void record_add(struct record_store *records, const struct execution *execution,
    const struct execution_result *result, enum record_origin origin);

struct record_query {
	struct span idp; /* absent: of all */
	size_t max;
	bool failed_only;
};

/* Appends a JSON array of the newest `max`, newest first, each with the first
 * line of members above only. An unknown IdP has none. */
void record_list(struct record_store *records, const struct record_query *query,
    struct buf *out);

/* Appends the newest record with this correlation id. ERR_NOT_FOUND: there is
 * none (any more). */
enum err record_get(struct record_store *records, struct span correlation_id,
    struct buf *out) MUST_USE;

/* Whose script a recording is of. */
struct record_of {
	char idp[RECORD_IDP_BYTES];
	uint8_t release[DIGEST_BYTES];
	enum script_kind kind;
};

/*
 * Appends the newest recording with this correlation id, true values and all:
 * for who may see them. ERR_NOT_FOUND: no such record; ERR_STATE: it has no
 * recording; ERR_CORRUPT: it was sealed under another key.
 */
enum err record_open(struct record_store *records, struct span correlation_id,
    struct record_of *of_r, struct buf *out) MUST_USE;

#endif

/*
 * Records of executions, for whoever asks afterwards what a script did: kept in
 * memory, bounded, gone with the process.
 *
 * What is kept says the IdP's `record`: its mode (off, failures, all), how many
 * (`keep` of those that went well and as many that failed, so that successes
 * never push failures out). Over all IdPs there is RECORDS_MAX_BYTES: beyond
 * it the oldest successes go first, then the oldest failures.
 *
 * A record is one JSON object, made when the execution ends. It holds no data
 * of the request and no result, and sensitive values are masked:
 *
 *	correlation_id, idp, script, release, code, name, status, ended_at
 *	message, file, line, stack        where the script failed, else null
 *	engine, attempts, cold
 *	queue_us, wire_us, run_us, host_call_us, cpu_us, host_calls,
 *	heap_peak_bytes
 *	calls  [{"call":"cache_fetch","us":95,"error":null}, ..]
 *	log    [{"level":"info","text":"..","cut":false}, ..]
 *
 * Threads: any. One mutex, held for moving pointers and copying one record; an
 * execution that is not recorded takes it not at all.
 */
#ifndef POSTERN_RECORD_H
#define POSTERN_RECORD_H

#include "common/buf.h"
#include "gateway/dispatch/dispatch.h"

/* All records together: some thousands of ordinary ones, a hundred whose log
 * is at its limit. */
#define RECORDS_MAX_BYTES (32 * 1024 * 1024)

/* One, as JSON: the longest line there is, all of it escaped, stack, message.
 * What does not fit of a log is left out. */
#define RECORD_MAX_BYTES (2 * 1024 * 1024)

struct record_store;

/* NULL: out of memory. */
struct record_store *record_store_new(void);
void record_store_free(struct record_store *records); /* NULL is fine */

enum record_origin {
	RECORD_NEW,
	RECORD_AMENDED /* in place of the record of the same execution */
};

/* Keeps a record if the IdP's settings want one; without memory it is not
 * kept. Borrows nothing after it returns. */
void record_add(struct record_store *records, const struct execution *execution,
    const struct execution_result *result, enum record_origin origin);

/* Appends a JSON array of the newest `max` of an IdP, newest first, each with
 * the first line of members above only. An unknown IdP has none. */
void record_list(
    struct record_store *records, struct span idp, size_t max, struct buf *out);

/* Appends the newest record with this correlation id. ERR_NOT_FOUND: there is
 * none (any more). */
enum err record_get(struct record_store *records, struct span correlation_id,
    struct buf *out) MUST_USE;

#endif

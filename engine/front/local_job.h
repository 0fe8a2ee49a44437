/*
 * A job of a local engine: one line of JSON, checked, and what a gateway would
 * say of it (docs/LOCAL-ENGINE.md lists the members).
 *
 * A job lives from its line to its outcome. Threads: the main one.
 */
#ifndef POSTERN_LOCAL_JOB_H
#define POSTERN_LOCAL_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/script_code.h"
#include "common/span.h"
#include "engine/front/local_cache.h"
#include "proto/message.h"

#define LOCAL_ID_BYTES       32
#define LOCAL_DIVERGED_BYTES 256

/* The limits a script block names, in the units of the wire. */
struct local_limits {
	uint64_t wall_ms, cpu_ms, heap_bytes, host_calls;
	uint64_t source_bytes, data_bytes, result_bytes, log_bytes;
	uint64_t http_body_bytes, cache_value_bytes, cache_entries;
};

struct local_job {
	TAILQ_ENTRY(local_job) link;
	uint64_t number;
	json_t *root; /* the line; owns every borrowed text below */

	const char *idp;
	const char *file;
	enum script_kind kind;
	struct span source;
	struct span data;        /* absent: null */
	char *registration_data; /* JSON text; NULL: null */
	char *custom_params;
	char *properties; /* JSON text: keys as null */
	char *keys;
	const json_t *sensitive; /* ids, or NULL */
	uint8_t source_id[LOCAL_ID_BYTES];
	uint8_t properties_id[LOCAL_ID_BYTES];
	struct local_limits limits;
	struct buf allow; /* lines; "" with no list */
	bool has_allow;
	bool is_http_real;

	bool has_clock;
	int64_t clock_us; /* its first reading; host calls happen then */
	struct buf clock; /* readings, for the run; "": the time */
	bool has_seed;
	uint8_t seed[LOCAL_ID_BYTES];

	struct local_cache cache;
	const json_t *fakes;   /* array or NULL */
	unsigned *fake_uses;   /* one a fake */
	const json_t *answers; /* of an earlier run; NULL: no replay */
	size_t answers_given;
	struct buf answer_bytes; /* what the last answer had in base64 */

	struct buf calls;                    /* JSON objects, comma-separated */
	char diverged[LOCAL_DIVERGED_BYTES]; /* "": it did not */
};

TAILQ_HEAD(local_job_list, local_job);

/* Takes `root` over, also on failure. ERR_INVALID with a sentence. */
enum err local_job_new(
    json_t *root, struct local_job **job_r, struct err_detail *detail) MUST_USE;

void local_job_free(struct local_job *job); /* NULL is fine */

/* The job's clock. */
int64_t local_job_now_us(const struct local_job *job);

/* What a ticket is answered with; borrows from the job. */
void local_job_message(const struct local_job *job, struct message *message_r);

#endif

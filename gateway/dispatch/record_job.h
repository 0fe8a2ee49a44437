/*
 * The recording of an execution as JSON: a job for `postern-engine local` that
 * runs it again bit for bit, and what came of it. True values: for sealing,
 * never for showing.
 *
 *	{"job":{"id","idp","script","data","registration_data",
 *	  "custom_params","properties":{..},"keys":{"id":""},"limits":{..},
 *	  "seed","clock":[..] or "clock_ms","calls":[..]},
 *	 "correlation_id","idp","script","release","ended_at",
 *	 "properties_version","complete","incomplete","sensitive":["id"],
 *	 "expected":{"code","name","status","payload","user",
 *	  "registration_data","message","file","line","stack","log":[..]}}
 *
 * The script's text is not in it: `release` names it. Key properties are named
 * and have no value, what was done with them is among the calls' answers.
 */
#ifndef POSTERN_RECORD_JOB_H
#define POSTERN_RECORD_JOB_H

#include "common/buf.h"
#include "gateway/dispatch/dispatch.h"

/* What it starts with: the reader of a job puts the script's text here. */
#define RECORD_JOB_BEGIN "{\"job\":{"

/* Host calls, each byte of them escaped, and the arguments. */
#define RECORD_JOB_MAX_BYTES ((size_t)6 * 1024 * 1024)

/*
 * Appends it. NULL: it can be run again; else why not, which it says too
 * ("incomplete"), and what there is. The buffer may have failed.
 */
const char *record_job_append(struct buf *out, const struct execution *x,
    const struct execution_result *r);

#endif

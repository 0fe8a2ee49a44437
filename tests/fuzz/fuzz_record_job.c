/*
 * A recording as an engine sends it, made into JSON: whatever comes in, what
 * comes out is one JSON document or nothing.
 */
#include <jansson.h>
#include <stdlib.h>

#include "common/check.h"
#include "gateway/dispatch/record_job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const secrets[] = {"hunter22"};
static const struct release release = {.idp = "One"};
static const struct realm_idp idp = {.identifier = "One",
    .properties_json = "{\"secret\":\"hunter22\",\"signing\":null}",
    .sensitive_values = {secrets, 1}};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct execution x = {.idp = &idp,
	    .release = &release,
	    .kind = SCRIPT_COMPLETE,
	    .correlation_id = "x",
	    .registration_data = span_of(data, size)};
	struct execution_result r = {.code = SCRIPT_THREW,
	    .attempts = 1,
	    .recording = span_of(data, size),
	    .log_frames = span_of(data, size),
	    .failure = span_of(data, size)};
	struct buf out;
	json_t *root;

	buf_init(&out, RECORD_JOB_MAX_BYTES);
	(void)!record_job_append(&out, &x, &r);
	if (buf_status(&out) == OK) {
		root = json_loadb((const char *)out.data, out.len,
		    JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
		CHECK(root != NULL);
		json_decref(root);
	}
	buf_fini(&out);
	return 0;
}

/*
 * Fuzz target: a line of JSON as a job of a local engine. What is taken makes
 * a message that fits its rows, or one that the codec refuses.
 */
#include <stddef.h>
#include <stdint.h>

#include "engine/front/local_job.h"
#include "engine/front/local_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use(struct local_job *job)
{
	struct message message;
	struct message answer;
	struct buf bytes;

	buf_init(&bytes, MESSAGE_MAX_BYTES);
	local_job_message(job, &message);
	(void)!message_encode(&message, &bytes, NULL);
	buf_wipe(&bytes);
	for (size_t i = 0; i < json_array_size(job->answers); i++)
		(void)!local_message_read(
		    json_object_get(json_array_get(job->answers, i), "answer"),
		    MSG_HTTP_RESPONSE, &job->answer_bytes, &answer, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err_detail detail = {0};
	struct local_job *job;
	json_t *root;

	root = json_loadb((const char *)data, size,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (root != NULL && local_job_new(root, &job, &detail) == OK) {
		use(job);
		local_job_free(job);
	}
	return 0;
}

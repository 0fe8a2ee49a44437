/*
 * GET executions/{correlation_id}/recording: true values, as a job that
 * `postern-engine local` runs. Leaves an event before it answers; without that
 * nothing is told. Not what a recording is: gateway/dispatch/record_job.h.
 * Runs on the admin server's workers.
 */
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "gateway/admin/admin.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/dispatch/record.h"
#include "gateway/dispatch/record_job.h"
#include "gateway/oauth/oauth.h"
#include "gateway/realm/realm_load.h"
#include "gateway/store/store_config.h"

/* Puts the script's text into the job, which begins after what is the same in
 * every recording. */
static void
append_with_script(
    struct buf *out, struct span recording, const struct realm_script *script)
{
	size_t begin = strlen(RECORD_JOB_BEGIN);
	bool first = true;

	buf_append(out, recording.data, begin);
	json_append_member_str(out, &first, "file", span_str(script->file));
	json_append_member_str(out, &first, "source", script->source);
	buf_append_char(out, ',');
	buf_append(out, recording.data + begin, recording.len - begin);
}

/* ERR_NOT_FOUND: the release is not kept any more. */
static enum err
append_recording(const struct admin_context *admin, const struct record_of *of,
    struct span recording, struct buf *out)
{
	struct release *release;
	uint8_t *content;
	size_t len;
	enum err err =
	    store_release_get(admin->store, of->release, &content, &len);

	if (err != OK)
		return err;
	err = release_decode(of->release, span_of(content, len), &release);
	free(content);
	if (err != OK)
		return err;
	if (release->scripts[of->kind] == NULL)
		err = ERR_CORRUPT;
	else
		append_with_script(out, recording, release->scripts[of->kind]);
	free(release);
	return err;
}

static void
answer_err(struct http_response *response, enum err err)
{
	if (err == ERR_NOT_FOUND)
		admin_problem(response, ADMIN_NOT_FOUND,
		    "No execution with this correlation id is recorded, or "
		    "its release is not kept any more.");
	else if (err == ERR_STATE)
		admin_problem(response, ADMIN_NOT_FOUND,
		    "This execution's record has no recording.");
	else
		admin_problem_err(response, err, NULL);
}

void
admin_recording_get_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	const struct admin_context *admin = context;
	struct event event = admin_event_of(request, EVENT_RECORDING_READ);
	struct record_of of;
	struct buf recording;
	enum err err;

	buf_init(&recording, RECORD_JOB_MAX_BYTES);
	err = record_open(dispatch_records(admin->dispatch),
	    request->segments[0], &of, &recording);
	if (err == OK) {
		event.idp = of.idp;
		event.release = of.release;
		event.detail =
		    arena_copy_str(request->arena, request->segments[0]);
		err = event_record_now(admin->oauth->events, &event);
	}
	if (err == OK)
		err = append_recording(
		    admin, &of, buf_span(&recording), &response->body);
	if (err != OK)
		answer_err(response, err);
	buf_wipe(&recording);
}

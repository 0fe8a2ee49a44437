/*
 * postern replay: a recorded execution again, on this machine, under the same
 * release, another one or a script that is not released yet; what differs; and
 * the recording as a test. Runs in `postern`, which has one thread.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "gateway/ctl/ctl_api.h"
#include "common/text_diff.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_local.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_replay_test.h"
#include "gateway/ctl/ctl_replay_text.h"

/* A script of the largest size that any limit allows. */
#define SOURCE_MAX_BYTES ((size_t)512 * 1024)

/* A recording and what becomes of it. */
struct replay {
	const struct ctl_call *call;
	json_t *recording;
	json_t *job;     /* to be run */
	json_t *outcome; /* of the run */
};

static void
replay_fini(struct replay *replay)
{
	json_decref(replay->recording);
	json_decref(replay->job);
	json_decref(replay->outcome);
}

/* ---- what to run ----------------------------------------------------------
 */

static enum ctl_exit
use_draft(struct replay *replay, const char *path)
{
	struct err_detail detail = {0};
	struct buf source;
	json_t *text = NULL;
	enum err err;

	buf_init(&source, SOURCE_MAX_BYTES);
	err = ctl_file_read_argument(path, &source, &detail);
	if (err == OK) {
		text = json_stringn(
		    source.len == 0 ? "" : (const char *)source.data,
		    source.len);
		if (text == NULL)
			err = err_set(
			    &detail, ERR_INVALID, "%s is not UTF-8 text", path);
		else
			(void)json_object_set_new(replay->job, "source", text);
	}
	buf_fini(&source);
	return err == OK
		   ? CTL_OK
		   : ctl_out_error(CTL_USAGE, "%s", err_text(&detail, err));
}

/* Its script and its limits, as they would be if it were live. */
static enum ctl_exit
use_release(struct replay *replay, struct ctl_api *api, const char *name)
{
	const char *idp = ctl_json_text(replay->recording, "idp");
	const char *script = ctl_json_text(replay->recording, "script");
	json_t *release = NULL;
	json_t *source, *settings;
	enum ctl_exit exit;

	exit = ctl_api_get(
	    api, ctl_api_path("idps/*/releases/*", idp, name), &release);
	if (exit != CTL_OK)
		return exit;
	source = json_object_get(json_object_get(release, "scripts"), script);
	settings = json_object_get(release, "settings");
	if (!json_is_string(source))
		exit = ctl_out_error(
		    CTL_NOT_FOUND, "release %s has no %s script", name, script);
	else
		(void)json_object_set(replay->job, "source", source);
	if (json_is_object(settings))
		(void)json_object_set(replay->job, "limits", settings);
	json_decref(release);
	return exit;
}

static enum ctl_exit
check_complete(const struct replay *replay)
{
	const char *why = ctl_json_text(replay->recording, "incomplete");

	if (json_is_true(json_object_get(replay->recording, "complete")))
		return CTL_OK;
	return ctl_out_error(CTL_FAILED,
	    "this execution cannot be run again: %s",
	    why == NULL ? "its recording is not complete" : why);
}

static enum ctl_exit
fetch(struct replay *replay, struct ctl_api *api)
{
	const char *id = ctl_command_argument(replay->call, 0);
	const json_t *job;
	enum ctl_exit exit;

	exit = ctl_api_get(api, ctl_api_path("executions/*/recording", id),
	    &replay->recording);
	if (exit != CTL_OK)
		return exit;
	job = json_object_get(replay->recording, "job");
	if (!json_is_object(job) ||
	    ctl_json_text(replay->recording, "idp") == NULL ||
	    ctl_json_text(replay->recording, "script") == NULL)
		return ctl_out_error(
		    CTL_UNREACHABLE, "the gateway answered no recording");
	replay->job = json_copy((json_t *)(uintptr_t)job);
	CHECK(replay->job != NULL);
	return CTL_OK;
}

/* The recording, and in it the script that was asked for. */
static enum ctl_exit
prepare(struct replay *replay)
{
	const char *release = ctl_command_option(replay->call, OPT_RELEASE);
	const char *draft = ctl_command_option(replay->call, OPT_DRAFT);
	struct ctl_api *api = NULL;
	enum ctl_exit exit;

	if (release != NULL && draft != NULL)
		return ctl_out_error(CTL_USAGE,
		    "--release and --draft each say what to run: one only");
	exit = ctl_api_open(replay->call, &api);
	if (exit == CTL_OK)
		exit = fetch(replay, api);
	if (exit == CTL_OK && release != NULL)
		exit = use_release(replay, api, release);
	if (exit == CTL_OK && draft != NULL)
		exit = use_draft(replay, draft);
	ctl_api_close(api);
	return exit;
}

/* ---- running ---------------------------------------------------------------
 */

static enum ctl_exit
run(const json_t *job, json_t **outcome_r)
{
	struct err_detail detail = {0};
	struct ctl_local *local = NULL;
	const char *refused;
	enum err err = ctl_local_start(&local, &detail);

	if (err == OK)
		err = ctl_local_send(local, job);
	if (err == OK)
		err = ctl_local_next(local, outcome_r, &detail);
	ctl_local_stop(local);
	if (err != OK)
		return ctl_out_error(CTL_FAILED, "%s", err_text(&detail, err));
	refused = ctl_json_text(*outcome_r, "error");
	if (refused != NULL)
		return ctl_out_error(CTL_FAILED, "%s", refused);
	return CTL_OK;
}

/* ---- showing ---------------------------------------------------------------
 */

static const json_t *
recorded_calls(const struct replay *replay)
{
	return json_object_get(
	    json_object_get(replay->recording, "job"), "calls");
}

/* Masked, as it may stand in a terminal's history. */
static void
append_masked(const struct replay *replay, const json_t *outcome,
    const json_t *calls, struct buf *out)
{
	json_t *shown = ctl_replay_masked(outcome, replay->recording, false);
	json_t *shown_calls =
	    calls == NULL ? NULL
			  : ctl_replay_masked(calls, replay->recording, false);

	CHECK(shown != NULL);
	ctl_replay_append(out, shown, shown_calls);
	json_decref(shown);
	json_decref(shown_calls);
}

/* The outcomes without masks: that of a masked value differs too. */
static bool
is_same(const struct replay *replay)
{
	struct buf before, after;
	bool same;

	buf_init(&before, CTL_REPLAY_TEXT_MAX);
	buf_init(&after, CTL_REPLAY_TEXT_MAX);
	ctl_replay_append(&before,
	    json_object_get(replay->recording, "expected"),
	    recorded_calls(replay));
	ctl_replay_append(
	    &after, replay->outcome, json_object_get(replay->outcome, "calls"));
	same = !before.failed && !after.failed &&
	       span_equal(buf_span(&before), buf_span(&after)) &&
	       ctl_json_text(replay->outcome, "diverged") == NULL;
	buf_wipe(&before);
	buf_wipe(&after);
	return same;
}

static enum err
append_diff(const struct replay *replay, struct buf *diff)
{
	struct buf before, after;
	enum err err;

	buf_init(&before, CTL_REPLAY_TEXT_MAX);
	buf_init(&after, CTL_REPLAY_TEXT_MAX);
	append_masked(replay, json_object_get(replay->recording, "expected"),
	    recorded_calls(replay), &before);
	append_masked(replay, replay->outcome,
	    json_object_get(replay->outcome, "calls"), &after);
	err = text_diff(diff, "outcome", buf_span(&before), buf_span(&after));
	buf_wipe(&before);
	buf_wipe(&after);
	return err;
}

static void
print_people(const struct replay *replay, bool same, struct span diff)
{
	const char *diverged = ctl_json_text(replay->outcome, "diverged");
	struct buf text;

	if (same) {
		buf_init(&text, CTL_REPLAY_TEXT_MAX);
		append_masked(replay, replay->outcome, NULL, &text);
		ctl_out_span(STYLE_PLAIN, buf_span(&text));
		ctl_out(STYLE_GREEN, "same as recorded\n");
		buf_wipe(&text);
		return;
	}
	ctl_out_diff(diff);
	if (diverged != NULL)
		ctl_out(STYLE_YELLOW, "diverged: %s\n", diverged);
	ctl_out(STYLE_RED, "differs from what was recorded\n");
}

static void
print_json(const struct replay *replay, bool same, struct span diff)
{
	json_t *outcome =
	    ctl_replay_masked(replay->outcome, replay->recording, false);
	json_t *document =
	    json_pack("{s:b, s:o?, s:s%}", "same", same, "outcome", outcome,
		"diff", diff.len == 0 ? "" : (const char *)diff.data, diff.len);

	CHECK(document != NULL);
	ctl_json_print(document);
	json_decref(document);
}

static enum ctl_exit
print_comparison(const struct replay *replay)
{
	bool same = is_same(replay);
	struct buf diff;
	enum err err;

	buf_init(&diff, CTL_REPLAY_TEXT_MAX);
	err = append_diff(replay, &diff);
	if (err != OK) {
		buf_wipe(&diff);
		return ctl_out_error(CTL_FAILED, "%s", err_sentence(err));
	}
	if (ctl_api_wants_json(replay->call))
		print_json(replay, same, buf_span(&diff));
	else
		print_people(replay, same, buf_span(&diff));
	buf_wipe(&diff);
	return same ? CTL_OK : CTL_FAILED;
}

/* What was recorded, with true values, and nothing is run. */
static void
print_recording(const struct replay *replay)
{
	struct buf text;
	json_t *given;

	if (ctl_api_wants_json(replay->call)) {
		ctl_json_print(replay->recording);
		return;
	}
	given = json_copy(replay->job);
	CHECK(given != NULL);
	(void)json_object_del(given, "source");
	(void)json_object_del(given, "calls");
	ctl_json_print_keys(given);
	json_decref(given);
	buf_init(&text, CTL_REPLAY_TEXT_MAX);
	ctl_replay_append(&text, json_object_get(replay->recording, "expected"),
	    recorded_calls(replay));
	ctl_out_span(STYLE_PLAIN, buf_span(&text));
	buf_wipe(&text);
}

/* ---- as a test --------------------------------------------------------------
 */

static enum ctl_exit
write_test(const struct replay *replay, const json_t *job,
    const json_t *outcome, const char *path)
{
	struct err_detail detail = {0};
	struct buf text;
	enum err err;

	buf_init(&text, CTL_REPLAY_TEXT_MAX);
	ctl_replay_test_append(&text, replay->recording, job, outcome);
	err = buf_status(&text);
	if (err == OK)
		err = ctl_file_replace(
		    AT_FDCWD, path, buf_span(&text), 0600, &detail);
	buf_wipe(&text);
	if (err != OK)
		return ctl_out_error(
		    CTL_FAILED, "%s: %s", path, err_text(&detail, err));
	ctl_out_note(
	    "wrote %s, readable by you alone: it has a user's data", path);
	return CTL_OK;
}

/* A test is for a repository: what is sensitive has a name in its place, and
 * the case expects what comes of that. */
static enum ctl_exit
make_test(const struct replay *replay, const char *path)
{
	json_t *job = ctl_replay_masked(replay->job, replay->recording, true);
	json_t *outcome = NULL;
	const char *diverged;
	enum ctl_exit exit;

	CHECK(job != NULL);
	exit = run(job, &outcome);
	diverged = exit == CTL_OK ? ctl_json_text(outcome, "diverged") : NULL;
	if (diverged != NULL)
		exit = ctl_out_error(CTL_FAILED,
		    "no test: the run does not do what the recording answers "
		    "(%s), maybe because sensitive values are left out of it",
		    diverged);
	if (exit == CTL_OK)
		exit = write_test(replay, job, outcome, path);
	json_decref(job);
	json_decref(outcome);
	return exit;
}

enum ctl_exit
ctl_replay(const struct ctl_call *call)
{
	const char *test = ctl_command_option(call, OPT_AS_TEST);
	struct replay replay = {.call = call};
	enum ctl_exit made = CTL_OK;
	enum ctl_exit exit = prepare(&replay);

	if (exit == CTL_OK && ctl_command_option(call, OPT_SHOW) != NULL) {
		print_recording(&replay);
		replay_fini(&replay);
		return CTL_OK;
	}
	if (exit == CTL_OK)
		exit = check_complete(&replay);
	if (exit == CTL_OK)
		exit = run(replay.job, &replay.outcome);
	if (exit == CTL_OK && test != NULL)
		made = make_test(&replay, test);
	if (exit == CTL_OK)
		exit = print_comparison(&replay);
	replay_fini(&replay);
	return made == CTL_OK ? exit : made;
}

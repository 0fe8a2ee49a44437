/*
 * plan and apply: a realm directory against the gateway's realm. Runs in
 * `postern`, which has one thread.
 */
#include <string.h>

#include "common/check.h"
#include "gateway/ctl/ctl_api.h"
#include "common/text_diff.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_path.h"
#include "gateway/ctl/ctl_table.h"
#include "gateway/ctl/ctl_tree.h"

/* Of one file's diff: both of its texts, in full. */
#define DIFF_BYTES_MAX (4 * CTL_TREE_FILE_MAX)

struct counts {
	size_t added;
	size_t changed;
	size_t removed;
};

static void
say_warnings(const json_t *answer)
{
	const json_t *warning;
	size_t index;

	json_array_foreach (
	    json_object_get(answer, "warnings"), index, warning) {
		const char *file = ctl_json_text(warning, "file");
		const char *message = json_is_string(warning)
					  ? json_string_value(warning)
					  : ctl_json_text(warning, "message");

		ctl_out_note("warning: %s%s%s", file == NULL ? "" : file,
		    file == NULL ? "" : ": ", message == NULL ? "" : message);
	}
}

/* False: not as the contract has it. */
static bool
count_change(const json_t *change, struct counts *counts)
{
	const char *path = ctl_json_text(change, "path");
	const char *action = ctl_json_text(change, "action");

	if (path == NULL || action == NULL ||
	    !(ctl_path_is_realm_file(path) || ctl_path_is_authorities(path)))
		return false;
	if (strcmp(action, "add") == 0)
		counts->added++;
	else if (strcmp(action, "remove") == 0)
		counts->removed++;
	else if (strcmp(action, "change") == 0)
		counts->changed++;
	else
		return false;
	return true;
}

static enum ctl_exit
check_changes(const json_t *answer, struct counts *counts_r)
{
	const json_t *changes = json_object_get(answer, "changes");
	const json_t *change;
	size_t index;

	*counts_r = (struct counts){0};
	if (!json_is_array(changes))
		return ctl_out_error(
		    CTL_UNREACHABLE, "the gateway answered no list of changes");
	json_array_foreach (changes, index, change) {
		if (!count_change(change, counts_r))
			return ctl_out_error(CTL_UNREACHABLE,
			    "the gateway answered a change of a file that no "
			    "realm has");
	}
	return CTL_OK;
}

static void
say_counts(const char *what, const struct counts *counts)
{
	if (counts->added + counts->changed + counts->removed == 0)
		ctl_out_note("nothing differs");
	else
		ctl_out_note("%s: %zu to add, %zu to change, %zu to remove",
		    what, counts->added, counts->changed, counts->removed);
}

/* ---- plan ---------------------------------------------------------------- */

static enum ctl_exit
print_diff(const json_t *change)
{
	const char *path = ctl_json_text(change, "path");
	struct span before = ctl_json_span(json_object_get(change, "before"));
	struct span after = ctl_json_span(json_object_get(change, "after"));
	enum ctl_exit exit = CTL_OK;
	struct buf diff;

	buf_init(&diff, DIFF_BYTES_MAX);
	if (text_diff(&diff, path, before, after) != OK)
		exit = ctl_out_error(CTL_FAILED, "%s: out of memory", path);
	ctl_out_diff(buf_span(&diff));
	/* Masked texts are equal where only a secret is another. */
	if (exit == CTL_OK && diff.len == 0)
		ctl_out(STYLE_BOLD, "diff --git a/%s b/%s\n", path, path);
	if (exit == CTL_OK && json_is_true(json_object_get(change, "secret")))
		ctl_out(STYLE_CYAN, "(a secret in %s changes)\n", path);
	buf_fini(&diff);
	return exit;
}

static enum ctl_exit
print_plan(const struct ctl_call *call, json_t *answer)
{
	struct counts counts;
	const json_t *change;
	size_t index;
	enum ctl_exit exit = check_changes(answer, &counts);

	if (exit != CTL_OK)
		return exit;
	if (ctl_api_wants_json(call)) {
		ctl_json_print(answer);
	} else {
		json_array_foreach (
		    json_object_get(answer, "changes"), index, change) {
			if (exit == CTL_OK)
				exit = print_diff(change);
		}
		say_warnings(answer);
		say_counts("plan", &counts);
	}
	if (exit != CTL_OK)
		return exit;
	return counts.added + counts.changed + counts.removed == 0 ? CTL_OK
								   : CTL_DRIFT;
}

static enum ctl_exit
send_files(const struct ctl_call *call, const char *path, const char *activity,
    json_t *body, json_t **answer_r)
{
	const struct ctl_api_call with = {.body = body,
	    .activity = activity,
	    .answer_max_bytes = CTL_API_REALM_MAX};
	struct ctl_api *api = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_call(
		    api, "POST", ctl_api_path(path), &with, answer_r, NULL);
	ctl_api_close(api);
	return exit;
}

enum ctl_exit
ctl_realm_plan(const struct ctl_call *call)
{
	json_t *files = NULL;
	json_t *answer = NULL;
	json_t *body;
	enum ctl_exit exit =
	    ctl_tree_read(ctl_command_argument(call, 0), &files);

	if (exit != CTL_OK)
		return exit;
	body = json_pack("{s:o}", "files", files);
	CHECK(body != NULL);
	exit = send_files(call, "realm/plan", "planning", body, &answer);
	json_decref(body);
	if (exit == CTL_OK)
		exit = print_plan(call, answer);
	json_decref(answer);
	return exit;
}

/* ---- apply --------------------------------------------------------------- */

static void
print_changes(const json_t *answer)
{
	const json_t *change;
	size_t index;

	json_array_foreach (json_object_get(answer, "changes"), index, change) {
		const char *action = ctl_json_text(change, "action");
		const char *path = ctl_json_text(change, "path");

		if (strcmp(action, "add") == 0)
			ctl_out(STYLE_GREEN, "+ %s\n", path);
		else if (strcmp(action, "remove") == 0)
			ctl_out(STYLE_RED, "- %s\n", path);
		else
			ctl_out(STYLE_YELLOW, "~ %s\n", path);
	}
}

static void
print_secrets(const json_t *answer)
{
	static const char *const headings[] = {"CLIENT", "SECRET"};
	json_t *secrets = json_object_get(answer, "secrets");
	struct ctl_table *table;
	const char *client_id;
	json_t *secret;

	if (json_object_size(secrets) == 0)
		return;
	ctl_out_note("the gateway made these secrets; they are shown once");
	table = ctl_table_new(headings, 2);
	json_object_foreach (secrets, client_id, secret) {
		ctl_table_add(table, client_id);
		ctl_table_add(table, json_string_value(secret));
	}
	ctl_table_print(table);
	ctl_table_free(table);
}

static enum ctl_exit
print_applied(const struct ctl_call *call, json_t *answer)
{
	struct counts counts;
	enum ctl_exit exit;

	/* Before anything is judged: it is said only this once. */
	if (!ctl_api_wants_json(call))
		print_secrets(answer);
	exit = check_changes(answer, &counts);
	if (exit != CTL_OK)
		return exit;
	if (ctl_api_wants_json(call)) {
		ctl_json_print(answer);
		return CTL_OK;
	}
	print_changes(answer);
	say_warnings(answer);
	if (ctl_command_option(call, OPT_DRY_RUN) != NULL)
		say_counts("nothing was changed", &counts);
	else if (counts.added + counts.changed + counts.removed == 0)
		ctl_out_note("nothing differs");
	else
		ctl_out_note("applied: %zu added, %zu changed, %zu removed",
		    counts.added, counts.changed, counts.removed);
	return CTL_OK;
}

enum ctl_exit
ctl_realm_apply(const struct ctl_call *call)
{
	json_t *files = NULL;
	json_t *answer = NULL;
	json_t *body;
	enum ctl_exit exit =
	    ctl_tree_read(ctl_command_argument(call, 0), &files);

	if (exit != CTL_OK)
		return exit;
	body = json_pack("{s:o, s:b, s:s*, s:s*}", "files", files, "dry_run",
	    ctl_command_option(call, OPT_DRY_RUN) != NULL, "why",
	    ctl_command_option(call, OPT_WHY), "revision",
	    ctl_command_option(call, OPT_REVISION));
	if (body == NULL)
		exit = ctl_out_error(
		    CTL_USAGE, "--why and --revision are UTF-8 text");
	else
		exit =
		    send_files(call, "realm/apply", "applying", body, &answer);
	json_decref(body);
	if (exit == CTL_OK)
		exit = print_applied(call, answer);
	json_decref(answer);
	return exit;
}

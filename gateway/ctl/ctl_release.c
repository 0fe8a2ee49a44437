/*
 * Releases of an identity provider: seen, made, compared, published, rolled
 * back, run in the shadow of the live one. Runs in `postern`, which has one
 * thread.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_resource.h"
#include "gateway/ctl/ctl_tree.h"

/* One release. */
#define PATTERN "idps/*/releases/*"

static enum ctl_exit
list_releases(struct ctl_api *api, const char *idp, json_t **items_r)
{
	return ctl_api_list(
	    api, ctl_api_path("idps/*/releases", idp), 0, items_r);
}

enum ctl_exit
ctl_release_list(const struct ctl_call *call)
{
	static const struct ctl_column columns[] = {
	    {"RELEASE", "release", NULL, CELL_HASH},
	    {"STATE", "state", NULL, CELL_VALUE},
	    {"CREATED", "created_at", NULL, CELL_VALUE},
	    {"BY", "created_by", NULL, CELL_VALUE},
	    {"PUBLISHED", "published_at", NULL, CELL_VALUE},
	    {"BY", "published_by", NULL, CELL_VALUE},
	    {"WHY", "published_why", NULL, CELL_VALUE}, {.heading = NULL}};
	struct ctl_api *api = NULL;
	json_t *items = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit =
		    list_releases(api, ctl_command_argument(call, 0), &items);
	if (exit == CTL_OK)
		ctl_resource_print_list(call, items, columns);
	json_decref(items);
	ctl_api_close(api);
	return exit;
}

/* ---- which release ------------------------------------------------------- */

/* Lists are newest first. */
static enum ctl_exit
find_draft(struct ctl_api *api, const char *idp, char **release_r)
{
	const char *found = NULL;
	json_t *items = NULL;
	const json_t *item;
	size_t index;
	enum ctl_exit exit = list_releases(api, idp, &items);

	if (exit != CTL_OK)
		return exit;
	json_array_foreach (items, index, item) {
		const char *state = ctl_json_text(item, "state");

		if (found == NULL && state != NULL &&
		    strcmp(state, "draft") == 0)
			found = ctl_json_text(item, "release");
	}
	if (found == NULL)
		exit = ctl_out_error(CTL_NOT_FOUND,
		    "%s has no draft; make one with: postern release create "
		    "%s DIR",
		    idp, idp);
	else
		*release_r = strdup(found);
	json_decref(items);
	return exit;
}

/* The release argument, or the newest draft without one. */
static enum ctl_exit
release_or_draft(
    struct ctl_api *api, const struct ctl_call *call, char **release_r)
{
	const char *release = ctl_command_argument(call, 1);

	if (release == NULL)
		return find_draft(
		    api, ctl_command_argument(call, 0), release_r);
	*release_r = strdup(release);
	CHECK(*release_r != NULL);
	return CTL_OK;
}

/* ---- show, diff ---------------------------------------------------------- */

enum ctl_exit
ctl_release_show(const struct ctl_call *call)
{
	const char *release = ctl_command_argument(call, 1);
	struct ctl_api *api = NULL;
	json_t *document = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_get(api,
		    ctl_api_path(PATTERN, ctl_command_argument(call, 0),
			release == NULL ? "live" : release),
		    &document);
	if (exit == CTL_OK)
		ctl_resource_print(call, document);
	json_decref(document);
	ctl_api_close(api);
	return exit;
}

enum ctl_exit
ctl_release_diff(const struct ctl_call *call)
{
	const char *against = ctl_command_option(call, OPT_AGAINST);
	struct ctl_api *api = NULL;
	json_t *document = NULL;
	char *release = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = release_or_draft(api, call, &release);
	if (exit == CTL_OK)
		exit = ctl_api_get(api,
		    ctl_api_path(PATTERN "/diff?against=*",
			ctl_command_argument(call, 0), release,
			against == NULL ? "live" : against),
		    &document);
	if (exit == CTL_OK && ctl_api_wants_json(call))
		ctl_json_print(document);
	else if (exit == CTL_OK)
		ctl_out_diff(ctl_json_span(json_object_get(document, "diff")));
	free(release);
	json_decref(document);
	ctl_api_close(api);
	return exit;
}

/* ---- create -------------------------------------------------------------- */

/* {"init": TEXT|null, ..}: what the folder lacks the draft lacks as well. */
static enum ctl_exit
read_scripts(const char *directory, json_t **scripts_r)
{
	static const char *const stems[] = {"init", "complete", "backchannel"};
	int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *scripts = json_object();
	enum ctl_exit exit = CTL_OK;

	CHECK(scripts != NULL);
	if (folder < 0)
		exit = ctl_out_error(CTL_USAGE,
		    "%s is not a directory that can be read", directory);
	for (size_t i = 0; i < 3 && exit == CTL_OK; i++) {
		json_t *text = NULL;
		char name[32];

		(void)snprintf(name, sizeof name, "%s.js", stems[i]);
		exit = ctl_tree_read_file(folder, name, name, &text);
		if (exit == CTL_NOT_FOUND && strcmp(name, "complete.js") == 0)
			exit = ctl_out_error(
			    CTL_USAGE, "%s has no complete.js", directory);
		else if (exit == CTL_NOT_FOUND)
			exit = CTL_OK;
		(void)json_object_set_new(
		    scripts, stems[i], text == NULL ? json_null() : text);
	}
	if (folder >= 0)
		(void)close(folder);
	if (exit == CTL_OK)
		*scripts_r = scripts;
	else
		json_decref(scripts);
	return exit;
}

enum ctl_exit
ctl_release_create(const struct ctl_call *call)
{
	const char *idp = ctl_command_argument(call, 0);
	struct ctl_api_call with = {.activity = "compiling"};
	struct ctl_api *api = NULL;
	json_t *scripts = NULL;
	json_t *answer = NULL;
	enum ctl_exit exit =
	    read_scripts(ctl_command_argument(call, 1), &scripts);

	if (exit != CTL_OK)
		return exit;
	with.body = json_pack("{s:o, s:s*}", "scripts", scripts, "why",
	    ctl_command_option(call, OPT_WHY));
	if (with.body == NULL)
		return ctl_out_error(CTL_USAGE, "--why is UTF-8 text");
	exit = ctl_api_open(call, &api);
	if (exit == CTL_OK)
		exit = ctl_api_call(api, "POST",
		    ctl_api_path("idps/*/releases", idp), &with, &answer, NULL);
	if (exit == CTL_OK && ctl_api_wants_json(call))
		ctl_json_print(answer);
	else if (exit == CTL_OK)
		ctl_out(STYLE_PLAIN, "%s\n",
		    ctl_json_text(answer, "release") == NULL
			? "-"
			: ctl_json_text(answer, "release"));
	json_decref(answer);
	json_decref(with.body);
	ctl_api_close(api);
	return exit;
}

/* ---- publish, rollback, delete ------------------------------------------- */

static enum ctl_exit
make_live(const struct ctl_call *call, char *path)
{
	struct ctl_api_call with = {.activity = "publishing"};
	struct ctl_api *api = NULL;
	json_t *answer = NULL;
	enum ctl_exit exit;

	with.body =
	    json_pack("{s:s*}", "why", ctl_command_option(call, OPT_WHY));
	if (with.body == NULL) {
		free(path);
		return ctl_out_error(CTL_USAGE, "--why is UTF-8 text");
	}
	exit = ctl_api_open(call, &api);
	if (exit == CTL_OK)
		exit = ctl_api_call(api, "POST", path, &with, &answer, NULL);
	else
		free(path);
	if (exit == CTL_OK && answer != NULL)
		ctl_resource_print(call, answer);
	json_decref(answer);
	json_decref(with.body);
	ctl_api_close(api);
	return exit;
}

enum ctl_exit
ctl_release_publish(const struct ctl_call *call)
{
	return make_live(call,
	    ctl_api_path(PATTERN "/publish", ctl_command_argument(call, 0),
		ctl_command_argument(call, 1)));
}

enum ctl_exit
ctl_release_rollback(const struct ctl_call *call)
{
	return make_live(call,
	    ctl_api_path("idps/*/rollback", ctl_command_argument(call, 0)));
}

enum ctl_exit
ctl_release_delete(const struct ctl_call *call)
{
	const struct ctl_api_call with = {0};
	struct ctl_api *api = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_call(api, "DELETE",
		    ctl_api_path(PATTERN, ctl_command_argument(call, 0),
			ctl_command_argument(call, 1)),
		    &with, NULL, NULL);
	if (exit == CTL_OK)
		ctl_resource_print_done(call, "draft deleted");
	ctl_api_close(api);
	return exit;
}

/* ---- shadow -------------------------------------------------------------- */

static enum ctl_exit
call_shadow(struct ctl_api *api, const struct ctl_call *call,
    const char *release, int64_t percent, json_t **answer_r)
{
	bool stop = ctl_command_option(call, OPT_STOP) != NULL;
	struct ctl_api_call with = {0};
	const char *method = stop ? "DELETE" : "GET";
	enum ctl_exit exit;

	if (percent > 0) {
		method = "PUT";
		with.body = json_pack("{s:I}", "percent", (json_int_t)percent);
	}
	exit = ctl_api_call(api, method,
	    ctl_api_path(
		PATTERN "/shadow", ctl_command_argument(call, 0), release),
	    &with, answer_r, NULL);
	json_decref(with.body);
	if (exit == CTL_OK && stop)
		ctl_resource_print_done(
		    call, "%s runs in the shadow no longer", release);
	else if (exit == CTL_OK && percent > 0)
		ctl_out_note("%s runs in the shadow of %d %% of the live "
			     "executions",
		    release, (int)percent);
	return exit;
}

static void
print_shadow(const struct ctl_call *call, json_t *answer)
{
	static const struct ctl_column columns[] = {
	    {"AT", "at", NULL, CELL_VALUE},
	    {"EXECUTION", "correlation_id", NULL, CELL_VALUE},
	    {"SCRIPT", "script", NULL, CELL_VALUE},
	    {"RESULT", "result", NULL, CELL_VALUE},
	    {"IN", "what", NULL, CELL_VALUE}, {.heading = NULL}};
	json_t *examples = json_object_get(answer, "examples");

	if (ctl_api_wants_json(call)) {
		ctl_json_print(answer);
		return;
	}
	json_incref(examples);
	(void)json_object_del(answer, "examples");
	ctl_json_print_keys(answer);
	if (json_array_size(examples) > 0)
		ctl_resource_print_list(call, examples, columns);
	json_decref(examples);
}

enum ctl_exit
ctl_release_shadow(const struct ctl_call *call)
{
	struct err_detail detail = {0};
	struct ctl_api *api = NULL;
	json_t *answer = NULL;
	char *release = NULL;
	int64_t percent = 0;
	enum ctl_exit exit;

	if (ctl_command_number(
		call, OPT_PERCENT, 1, 100, 0, &percent, &detail) != OK)
		return ctl_out_error(CTL_USAGE, "%s", detail.text);
	if (percent > 0 && ctl_command_option(call, OPT_STOP) != NULL)
		return ctl_out_error(
		    CTL_USAGE, "--percent begins it, --stop ends it: one only");
	exit = ctl_api_open(call, &api);
	if (exit == CTL_OK)
		exit = release_or_draft(api, call, &release);
	if (exit == CTL_OK)
		exit = call_shadow(api, call, release, percent, &answer);
	if (exit == CTL_OK && answer != NULL)
		print_shadow(call, answer);
	json_decref(answer);
	free(release);
	ctl_api_close(api);
	return exit;
}

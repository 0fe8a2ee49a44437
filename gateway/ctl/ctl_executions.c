/*
 * executions: what is recorded of scripts' runs. Runs in `postern`, which has
 * one thread.
 */
#include <stdio.h>

#include "common/check.h"
#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_resource.h"

#define LIST_DEFAULT 50
#define LIST_MAX     1000

static char *
list_path(const struct ctl_call *call, int64_t max)
{
	const char *idp = ctl_command_option(call, OPT_IDP);
	bool failed = ctl_command_option(call, OPT_FAILED) != NULL;
	char number[32];

	(void)snprintf(number, sizeof number, "%d", (int)max);
	if (idp == NULL)
		return ctl_api_path(failed ? "executions?max=*&failed=true"
					   : "executions?max=*",
		    number);
	return ctl_api_path(failed ? "executions?max=*&idp=*&failed=true"
				   : "executions?max=*&idp=*",
	    number, idp);
}

enum ctl_exit
ctl_executions_list(const struct ctl_call *call)
{
	static const struct ctl_column columns[] = {
	    {"ENDED", "ended_at", NULL, CELL_VALUE},
	    {"ID", "correlation_id", NULL, CELL_VALUE},
	    {"IDP", "idp", NULL, CELL_VALUE},
	    {"SCRIPT", "script", NULL, CELL_VALUE},
	    {"OUTCOME", "name", NULL, CELL_VALUE},
	    {"STATUS", "status", NULL, CELL_VALUE}, {.heading = NULL}};
	struct err_detail detail = {0};
	struct ctl_api *api = NULL;
	json_t *answer = NULL;
	const json_t *items;
	int64_t max = 0;
	enum ctl_exit exit;

	if (ctl_command_number(
		call, OPT_MAX, 1, LIST_MAX, LIST_DEFAULT, &max, &detail) != OK)
		return ctl_out_error(CTL_USAGE, "%s", detail.text);
	exit = ctl_api_open(call, &api);
	if (exit == CTL_OK)
		exit = ctl_api_get(api, list_path(call, max), &answer);
	items =
	    json_is_array(answer) ? answer : json_object_get(answer, "items");
	if (exit == CTL_OK && !json_is_array(items))
		exit = ctl_out_error(
		    CTL_UNREACHABLE, "the gateway answered no list");
	else if (exit == CTL_OK)
		ctl_resource_print_list(call, items, columns);
	json_decref(answer);
	ctl_api_close(api);
	return exit;
}

/* ---- show ---------------------------------------------------------------- */

static void
print_call(const json_t *call)
{
	const char *name = ctl_json_text(call, "call");
	const char *error = ctl_json_text(call, "error");

	ctl_out(STYLE_PLAIN, "  %-20s %8lld us%s%s\n",
	    name == NULL ? "-" : name,
	    (long long)ctl_json_number(call, "us", 0),
	    error == NULL ? "" : "  ", error == NULL ? "" : error);
}

static void
print_log_line(const json_t *line)
{
	const char *level = ctl_json_text(line, "level");
	struct span text = ctl_json_span(json_object_get(line, "text"));

	ctl_out(STYLE_DIM, "  %-5s ", level == NULL ? "-" : level);
	ctl_out_span(STYLE_PLAIN, text);
	ctl_out(STYLE_PLAIN, "\n");
}

static void
print_each(
    const json_t *document, const char *key, void (*print)(const json_t *item))
{
	const json_t *items = json_object_get(document, key);
	const json_t *item;
	size_t index;

	if (json_array_size(items) == 0)
		return;
	ctl_out(STYLE_BOLD, "%s\n", key);
	json_array_foreach (items, index, item)
		print(item);
}

static void
print_execution(const json_t *document)
{
	json_t *plain = json_copy((json_t *)(uintptr_t)document);

	CHECK(plain != NULL);
	(void)json_object_del(plain, "calls");
	(void)json_object_del(plain, "log");
	ctl_json_print_keys(plain);
	json_decref(plain);
	print_each(document, "calls", print_call);
	print_each(document, "log", print_log_line);
}

enum ctl_exit
ctl_executions_show(const struct ctl_call *call)
{
	struct ctl_api *api = NULL;
	json_t *document = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_get(api,
		    ctl_api_path("executions/*", ctl_command_argument(call, 0)),
		    &document);
	if (exit == CTL_OK && ctl_api_wants_json(call))
		ctl_json_print(document);
	else if (exit == CTL_OK)
		print_execution(document);
	json_decref(document);
	ctl_api_close(api);
	return exit;
}

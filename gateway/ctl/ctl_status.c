/*
 * status, keys and engines: the gateway itself rather than its realm. Runs in
 * `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_resource.h"

enum ctl_exit
ctl_status(const struct ctl_call *call)
{
	struct ctl_api *api = NULL;
	json_t *document = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_get(api, ctl_api_path("status"), &document);
	if (exit == CTL_OK)
		ctl_resource_print(call, document);
	json_decref(document);
	ctl_api_close(api);
	return exit;
}

static enum ctl_exit
print_items(const struct ctl_call *call, const char *collection,
    const struct ctl_column *columns)
{
	struct ctl_api *api = NULL;
	json_t *items = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit =
		    ctl_api_list(api, ctl_api_path("*", collection), 0, &items);
	if (exit == CTL_OK)
		ctl_resource_print_list(call, items, columns);
	json_decref(items);
	ctl_api_close(api);
	return exit;
}

enum ctl_exit
ctl_keys_list(const struct ctl_call *call)
{
	static const struct ctl_column columns[] = {
	    {"KID", "kid", NULL, CELL_VALUE}, {"ALG", "alg", NULL, CELL_VALUE},
	    {"SLOT", "slot", NULL, CELL_VALUE},
	    {"SINCE", "since", NULL, CELL_VALUE}, {.heading = NULL}};

	return print_items(call, "keys", columns);
}

enum ctl_exit
ctl_engines_list(const struct ctl_call *call)
{
	static const struct ctl_column columns[] = {
	    {"NAME", "name", NULL, CELL_VALUE},
	    {"STATE", "state", NULL, CELL_VALUE},
	    {"RUNNING", "running", NULL, CELL_VALUE},
	    {"SLOTS", "slots", NULL, CELL_VALUE},
	    {"LABELS", "labels", NULL, CELL_VALUE},
	    {"VERSION", "version", NULL, CELL_VALUE},
	    {"SINCE", "since", NULL, CELL_VALUE}, {.heading = NULL}};

	return print_items(call, "engines", columns);
}

/* POST of something that answers little; frees path. */
static enum ctl_exit
order(const struct ctl_call *call, char *path, json_t *body, const char *done)
{
	const struct ctl_api_call with = {.body = body};
	struct ctl_api *api = NULL;
	json_t *answer = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_call(api, "POST", path, &with, &answer, NULL);
	if (exit == CTL_OK && ctl_api_wants_json(call) && answer != NULL)
		ctl_json_print(answer);
	else if (exit == CTL_OK)
		ctl_resource_print_done(call, "%s", done);
	json_decref(answer);
	json_decref(body);
	ctl_api_close(api);
	return exit;
}

enum ctl_exit
ctl_keys_rotate(const struct ctl_call *call)
{
	return order(call, ctl_api_path("keys/rotate"),
	    json_pack(
		"{s:b}", "force", ctl_command_option(call, OPT_FORCE) != NULL),
	    "the next keys sign now");
}

enum ctl_exit
ctl_engines_drain(const struct ctl_call *call)
{
	return order(call,
	    ctl_api_path("engines/*/drain", ctl_command_argument(call, 0)),
	    json_object(),
	    "it takes no more executions and ends those it runs");
}

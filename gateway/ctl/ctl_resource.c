/*
 * list, show, create, update and delete of identity providers, clients, API
 * clients, scopes and properties. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_resource.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/encoding.h"
#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_profile.h"
#include "gateway/ctl/ctl_table.h"
#include "gateway/ctl/ctl_text.h"

/* A request's body, as the gateway takes it. */
#define BODY_BYTES_MAX ((size_t)1024 * 1024)

/* A property's value (realm schema) and a line end. */
#define VALUE_BYTES_MAX 65538

/* A cell of a table: any list of identifiers. */
#define CELL_BYTES_MAX ((size_t)1024 * 1024)

/* Of a release's hash in a table; 8 are enough for a command. */
#define HASH_DIGITS 12

struct kind {
	const char *collection;
	const char *noun;
	struct ctl_column columns[6];
};

static const struct kind kinds[] = {
    {"idps", "identity provider",
	{{"ID", "id", NULL, CELL_VALUE}, {"NAME", "name", NULL, CELL_VALUE},
	    {"TYPE", "type", NULL, CELL_VALUE},
	    {"ENABLED", "enabled", "yes", CELL_VALUE}, {.heading = NULL}}},
    {"clients", "client",
	{{"ID", "client_id", NULL, CELL_VALUE},
	    {"NAME", "name", NULL, CELL_VALUE},
	    {"ENABLED", "enabled", "yes", CELL_VALUE},
	    {"IDPS", "idps", NULL, CELL_VALUE}, {.heading = NULL}}},
    {"api-clients", "API client",
	{{"ID", "client_id", NULL, CELL_VALUE},
	    {"NAME", "name", NULL, CELL_VALUE},
	    {"ENABLED", "enabled", "yes", CELL_VALUE},
	    {"SCOPES", "scopes", NULL, CELL_VALUE}, {.heading = NULL}}},
    {"scopes", "scope",
	{{"ID", "id", NULL, CELL_VALUE},
	    {"DESCRIPTION", "description", NULL, CELL_VALUE},
	    {.heading = NULL}}},
    {"properties", "property",
	{{"ID", "id", NULL, CELL_VALUE}, {"KIND", "kind", "text", CELL_VALUE},
	    {"SENSITIVE", "sensitive", "no", CELL_VALUE},
	    {"IDPS", "idps", "all", CELL_VALUE},
	    {"VALUE", "value", NULL, CELL_VALUE}, {.heading = NULL}}},
};

static const struct kind *
kind_of(const struct ctl_call *call)
{
	size_t count = sizeof kinds / sizeof kinds[0];
	size_t i = 0;

	while (i < count && strcmp(kinds[i].collection, call->command->of) != 0)
		i++;
	CHECK(i < count);
	return &kinds[i];
}

/* ---- printing ------------------------------------------------------------ */

static void
add_cell(struct ctl_table *table, const json_t *item,
    const struct ctl_column *column)
{
	const json_t *value = json_object_get(item, column->key);
	struct buf text;

	buf_init(&text, CELL_BYTES_MAX);
	ctl_json_append_member(&text, column->key, value);
	if (column->cell == CELL_HASH && text.len > HASH_DIGITS)
		text.len = HASH_DIGITS;
	ctl_table_add(table, value == NULL || json_is_null(value)
				 ? column->fallback
				 : buf_cstr(&text));
	buf_fini(&text);
}

void
ctl_resource_print_list(const struct ctl_call *call, const json_t *items,
    const struct ctl_column *columns)
{
	const char *headings[CTL_TABLE_COLUMNS_MAX];
	struct ctl_table *table;
	const json_t *item;
	size_t count = 0;
	size_t index;

	if (ctl_api_wants_json(call)) {
		ctl_json_print(items);
		return;
	}
	for (; columns[count].heading != NULL; count++) {
		CHECK(count < CTL_TABLE_COLUMNS_MAX);
		headings[count] = columns[count].heading;
	}
	table = ctl_table_new(headings, count);
	json_array_foreach (items, index, item) {
		for (size_t i = 0; i < count; i++)
			add_cell(table, item, &columns[i]);
	}
	ctl_table_print(table);
	ctl_table_free(table);
}

void
ctl_resource_print(const struct ctl_call *call, json_t *document)
{
	if (ctl_api_wants_json(call))
		ctl_json_print(document);
	else
		ctl_json_print_keys(document);
}

void
ctl_resource_print_done(const struct ctl_call *call, const char *format, ...)
{
	va_list values;
	struct buf text;
	char *sentence = NULL;
	json_t *done;

	va_start(values, format);
	if (vasprintf(&sentence, format, values) < 0)
		sentence = NULL;
	va_end(values);
	CHECK(sentence != NULL);
	if (!ctl_api_wants_json(call)) {
		ctl_out_note("%s", sentence);
	} else {
		/* What was typed need not be UTF-8; a document has to be. */
		buf_init(&text, CELL_BYTES_MAX);
		ctl_text_clean(&text, span_str(sentence), true);
		done = json_pack("{s:s?}", "done", buf_cstr(&text));
		ctl_json_print(done);
		json_decref(done);
		buf_fini(&text);
	}
	free(sentence);
}

/* ---- list, show, delete -------------------------------------------------- */

enum ctl_exit
ctl_resource_list(const struct ctl_call *call)
{
	const struct kind *kind = kind_of(call);
	struct ctl_api *api = NULL;
	json_t *items = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_list(
		    api, ctl_api_path("*", kind->collection), 0, &items);
	if (exit == CTL_OK)
		ctl_resource_print_list(call, items, kind->columns);
	json_decref(items);
	ctl_api_close(api);
	return exit;
}

static char *
path_of(const struct ctl_call *call)
{
	return ctl_api_path(
	    "*/*", call->command->of, ctl_command_argument(call, 0));
}

/* With the reason in the query, since such requests have no room for it. */
static char *
path_with_why(const struct ctl_call *call, char *path)
{
	const char *why = ctl_command_option(call, OPT_WHY);
	char *encoded, *longer;
	int len;

	if (why == NULL)
		return path;
	encoded = ctl_api_path("?why=*", why);
	len = asprintf(&longer, "%s%s", path, strchr(encoded, '?'));
	CHECK(len > 0);
	free(encoded);
	free(path);
	return longer;
}

enum ctl_exit
ctl_resource_show(const struct ctl_call *call)
{
	struct ctl_api *api = NULL;
	json_t *document = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_get(api, path_of(call), &document);
	if (exit == CTL_OK)
		ctl_resource_print(call, document);
	json_decref(document);
	ctl_api_close(api);
	return exit;
}

enum ctl_exit
ctl_resource_delete(const struct ctl_call *call)
{
	const struct ctl_api_call with = {0};
	struct ctl_api *api = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = ctl_api_call(api, "DELETE",
		    path_with_why(call, path_of(call)), &with, NULL, NULL);
	if (exit == CTL_OK)
		ctl_resource_print_done(call, "%s %s deleted",
		    kind_of(call)->noun, ctl_command_argument(call, 0));
	ctl_api_close(api);
	return exit;
}

/* ---- create, update ------------------------------------------------------ */

static enum ctl_exit
read_document(const char *path, json_t **document_r)
{
	struct err_detail detail = {0};
	enum ctl_exit exit = CTL_OK;
	struct buf text;
	enum err err;

	buf_init(&text, BODY_BYTES_MAX);
	err = ctl_file_read_argument(path, &text, &detail);
	if (err != OK) {
		exit = ctl_out_error(CTL_USAGE, "%s", err_text(&detail, err));
	} else if (ctl_json_read(buf_span(&text), document_r, &detail) != OK) {
		exit = ctl_out_error(CTL_INVALID, "%s %s", path, detail.text);
	} else if (!json_is_object(*document_r)) {
		exit = ctl_out_error(CTL_INVALID, "%s is no JSON object", path);
		json_decref(*document_r);
	}
	/* A client's secret may be in it. */
	buf_wipe(&text);
	return exit;
}

static void
print_secret(const json_t *answer)
{
	const char *secret = ctl_json_text(answer, "client_secret");

	if (secret == NULL)
		return;
	ctl_out_note("the gateway made this secret; it is shown once");
	ctl_out(STYLE_PLAIN, "%s\n", secret);
}

static void
say_created(const struct ctl_call *call, const json_t *answer)
{
	const char *id = ctl_json_text(answer, "id");

	if (ctl_api_wants_json(call)) {
		ctl_json_print(answer);
		return;
	}
	ctl_resource_print_done(
	    call, "%s %s created", kind_of(call)->noun, id == NULL ? "" : id);
	print_secret(answer);
}

enum ctl_exit
ctl_resource_create(const struct ctl_call *call)
{
	struct ctl_api_call with = {0};
	struct ctl_api *api = NULL;
	json_t *answer = NULL;
	enum ctl_exit exit =
	    read_document(ctl_command_argument(call, 0), &with.body);

	if (exit != CTL_OK)
		return exit;
	exit = ctl_api_open(call, &api);
	if (exit == CTL_OK)
		exit = ctl_api_call(api, "POST",
		    path_with_why(call, ctl_api_path("*", call->command->of)),
		    &with, &answer, NULL);
	if (exit == CTL_OK)
		say_created(call, answer);
	json_decref(answer);
	json_decref(with.body);
	ctl_api_close(api);
	return exit;
}

/* If-Match, so that what somebody else changes meanwhile is not lost. */
static enum ctl_exit
patch(struct ctl_api *api, const struct ctl_call *call, json_t *body,
    json_t **answer_r)
{
	char etag[CTL_HTTP_ETAG_BYTES] = "";
	struct ctl_api_call with = {0};
	json_t *present = NULL;
	enum ctl_exit exit =
	    ctl_api_call(api, "GET", path_of(call), &with, &present, etag);

	json_decref(present);
	if (exit != CTL_OK)
		return exit;
	with.body = body;
	with.if_match = etag[0] == '\0' ? NULL : etag;
	return ctl_api_call(api, "PATCH", path_with_why(call, path_of(call)),
	    &with, answer_r, NULL);
}

enum ctl_exit
ctl_resource_update(const struct ctl_call *call)
{
	struct ctl_api *api = NULL;
	json_t *body = NULL;
	json_t *answer = NULL;
	enum ctl_exit exit =
	    read_document(ctl_command_argument(call, 1), &body);

	if (exit != CTL_OK)
		return exit;
	exit = ctl_api_open(call, &api);
	if (exit == CTL_OK)
		exit = patch(api, call, body, &answer);
	if (exit == CTL_OK && ctl_api_wants_json(call) && answer != NULL) {
		ctl_json_print(answer);
	} else if (exit == CTL_OK) {
		ctl_resource_print_done(call, "%s %s changed",
		    kind_of(call)->noun, ctl_command_argument(call, 0));
		print_secret(answer);
	}
	json_decref(answer);
	json_decref(body);
	ctl_api_close(api);
	return exit;
}

/* ---- property set -------------------------------------------------------- */

/* A property of that id that is not there yet is made. */
static enum ctl_exit
set_value(struct ctl_api *api, const struct ctl_call *call, json_t *value)
{
	const char *id = ctl_command_argument(call, 0);
	bool sensitive = ctl_command_option(call, OPT_SENSITIVE) != NULL;
	struct ctl_api_call with = {.absent_is_fine = true};
	enum ctl_exit exit;

	with.body = json_pack("{s:O}", "value", value);
	CHECK(with.body != NULL);
	exit = ctl_api_call(api, "PATCH", path_with_why(call, path_of(call)),
	    &with, NULL, NULL);
	if (exit == CTL_NOT_FOUND) {
		(void)json_object_set_new(with.body, "id", json_string(id));
		if (sensitive)
			(void)json_object_set_new(
			    with.body, "sensitive", json_true());
		with.absent_is_fine = false;
		exit = ctl_api_call(api, "POST",
		    path_with_why(call, ctl_api_path("properties")), &with,
		    NULL, NULL);
	}
	json_decref(with.body);
	return exit;
}

enum ctl_exit
ctl_property_set(const struct ctl_call *call)
{
	struct err_detail detail = {0};
	struct ctl_api *api = NULL;
	struct span bytes;
	json_t *value;
	struct buf text;
	enum ctl_exit exit;
	enum err err;

	buf_init(&text, VALUE_BYTES_MAX);
	err = ctl_file_read_argument("-", &text, &detail);
	bytes =
	    ctl_profile_trim(text.len == 0 ? span_str("") : buf_span(&text));
	value = err != OK ? NULL
			  : json_stringn((const char *)bytes.data, bytes.len);
	if (err != OK)
		exit = ctl_out_error(CTL_USAGE, "%s", err_text(&detail, err));
	else if (value == NULL)
		exit = ctl_out_error(CTL_INVALID, "the value is no UTF-8 text");
	else
		exit = ctl_api_open(call, &api);
	if (exit == CTL_OK)
		exit = set_value(api, call, value);
	if (exit == CTL_OK)
		ctl_resource_print_done(
		    call, "property %s set", ctl_command_argument(call, 0));
	ctl_api_close(api);
	json_decref(value);
	buf_wipe(&text);
	return exit;
}

/*
 * What must hold between the files of a realm: references, ids used twice,
 * subject prefixes. Not single values: realm_schema.c. Runs on the loader's
 * thread.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/realm/realm_draft.h"

/* An id and where it was given. */
struct named {
	const char *name;
	const char *file;
	int line;
	void *draft; /* the draft_... it names */
};

struct named_list {
	struct named *items;
	size_t count;
};

static int
check_compare(const void *a, const void *b)
{
	const struct named *left = a;
	const struct named *right = b;
	int order = strcmp(left->name, right->name);

	if (order == 0)
		order = strcmp(left->file, right->file);
	if (order == 0)
		order = (left->line > right->line) - (left->line < right->line);
	return order;
}

static bool
check_list_new(
    struct realm_draft *draft, size_t count, struct named_list *list_r)
{
	list_r->count = 0;
	list_r->items =
	    arena_alloc(draft->scratch, (count + 1) * sizeof *list_r->items);
	return list_r->items != NULL;
}

static void
check_list_sort(struct named_list *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof *list->items,
		    check_compare);
}

static void
check_unique(
    struct realm_draft *draft, const struct named_list *list, const char *key)
{
	for (size_t i = 1; i < list->count; i++) {
		const struct named *first = &list->items[i - 1];
		const struct named *second = &list->items[i];

		if (strcmp(first->name, second->name) == 0)
			realm_problem_add(&draft->problems,
			    (struct realm_place){
				second->file, second->line, key},
			    "'%.128s' is already in %s:%d", second->name,
			    first->file, first->line);
	}
}

/* ---- references --------------------------------------------------------- */

static bool
check_is_known(const struct named_list *known, const char *name)
{
	size_t low = 0;
	size_t high = known->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(known->items[middle].name, name);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Each item of a list names something of `known`. */
static void
check_references(struct realm_draft *draft, struct realm_place place,
    const struct setting *setting, const struct named_list *known,
    const char *what)
{
	const struct yaml_node *item = setting->node == NULL || draft->unread
					   ? NULL
					   : setting->node->first;

	for (; item != NULL; item = item->next) {
		if (check_is_known(known, item->text))
			continue;
		place.line = item->line;
		realm_problem_add(&draft->problems, place,
		    "there is no %s '%.255s'", what, item->text);
	}
}

static void
check_client_references(struct realm_draft *draft,
    const struct named_list *idps, const struct named_list *scopes)
{
	for (const struct draft_client *client = draft->clients; client != NULL;
	     client = client->next) {
		struct realm_place place = {client->file, 0, "idps"};

		check_references(draft, place, &client->settings.idps, idps,
		    "identity provider");
		place.key = "default_scopes";
		check_references(draft, place, &client->settings.default_scopes,
		    scopes, "scope");
		place.key = "additional_scopes";
		check_references(draft, place,
		    &client->settings.additional_scopes, scopes, "scope");
	}
}

/* ---- subject prefixes --------------------------------------------------- */

/*
 * In sorted order whatever a prefix is a prefix of follows it directly, so
 * neighbours are enough.
 */
static bool
check_prefixes(struct realm_draft *draft)
{
	struct named_list list;

	if (draft->realm->shared_subjects)
		return true;
	if (!check_list_new(draft, draft->idp_count, &list))
		return false;
	for (struct draft_idp *idp = draft->idps; idp != NULL; idp = idp->next)
		list.items[list.count++] =
		    (struct named){idp->idp.subject_prefix, idp->file,
			idp->settings.subject_prefix.line, idp};
	check_list_sort(&list);
	for (size_t i = 1; i < list.count; i++) {
		const struct named *left = &list.items[i - 1];
		const struct named *right = &list.items[i];

		if (strncmp(left->name, right->name, strlen(left->name)) != 0)
			continue;
		realm_problem_add(&draft->problems,
		    (struct realm_place){
			right->file, right->line, "subject_prefix"},
		    "begins with that of %s; realm.yaml may say "
		    "shared_subjects: true",
		    left->file);
	}
	return true;
}

/* ---- the lists, sorted --------------------------------------------------- */

static bool
check_scopes(struct realm_draft *draft, struct named_list *list_r)
{
	if (!check_list_new(draft, draft->scope_count, list_r))
		return false;
	for (struct draft_scope *scope = draft->scopes; scope != NULL;
	     scope = scope->next)
		list_r->items[list_r->count++] = (struct named){
		    scope->id, "scopes.yaml", scope->line, scope};
	check_list_sort(list_r);
	check_unique(draft, list_r, "id");
	return true;
}

static bool
check_idps(struct realm_draft *draft, struct named_list *list_r)
{
	if (!check_list_new(draft, draft->idp_count, list_r))
		return false;
	for (struct draft_idp *idp = draft->idps; idp != NULL; idp = idp->next)
		list_r->items[list_r->count++] =
		    (struct named){idp->idp.identifier, idp->file, 1, idp};
	check_list_sort(list_r);
	/* Folder names are unique. Links the list in order from its end. */
	draft->idps = NULL;
	for (size_t i = list_r->count; i-- > 0;) {
		struct draft_idp *idp = list_r->items[i].draft;

		idp->next = draft->idps;
		draft->idps = idp;
	}
	return true;
}

static bool
check_properties(struct realm_draft *draft, const struct named_list *idps)
{
	struct named_list list;

	if (!check_list_new(draft, draft->property_count, &list))
		return false;
	for (struct draft_property *property = draft->properties;
	     property != NULL; property = property->next) {
		check_references(draft,
		    (struct realm_place){"properties.yaml", 0, "idps"},
		    &property->item.idps, idps, "identity provider");
		list.items[list.count++] =
		    (struct named){property->item.id.text, "properties.yaml",
			property->item.id.line, property};
	}
	check_list_sort(&list);
	check_unique(draft, &list, "id");
	draft->properties = NULL;
	for (size_t i = list.count; i-- > 0;) {
		struct draft_property *property = list.items[i].draft;

		property->next = draft->properties;
		draft->properties = property;
	}
	return true;
}

static bool
check_clients(struct realm_draft *draft)
{
	struct named_list list;

	if (!check_list_new(draft, draft->client_count, &list))
		return false;
	for (struct draft_client *client = draft->clients; client != NULL;
	     client = client->next)
		list.items[list.count++] =
		    (struct named){client->client.client_id, client->file,
			client->settings.client_id.line, client};
	check_list_sort(&list);
	check_unique(draft, &list, "client_id");
	draft->clients = NULL;
	for (size_t i = list.count; i-- > 0;) {
		struct draft_client *client = list.items[i].draft;

		client->next = draft->clients;
		draft->clients = client;
	}
	return true;
}

static bool
check_api_clients(struct realm_draft *draft)
{
	struct named_list list;

	if (!check_list_new(draft, draft->api_client_count, &list))
		return false;
	for (struct draft_api_client *api = draft->api_clients; api != NULL;
	     api = api->next)
		list.items[list.count++] = (struct named){api->client.client_id,
		    api->file, api->settings.client_id.line, api};
	check_list_sort(&list);
	check_unique(draft, &list, "client_id");
	draft->api_clients = NULL;
	for (size_t i = list.count; i-- > 0;) {
		struct draft_api_client *api = list.items[i].draft;

		api->next = draft->api_clients;
		draft->api_clients = api;
	}
	return true;
}

static bool
check_keep_scopes(struct realm_draft *draft, const struct named_list *scopes)
{
	const char **items =
	    arena_alloc(draft->scratch, (scopes->count + 1) * sizeof *items);

	if (items == NULL)
		return false;
	for (size_t i = 0; i < scopes->count; i++)
		items[i] = scopes->items[i].name;
	return realm_schema_copy_set(draft->kept,
	    &(struct string_set){items, scopes->count}, &draft->realm->scopes);
}

bool
realm_check_all(struct realm_draft *draft)
{
	struct named_list scopes;
	struct named_list idps;

	if (!check_scopes(draft, &scopes) || !check_idps(draft, &idps) ||
	    !check_properties(draft, &idps) || !check_clients(draft) ||
	    !check_api_clients(draft) || !check_prefixes(draft))
		return false;
	check_client_references(draft, &idps, &scopes);
	return check_keep_scopes(draft, &scopes);
}

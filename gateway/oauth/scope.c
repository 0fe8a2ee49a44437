/*
 * Lists of scopes as text; see scope.h. Not which scopes a registration gets
 * (grant_scope). Runs on HTTP worker threads.
 */
#include "gateway/oauth/scope.h"

#include "common/buf.h"

struct span
scope_next(struct span *list)
{
	size_t start = 0, end;
	struct span scope;

	while (start < list->len && list->data[start] == ' ')
		start++;
	for (end = start; end < list->len && list->data[end] != ' ';)
		end++;
	if (end == start)
		return (struct span){NULL, 0};
	scope = span_of(list->data + start, end - start);
	*list = span_of(list->data + end, list->len - end);
	return scope;
}

bool
scope_has(struct span list, struct span scope)
{
	struct span item;

	while (span_present(item = scope_next(&list)))
		if (span_equal(item, scope))
			return true;
	return false;
}

static void
append_scope(struct buf *out, struct span scope)
{
	if (scope_has(buf_span(out), scope))
		return;
	if (out->len > 0)
		buf_append_char(out, ' ');
	buf_append_span(out, scope);
}

enum err
scope_narrow(const struct realm_client *client, struct span granted,
    struct span asked, struct arena *arena, const char **scope_r)
{
	bool is_asked = span_present(asked);
	struct span list = is_asked ? asked : granted;
	struct span scope;
	struct buf out;
	enum err err = OK;

	buf_init(&out, list.len);
	while (err == OK && span_present(scope = scope_next(&list))) {
		bool given = scope_has(granted, scope) &&
			     string_set_has(&client->scopes, scope);

		if (given)
			append_scope(&out, scope);
		else if (is_asked)
			err = ERR_DENIED;
	}
	if (err == OK)
		err = buf_status(&out);
	if (err == OK && out.len == 0)
		err = ERR_DENIED;
	if (err == OK) {
		*scope_r = arena_copy_str(arena, buf_span(&out));
		err = *scope_r == NULL ? ERR_NOMEM : OK;
	}
	buf_fini(&out);
	return err;
}

bool
scope_split(
    struct span list, struct span *scopes_r, unsigned max, unsigned *count_r)
{
	struct span scope;

	*count_r = 0;
	while (span_present(scope = scope_next(&list))) {
		if (*count_r == max)
			return false;
		scopes_r[(*count_r)++] = scope;
	}
	return true;
}

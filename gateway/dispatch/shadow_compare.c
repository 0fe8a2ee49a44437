/*
 * Comparing results; see shadow_compare.h. Not here: masking (record_mask.c).
 */
#include "gateway/dispatch/shadow_compare.h"

#include <jansson.h>

#include "common/json_text.h"
#include "gateway/dispatch/record_mask.h"
#include "gateway/realm/json_memory.h"

/* One side of an example: a result that people read, not one at its limit. */
#define SIDE_BYTES 4096

/* NULL: nothing that can be compared as JSON. */
static json_t *
parse(struct span text)
{
	if (!span_present(text) || json_depth(text) > RECORD_MASK_DEPTH)
		return NULL;
	return json_memory_load(
	    text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL, NULL);
}

static bool
is_same_json(struct span a, struct span b)
{
	json_t *left, *right;
	bool same;

	if (span_present(a) != span_present(b))
		return false;
	if (span_equal(a, b))
		return true;
	left = parse(a);
	right = parse(b);
	same = left != NULL && right != NULL && json_equal(left, right) == 1;
	json_decref(left);
	json_decref(right);
	return same;
}

const char *
shadow_compare(
    const struct execution_result *live, const struct execution_result *draft)
{
	if (live->code != draft->code)
		return "code";
	if (live->code != SCRIPT_OK)
		return NULL;
	if (live->status != draft->status)
		return "status";
	if (span_present(live->payload) != span_present(draft->payload) ||
	    !span_equal(live->payload, draft->payload))
		return "payload";
	if (!is_same_json(live->user, draft->user))
		return "user";
	if (!is_same_json(live->registration_data, draft->registration_data))
		return "registration_data";
	return NULL;
}

static void
append_side(struct buf *out, const struct execution_result *r,
    const struct realm_idp *idp)
{
	bool first = true;

	buf_append_char(out, '{');
	json_append_member_int(out, &first, "code", r->code);
	json_append_member_str(
	    out, &first, "name", span_str(script_code_name(r->code)));
	if (r->code == SCRIPT_OK) {
		json_append_member_int(out, &first, "status", r->status);
		json_append_key(out, &first, "payload");
		record_mask_append_text(out, r->payload, idp);
		json_append_key(out, &first, "user");
		record_mask_append_json(out, r->user, idp);
		json_append_key(out, &first, "registration_data");
		record_mask_append_json(out, r->registration_data, idp);
	} else {
		json_append_member_str(
		    out, &first, "message", span_str(r->message));
		json_append_member_int(out, &first, "line", r->line);
	}
	buf_append_char(out, '}');
}

void
shadow_compare_append(struct buf *out, const struct execution_result *result,
    const struct realm_idp *idp)
{
	struct buf side;

	buf_init(&side, SIDE_BYTES);
	append_side(&side, result, idp);
	if (buf_status(&side) == OK)
		buf_append_span(out, buf_span(&side));
	else
		buf_append_str(out, "\"too long to be shown\"");
	buf_wipe(&side);
}

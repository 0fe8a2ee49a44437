/*
 * Array.prototype.sort. Duktape's own picks its pivots with random numbers
 * that no seed of ours reaches, so where a script's order leaves two elements
 * equal it gives another result in every template, and a recorded execution
 * could not be repeated. This one is a merge sort: stable, and always the
 * same. Threads: one.
 */
#include <string.h>

#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

/* Where things are on the function's stack. */
enum {
	AT_COMPARE, /* undefined: by their strings */
	AT_ARRAY,
	AT_VALUES, /* what is sorted: neither holes nor undefined */
	AT_KEYS,   /* their strings, where those decide */
	AT_ORDER   /* a buffer: `order` and `spare` */
};

struct sort {
	duk_context *ctx;
	uint32_t count;
	uint32_t undefined; /* elements that are, and come last */
	bool by_key;
	uint32_t *order; /* indices into the values */
	uint32_t *spare;
};

/* Whether the left of two must come after the right one. */
static bool
is_after(const struct sort *sort, uint32_t left, uint32_t right)
{
	duk_context *ctx = sort->ctx;
	duk_idx_t values = sort->by_key ? AT_KEYS : AT_VALUES;
	size_t left_len, right_len;
	const char *left_text, *right_text;
	bool after;
	int by_bytes;

	if (!sort->by_key)
		duk_dup(ctx, AT_COMPARE);
	duk_get_prop_index(ctx, values, left);
	duk_get_prop_index(ctx, values, right);
	if (!sort->by_key) {
		duk_call(ctx, 2);
		after = duk_to_number(ctx, -1) > 0;
		duk_pop(ctx);
		return after;
	}
	/* CESU-8 sorts as the UTF-16 that the language compares. */
	left_text = duk_get_lstring(ctx, -2, &left_len);
	right_text = duk_get_lstring(ctx, -1, &right_len);
	by_bytes = memcmp(
	    left_text, right_text, left_len < right_len ? left_len : right_len);
	duk_pop_2(ctx);
	return by_bytes > 0 || (by_bytes == 0 && left_len > right_len);
}

/* Two sorted runs of `order`, next to each other, into `spare`. */
static void
merge(const struct sort *sort, uint32_t from, uint32_t middle, uint32_t end)
{
	uint32_t left = from, right = middle;

	for (uint32_t at = from; at < end; at++) {
		bool takes_right =
		    left == middle ||
		    (right < end &&
			is_after(sort, sort->order[left], sort->order[right]));

		sort->spare[at] = sort->order[takes_right ? right++ : left++];
	}
}

static uint32_t
at_most(uint64_t value, uint32_t most)
{
	return value < most ? (uint32_t)value : most;
}

static void
merge_all(struct sort *sort)
{
	uint32_t *swapped;

	for (uint64_t run = 1; run < sort->count; run *= 2) {
		for (uint64_t from = 0; from < sort->count; from += 2 * run)
			merge(sort, (uint32_t)from,
			    at_most(from + run, sort->count),
			    at_most(from + 2 * run, sort->count));
		swapped = sort->order;
		sort->order = sort->spare;
		sort->spare = swapped;
	}
}

static void
collect(struct sort *sort, duk_uarridx_t length)
{
	duk_context *ctx = sort->ctx;

	for (duk_uarridx_t i = 0; i < length; i++) {
		if (!duk_has_prop_index(ctx, AT_ARRAY, i))
			continue;
		duk_get_prop_index(ctx, AT_ARRAY, i);
		if (duk_is_undefined(ctx, -1)) {
			sort->undefined++;
			duk_pop(ctx);
			continue;
		}
		if (sort->by_key) {
			duk_dup_top(ctx);
			(void)duk_to_string(ctx, -1);
			duk_put_prop_index(ctx, AT_KEYS, sort->count);
		}
		duk_put_prop_index(ctx, AT_VALUES, sort->count++);
	}
}

static void
put_back(const struct sort *sort, duk_uarridx_t length)
{
	duk_context *ctx = sort->ctx;
	duk_uarridx_t at = 0;

	for (; at < sort->count; at++) {
		duk_get_prop_index(ctx, AT_VALUES, sort->order[at]);
		duk_put_prop_index(ctx, AT_ARRAY, at);
	}
	for (uint32_t i = 0; i < sort->undefined; i++) {
		duk_push_undefined(ctx);
		duk_put_prop_index(ctx, AT_ARRAY, at++);
	}
	for (; at < length; at++)
		(void)duk_del_prop_index(ctx, AT_ARRAY, at);
}

duk_ret_t
api_sort(duk_context *ctx)
{
	struct sort sort = {.ctx = ctx};
	duk_uarridx_t length;

	sort.by_key = duk_is_undefined(ctx, AT_COMPARE);
	if (!sort.by_key && !duk_is_callable(ctx, AT_COMPARE))
		return vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "sort: the comparison is not a function");
	duk_push_this(ctx);
	(void)duk_to_object(ctx, AT_ARRAY);
	duk_get_prop_string(ctx, AT_ARRAY, "length");
	length = duk_to_uint32(ctx, -1);
	duk_pop(ctx);
	duk_push_bare_array(ctx);
	duk_push_bare_array(ctx);
	collect(&sort, length);
	sort.order = duk_push_fixed_buffer(
	    ctx, ((size_t)2 * sort.count + 1) * sizeof *sort.order);
	sort.spare = sort.order + sort.count;
	for (uint32_t i = 0; i < sort.count; i++)
		sort.order[i] = i;
	merge_all(&sort);
	put_back(&sort, length);
	duk_dup(ctx, AT_ARRAY);
	return 1;
}

/*
 * Conversion between values and bytes (see api_bytes.h). Threads: one.
 */
#include "engine/runner/api_bytes.h"

#include <string.h>

#include "common/encoding.h"
#include "engine/runner/cesu8.h"
#include "engine/runner/vm.h"

/* U+FFFD in UTF-8, and how much longer one bad byte gets by it. */
#define REPLACEMENT_BYTES 3
static const uint8_t replacement[REPLACEMENT_BYTES] = {0xEF, 0xBF, 0xBD};

static size_t
check_length(duk_context *ctx, size_t start, const char *what, size_t max_bytes)
{
	struct vm *vm = vm_of(ctx);

	if (vm->scratch.failed || vm->scratch.len - start > max_bytes)
		(void)vm_throw(ctx, DUK_ERR_RANGE_ERROR,
		    "%s is longer than %zu bytes", what, max_bytes);
	return start;
}

size_t
api_bytes_take_text(
    duk_context *ctx, duk_idx_t index, const char *what, size_t max_bytes)
{
	struct vm *vm = vm_of(ctx);
	size_t start = vm->scratch.len;
	const char *text;
	size_t len;

	if (!duk_is_string(ctx, index) || duk_is_symbol(ctx, index))
		(void)vm_throw(
		    ctx, DUK_ERR_TYPE_ERROR, "%s must be a string", what);
	text = duk_get_lstring(ctx, index, &len);
	if (cesu8_to_utf8(span_of(text, len), &vm->scratch) == ERR_INVALID)
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "%s contains half a surrogate pair", what);
	return check_length(ctx, start, what, max_bytes);
}

size_t
api_bytes_take(
    duk_context *ctx, duk_idx_t index, const char *what, size_t max_bytes)
{
	struct vm *vm = vm_of(ctx);
	size_t start = vm->scratch.len;
	size_t len;
	void *data;

	if (duk_is_string(ctx, index))
		return api_bytes_take_text(ctx, index, what, max_bytes);
	if (!duk_is_buffer_data(ctx, index))
		(void)vm_throw(ctx, DUK_ERR_TYPE_ERROR,
		    "%s must be a string or bytes (Uint8Array)", what);
	data = duk_get_buffer_data(ctx, index, &len);
	if (len > 0)
		buf_append(&vm->scratch, data, len);
	return check_length(ctx, start, what, max_bytes);
}

struct span
api_bytes_since(duk_context *ctx, size_t start)
{
	struct vm *vm = vm_of(ctx);

	if (vm->scratch.len == start)
		return span_str("");
	return span_of(vm->scratch.data + start, vm->scratch.len - start);
}

void
api_bytes_push(duk_context *ctx, struct span bytes)
{
	void *data = duk_push_fixed_buffer(ctx, bytes.len);

	if (bytes.len > 0)
		memcpy(data, bytes.data, bytes.len);
	duk_push_buffer_object(ctx, -1, 0, bytes.len, DUK_BUFOBJ_UINT8ARRAY);
	duk_remove(ctx, -2);
}

/* The CESU-8 of one character outside the basic plane. */
static size_t
put_pair(uint8_t *out, uint32_t code_point)
{
	uint32_t high = 0xD800 + ((code_point - 0x10000) >> 10);
	uint32_t low = 0xDC00 + ((code_point - 0x10000) & 0x3FF);
	const uint32_t halves[2] = {high, low};

	for (size_t i = 0; i < 2; i++) {
		out[3 * i] = (uint8_t)(0xE0 | halves[i] >> 12);
		out[3 * i + 1] = (uint8_t)(0x80 | (halves[i] >> 6 & 0x3F));
		out[3 * i + 2] = (uint8_t)(0x80 | (halves[i] & 0x3F));
	}
	return 6;
}

static bool
is_plain(struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] >= 0xF0)
			return false;
	return utf8_is_valid(bytes);
}

void
api_bytes_push_text_lossy(duk_context *ctx, struct span bytes)
{
	size_t made = 0;
	uint8_t *out;

	if (is_plain(bytes)) {
		duk_push_lstring(ctx, (const char *)bytes.data, bytes.len);
		return;
	}
	/* One bad byte becomes three, four good ones six. */
	out = duk_push_dynamic_buffer(ctx, bytes.len * REPLACEMENT_BYTES);
	while (bytes.len > 0) {
		uint32_t code_point = 0;
		size_t len = utf8_next(bytes, &code_point);

		if (len == 0) {
			memcpy(out + made, replacement, REPLACEMENT_BYTES);
			made += REPLACEMENT_BYTES;
			len = 1;
		} else if (len == 4) {
			made += put_pair(out + made, code_point);
		} else {
			memcpy(out + made, bytes.data, len);
			made += len;
		}
		bytes.data += len;
		bytes.len -= len;
	}
	duk_push_lstring(ctx, (const char *)out, made);
	duk_remove(ctx, -2);
}

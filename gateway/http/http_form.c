/*
 * application/x-www-form-urlencoded, as a body or a query string. Not what
 * the fields mean. Runs on civetweb's workers.
 */
#include "common/encoding.h"
#include "gateway/http/http.h"

/* Decodes `text` into the arena by way of `scratch`. */
static enum err
decode(struct span text, struct buf *scratch, struct arena *arena,
    struct span *decoded_r)
{
	struct span decoded;
	enum err err;

	buf_reset(scratch);
	err = percent_decode(text, true, scratch);
	if (err != OK)
		return err;
	/* percent_decode() refuses %00, but not the bare byte. */
	if (!utf8_is_valid(buf_span(scratch)) ||
	    memchr(buf_span(scratch).data, '\0', scratch->len) != NULL)
		return ERR_SYNTAX;
	decoded = arena_copy(arena, buf_span(scratch));
	if (!span_present(decoded))
		return ERR_NOMEM;
	*decoded_r = decoded;
	return OK;
}

static bool
has_field(const struct http_form *form, struct span name)
{
	for (size_t i = 0; i < form->count; i++)
		if (span_equal(form->fields[i].name, name))
			return true;
	return false;
}

/* One "name=value"; a name alone has the empty value (WHATWG URL 5.1). */
static enum err
add_field(struct span pair, struct buf *scratch, struct arena *arena,
    struct http_form *form)
{
	const uint8_t *equals = memchr(pair.data, '=', pair.len);
	size_t name_len =
	    equals == NULL ? pair.len : (size_t)(equals - pair.data);
	struct span value = span_of("", 0);
	struct http_field field;
	enum err err;

	if (form->count == HTTP_FORM_FIELDS_MAX)
		return ERR_LIMIT;
	if (equals != NULL)
		value = span_of(equals + 1, pair.len - name_len - 1);
	err = decode(span_of(pair.data, name_len), scratch, arena, &field.name);
	if (err == OK)
		err = decode(value, scratch, arena, &field.value);
	if (err != OK)
		return err;
	if (has_field(form, field.name))
		return ERR_INVALID;
	form->fields[form->count++] = field;
	return OK;
}

static enum err
add_fields(struct span text, struct buf *scratch, struct arena *arena,
    struct http_form *form)
{
	size_t at = 0;

	while (at < text.len) {
		const uint8_t *start = text.data + at;
		const uint8_t *amp = memchr(start, '&', text.len - at);
		size_t len =
		    amp == NULL ? text.len - at : (size_t)(amp - start);
		enum err err = OK;

		if (len > 0)
			err = add_field(
			    span_of(start, len), scratch, arena, form);
		if (err != OK)
			return err;
		at += len + 1;
	}
	return OK;
}

enum err
http_form_parse(struct span text, struct arena *arena, struct http_form *form_r)
{
	struct http_form form = {NULL, 0};
	struct buf scratch;
	enum err err;

	form.fields =
	    arena_alloc(arena, HTTP_FORM_FIELDS_MAX * sizeof *form.fields);
	if (form.fields == NULL)
		return ERR_NOMEM;
	buf_init(&scratch, text.len);
	err = add_fields(text, &scratch, arena, &form);
	buf_wipe(&scratch);
	if (err == OK)
		*form_r = form;
	return err;
}

struct span
http_form_get(const struct http_form *form, const char *name)
{
	for (size_t i = 0; i < form->count; i++)
		if (span_is(form->fields[i].name, name))
			return form->fields[i].value;
	return (struct span){NULL, 0};
}

/*
 * Subjects and claims; see subject.h. The JSON tree ends here.
 */
#include "gateway/oauth/subject.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "gateway/realm/json_memory.h"

/* Claims of the protocol (SPEC 2): never a script's to set. `id` and `amr` are
 * handled apart. */
static const char *const reserved_claims[] = {"iss", "sub", "aud", "exp", "iat",
    "nbf", "jti", "azp", "nonce", "auth_time", "acr", "at_hash", "c_hash",
    "client_id", "scope", "active", "token_type", "username", "cnf", "sid"};

static bool
is_reserved(const char *name)
{
	size_t count = sizeof reserved_claims / sizeof reserved_claims[0];

	for (size_t i = 0; i < count; i++)
		if (strcmp(name, reserved_claims[i]) == 0)
			return true;
	return strcmp(name, "id") == 0 || strcmp(name, "amr") == 0;
}

/* The name a member is published under; NULL: the mapping drops it. */
static const char *
published_name(const struct realm_idp *idp, const char *name)
{
	if (idp->mapping_count == 0)
		return name;
	for (size_t i = 0; i < idp->mapping_count; i++)
		if (strcmp(idp->mapping[i].from, name) == 0)
			return idp->mapping[i].to;
	return NULL;
}

static bool
append_value(struct buf *out, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text == NULL)
		return false;
	buf_append_str(out, text);
	free(text);
	return true;
}

struct writer {
	struct buf claims;
	struct buf dropped;
	bool first;
};

/* ERR_NOMEM: could not be written. */
static enum err
write_claim(struct writer *w, const struct realm_idp *idp, const char *name,
    json_t *value)
{
	const char *published;

	if (strcmp(name, "id") == 0 || strcmp(name, "amr") == 0)
		return OK;
	published = published_name(idp, name);
	if (published == NULL)
		return OK;
	if (is_reserved(published)) {
		buf_printf(&w->dropped, "%s%s", w->dropped.len > 0 ? "," : "",
		    published);
		return OK;
	}
	json_append_key(&w->claims, &w->first, published);
	return append_value(&w->claims, value) ? OK : ERR_NOMEM;
}

static enum err
write_claims(json_t *user, const struct realm_idp *idp, struct arena *arena,
    struct subject *s)
{
	struct writer w = {.first = true};
	enum err err = OK;
	const char *name;
	json_t *value;

	buf_init(&w.claims, 4 * USER_BYTES_MAX);
	buf_init(&w.dropped, 1024);
	json_object_foreach (user, name, value) {
		err = write_claim(&w, idp, name, value);
		if (err != OK)
			break;
	}
	if (err == OK)
		err = buf_status(&w.claims);
	if (err == OK) {
		s->claims = w.claims.len == 0
				? span_of("", 0)
				: arena_copy(arena, buf_span(&w.claims));
		if (w.dropped.len > 0)
			s->dropped =
			    arena_copy_str(arena, buf_span(&w.dropped));
		err = span_present(s->claims) ? OK : ERR_NOMEM;
	}
	buf_wipe(&w.claims);
	buf_fini(&w.dropped);
	return err;
}

static enum err
read_amr(json_t *user, struct arena *arena, struct subject *s,
    struct err_detail *detail)
{
	json_t *amr = json_object_get(user, "amr"), *item;
	struct buf text;
	size_t i;

	if (amr == NULL)
		return OK;
	if (!json_is_array(amr))
		return err_set(detail, ERR_INVALID,
		    "user.amr must be an array of strings");
	json_array_foreach (amr, i, item)
		if (!json_is_string(item))
			return err_set(detail, ERR_INVALID,
			    "user.amr must be an array of strings");
	buf_init(&text, USER_BYTES_MAX * 4);
	if (append_value(&text, amr))
		s->amr = arena_copy(arena, buf_span(&text));
	buf_fini(&text);
	return span_present(s->amr) ? OK : ERR_NOMEM;
}

static bool
is_printable_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return len > 0;
}

static enum err
read_sub(const struct realm *realm, const struct realm_idp *idp, json_t *user,
    struct arena *arena, struct subject *s, struct err_detail *detail)
{
	json_t *id = json_object_get(user, "id");

	if (!json_is_string(id) ||
	    !is_printable_ascii(json_string_value(id), json_string_length(id)))
		return err_set(detail, ERR_INVALID,
		    "user.id must be a non-empty string of printable ASCII "
		    "characters");
	if (strlen(idp->subject_prefix) + json_string_length(id) >
	    SUBJECT_BYTES_MAX)
		return err_set(detail, ERR_INVALID,
		    "user.id is too long: subject prefix and id may have %d "
		    "characters together",
		    SUBJECT_BYTES_MAX);
	s->sub = arena_printf(
	    arena, "%s%s", idp->subject_prefix, json_string_value(id));
	if (s->sub == NULL)
		return ERR_NOMEM;
	if (realm_client(realm, span_str(s->sub)) != NULL)
		return err_set(detail, ERR_INVALID,
		    "user.id makes a subject that equals a client_id");
	return OK;
}

/* Parsed under the limits a hostile text must pass first; NULL: refused. */
static json_t *
load_user(struct span user, enum err *err_r, struct err_detail *detail)
{
	json_error_t error;
	bool no_memory;
	json_t *tree;

	*err_r = ERR_INVALID;
	if (user.len > USER_BYTES_MAX) {
		(void)err_set(detail, ERR_INVALID,
		    "user is larger than %d bytes of JSON", USER_BYTES_MAX);
		return NULL;
	}
	if (json_depth(user) > USER_DEPTH_MAX) {
		(void)err_set(detail, ERR_INVALID,
		    "user is nested deeper than %d", USER_DEPTH_MAX);
		return NULL;
	}
	tree =
	    json_memory_load(user, JSON_REJECT_DUPLICATES, &error, &no_memory);
	if (tree != NULL && json_is_object(tree))
		return tree;
	*err_r = no_memory ? ERR_NOMEM : ERR_INVALID;
	/* The parser keeps integers in 64 bits. */
	if (tree == NULL &&
	    json_error_code(&error) == json_error_numeric_overflow)
		(void)err_set(detail, ERR_INVALID,
		    "user has a number that is out of range");
	else
		(void)err_set(detail, ERR_INVALID, "user is not an object");
	json_decref(tree);
	return NULL;
}

enum err
subject_read(const struct realm *realm, const struct realm_idp *idp,
    struct span user, struct arena *arena, struct subject *subject_r,
    struct err_detail *detail)
{
	struct subject s = {0};
	json_t *tree;
	enum err err;

	if (!span_present(user))
		return err_set(detail, ERR_INVALID,
		    "complete returned a 2xxx status without a user");
	tree = load_user(user, &err, detail);
	if (tree == NULL)
		return err;
	err = read_sub(realm, idp, tree, arena, &s, detail);
	if (err == OK)
		err = read_amr(tree, arena, &s, detail);
	if (err == OK)
		err = write_claims(tree, idp, arena, &s);
	json_decref(tree);
	if (err == OK)
		*subject_r = s;
	return err;
}

/*
 * The keys of identity providers, by version (see property_keys.h). Not what
 * is done with one. Main thread.
 */
#include "engine/front/property_keys.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/front/front.h"
#include "engine/front/front_limits.h"

#define VERSION_BYTES 32

struct key_set {
	uint8_t version[VERSION_BYTES];
	struct secret *json; /* NULL: this place is free */
	struct secret *ca;   /* NULL: none; no secret, but kept like one */
	uint64_t used;       /* by the counter below */
};

struct property_keys {
	struct key_set sets[FRONT_KEY_SETS_MAX];
	uint64_t uses;
};

enum err
property_keys_open(struct front *front, struct err_detail *detail)
{
	front->keys = calloc(1, sizeof *front->keys);
	if (front->keys == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	return OK;
}

static struct key_set *
find(struct property_keys *keys, struct span version)
{
	for (size_t i = 0; i < FRONT_KEY_SETS_MAX; i++)
		if (keys->sets[i].json != NULL &&
		    span_equal(
			version, span_of(keys->sets[i].version, VERSION_BYTES)))
			return &keys->sets[i];
	return NULL;
}

/*
 * jansson's memory is not wiped by itself: the one string that matters is
 * copied out, and all of them are overwritten before they are freed.
 */
static void
forget_tree(json_t *tree)
{
	const char *id;
	json_t *value;

	json_object_foreach (tree, id, value) {
		(void)id;
		secret_wipe((void *)(uintptr_t)json_string_value(value),
		    json_string_length(value));
	}
	json_decref(tree);
}

enum err
property_keys_get(const struct front *front, struct span version,
    struct span id, struct secret **key_r)
{
	struct key_set *set = find(front->keys, version);
	enum err err = ERR_NOT_FOUND;
	json_t *tree, *value;
	struct span json;

	if (set == NULL)
		return ERR_STATE;
	set->used = ++front->keys->uses;
	json = secret_bytes(set->json);
	tree = json_loadb(
	    (const char *)json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
	value = json_object_getn(tree, (const char *)id.data, id.len);
	if (json_is_string(value)) {
		*key_r = secret_new(span_of(
		    json_string_value(value), json_string_length(value)));
		err = *key_r == NULL ? ERR_NOMEM : OK;
	}
	forget_tree(tree);
	return err;
}

enum err
property_keys_ca(
    const struct front *front, struct span version, struct buf *pem)
{
	struct key_set *set = find(front->keys, version);

	if (set == NULL)
		return ERR_STATE;
	set->used = ++front->keys->uses;
	if (set->ca == NULL)
		return ERR_NOT_FOUND;
	buf_append_span(pem, secret_bytes(set->ca));
	return buf_status(pem);
}

enum err
property_keys_put(
    struct front *front, struct span version, struct span json, struct span ca)
{
	struct property_keys *keys = front->keys;
	struct key_set *set = find(keys, version);
	struct secret *copy = secret_new(json);
	struct secret *ca_copy = span_present(ca) ? secret_new(ca) : NULL;

	if (copy == NULL || version.len != VERSION_BYTES ||
	    (span_present(ca) && ca_copy == NULL)) {
		secret_free(copy);
		secret_free(ca_copy);
		return ERR_NOMEM;
	}
	for (size_t i = 0; set == NULL && i < FRONT_KEY_SETS_MAX; i++)
		if (keys->sets[i].json == NULL)
			set = &keys->sets[i];
	if (set == NULL) {
		set = &keys->sets[0];
		for (size_t i = 1; i < FRONT_KEY_SETS_MAX; i++)
			if (keys->sets[i].used < set->used)
				set = &keys->sets[i];
	}
	secret_free(set->json);
	secret_free(set->ca);
	memcpy(set->version, version.data, VERSION_BYTES);
	set->json = copy;
	set->ca = ca_copy;
	set->used = ++keys->uses;
	return OK;
}

void
property_keys_forget(struct front *front)
{
	for (size_t i = 0; i < FRONT_KEY_SETS_MAX; i++) {
		secret_free(front->keys->sets[i].json);
		secret_free(front->keys->sets[i].ca);
		front->keys->sets[i] = (struct key_set){.json = NULL};
	}
}

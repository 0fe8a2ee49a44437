/*
 * A keyring's shelf in memory: what a store keeps of the signing keys, for the
 * tests of the ring. Not a test itself. One thread.
 */
#ifndef POSTERN_KEYRING_FIXTURE_H
#define POSTERN_KEYRING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gateway/keys/keyring.h"

struct shelf {
	struct stored_key {
		char kid[64];
		char alg[16];
		enum key_slot slot;
		int64_t since;
		uint8_t sealed[4096];
		size_t len;
	} keys[16];
	size_t count;
	enum err save_error; /* what save() says, if not OK */
};

static inline enum err
shelf_load(void *user,
    enum err (*each)(void *ring, const struct keyring_key *key), void *ring,
    struct err_detail *detail)
{
	struct shelf *shelf = user;
	enum err err = OK;

	(void)detail;
	for (size_t i = 0; i < shelf->count && err == OK; i++) {
		const struct stored_key *stored = &shelf->keys[i];
		const struct keyring_key key = {stored->kid, stored->alg,
		    stored->slot, stored->since,
		    span_of(stored->sealed, stored->len)};

		err = each(ring, &key);
	}
	return err;
}

static inline enum err
shelf_save(
    void *user, const struct keyring_key *given, struct err_detail *detail)
{
	struct shelf *shelf = user;
	struct stored_key *key = &shelf->keys[shelf->count];

	if (shelf->save_error != OK)
		return err_set(detail, shelf->save_error, "the shelf is full");
	snprintf(key->kid, sizeof key->kid, "%s", given->kid);
	snprintf(key->alg, sizeof key->alg, "%s", given->alg);
	key->slot = given->slot;
	key->since = given->since;
	assert_in_range(given->sealed_private.len, 1, sizeof key->sealed);
	memcpy(
	    key->sealed, given->sealed_private.data, given->sealed_private.len);
	key->len = given->sealed_private.len;
	shelf->count++;
	return OK;
}

static inline enum err
shelf_rotate(void *user, const struct keyring_key *keys, unsigned count,
    int64_t now, struct err_detail *detail)
{
	struct shelf *shelf = user;
	size_t kept = 0;
	enum err err = shelf->save_error;

	if (err != OK)
		return err;
	for (size_t i = 0; i < shelf->count; i++) {
		if (shelf->keys[i].slot == KEY_PREVIOUS)
			continue;
		shelf->keys[kept] = shelf->keys[i];
		shelf->keys[kept].slot++;
		shelf->keys[kept++].since = now;
	}
	shelf->count = kept;
	for (unsigned i = 0; i < count && err == OK; i++)
		err = shelf_save(shelf, &keys[i], detail);
	return err;
}

#endif

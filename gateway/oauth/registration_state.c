/*
 * From init to complete; see registration_state.h.
 */
#include "gateway/oauth/registration_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/realm/realm_load.h"
#include "gateway/store/store_config.h"

struct seal_context {
	char text[48];
};

static struct seal_context
context_of(uint64_t number)
{
	struct seal_context context;

	snprintf(
	    context.text, sizeof context.text, "transaction:%" PRIu64, number);
	return context;
}

enum err
registration_state_seal(
    struct vault *vault, uint64_t number, struct span plain, struct buf *out)
{
	struct seal_context context = context_of(number);

	return vault_seal(
	    vault, VAULT_TRANSACTIONS, span_str(context.text), plain, out);
}

enum err
registration_state_open(struct vault *vault, uint64_t number,
    struct span sealed, struct arena *arena, struct span *plain_r)
{
	struct seal_context context = context_of(number);
	struct buf plain;
	enum err err;

	buf_init(&plain, REGISTRATION_STATE_SEALED_MAX);
	err = vault_unseal(
	    vault, VAULT_TRANSACTIONS, span_str(context.text), sealed, &plain);
	if (err == OK) {
		*plain_r = arena_copy(arena, buf_span(&plain));
		err = span_present(*plain_r) ? OK : ERR_NOMEM;
	}
	buf_wipe(&plain);
	return err;
}

enum err
registration_release(const struct oauth *oauth, const struct realm_idp *idp,
    const uint8_t hash[DIGEST_BYTES], const struct release **release_r,
    struct release **owned_r)
{
	uint8_t *content;
	size_t len;
	enum err err;

	*owned_r = NULL;
	if (memcmp(hash, idp->release->hash, DIGEST_BYTES) == 0) {
		*release_r = idp->release;
		return OK;
	}
	err = store_release_get(oauth->store, hash, &content, &len);
	if (err != OK)
		return err;
	err = release_decode(hash, span_of(content, len), owned_r);
	free(content);
	if (err == OK)
		*release_r = *owned_r;
	return err;
}

/*
 * Challenges and proofs of engines' identity; see engine_identity.h. Not the
 * keys (gateway/keys), not the session that follows (engines.c).
 */
#include "gateway/dispatch/engine_identity.h"

#include <stddef.h>
#include <string.h>

#include "common/check.h"
#include "common/random.h"

static struct challenge *
challenge_of(struct engine_identity *identity, uint32_t pipe)
{
	for (unsigned i = 0; i < CHALLENGES_MAX; i++)
		if (identity->challenges[i].pipe == pipe)
			return &identity->challenges[i];
	return NULL;
}

void
engine_identity_forget(struct engine_identity *identity, uint32_t pipe)
{
	struct challenge *challenge = challenge_of(identity, pipe);

	if (challenge != NULL)
		*challenge = (struct challenge){.pipe = 0};
}

/* False: the name has no key, or OpenSSL failed. */
static bool
prove(const struct engine_identity *identity, enum identity_role role,
    const uint8_t nonce[IDENTITY_NONCE_BYTES], const struct msg_hello *hello,
    uint8_t proof_r[IDENTITY_PROOF_BYTES])
{
	struct buf transcript;
	enum err err;

	_Static_assert(IDENTITY_PROOF_BYTES == ENGINE_PROOF_BYTES, "one MAC");
	buf_init(&transcript, IDENTITY_TRANSCRIPT_BYTES);
	identity_transcript(
	    role, span_of(nonce, IDENTITY_NONCE_BYTES), hello, &transcript);
	CHECK(buf_status(&transcript) == OK);
	err = engine_keys_prove(
	    identity->keys, hello->engine, buf_span(&transcript), proof_r);
	buf_fini(&transcript);
	return err == OK;
}

static enum identity_verdict
challenge(struct engine_identity *identity, uint32_t pipe,
    const struct msg_hello *hello, struct challenge *challenge_r,
    const char **sentence_r)
{
	struct challenge *place = challenge_of(identity, pipe);

	if (place == NULL)
		place =
		    &identity->challenges[identity->next++ % CHALLENGES_MAX];
	*place = (struct challenge){.pipe = pipe};
	random_bytes(place->nonce, sizeof place->nonce);
	if (!prove(identity, IDENTITY_GATEWAY, place->nonce, hello,
		place->proof)) {
		*place = (struct challenge){.pipe = 0};
		*sentence_r = "this name has no key at the gateway: put its "
			      "line into the file of engines_keys and send the "
			      "gateway SIGHUP";
		return IDENTITY_REFUSED;
	}
	*challenge_r = *place;
	return IDENTITY_CHALLENGED;
}

static enum identity_verdict
judge_proof(struct engine_identity *identity, uint32_t pipe,
    const struct msg_hello *hello, const char **sentence_r)
{
	struct challenge *place = challenge_of(identity, pipe);
	uint8_t proof[IDENTITY_PROOF_BYTES];
	struct challenge used;

	*sentence_r = "the proof of identity is wrong: identity_key is not "
		      "the key that the gateway has for this name";
	if (place == NULL)
		return IDENTITY_REFUSED;
	used = *place;
	*place = (struct challenge){.pipe = 0};
	if (!prove(identity, IDENTITY_ENGINE, used.nonce, hello, proof) ||
	    !secret_equal(span_of(proof, sizeof proof), hello->proof))
		return IDENTITY_REFUSED;
	if (!engine_keys_allow(identity->keys, hello->engine, hello->labels)) {
		*sentence_r = "the engine claims labels that its line in "
			      "engines_keys does not allow";
		return IDENTITY_REFUSED;
	}
	return IDENTITY_PROVEN;
}

enum identity_verdict
engine_identity_judge(struct engine_identity *identity, uint32_t pipe,
    const struct msg_hello *hello, struct challenge *challenge_r,
    const char **sentence_r)
{
	if (identity->keys == NULL)
		return IDENTITY_PROVEN;
	if (!span_present(hello->nonce)) {
		*sentence_r = "this gateway takes only engines with an "
			      "identity key: set identity_key";
		return IDENTITY_REFUSED;
	}
	if (!span_present(hello->proof))
		return challenge(
		    identity, pipe, hello, challenge_r, sentence_r);
	return judge_proof(identity, pipe, hello, sentence_r);
}

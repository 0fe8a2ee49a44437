/*
 * Whether a hello is of the engine it names: challenge and proof under the
 * engine's identity key (proto/identity_proof.h). nng shows no certificate of
 * a peer, so this, not TLS, says which engine it is; and it lets the engine
 * know that the gateway is one that keeps its key.
 *
 * A challenge belongs to one connection and is good for one hello: a proof
 * heard elsewhere or earlier opens nothing.
 *
 * Same lock as jobs.h: everything here is locked.
 */
#ifndef POSTERN_ENGINE_IDENTITY_H
#define POSTERN_ENGINE_IDENTITY_H

#include <stdint.h>

#include "common/err.h"
#include "gateway/keys/engine_keys.h"
#include "proto/identity_proof.h"
#include "proto/message.h"

/* As many as there can be connections (LINK_PIPES_MAX). */
#define CHALLENGES_MAX 256

struct challenge {
	uint32_t pipe; /* 0: none here */
	uint8_t nonce[IDENTITY_NONCE_BYTES];
	uint8_t proof[IDENTITY_PROOF_BYTES]; /* the gateway's */
};

struct engine_identity {
	struct engine_keys *keys; /* NULL: engines need none */
	struct challenge challenges[CHALLENGES_MAX];
	unsigned next; /* the place that the next challenge takes */
};

enum identity_verdict {
	IDENTITY_PROVEN, /* or nothing to prove */
	IDENTITY_CHALLENGED,
	IDENTITY_REFUSED
};

/*
 * CHALLENGED: `challenge_r` is to be sent. REFUSED: `sentence_r` (static) says
 * what the engine's operator should do; a challenge of the connection is used
 * up.
 */
enum identity_verdict engine_identity_judge(struct engine_identity *identity,
    uint32_t pipe, const struct msg_hello *hello, struct challenge *challenge_r,
    const char **sentence_r);

/* The connection is gone: so is its challenge. */
void engine_identity_forget(struct engine_identity *identity, uint32_t pipe);

#endif

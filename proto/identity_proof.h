/*
 * What the proofs of hello and challenge are made over. The MAC itself is
 * HMAC-SHA-256 under the engine's identity key, computed where OpenSSL is at
 * home: gateway/keys/engine_keys.h and engine/front/identity.h.
 *
 * Both proofs cover both nonces and all that the hello claims, each under its
 * own role: neither can be played back on another connection, in the other
 * direction, or for another name, boot, or set of labels.
 *
 * Threads: any.
 */
#ifndef POSTERN_IDENTITY_PROOF_H
#define POSTERN_IDENTITY_PROOF_H

#include "common/buf.h"
#include "common/span.h"
#include "proto/message.h"

#define IDENTITY_KEY_BYTES   32
#define IDENTITY_NONCE_BYTES 32
#define IDENTITY_PROOF_BYTES 32

/* Room for any hello's. */
#define IDENTITY_TRANSCRIPT_BYTES 2048

enum identity_role { IDENTITY_GATEWAY, IDENTITY_ENGINE };

/* Appends the bytes that the role's proof is made over. The hello's nonce must
 * be there; its proof, slots and running jobs do not count. */
void identity_transcript(enum identity_role role, struct span challenge_nonce,
    const struct msg_hello *hello, struct buf *out);

#endif

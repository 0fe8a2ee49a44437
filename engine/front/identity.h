/*
 * The engine's identity key and the proofs under it (proto/identity_proof.h).
 *
 * Threads: the main one.
 */
#ifndef POSTERN_IDENTITY_H
#define POSTERN_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/secret.h"
#include "proto/identity_proof.h"

/* A file of 64 hexadecimal digits, for nobody else to read. ERR_INVALID,
 * ERR_DENIED, ERR_NOT_FOUND, ERR_IO. The caller frees the key. */
enum err identity_read(const char *path, struct secret **key_r,
    struct err_detail *detail) MUST_USE;

/* The proof of a role for this hello, which has its nonce. False: OpenSSL
 * failed. */
bool identity_prove(const struct secret *key, enum identity_role role,
    struct span challenge_nonce, const struct msg_hello *hello,
    uint8_t proof_r[IDENTITY_PROOF_BYTES]) MUST_USE;

/* Whether a challenge is of a gateway that has the key. */
bool identity_is_gateway(const struct secret *key,
    const struct msg_challenge *challenge,
    const struct msg_hello *hello) MUST_USE;

#endif

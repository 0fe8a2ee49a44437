/*
 * The bytes under an identity proof; see identity_proof.h. No cryptography.
 */
#include "proto/identity_proof.h"

#define LENGTH_BYTES 4

/* With its length first, so that no two sets of parts give the same bytes. */
static void
append_part(struct buf *out, struct span part)
{
	uint8_t length[LENGTH_BYTES];

	for (unsigned i = 0; i < LENGTH_BYTES; i++)
		length[i] = (uint8_t)(part.len >> (24 - 8 * i));
	buf_append(out, length, sizeof length);
	if (part.len > 0)
		buf_append_span(out, part);
}

static void
append_number(struct buf *out, uint64_t number)
{
	uint8_t bytes[sizeof number];

	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
	append_part(out, span_of(bytes, sizeof bytes));
}

void
identity_transcript(enum identity_role role, struct span challenge_nonce,
    const struct msg_hello *hello, struct buf *out)
{
	append_part(
	    out, span_str(role == IDENTITY_GATEWAY ? "postern link 1: gateway"
						   : "postern link 1: engine"));
	append_part(out, challenge_nonce);
	append_part(out, hello->nonce);
	append_part(out, hello->engine);
	append_part(out, hello->boot_id);
	append_part(out, hello->labels);
	append_part(out, hello->sandbox_missing);
	append_number(out, hello->protocol_min);
	append_number(out, hello->protocol_max);
}

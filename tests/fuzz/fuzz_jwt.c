/*
 * Bytes as a token and as the key it is verified with: first line the token,
 * the rest a JWK, a PEM or a secret. Without the key's owner nothing is valid
 * but by chance of a seed; nothing may break.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "engine/front/jwt.h"

#define ALGORITHMS                                                           \
	"HS256,HS384,HS512,RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384," \
	"ES512"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
	const struct jwt_expectation expected = {
	    .algorithms = span_str(ALGORITHMS), .now = 1300819379};
	struct jwt_trust trust = {.jwk = {NULL, 0}};
	struct jwt_verdict verdict;

	if (end == NULL)
		return 0;
	trust.property = span_of(end + 1, size - (size_t)(end - data) - 1);
	jwt_verdict_init(&verdict);
	if (jwt_verify(span_of(data, (size_t)(end - data)), &trust, &expected,
		&verdict, NULL) == OK)
		CHECK((verdict.error == NULL) == (verdict.claims.len > 0));
	jwt_verdict_fini(&verdict);
	return 0;
}

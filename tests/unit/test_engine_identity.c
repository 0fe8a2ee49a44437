/* Challenge and proof: only who has the key, on the connection that was asked,
 * for what it claimed, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/dispatch/engine_identity.h"
#include "proto/message.h"

#define PIPE  7
#define OTHER 8

static const char lines[] =
    "one 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
    "two ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff eu\n";

static struct engine_identity identity;
static struct challenge challenge;
static const char *sentence;
static const uint8_t nonce[IDENTITY_NONCE_BYTES] = {1, 2, 3};
static const uint8_t boot_id[16] = {9, 9};

static int
setup(void **state)
{
	(void)state;
	identity = (struct engine_identity){.keys = NULL};
	return engine_keys_parse(span_str(lines), &identity.keys, NULL) == OK
		   ? 0
		   : 1;
}

static int
teardown(void **state)
{
	(void)state;
	engine_keys_free(identity.keys);
	return 0;
}

static struct msg_hello
hello_of(const char *name)
{
	return (struct msg_hello){.protocol_min = PROTOCOL_MIN,
	    .protocol_max = PROTOCOL_MAX,
	    .engine = span_str(name),
	    .boot_id = span_of(boot_id, sizeof boot_id),
	    .slots = 4,
	    .labels = span_str("eu"),
	    .nonce = span_of(nonce, sizeof nonce)};
}

static enum identity_verdict
judge(uint32_t pipe, const struct msg_hello *hello)
{
	sentence = NULL;
	return engine_identity_judge(
	    &identity, pipe, hello, &challenge, &sentence);
}

static void
prove(enum identity_role role, const char *key_of,
    const struct msg_hello *hello, uint8_t proof_r[IDENTITY_PROOF_BYTES])
{
	struct buf bytes;

	buf_init(&bytes, IDENTITY_TRANSCRIPT_BYTES);
	identity_transcript(role,
	    span_of(challenge.nonce, sizeof challenge.nonce), hello, &bytes);
	assert_int_equal(engine_keys_prove(identity.keys, span_str(key_of),
			     buf_span(&bytes), proof_r),
	    OK);
	buf_fini(&bytes);
}

/* Challenges a hello of "one" and leaves the right proof in `proof_r`. */
static struct msg_hello
challenged(uint8_t proof_r[IDENTITY_PROOF_BYTES])
{
	struct msg_hello hello = hello_of("one");

	assert_int_equal(judge(PIPE, &hello), IDENTITY_CHALLENGED);
	prove(IDENTITY_ENGINE, "one", &hello, proof_r);
	hello.proof = span_of(proof_r, IDENTITY_PROOF_BYTES);
	return hello;
}

static void
refused(uint32_t pipe, const struct msg_hello *hello)
{
	assert_int_equal(judge(pipe, hello), IDENTITY_REFUSED);
	assert_non_null(sentence);
}

static void
takes_the_right_proof_once(void **state)
{
	uint8_t proof[IDENTITY_PROOF_BYTES];
	struct msg_hello hello = challenged(proof);

	(void)state;
	assert_int_equal(judge(PIPE, &hello), IDENTITY_PROVEN);
	refused(PIPE, &hello); /* played back */
}

static void
asks_for_nothing_without_keys(void **state)
{
	struct msg_hello hello = hello_of("anybody");

	(void)state;
	engine_keys_free(identity.keys);
	identity.keys = NULL;
	assert_int_equal(judge(PIPE, &hello), IDENTITY_PROVEN);
}

static void
proves_the_gateway_too(void **state)
{
	struct msg_hello hello = hello_of("one");
	uint8_t proof[IDENTITY_PROOF_BYTES];

	(void)state;
	assert_int_equal(judge(PIPE, &hello), IDENTITY_CHALLENGED);
	prove(IDENTITY_GATEWAY, "one", &hello, proof);
	assert_memory_equal(proof, challenge.proof, sizeof proof);
	/* What the gateway said is no answer to it. */
	hello.proof = span_of(challenge.proof, sizeof challenge.proof);
	refused(PIPE, &hello);
}

static void
refuses_every_flipped_bit(void **state)
{
	uint8_t proof[IDENTITY_PROOF_BYTES];
	struct msg_hello hello;

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof proof; bit++) {
		hello = challenged(proof);
		proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
		refused(PIPE, &hello);
		/* Nor is there a second try. */
		proof[bit / 8] ^= (uint8_t)(1 << bit % 8);
		refused(PIPE, &hello);
	}
}

static void
refuses_a_proof_of_something_else(void **state)
{
	static const uint8_t other[IDENTITY_NONCE_BYTES] = {4};
	uint8_t proof[IDENTITY_PROOF_BYTES];
	struct msg_hello hello = challenged(proof);

	(void)state;
	refused(OTHER, &hello);
	hello = challenged(proof);
	hello.engine = span_str("two");
	refused(PIPE, &hello);
	hello = challenged(proof);
	hello.labels = span_str("eu,bank");
	refused(PIPE, &hello);
	hello = challenged(proof);
	hello.boot_id = span_of(other, 16);
	refused(PIPE, &hello);
	hello = challenged(proof);
	hello.nonce = span_of(other, sizeof other);
	refused(PIPE, &hello);
	hello = challenged(proof);
	hello.sandbox_missing = span_str("landlock");
	refused(PIPE, &hello);
	hello = challenged(proof);
	prove(IDENTITY_ENGINE, "two", &hello, proof); /* another's key */
	refused(PIPE, &hello);
}

static void
a_new_challenge_voids_the_old(void **state)
{
	uint8_t old[IDENTITY_PROOF_BYTES], proof[IDENTITY_PROOF_BYTES];
	struct msg_hello first = challenged(old);
	struct msg_hello second = challenged(proof);

	(void)state;
	refused(PIPE, &first);
	refused(PIPE, &second);
	second = challenged(proof);
	engine_identity_forget(&identity, PIPE);
	refused(PIPE, &second);
}

static void
refuses_who_has_no_key(void **state)
{
	struct msg_hello hello = hello_of("three");

	(void)state;
	refused(PIPE, &hello);
	hello = hello_of("one");
	hello.nonce = (struct span){NULL, 0};
	refused(PIPE, &hello);
}

static void
holds_labels_to_the_line(void **state)
{
	uint8_t proof[IDENTITY_PROOF_BYTES];
	struct msg_hello hello = hello_of("two");

	(void)state;
	assert_int_equal(judge(PIPE, &hello), IDENTITY_CHALLENGED);
	prove(IDENTITY_ENGINE, "two", &hello, proof);
	hello.proof = span_of(proof, sizeof proof);
	assert_int_equal(judge(PIPE, &hello), IDENTITY_PROVEN);
	hello = hello_of("two");
	hello.labels = span_str("eu,bank");
	assert_int_equal(judge(PIPE, &hello), IDENTITY_CHALLENGED);
	prove(IDENTITY_ENGINE, "two", &hello, proof);
	hello.proof = span_of(proof, sizeof proof);
	refused(PIPE, &hello);
}

/* More connections ask than there are places: the oldest has to ask again. */
static void
keeps_so_many_challenges(void **state)
{
	uint8_t proof[IDENTITY_PROOF_BYTES];
	struct msg_hello first = challenged(proof);
	struct msg_hello hello = hello_of("one");

	(void)state;
	for (uint32_t i = 0; i < CHALLENGES_MAX; i++)
		assert_int_equal(judge(1000 + i, &hello), IDENTITY_CHALLENGED);
	refused(PIPE, &first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(takes_the_right_proof_once),
	    TEST(asks_for_nothing_without_keys),
	    TEST(proves_the_gateway_too),
	    TEST(refuses_every_flipped_bit),
	    TEST(refuses_a_proof_of_something_else),
	    TEST(a_new_challenge_voids_the_old),
	    TEST(refuses_who_has_no_key),
	    TEST(holds_labels_to_the_line),
	    TEST(keeps_so_many_challenges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

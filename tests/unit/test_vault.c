/*
 * vault: the key file, frozen derivations, sealing against every damaged
 * byte, the permutation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/encoding.h"
#include "gateway/keys/vault.h"

#define OUT_MAX_BYTES (1U << 20)

static char directory[] = "/tmp/test_vault.XXXXXX";
static char key_path[64];

static void
write_key_file(size_t len, mode_t mode)
{
	int fd = open(key_path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	uint8_t byte = 0;

	assert_true(fd >= 0);
	for (; byte < len; byte++)
		assert_int_equal(write(fd, &byte, 1), 1);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Under the master key 00 01 02 ... 1f. */
static struct vault *
known_vault(void)
{
	struct err_detail detail = {0};
	struct vault *vault;

	write_key_file(32, 0600);
	assert_int_equal(vault_open(key_path, false, &vault, &detail), OK);
	return vault;
}

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(key_path, sizeof key_path, "%s/master.key", directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(key_path);
	return rmdir(directory);
}

static int
forget_key(void **state)
{
	(void)state;
	unlink(key_path);
	return 0;
}

/* ---- the key file ------------------------------------------------------- */

static void
test_key_is_made_once(void **state)
{
	struct err_detail detail = {0};
	uint8_t first[DIGEST_BYTES];
	uint8_t second[DIGEST_BYTES];
	struct vault *vault;
	struct stat about;

	(void)state;
	assert_int_equal(
	    vault_open(key_path, false, &vault, &detail), ERR_NOT_FOUND);
	assert_int_equal(vault_open(key_path, true, &vault, &detail), OK);
	vault_mac(vault, VAULT_CACHE, span_str("x"), first);
	vault_close(vault);
	assert_int_equal(stat(key_path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_int_equal(about.st_size, 32);
	assert_int_equal(vault_open(key_path, true, &vault, &detail), OK);
	vault_mac(vault, VAULT_CACHE, span_str("x"), second);
	vault_close(vault);
	assert_memory_equal(first, second, DIGEST_BYTES);
}

static void
test_bad_key_files_are_refused(void **state)
{
	static const size_t bad_sizes[] = {0, 31, 33, 64};
	struct err_detail detail = {0};
	struct vault *vault;

	(void)state;
	for (size_t i = 0; i < sizeof bad_sizes / sizeof bad_sizes[0]; i++) {
		write_key_file(bad_sizes[i], 0600);
		assert_int_equal(
		    vault_open(key_path, true, &vault, &detail), ERR_INVALID);
		assert_non_null(strstr(detail.text, "32 bytes"));
		unlink(key_path);
	}
	write_key_file(0, 0600);
	assert_int_equal(truncate(key_path, 100000), 0);
	assert_int_equal(
	    vault_open(key_path, true, &vault, &detail), ERR_INVALID);
	unlink(key_path);
	write_key_file(32, 0644);
	assert_int_equal(
	    vault_open(key_path, true, &vault, &detail), ERR_DENIED);
}

/* ---- derivations: a change of these loses every deployment's data -------- */

static void
test_derived_keys_are_frozen(void **state)
{
	/* HMAC of "known answer", computed with Python's hmac. */
	static const char *const answers[VAULT_PURPOSES] = {
	    [VAULT_SIGNING_KEYS] = "93a281ce68b7a68f222460faa1a5b9fa"
				   "2cb291d974a1b86ee77e59a0d9bf0310",
	    [VAULT_TRANSACTIONS] = "0f2c2cb85a81c3bffaa5d13ebc97a85f"
				   "7a8554359e9cd382d43055fa2976a4f9",
	    [VAULT_CACHE] = "d81aa7868a0156758ca48268181a6921"
			    "9f091ea0c225356839dca8e4f569d247",
	    [VAULT_CACHE_KEYS] = "b7d0fb18c3fbc598859e6143637e6577"
				 "9178721723aa54770d0fed21472e8f60",
	    [VAULT_SNAPSHOTS] = "222ff4a1cdea605ca6277f487ddbe7b5"
				"e204e3b6db8b6e1d495c4f8ab9df1608",
	    [VAULT_CLIENT_SECRETS] = "88d4ed04a31226a6b13a868fdf1bac60"
				     "4d22835aa37acaed0afb86262af10c2c",
	    [VAULT_ROW_NUMBERS] = "d107948f13c6286f1840ab71892dc0b1"
				  "4d093749b72bd5c0263103f306fe0d0d",
	    [VAULT_SUCCESSORS] = "553272fb24a110664ea518e7c6d3cbce"
				 "0f9d4a1775355c5b9cfb5c87c3fc554e",
	    [VAULT_PROPERTIES] = "44852973257ae66ba455bc04e5d59d82"
				 "154504f7dbf0e51d0ad3ffb33500cfe0",
	    [VAULT_CONFIGURATION] = "2cdc84dcf32c5ec194831858656c5831"
				    "a31583357f17db130cfba59063a42c27",
	    [VAULT_RECORDINGS] = "aba96738b670ea13c8a95b55782ba10f"
				 "6a8e1a30f7f56fc05856afb90c275286",
	};
	struct vault *vault = known_vault();

	(void)state;
	for (enum vault_purpose i = 0; i < VAULT_PURPOSES; i++) {
		uint8_t expected[DIGEST_BYTES];
		uint8_t mac[DIGEST_BYTES];

		assert_int_equal(
		    hex_decode(span_str(answers[i]), expected, DIGEST_BYTES),
		    OK);
		vault_mac(vault, i, span_str("known answer"), mac);
		assert_memory_equal(mac, expected, DIGEST_BYTES);
	}
	vault_close(vault);
}

static void
test_digest(void **state)
{
	/* FIPS 180-4's example, and the empty string. */
	static const char *const samples[][2] = {
	    {"abc", "ba7816bf8f01cfea414140de5dae2223"
		    "b00361a396177a9cb410ff61f20015ad"},
	    {"", "e3b0c44298fc1c149afbf4c8996fb924"
		 "27ae41e4649b934ca495991b7852b855"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t expected[DIGEST_BYTES];
		uint8_t digest[DIGEST_BYTES];

		assert_int_equal(
		    hex_decode(span_str(samples[i][1]), expected, DIGEST_BYTES),
		    OK);
		digest_sha256(span_str(samples[i][0]), digest);
		assert_memory_equal(digest, expected, DIGEST_BYTES);
	}
}

/* ---- sealing ------------------------------------------------------------ */

static void
test_seal_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 1000, 65536};
	struct vault *vault = known_vault();
	uint8_t *plain = calloc(1, 65536);

	(void)state;
	assert_non_null(plain);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct span text = span_of(plain, sizes[i]);
		struct buf sealed;
		struct buf opened;

		memset(plain, (int)i + 1, sizes[i]);
		buf_init(&sealed, OUT_MAX_BYTES);
		buf_init(&opened, OUT_MAX_BYTES);
		assert_int_equal(vault_seal(vault, VAULT_CACHE,
				     span_str("row 1"), text, &sealed),
		    OK);
		assert_int_equal(sealed.len, sizes[i] + 28);
		assert_int_equal(
		    vault_unseal(vault, VAULT_CACHE, span_str("row 1"),
			buf_span(&sealed), &opened),
		    OK);
		assert_true(span_equal(buf_span(&opened), text));
		buf_fini(&sealed);
		buf_fini(&opened);
	}
	free(plain);
	vault_close(vault);
}

static void
test_sealed_value_belongs_to_its_place(void **state)
{
	struct vault *vault = known_vault();
	struct buf first;
	struct buf second;
	struct buf opened;

	(void)state;
	buf_init(&first, OUT_MAX_BYTES);
	buf_init(&second, OUT_MAX_BYTES);
	buf_init(&opened, OUT_MAX_BYTES);
	assert_int_equal(vault_seal(vault, VAULT_CACHE, span_str("row 1"),
			     span_str("value"), &first),
	    OK);
	assert_int_equal(vault_seal(vault, VAULT_CACHE, span_str("row 1"),
			     span_str("value"), &second),
	    OK);
	assert_false(span_equal(buf_span(&first), buf_span(&second)));
	assert_int_equal(vault_unseal(vault, VAULT_CACHE, span_str("row 2"),
			     buf_span(&first), &opened),
	    ERR_CORRUPT);
	assert_int_equal(vault_unseal(vault, VAULT_CACHE, span_str(""),
			     buf_span(&first), &opened),
	    ERR_CORRUPT);
	assert_int_equal(vault_unseal(vault, VAULT_SNAPSHOTS, span_str("row 1"),
			     buf_span(&first), &opened),
	    ERR_CORRUPT);
	assert_int_equal(opened.len, 0);
	buf_fini(&first);
	buf_fini(&second);
	buf_fini(&opened);
	vault_close(vault);
}

static void
test_damaged_values_do_not_open(void **state)
{
	struct vault *vault = known_vault();
	struct buf sealed;
	struct buf opened;

	(void)state;
	buf_init(&sealed, OUT_MAX_BYTES);
	buf_init(&opened, OUT_MAX_BYTES);
	assert_int_equal(vault_seal(vault, VAULT_SNAPSHOTS, span_str("g1"),
			     span_str("{\"name\":\"Ada\"}"), &sealed),
	    OK);
	for (size_t bit = 0; bit < sealed.len * 8; bit++) {
		sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(
		    vault_unseal(vault, VAULT_SNAPSHOTS, span_str("g1"),
			buf_span(&sealed), &opened),
		    ERR_CORRUPT);
		sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(
		    vault_unseal(vault, VAULT_SNAPSHOTS, span_str("g1"),
			span_of(sealed.data, len), &opened),
		    ERR_CORRUPT);
	assert_int_equal(opened.len, 0);
	assert_int_equal(vault_unseal(vault, VAULT_SNAPSHOTS, span_str("g1"),
			     buf_span(&sealed), &opened),
	    OK);
	buf_fini(&sealed);
	buf_fini(&opened);
	vault_close(vault);
}

static void
test_full_buffer_is_said(void **state)
{
	struct vault *vault = known_vault();
	struct buf out;

	(void)state;
	buf_init(&out, 30);
	assert_int_equal(vault_seal(vault, VAULT_CACHE, span_str("c"),
			     span_str("abc"), &out),
	    ERR_LIMIT);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
	vault_close(vault);
}

/* ---- the permutation ---------------------------------------------------- */

static void
test_permutation_is_frozen(void **state)
{
	/* Computed with Python's cryptography. */
	static const uint64_t answers[][2] = {
	    {0, 0x659a6772b5aef385},
	    {1, 0xa5c514270cfeba1d},
	    {UINT64_MAX, 0xdf71234c5e6b5b59},
	};
	struct vault *vault = known_vault();

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		assert_true(
		    vault_permute(vault, answers[i][0]) == answers[i][1]);
		assert_true(
		    vault_unpermute(vault, answers[i][1]) == answers[i][0]);
	}
	vault_close(vault);
}

static int
by_value(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a;
	uint64_t right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static void
test_permutation_is_a_bijection(void **state)
{
	enum { COUNT = 20000 };
	struct vault *vault = known_vault();
	uint64_t *images = calloc(COUNT, sizeof *images);

	(void)state;
	assert_non_null(images);
	for (uint64_t i = 0; i < COUNT; i++) {
		/* Low numbers, high numbers and single bits. */
		uint64_t number = i % 3 == 0   ? i
				  : i % 3 == 1 ? UINT64_MAX - i
					       : i * 0x9e3779b97f4a7c15U;

		images[i] = vault_permute(vault, number);
		assert_true(vault_unpermute(vault, images[i]) == number);
		assert_true(vault_permute(vault,
				vault_unpermute(vault, number)) == number);
	}
	qsort(images, COUNT, sizeof *images, by_value);
	for (size_t i = 1; i < COUNT; i++)
		assert_true(images[i] != images[i - 1]);
	free(images);
	vault_close(vault);
}

static void
test_neighbours_are_unrelated(void **state)
{
	enum { COUNT = 4096 };
	struct vault *vault = known_vault();
	unsigned long flipped = 0;

	(void)state;
	for (uint64_t i = 0; i < COUNT; i++)
		flipped += (unsigned long)__builtin_popcountll(
		    vault_permute(vault, i) ^ vault_permute(vault, i + 1));
	/* 32 of 64 bits on average; fixed key, so no chance is involved. */
	assert_in_range(flipped / COUNT, 31, 32);
	vault_close(vault);
}

/* ---- threads ------------------------------------------------------------ */

static void *
use_vault(void *argument)
{
	struct vault *vault = argument;
	struct buf sealed;
	struct buf opened;
	uintptr_t failures = 0;

	buf_init(&sealed, OUT_MAX_BYTES);
	buf_init(&opened, OUT_MAX_BYTES);
	for (uint64_t i = 0; i < 200; i++) {
		uint8_t mac[DIGEST_BYTES];

		buf_reset(&sealed);
		buf_reset(&opened);
		vault_mac(vault, VAULT_CACHE_KEYS, span_of(&i, sizeof i), mac);
		failures +=
		    vault_seal(vault, VAULT_CACHE, span_of(&i, sizeof i),
			span_of(mac, sizeof mac), &sealed) != OK;
		failures +=
		    vault_unseal(vault, VAULT_CACHE, span_of(&i, sizeof i),
			buf_span(&sealed), &opened) != OK;
		failures +=
		    !span_equal(buf_span(&opened), span_of(mac, sizeof mac));
		failures +=
		    vault_unpermute(vault, vault_permute(vault, i)) != i;
	}
	buf_fini(&sealed);
	buf_fini(&opened);
	return (void *)failures;
}

static void
test_threads_share_a_vault(void **state)
{
	struct vault *vault = known_vault();
	pthread_t threads[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, use_vault, vault), 0);
	for (size_t i = 0; i < 8; i++) {
		void *failures;

		assert_int_equal(pthread_join(threads[i], &failures), 0);
		assert_null(failures);
	}
	vault_close(vault);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(test_key_is_made_once, forget_key),
	    cmocka_unit_test_teardown(
		test_bad_key_files_are_refused, forget_key),
	    cmocka_unit_test_teardown(test_derived_keys_are_frozen, forget_key),
	    cmocka_unit_test(test_digest),
	    cmocka_unit_test_teardown(test_seal_round_trip, forget_key),
	    cmocka_unit_test_teardown(
		test_sealed_value_belongs_to_its_place, forget_key),
	    cmocka_unit_test_teardown(
		test_damaged_values_do_not_open, forget_key),
	    cmocka_unit_test_teardown(test_full_buffer_is_said, forget_key),
	    cmocka_unit_test_teardown(test_permutation_is_frozen, forget_key),
	    cmocka_unit_test_teardown(
		test_permutation_is_a_bijection, forget_key),
	    cmocka_unit_test_teardown(
		test_neighbours_are_unrelated, forget_key),
	    cmocka_unit_test_teardown(test_threads_share_a_vault, forget_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

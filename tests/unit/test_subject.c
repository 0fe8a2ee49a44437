/*
 * subject: what a script may say of a user, and all that it may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "gateway/oauth/subject.h"
#include "tests/unit/small_stack.h"

#define ARENA_BYTES (256 * 1024)

static const struct realm_client clients[] = {
    {.client_id = "Idp|app"}, {.client_id = "app"}};
static const struct realm realm = {.clients = clients, .client_count = 2};
static const struct realm_idp plain = {
    .identifier = "Idp", .subject_prefix = "Idp|"};
static const struct realm_idp unprefixed = {
    .identifier = "Idp", .subject_prefix = ""};

static const struct attribute_rename renames[] = {
    {"mail", "email"}, {"who", "sub"}, {"how", "amr"}, {"what", "id"}};
static const struct realm_idp mapped = {.identifier = "Idp",
    .subject_prefix = "Idp|",
    .mapping = renames,
    .mapping_count = 4};

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new(ARENA_BYTES);
	return arena == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* The text lies in a block of exactly its size. */
static enum err
read_span(const struct realm_idp *idp, const void *text, size_t len,
    struct subject *subject_r, struct err_detail *detail)
{
	uint8_t *exact = malloc(len);
	enum err err;

	assert_true(exact != NULL || len == 0);
	if (len > 0)
		memcpy(exact, text, len);
	err = subject_read(&realm, idp, span_of(len > 0 ? exact : text, len),
	    arena, subject_r, detail);
	free(exact);
	return err;
}

static enum err
read_text(const struct realm_idp *idp, const char *text,
    struct subject *subject_r, struct err_detail *detail)
{
	arena_reset(arena);
	return read_span(idp, text, strlen(text), subject_r, detail);
}

static void
expect_subject(const struct realm_idp *idp, const char *user, const char *sub,
    const char *claims, const char *amr, const char *dropped)
{
	struct err_detail detail = {{0}};
	struct subject s;
	enum err err = read_text(idp, user, &s, &detail);

	if (err != OK)
		print_error("%s: %s\n", user, err_text(&detail, err));
	assert_int_equal(err, OK);
	assert_string_equal(s.sub, sub);
	if (!span_is(s.claims, claims))
		print_error("%.*s\n", SPAN_ARG(s.claims));
	assert_true(span_is(s.claims, claims));
	assert_int_equal(span_present(s.amr), amr != NULL);
	if (amr != NULL)
		assert_true(span_is(s.amr, amr));
	assert_int_equal(s.dropped != NULL, dropped != NULL);
	if (dropped != NULL)
		assert_string_equal(s.dropped, dropped);
}

static void
expect_refused(
    const struct realm_idp *idp, const char *user, const char *complaint)
{
	struct err_detail detail = {{0}};
	struct subject s;

	assert_int_equal(read_text(idp, user, &s, &detail), ERR_INVALID);
	if (strstr(detail.text, complaint) == NULL)
		print_error("%s: %s\n", user, detail.text);
	assert_non_null(strstr(detail.text, complaint));
}

static void
test_good_users(void **state)
{
	(void)state;
	expect_subject(&plain, "{\"id\":\"7\"}", "Idp|7", "", NULL, NULL);
	expect_subject(&plain, "{\"id\":\" ~\"}", "Idp| ~", "", NULL, NULL);
	expect_subject(&plain,
	    "{\"name\":\"J\\u00f6 "
	    "\\\"x\\\"\",\"id\":\"7\",\"n\":[1,{\"a\":null}]}",
	    "Idp|7", "\"name\":\"J\xc3\xb6 \\\"x\\\"\",\"n\":[1,{\"a\":null}]",
	    NULL, NULL);
	expect_subject(&plain, "{\"id\":\"7\",\"amr\":[\"pwd\",\"otp\"]}",
	    "Idp|7", "", "[\"pwd\",\"otp\"]", NULL);
	expect_subject(
	    &plain, "{\"id\":\"7\",\"amr\":[]}", "Idp|7", "", "[]", NULL);
	expect_subject(&unprefixed, "{\"id\":\"7\"}", "7", "", NULL, NULL);
}

static void
test_every_reserved_claim_is_dropped(void **state)
{
	static const char *const names[] = {"iss", "sub", "aud", "exp", "iat",
	    "nbf", "jti", "azp", "nonce", "auth_time", "acr", "at_hash",
	    "c_hash", "client_id", "scope", "active", "token_type", "username",
	    "cnf", "sid"};
	char user[128];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(user, sizeof user, "{\"id\":\"7\",\"%s\":1,\"ok\":2}",
		    names[i]);
		expect_subject(
		    &plain, user, "Idp|7", "\"ok\":2", NULL, names[i]);
		/* The first character as an escape. */
		snprintf(user, sizeof user,
		    "{\"\\u%04x%s\":\"x\",\"id\":\"7\"}", names[i][0],
		    names[i] + 1);
		expect_subject(&plain, user, "Idp|7", "", NULL, names[i]);
	}
	expect_subject(&plain, "{\"id\":\"7\",\"iss\":1,\"exp\":2}", "Idp|7",
	    "", NULL, "iss,exp");
}

static void
test_mapping_renames_drops_and_cannot_escape(void **state)
{
	(void)state;
	expect_subject(&mapped,
	    "{\"id\":\"7\",\"mail\":\"a@b\",\"other\":1,\"email\":\"no\"}",
	    "Idp|7", "\"email\":\"a@b\"", NULL, NULL);
	expect_subject(&mapped, "{\"id\":\"7\",\"who\":\"root\"}", "Idp|7", "",
	    NULL, "sub");
	expect_subject(&mapped,
	    "{\"id\":\"7\",\"how\":[\"x\"],\"what\":\"8\",\"iss\":1}", "Idp|7",
	    "", NULL, "amr,id");
}

static void
test_bad_ids(void **state)
{
	static const char *const users[] = {"{}", "{\"id\":7}", "{\"id\":null}",
	    "{\"id\":\"\"}", "{\"id\":[\"7\"]}", "{\"id\":\"a\\u0007\"}",
	    "{\"id\":\"a\\u007f\"}", "{\"id\":\"\\u00e9\"}",
	    "{\"id\":\"a\\n\"}"};
	char user[300], sub[300];

	(void)state;
	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
		expect_refused(&plain, users[i], "user.id must be");
	expect_refused(&plain, "{\"id\":\"app\"}", "equals a client_id");
	expect_refused(&unprefixed, "{\"id\":\"app\"}", "equals a client_id");
	expect_subject(
	    &unprefixed, "{\"id\":\"apps\"}", "apps", "", NULL, NULL);
	snprintf(
	    user, sizeof user, "{\"id\":\"%0*d\"}", SUBJECT_BYTES_MAX - 4, 0);
	snprintf(sub, sizeof sub, "Idp|%0*d", SUBJECT_BYTES_MAX - 4, 0);
	expect_subject(&plain, user, sub, "", NULL, NULL);
	snprintf(
	    user, sizeof user, "{\"id\":\"%0*d\"}", SUBJECT_BYTES_MAX - 3, 0);
	expect_refused(&plain, user, "too long");
}

static void
test_bad_shapes(void **state)
{
	static const char *const users[] = {"", "null", "[]", "\"x\"", "7", "{",
	    "{\"id\":\"7\"}x", "{\"id\":\"7\"}{}", "{\"id\":\"7\",}",
	    "{\"id\":\"7\",\"id\":\"8\"}", "{\"id\":\"7\",\"\\u0069d\":\"8\"}",
	    "{\"id\":\"a\\u0000\"}", "{\"id\":\"7\",\"a\\u0000\":1}",
	    "{\"id\":\"\xff\"}", "{\"id\":\"7\",\"x\":\"\xc0\x80\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
		expect_refused(&plain, users[i], "user is not");
	expect_refused(
	    &plain, "{\"id\":\"7\",\"amr\":\"pwd\"}", "array of strings");
	expect_refused(
	    &plain, "{\"id\":\"7\",\"amr\":[\"x\",1]}", "array of strings");
	expect_refused(&plain, "{\"id\":\"7\",\"amr\":null}", "array");
	expect_refused(&plain, "{\"id\":\"7\",\"n\":10000000000000000000}",
	    "out of range");
	expect_refused(&plain, "{\"id\":\"7\",\"n\":1e999}", "out of range");
}

static void
test_absent_user(void **state)
{
	struct err_detail detail = {{0}};
	struct subject s;

	(void)state;
	assert_int_equal(subject_read(&realm, &plain, (struct span){NULL, 0},
			     arena, &s, &detail),
	    ERR_INVALID);
	assert_non_null(strstr(detail.text, "without a user"));
}

/* {"id":"7","x":[[..]]} nested so deep in all. */
static char *
nested(size_t depth)
{
	size_t inner = depth - 1;
	char *text = malloc(32 + 2 * inner);
	int at;

	assert_non_null(text);
	at = sprintf(text, "{\"id\":\"7\",\"x\":");
	memset(text + at, '[', inner);
	memset(text + at + inner, ']', inner);
	strcpy(text + at + 2 * inner, "}");
	return text;
}

static void *
read_nested(void *state)
{
	struct err_detail detail = {{0}};
	struct subject s;
	char *text = nested(USER_DEPTH_MAX);

	(void)state;
	assert_int_equal(read_text(&plain, text, &s, &detail), OK);
	free(text);
	text = nested(USER_DEPTH_MAX + 1);
	expect_refused(&plain, text, "nested deeper");
	free(text);
	text = nested(USER_BYTES_MAX / 2 - 32);
	expect_refused(&plain, text, "nested deeper");
	free(text);
	return NULL;
}

static void
test_depth_on_a_workers_stack(void **state)
{
	(void)state;
	small_stack_run(read_nested, NULL);
}

static void
test_size(void **state)
{
	char user[USER_BYTES_MAX + 2];
	int head = snprintf(user, sizeof user, "{\"id\":\"7\",\"x\":\"");
	struct err_detail detail = {{0}};
	struct subject s;

	(void)state;
	/* Each \u0001 comes out as long as it went in. */
	for (size_t at = (size_t)head; at < sizeof user; at++)
		user[at] = 'y';
	memcpy(user + USER_BYTES_MAX - 2, "\"}", 3);
	assert_int_equal(read_text(&plain, user, &s, &detail), OK);
	user[USER_BYTES_MAX - 2] = 'y';
	memcpy(user + USER_BYTES_MAX - 1, "\"}", 3);
	expect_refused(&plain, user, "larger than");
}

/* Whatever a damaged user becomes, its claims are members of an object and
 * none is reserved. */
static void
check_damaged(const char *text, size_t len)
{
	struct err_detail detail = {{0}};
	struct subject s;
	char *object;
	json_t *tree;

	arena_reset(arena);
	if (read_span(&plain, text, len, &s, &detail) != OK)
		return;
	assert_memory_equal(s.sub, "Idp|", 4);
	assert_in_range(strlen(s.sub), 5, SUBJECT_BYTES_MAX);
	assert_int_not_equal(
	    asprintf(&object, "{%.*s}", SPAN_ARG(s.claims)), -1);
	tree = json_loads(object, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(tree);
	assert_null(json_object_get(tree, "iss"));
	assert_null(json_object_get(tree, "sub"));
	json_decref(tree);
	free(object);
}

static void
test_damaged_users(void **state)
{
	static const char good[] =
	    "{\"id\":\"user-7\",\"amr\":[\"pwd\"],\"iss\":\"x\",\"rub\":1,"
	    "\"n\":{\"a\":[1.5,true,\"\\u00e9\xc3\xa9\"]}}";
	char text[sizeof good];

	(void)state;
	memcpy(text, good, sizeof good);
	for (size_t len = 0; len < sizeof good - 1; len++)
		check_damaged(good, len);
	for (size_t bit = 0; bit < 8 * (sizeof good - 1); bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		check_damaged(text, sizeof good - 1);
		text[bit / 8] = good[bit / 8];
	}
}

static void
test_full_arena(void **state)
{
	static const char user[] =
	    "{\"id\":\"7\",\"x\":\"0123456789\",\"amr\":[\"pwd\"]}";
	struct err_detail detail = {{0}};
	struct subject s;
	enum err err = ERR_NOMEM;

	(void)state;
	for (size_t max = 0; err != OK; max += 16) {
		struct arena *tight = arena_new(max);

		assert_non_null(tight);
		err = subject_read(
		    &realm, &plain, span_str(user), tight, &s, &detail);
		assert_true(err == OK || err == ERR_NOMEM);
		assert_true(max < 4096);
		arena_free(tight);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good_users),
	    cmocka_unit_test(test_every_reserved_claim_is_dropped),
	    cmocka_unit_test(test_mapping_renames_drops_and_cannot_escape),
	    cmocka_unit_test(test_bad_ids),
	    cmocka_unit_test(test_bad_shapes),
	    cmocka_unit_test(test_absent_user),
	    cmocka_unit_test(test_depth_on_a_workers_stack),
	    cmocka_unit_test(test_size),
	    cmocka_unit_test(test_damaged_users),
	    cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

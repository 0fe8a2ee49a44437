/*
 * grant: which scopes a client gets. Issuing is the service tests'.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/oauth/grant.h"

#define ARENA_BYTES 4096

static const char *const all_scopes[] = {"openid", "read", "write"};
static const char *const default_scopes[] = {"openid", "read"};
static const struct realm_client client = {.client_id = "app",
    .default_scopes = {default_scopes, 2},
    .scopes = {all_scopes, 3}};
static const struct realm_client without = {
    .client_id = "bare", .scopes = {all_scopes, 3}};

/* `asked` space-delimited; NULL: none. */
static enum err
ask(const struct realm_client *who, const char *asked, struct arena *arena,
    struct string_list *list)
{
	struct span spans[REQUEST_SCOPES_MAX];
	unsigned count = 0;
	const char *end;

	while (asked != NULL && *asked != '\0') {
		end = strchrnul(asked, ' ');
		spans[count++] = span_of(asked, (size_t)(end - asked));
		asked = *end == '\0' ? NULL : end + 1;
	}
	return grant_scope(who, spans, count, arena, list);
}

static void
expect_granted(
    const struct realm_client *who, const char *asked, const char *granted)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct string_list list;
	char text[256] = "";

	assert_non_null(arena);
	assert_int_equal(ask(who, asked, arena, &list), OK);
	for (unsigned i = 0; i < list.count; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, list.items[i]);
	}
	assert_string_equal(text, granted);
	arena_free(arena);
}

static void
expect_denied(const struct realm_client *who, const char *asked)
{
	struct arena *arena = arena_new(ARENA_BYTES);
	struct string_list list;

	assert_non_null(arena);
	assert_int_equal(ask(who, asked, arena, &list), ERR_DENIED);
	arena_free(arena);
}

static void
test_scopes(void **state)
{
	(void)state;
	expect_granted(&client, NULL, "openid read");
	expect_granted(&client, "write", "write");
	expect_granted(&client, "write openid", "write openid");
	expect_granted(&client, "read read read", "read");
	expect_granted(&without, "read", "read");
	expect_denied(&client, "admin");
	expect_denied(&client, "read admin");
	expect_denied(&client, "Read");
	expect_denied(&client, "rea");
	expect_denied(&client, "reads");
	expect_denied(&without, NULL);
}

static void
test_nul_and_empty_are_no_scopes(void **state)
{
	const struct span nul = span_of("read\0", 5), empty = span_of("", 0);
	struct arena *arena = arena_new(ARENA_BYTES);
	struct string_list list;

	(void)state;
	assert_non_null(arena);
	assert_int_equal(
	    grant_scope(&client, &nul, 1, arena, &list), ERR_DENIED);
	assert_int_equal(
	    grant_scope(&client, &empty, 1, arena, &list), ERR_DENIED);
	arena_free(arena);
}

static void
test_full_arena(void **state)
{
	struct arena *arena = arena_new(0);
	struct string_list list;

	(void)state;
	assert_non_null(arena);
	assert_int_equal(ask(&client, "read", arena, &list), ERR_NOMEM);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scopes),
	    cmocka_unit_test(test_nul_and_empty_are_no_scopes),
	    cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

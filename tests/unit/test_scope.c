/*
 * scope: lists of scopes as text, and what a refresh gives of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/oauth/scope.h"

static const char *const all[] = {"openid", "read", "write"};
static const struct realm_client client = {.scopes = {all, 3}};

static void
test_split(void **state)
{
	struct span scopes[3];
	unsigned count;

	(void)state;
	assert_true(scope_split(span_str("read  write "), scopes, 3, &count));
	assert_int_equal(count, 2);
	assert_true(span_is(scopes[0], "read"));
	assert_true(span_is(scopes[1], "write"));
	assert_true(scope_split(span_str(""), scopes, 3, &count));
	assert_int_equal(count, 0);
	assert_true(scope_split((struct span){NULL, 0}, scopes, 3, &count));
	assert_int_equal(count, 0);
	assert_true(scope_split(span_str("a b c"), scopes, 3, &count));
	assert_false(scope_split(span_str("a b c d"), scopes, 3, &count));
}

static void
test_has(void **state)
{
	(void)state;
	assert_true(scope_has(span_str("a bc d"), span_str("bc")));
	assert_true(scope_has(span_str("a bc d"), span_str("d")));
	assert_false(scope_has(span_str("a bc d"), span_str("b")));
	assert_false(scope_has(span_str("a bc d"), span_str("bcd")));
	assert_false(scope_has(span_str("a bc d"), span_str("")));
	assert_false(scope_has(span_str(""), span_str("a")));
}

/* Granted, asked (NULL: nothing), given (NULL: ERR_DENIED). */
static void
test_narrow(void **state)
{
	static const char *const rows[][3] = {
	    {"read write", NULL, "read write"},
	    {"read write", "write", "write"},
	    {"read write", "write read", "write read"},
	    {"read write", "write write", "write"},
	    {"read write", "openid", NULL},
	    {"read write", "read openid", NULL},
	    {"read write", "rea", NULL},
	    {"read lost", NULL, "read"},
	    {"read lost", "read", "read"},
	    {"read lost", "lost", NULL},
	    {"lost", NULL, NULL},
	    {"read", " ", NULL},
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *scope = NULL;
		enum err err = scope_narrow(&client, span_str(rows[i][0]),
		    span_str(rows[i][1]), arena, &scope);

		if (rows[i][2] == NULL) {
			assert_int_equal(err, ERR_DENIED);
			continue;
		}
		assert_int_equal(err, OK);
		assert_string_equal(scope, rows[i][2]);
	}
	arena_free(arena);
}

static void
test_full_arena(void **state)
{
	struct arena *arena = arena_new(0);
	const char *scope;

	(void)state;
	assert_int_equal(scope_narrow(&client, span_str("read"),
			     (struct span){NULL, 0}, arena, &scope),
	    ERR_NOMEM);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_split),
	    cmocka_unit_test(test_has),
	    cmocka_unit_test(test_narrow),
	    cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

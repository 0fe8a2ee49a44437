/* The route look-up: raw paths, methods, the {idp} segment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/http/http_route.h"

static const struct http_route routes[] = {
    {"keys", HTTP_GET, "/oauth/v1/keys", 0, NULL, 0, 0},
    {"userinfo_get", HTTP_GET, "/oauth/v1/userinfo", 0, NULL, 0, 0},
    {"userinfo_post", HTTP_POST, "/oauth/v1/userinfo", 0, NULL, 0, 0},
    {"init", HTTP_POST, "/oauth/custom-registration/{idp}/init", 0, NULL, 0, 0},
    {"tail", HTTP_GET, "/tail/{idp}", 0, NULL, 0, 0},
    {"token", HTTP_DELETE, "/users/{userId}/tokens/{tokenId}", 0, NULL, 0, 0},
};

static struct http_routing
find(const char *method, const char *path)
{
	struct http_routing routing;

	http_route_find(
	    routes, sizeof routes / sizeof routes[0], method, path, &routing);
	return routing;
}

static void
finds_routes(void **state)
{
	(void)state;
	assert_ptr_equal(find("GET", "/oauth/v1/keys").route, &routes[0]);
	assert_ptr_equal(find("POST", "/oauth/v1/userinfo").route, &routes[2]);
	assert_false(span_present(find("GET", "/oauth/v1/keys").segments[0]));
}

static void
takes_one_segment(void **state)
{
	struct http_routing found =
	    find("POST", "/oauth/custom-registration/%2e%2e/init");

	(void)state;
	assert_ptr_equal(found.route, &routes[3]);
	assert_true(span_is(found.segments[0], "%2e%2e"));
	assert_true(span_is(find("GET", "/tail/x").segments[0], "x"));
}

static void
takes_two_segments(void **state)
{
	struct http_routing found = find("DELETE", "/users/a%2fb/tokens/7");

	(void)state;
	assert_ptr_equal(found.route, &routes[5]);
	assert_true(span_is(found.segments[0], "a%2fb"));
	assert_true(span_is(found.segments[1], "7"));
	assert_int_equal(
	    find("DELETE", "/users//tokens/7").match, HTTP_MATCH_NONE);
	assert_int_equal(
	    find("DELETE", "/users/a/tokens/").match, HTTP_MATCH_NONE);
	assert_int_equal(
	    find("DELETE", "/users/a/b/tokens/7").match, HTTP_MATCH_NONE);
}

static void
knows_nothing_else(void **state)
{
	static const char *const paths[] = {"/", "", "/oauth/v1/keys/",
	    "/oauth//v1/keys", "/oauth/v1/keys%20", "/OAUTH/v1/keys",
	    "/oauth/custom-registration//init",
	    "/oauth/custom-registration/a/b/init",
	    "/oauth/custom-registration/a/init/",
	    "/oauth/custom-registration/a", "/oauth/custom-registration",
	    "/tail/", "/tail", "/tail/a/b", "/oauth/v1/../v1/keys"};

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		assert_int_equal(find("GET", paths[i]).match, HTTP_MATCH_NONE);
		assert_int_equal(find("POST", paths[i]).match, HTTP_MATCH_NONE);
	}
}

static void
says_what_is_allowed(void **state)
{
	struct http_routing found = find("DELETE", "/oauth/v1/userinfo");

	(void)state;
	assert_int_equal(found.match, HTTP_MATCH_PATH);
	assert_string_equal(found.allow, "GET, POST");
	assert_string_equal(find("HEAD", "/oauth/v1/keys").allow, "GET");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_routes),
	    cmocka_unit_test(takes_one_segment),
	    cmocka_unit_test(takes_two_segments),
	    cmocka_unit_test(knows_nothing_else),
	    cmocka_unit_test(says_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * admin_body, admin_query, admin_problem: what requests of the configuration
 * API may carry, and what is said of those that carry something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gateway/admin/admin_body.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/admin/admin_query.h"

static const char good[] =
    "{\"files\":{\"realm.yaml\":\"a: \\u00e9\\n\"},\"why\":\"because\","
    "\"dry_run\":true,\"revision\":null}";

static struct arena *arena;
static struct http_response response;

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new(1 << 20);
	response = (struct http_response){.status = 200};
	buf_init(&response.body, 1 << 20);
	return arena == NULL;
}

static int
clean_up(void **state)
{
	(void)state;
	arena_free(arena);
	buf_fini(&response.body);
	return 0;
}

/* NULL: refused, and then said why. */
static json_t *
parse(struct span text)
{
	const struct http_request request = {.arena = arena, .body = text};
	json_t *body;

	response.status = 200;
	body = admin_body_parse(&request, &response);
	assert_int_equal(body == NULL ? 400 : 200, response.status);
	return body;
}

static void
expect_refused(struct span text)
{
	assert_null(parse(text));
	assert_non_null(strstr(buf_cstr(&response.body), "invalid_request"));
}

/* ---- bodies ---- */

static void
reads_members(void **state)
{
	json_t *body = parse(span_str(good));
	const char *text = "left alone";
	bool dry_run = false;

	(void)state;
	assert_non_null(body);
	assert_true(admin_body_text(body, "revision", &text, &response));
	assert_string_equal(text, "left alone");
	assert_true(admin_body_text(body, "why", &text, &response));
	assert_string_equal(text, "because");
	assert_true(admin_body_bool(body, "dry_run", &dry_run, &response));
	assert_true(dry_run);
	assert_false(admin_body_text(body, "files", &text, &response));
	assert_int_equal(response.status, 400);
	assert_false(admin_body_bool(body, "why", &dry_run, &response));
	json_decref(body);
}

static void
knows_its_members(void **state)
{
	static const char *const some[] = {"files", "why", NULL};
	static const char *const all[] = {
	    "files", "why", "dry_run", "revision", NULL};
	json_t *body = parse(span_str(good));

	(void)state;
	assert_true(admin_body_has_only(body, all, &response));
	assert_false(admin_body_has_only(body, some, &response));
	assert_non_null(strstr(buf_cstr(&response.body), "dry_run"));
	json_decref(body);
}

static void
takes_an_empty_body(void **state)
{
	json_t *body = parse(span_of("", 0));

	(void)state;
	assert_int_equal(json_object_size(body), 0);
	json_decref(body);
}

static void
refuses_what_is_no_object(void **state)
{
	static const char *const bodies[] = {"[]", "null", "1", "\"x\"", "{",
	    "{} {}", "{\"a\":1,\"a\":1}", "{'a':1}", "{\"a\":1,}", "//"};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		expect_refused(span_str(bodies[i]));
}

static void
refuses_depth(void **state)
{
	size_t len = 200000;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	expect_refused(span_of(text, len));
	free(text);
}

/* Whatever it is, it is answered or read; ASan looks on. */
static void
try_body(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len == 0 ? 1 : len);

	assert_non_null(exact);
	memcpy(exact, data, len);
	json_decref(parse(span_of(exact, len)));
	free(exact);
	arena_reset(arena);
}

static void
survives_flipped_and_cut_bytes(void **state)
{
	uint8_t bytes[sizeof good];

	(void)state;
	memcpy(bytes, good, sizeof good);
	for (size_t len = 0; len < sizeof good; len++)
		try_body(bytes, len);
	for (size_t bit = 0; bit < 8 * (sizeof good - 1); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		try_body(bytes, sizeof good - 1);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* ---- queries ---- */

static bool
page_of(const char *query, struct admin_page *page_r)
{
	const struct http_request request = {
	    .arena = arena, .query = span_str(query)};

	response.status = 200;
	return admin_query_page(&request, page_r, &response);
}

static void
reads_pages(void **state)
{
	static const char *const wrong[] = {"limit=0", "limit=201", "limit=-1",
	    "limit=", "limit=1x", "limit=9999999999999999999999", "limit=%",
	    "limit=1&limit=1", "after=%ff"};
	struct admin_page page;

	(void)state;
	assert_true(page_of(NULL, &page));
	assert_int_equal(page.limit, ADMIN_PAGE_DEFAULT);
	assert_false(span_present(page.after));
	assert_true(page_of("limit=200&after=a%2Fb", &page));
	assert_int_equal(page.limit, ADMIN_PAGE_MAX);
	assert_true(span_is(page.after, "a/b"));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_false(page_of(wrong[i], &page));
		assert_int_equal(response.status, 400);
	}
}

/* ---- errors ---- */

static void
says_where(void **state)
{
	const struct config_problem items[] = {
	    {false, "clients/a.yaml", 3, "idps[0]", "no \"x\""},
	    {true, "realm.yaml", 0, "", "a warning"},
	    {false, "", 0, "", "everywhere"},
	};
	const struct config_problems problems = {items, 3, 2};

	(void)state;
	admin_problem_details(&response, ADMIN_INVALID_REALM, NULL, &problems);
	assert_int_equal(response.status, 400);
	assert_string_equal(strstr(buf_cstr(&response.body), ",\"details\":"),
	    ",\"details\":[{\"file\":\"clients/a.yaml\",\"line\":3,"
	    "\"key\":\"idps[0]\",\"message\":\"no \\\"x\\\"\"},"
	    "{\"file\":null,\"line\":null,\"key\":null,"
	    "\"message\":\"everywhere\"}]}");
}

static void
keeps_our_failures_to_itself(void **state)
{
	struct err_detail detail = {"the disk /dev/sda1 says no"};

	(void)state;
	admin_problem_err(&response, ERR_IO, &detail);
	assert_int_equal(response.status, 503);
	assert_int_equal(response.retry_after_secs, 1);
	assert_null(strstr(buf_cstr(&response.body), "sda1"));
	admin_problem_err(&response, ERR_CORRUPT, &detail);
	assert_int_equal(response.status, 500);
	assert_null(strstr(buf_cstr(&response.body), "sda1"));
	admin_problem_err(&response, ERR_STALE, NULL);
	assert_int_equal(response.status, 412);
}

static void
has_a_code_for_each_refusal_of_http(void **state)
{
	struct buf body;

	(void)state;
	buf_init(&body, 4096);
	for (enum problem problem = 0; problem < PROBLEM_COUNT; problem++) {
		response.write_problem = admin_problem_write;
		http_problem(&response, problem, NULL);
		assert_non_null(
		    strstr(buf_cstr(&response.body), "\"details\":[]"));
	}
	http_problem(&response, PROBLEM_CONTENT_TYPE, NULL);
	assert_non_null(
	    strstr(buf_cstr(&response.body), "unsupported_media_type"));
	buf_fini(&body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(reads_members),
	    TEST(knows_its_members),
	    TEST(takes_an_empty_body),
	    TEST(refuses_what_is_no_object),
	    TEST(refuses_depth),
	    TEST(survives_flipped_and_cut_bytes),
	    TEST(reads_pages),
	    TEST(says_where),
	    TEST(keeps_our_failures_to_itself),
	    TEST(has_a_code_for_each_refusal_of_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

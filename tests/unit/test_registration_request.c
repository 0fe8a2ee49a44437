/*
 * registration_request: bodies of the registration endpoints, well-formed,
 * wrong in every way, damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "gateway/oauth/registration_request.h"
#include "tests/unit/small_stack.h"

#define ARENA_BYTES (1024 * 1024)
#define BOMB_BYTES  (64 * 1024)

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

/* The body lies in a block of exactly its size. */
static enum err
parse(enum http_body type, const char *text, size_t len,
    struct registration_request *r, struct err_detail *detail)
{
	struct http_request http = {.arena = arena, .body_type = type};
	uint8_t *exact = malloc(len);
	enum err err;

	assert_true(exact != NULL || len == 0);
	if (len > 0)
		memcpy(exact, text, len);
	http.body = span_of(len > 0 ? (const void *)exact : "", len);
	arena_reset(arena);
	err = registration_request_parse(&http, r, detail);
	free(exact);
	return err;
}

static struct registration_request
parsed(enum http_body type, const char *text)
{
	struct registration_request r = {.scope_count = 99};
	struct err_detail detail = {{0}};
	enum err err = parse(type, text, strlen(text), &r, &detail);

	if (err != OK)
		print_error("%s: %s\n", text, err_text(&detail, err));
	assert_int_equal(err, OK);
	return r;
}

static void
expect_syntax(enum http_body type, const char *text)
{
	struct registration_request r = {.scope_count = 99};
	struct err_detail detail = {{0}};

	if (parse(type, text, strlen(text), &r, &detail) != ERR_SYNTAX)
		print_error("%s\n", text);
	assert_int_equal(
	    parse(type, text, strlen(text), &r, &detail), ERR_SYNTAX);
	assert_string_not_equal(detail.text, "");
	/* RFC 6749 section 5.2. */
	for (const char *c = detail.text; *c != '\0'; c++)
		assert_true(*c >= ' ' && *c <= '~' && *c != '"' && *c != '\\');
	assert_int_equal(r.scope_count, 99);
}

static void
expect_same_fields(const struct registration_request *r)
{
	assert_null(r->wrong_field);
	assert_true(span_is(r->data, "some data"));
	assert_true(span_is(r->transaction_id, "T1"));
	assert_true(span_is(r->profile_id, "ABC123"));
	assert_true(span_is(r->grant_type, "urn:x"));
	assert_true(span_is(r->custom_params, "{\"a\":[\"b\",\"c\"]}"));
	assert_int_equal(r->scope_count, 2);
	assert_true(span_is(r->scopes[0], "openid"));
	assert_true(span_is(r->scopes[1], "read"));
}

static const char good_json[] =
    "{\"data\":\"some data\",\"transaction_id\":\"T1\","
    "\"scope\":[\"openid\",\"read\"],\"profile_id\":\"ABC123\","
    "\"grant_type\":\"urn:x\",\"unknown\":{\"deep\":[[1]]},"
    "\"hook_context_custom_params\":{\"a\":[\"b\",\"c\"]}}";
static const char good_form[] =
    "data=some+data&transaction_id=T1&scope=openid%20read&profile_id=ABC123&"
    "grant_type=urn%3Ax&client_id=app&client_secret=s%26t&unknown=1&"
    "hook_context_custom_params=%7B%22a%22:%5B%22b%22,%22c%22%5D%7D";

static void
test_both_forms_say_the_same(void **state)
{
	struct registration_request r = parsed(HTTP_BODY_JSON, good_json);

	(void)state;
	expect_same_fields(&r);
	assert_false(span_present(r.client_id));
	r = parsed(HTTP_BODY_FORM, good_form);
	expect_same_fields(&r);
	assert_true(span_is(r.client_id, "app"));
	assert_true(span_is(r.client_secret, "s&t"));
}

static void
test_nothing_sent(void **state)
{
	static const struct {
		enum http_body type;
		const char *text;
	} bodies[] = {
	    {HTTP_BODY_NONE, ""},
	    {HTTP_BODY_JSON, "{}"},
	    {HTTP_BODY_JSON, " \t\r\n{ }\n"},
	    {HTTP_BODY_JSON,
		"{\"data\":null,\"scope\":null,\"transaction_id\":null,"
		"\"hook_context_custom_params\":null}"},
	    {HTTP_BODY_JSON, "{\"scope\":[],\"client_secret\":\"x\"}"},
	    {HTTP_BODY_FORM, "&"},
	    {HTTP_BODY_FORM, "scope="},
	    {HTTP_BODY_FORM, "scope=+++"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct registration_request r =
		    parsed(bodies[i].type, bodies[i].text);

		assert_null(r.wrong_field);
		assert_false(span_present(r.data));
		assert_false(span_present(r.transaction_id));
		assert_false(span_present(r.custom_params));
		assert_false(span_present(r.client_secret));
		assert_int_equal(r.scope_count, 0);
	}
}

static void
test_wrong_types_are_told_later(void **state)
{
	static const struct {
		enum http_body type;
		const char *text;
		const char *field;
	} bodies[] = {
	    {HTTP_BODY_JSON, "{\"data\":{}}", "data"},
	    {HTTP_BODY_JSON, "{\"data\":7}", "data"},
	    {HTTP_BODY_JSON, "{\"data\":[\"x\"]}", "data"},
	    {HTTP_BODY_JSON, "{\"data\":true}", "data"},
	    {HTTP_BODY_JSON, "{\"transaction_id\":1}", "transaction_id"},
	    {HTTP_BODY_JSON, "{\"profile_id\":123456}", "profile_id"},
	    {HTTP_BODY_JSON, "{\"grant_type\":[]}", "grant_type"},
	    {HTTP_BODY_JSON, "{\"scope\":\"openid\"}", "scope"},
	    {HTTP_BODY_JSON, "{\"scope\":{}}", "scope"},
	    {HTTP_BODY_JSON, "{\"scope\":[1]}", "scope"},
	    {HTTP_BODY_JSON, "{\"scope\":[\"a\",null]}", "scope"},
	    {HTTP_BODY_JSON, "{\"hook_context_custom_params\":[]}", "hook"},
	    {HTTP_BODY_JSON, "{\"hook_context_custom_params\":\"\"}", "hook"},
	    {HTTP_BODY_JSON, "{\"hook_context_custom_params\":{\"a\":\"b\"}}",
		"hook"},
	    {HTTP_BODY_JSON, "{\"hook_context_custom_params\":{\"a\":[1]}}",
		"hook"},
	    {HTTP_BODY_JSON, "{\"hook_context_custom_params\":{\"a\":[[]]}}",
		"hook"},
	    {HTTP_BODY_FORM, "hook_context_custom_params=", "hook"},
	    {HTTP_BODY_FORM, "hook_context_custom_params=%7B", "hook"},
	    {HTTP_BODY_FORM, "hook_context_custom_params=[]", "hook"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct registration_request r =
		    parsed(bodies[i].type, bodies[i].text);

		if (r.wrong_field == NULL)
			print_error("%s\n", bodies[i].text);
		assert_non_null(r.wrong_field);
		assert_memory_equal(
		    r.wrong_field, bodies[i].field, strlen(bodies[i].field));
	}
}

static void
test_no_object_is_a_syntax_error(void **state)
{
	static const char *const bodies[] = {"[]", "null", "7", "\"x\"", "{",
	    "{}}", "{} {}", "{\"data\":\"a\",\"data\":\"b\"}",
	    "{\"data\":\"a\",\"d\\u0061ta\":\"b\"}", "{\"data\":'x'}", "{/**/}",
	    "{\"data\":\"x\",}", "{\"a\":01}", "{\"a\":NaN}", "\xef\xbb\xbf{}",
	    "{\"data\":\"\xff\"}", "{\"data\":\"\\ud800\"}",
	    "{\"data\":\"a\nb\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
		expect_syntax(HTTP_BODY_JSON, bodies[i]);
	expect_syntax(HTTP_BODY_FORM, "data=1&data=2");
	expect_syntax(HTTP_BODY_FORM, "data=%");
	expect_syntax(HTTP_BODY_FORM, "data=%ff");
	expect_syntax(HTTP_BODY_FORM, "data=%00");
}

static void
test_nul_in_data_is_data(void **state)
{
	static const char raw[] = "{\"data\":\"a\0b\"}";
	struct registration_request r =
	    parsed(HTTP_BODY_JSON, "{\"data\":\"a\\u0000b\"}");
	struct err_detail detail = {{0}};

	(void)state;
	assert_null(r.wrong_field);
	assert_int_equal(r.data.len, 3);
	assert_memory_equal(r.data.data, "a\0b", 3);
	r = parsed(HTTP_BODY_JSON,
	    "{\"hook_context_custom_params\":{\"a\":[\"x\\u0000y\"]}}");
	assert_true(span_is(r.custom_params, "{\"a\":[\"x\\u0000y\"]}"));
	expect_syntax(HTTP_BODY_JSON, "{\"a\\u0000\":1}");
	assert_int_equal(
	    parse(HTTP_BODY_JSON, raw, sizeof raw - 1, &r, &detail),
	    ERR_SYNTAX);
}

static void
test_too_many_scopes(void **state)
{
	char json[16 + 5 * (REQUEST_SCOPES_MAX + 1)];
	char form[16 + 2 * (REQUEST_SCOPES_MAX + 1)];
	struct registration_request r;

	(void)state;
	for (int count = REQUEST_SCOPES_MAX; count <= REQUEST_SCOPES_MAX + 1;
	     count++) {
		strcpy(json, "{\"scope\":[");
		strcpy(form, "scope=");
		for (int i = 0; i < count; i++) {
			strcat(json, i > 0 ? ",\"a\"" : "\"a\"");
			strcat(form, i > 0 ? "+a" : "a");
		}
		strcat(json, "]}");
		r = parsed(HTTP_BODY_JSON, json);
		assert_int_equal(
		    r.wrong_field != NULL, count > REQUEST_SCOPES_MAX);
		r = parsed(HTTP_BODY_FORM, form);
		assert_int_equal(
		    r.wrong_field != NULL, count > REQUEST_SCOPES_MAX);
		assert_int_equal(r.scope_count, REQUEST_SCOPES_MAX);
	}
}

/* ---- on a worker's stack ---------------------------------------------------
 */

/* `prefix`, then `opening` over and over. */
static void
drop_bomb(enum http_body type, const char *prefix, const char *opening)
{
	char *bomb = malloc(BOMB_BYTES + 1);
	size_t at = strlen(prefix), step = strlen(opening);

	assert_non_null(bomb);
	memcpy(bomb, prefix, at);
	for (; at + step <= BOMB_BYTES; at += step)
		memcpy(bomb + at, opening, step);
	bomb[at] = '\0';
	if (type == HTTP_BODY_JSON)
		expect_syntax(type, bomb);
	else
		assert_non_null(parsed(type, bomb).wrong_field);
	free(bomb);
}

static void *
drop_bombs(void *state)
{
	struct registration_request r;
	char nested[64];

	(void)state;
	drop_bomb(HTTP_BODY_JSON, "", "[");
	drop_bomb(HTTP_BODY_JSON, "", "{\"a\":");
	drop_bomb(HTTP_BODY_JSON, "{\"a\":\"\\\"\",\"b\":", "[");
	drop_bomb(HTTP_BODY_JSON, "{\"hook_context_custom_params\":", "[[{\"");
	drop_bomb(HTTP_BODY_FORM, "hook_context_custom_params=", "%5B");
	drop_bomb(HTTP_BODY_FORM, "hook_context_custom_params=", "[");
	/* The deepest that passes: the body's object and 15 arrays. */
	strcpy(nested, "{\"a\":");
	memset(nested + 5, '[', REQUEST_DEPTH_MAX - 1);
	memset(nested + 5 + REQUEST_DEPTH_MAX - 1, ']', REQUEST_DEPTH_MAX - 1);
	strcpy(nested + 5 + 2 * (REQUEST_DEPTH_MAX - 1), "}");
	r = parsed(HTTP_BODY_JSON, nested);
	assert_null(r.wrong_field);
	r = parsed(HTTP_BODY_JSON, good_json);
	expect_same_fields(&r);
	return NULL;
}

static void
test_depth_bombs_on_a_workers_stack(void **state)
{
	(void)state;
	small_stack_run(drop_bombs, NULL);
}

/* ---- damage ----------------------------------------------------------------
 */

static void
parse_damaged(enum http_body type, const char *text, size_t len)
{
	struct registration_request r;
	struct err_detail detail = {{0}};
	enum err err = parse(type, text, len, &r, &detail);

	assert_true(err == OK || err == ERR_SYNTAX);
	if (err == OK)
		assert_true(r.scope_count <= REQUEST_SCOPES_MAX);
}

static void
damage(enum http_body type, const char *good)
{
	size_t len = strlen(good);
	char *text = strdup(good);

	assert_non_null(text);
	for (size_t cut = 0; cut < len; cut++)
		parse_damaged(type, good, cut);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		parse_damaged(type, text, len);
		text[bit / 8] = good[bit / 8];
	}
	free(text);
}

static void
test_damaged_bodies(void **state)
{
	(void)state;
	damage(HTTP_BODY_JSON, good_json);
	damage(HTTP_BODY_FORM, good_form);
}

static void
test_full_arena(void **state)
{
	struct http_request http = {
	    .body_type = HTTP_BODY_JSON, .body = span_str(good_json)};
	struct registration_request r;
	struct err_detail detail = {{0}};
	enum err err = ERR_NOMEM;

	(void)state;
	for (size_t max = 0; err != OK; max += 16) {
		http.arena = arena_new(max);
		assert_non_null(http.arena);
		err = registration_request_parse(&http, &r, &detail);
		assert_true(err == OK || err == ERR_NOMEM);
		assert_true(max < 4096);
		arena_free(http.arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_forms_say_the_same),
	    cmocka_unit_test(test_nothing_sent),
	    cmocka_unit_test(test_wrong_types_are_told_later),
	    cmocka_unit_test(test_no_object_is_a_syntax_error),
	    cmocka_unit_test(test_nul_in_data_is_data),
	    cmocka_unit_test(test_too_many_scopes),
	    cmocka_unit_test(test_depth_bombs_on_a_workers_stack),
	    cmocka_unit_test(test_damaged_bodies),
	    cmocka_unit_test(test_full_arena),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

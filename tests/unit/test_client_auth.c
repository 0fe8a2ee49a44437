/*
 * client_auth: which credentials a request carries, and whose they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/encoding.h"
#include "common/metric.h"
#include "gateway/oauth/client_auth.h"

#define ARENA_BYTES (64 * 1024)

static struct vault *vault;
static struct arena *arena;
static struct oauth oauth;

/* Sorted by id; the digests are filled in set_up(). */
static struct realm_client clients[] = {
    {.client_id = "app", .enabled = true},
    {.client_id = "off", .enabled = false},
    {.client_id = "old",
	.enabled = true,
	.secret = {.kind = SECRET_PHC, .phc = "$argon2id$x"}},
};
static struct realm_api_client api_clients[] = {
    {.client_id = "api", .enabled = true},
    {.client_id = "app", .enabled = true},
    {.client_id = "off", .enabled = false},
};
static const struct realm realm = {.clients = clients,
    .client_count = 3,
    .api_clients = api_clients,
    .api_client_count = 3};

static void
digest(const char *kind, const char *id, const char *secret,
    struct realm_secret *secret_r)
{
	secret_r->kind = SECRET_DIGEST;
	realm_secret_digest(
	    vault, kind, span_str(id), span_str(secret), secret_r->digest);
}

static int
set_up(void **state)
{
	struct err_detail detail = {{0}};

	(void)state;
	arena = arena_new(ARENA_BYTES);
	if (arena == NULL || vault_open_passing(&vault, &detail) != OK)
		return -1;
	oauth.vault = vault;
	digest("client", "app", "s3cret", &clients[0].secret);
	digest("client", "off", "s3cret", &clients[1].secret);
	digest("api_client", "api", "s3cret", &api_clients[0].secret);
	digest("api_client", "app", "other", &api_clients[1].secret);
	digest("api_client", "off", "s3cret", &api_clients[2].secret);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	vault_close(vault);
	return 0;
}

/* ---- collecting -----------------------------------------------------------
 */

/* NULL: not sent. `basic` is what is encoded; `header` is sent as it is. */
struct collect_case {
	const char *basic, *header, *form_id, *form_secret, *query;
	enum err expected;
	const char *id, *secret;
};

static enum err
collect(const struct collect_case *c, struct credentials *credentials_r,
    struct err_detail *detail)
{
	struct http_request http = {.arena = arena};
	struct buf header;
	enum err err;

	arena_reset(arena);
	buf_init(&header, 1024);
	if (c->basic != NULL) {
		buf_append_str(&header, "Basic ");
		base64_append(&header, span_str(c->basic));
		http.authorization = buf_span(&header);
	} else {
		http.authorization = span_str(c->header);
	}
	http.query = span_str(c->query);
	err = credentials_collect(&http, span_str(c->form_id),
	    span_str(c->form_secret), credentials_r, detail);
	buf_fini(&header);
	return err;
}

static void
test_collecting(void **state)
{
	static const struct collect_case cases[] = {
	    {"app:s", NULL, NULL, NULL, NULL, OK, "app", "s"},
	    {"app:s:t", NULL, NULL, NULL, NULL, OK, "app", "s:t"},
	    {"a%3Ab:s%25", NULL, NULL, NULL, NULL, OK, "a:b", "s%"},
	    {"app:s", NULL, "app", NULL, NULL, OK, "app", "s"},
	    {"app:s", NULL, NULL, NULL, "x=1&y", OK, "app", "s"},
	    {NULL, NULL, "app", "s", NULL, OK, "app", "s"},
	    {NULL, NULL, NULL, NULL, NULL, ERR_NOT_FOUND, NULL, NULL},
	    {NULL, NULL, "app", NULL, NULL, ERR_NOT_FOUND, NULL, NULL},
	    {NULL, NULL, NULL, "s", NULL, ERR_NOT_FOUND, NULL, NULL},
	    {"app:s", NULL, "app", "s", NULL, ERR_INVALID, NULL, NULL},
	    {"app:s", NULL, NULL, "s", NULL, ERR_INVALID, NULL, NULL},
	    {"app:s", NULL, "other", NULL, NULL, ERR_INVALID, NULL, NULL},
	    {NULL, "Bearer x", "app", "s", NULL, ERR_INVALID, NULL, NULL},
	    {NULL, "Bearer x", NULL, NULL, NULL, ERR_NOT_FOUND, NULL, NULL},
	    {NULL, "Basic !", NULL, NULL, NULL, ERR_SYNTAX, NULL, NULL},
	    {NULL, "", NULL, NULL, NULL, ERR_NOT_FOUND, NULL, NULL},
	    {"app", NULL, NULL, NULL, NULL, ERR_SYNTAX, NULL, NULL},
	    {"app:%zz", NULL, NULL, NULL, NULL, ERR_SYNTAX, NULL, NULL},
	    {"app:s", NULL, NULL, NULL, "client_id=app", ERR_INVALID, NULL,
		NULL},
	    {"app:s", NULL, NULL, NULL, "a=b&client_secret=s", ERR_INVALID,
		NULL, NULL},
	    {NULL, NULL, "app", "s", "client%5Fsecret=", ERR_INVALID, NULL,
		NULL},
	    {NULL, NULL, NULL, NULL, "client_assertion=x", ERR_INVALID, NULL,
		NULL},
	    {"app:s", NULL, NULL, NULL, "%", ERR_INVALID, NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct credentials c = {0};
		struct err_detail detail = {{0}};
		enum err err = collect(&cases[i], &c, &detail);

		if (err != cases[i].expected)
			print_error("case %zu: %s\n", i, err_name(err));
		assert_int_equal(err, cases[i].expected);
		assert_int_equal(detail.text[0] != '\0', err == ERR_INVALID);
		if (err != OK)
			continue;
		assert_true(span_is(c.id, cases[i].id));
		assert_true(span_is(c.secret, cases[i].secret));
	}
}

/* ---- judging --------------------------------------------------------------
 */

static struct credentials
credentials(const char *id, const char *secret)
{
	return (struct credentials){
	    .id = span_str(id), .secret = span_str(secret)};
}

static void
test_clients(void **state)
{
	static const char *const refused[][2] = {{"app", "wrong"}, {"app", ""},
	    {"app", "s3cre"}, {"app", "s3crett"}, {"app", "other"},
	    {"nobody", "s3cret"}, {"", "s3cret"}, {"", ""}, {"ap", "ps3cret"},
	    {"off", "s3cret"}, {"old", "s3cret"}, {"old", ""},
	    {"api", "s3cret"}, {"App", "s3cret"}};
	struct credentials c = credentials("app", "s3cret");
	int64_t before = metric_value(M_CLIENT_AUTH, "client", "refused");
	size_t count = sizeof refused / sizeof refused[0];

	(void)state;
	assert_ptr_equal(client_authenticate(&oauth, &realm, &c), &clients[0]);
	for (size_t i = 0; i < count; i++) {
		c = credentials(refused[i][0], refused[i][1]);
		assert_null(client_authenticate(&oauth, &realm, &c));
	}
	c.id = span_of("app\0x", 5);
	c.secret = span_str("s3cret");
	assert_null(client_authenticate(&oauth, &realm, &c));
	assert_int_equal(metric_value(M_CLIENT_AUTH, "client", "refused"),
	    before + (int64_t)count + 1);
}

static void
test_api_clients_are_other_people(void **state)
{
	struct credentials c = credentials("api", "s3cret");

	(void)state;
	assert_ptr_equal(
	    api_client_authenticate(&oauth, &realm, &c), &api_clients[0]);
	c = credentials("app", "s3cret");
	assert_null(api_client_authenticate(&oauth, &realm, &c));
	c = credentials("app", "other");
	assert_ptr_equal(
	    api_client_authenticate(&oauth, &realm, &c), &api_clients[1]);
	c = credentials("off", "s3cret");
	assert_null(api_client_authenticate(&oauth, &realm, &c));
	c = credentials("nobody", "s3cret");
	assert_null(api_client_authenticate(&oauth, &realm, &c));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_collecting),
	    cmocka_unit_test(test_clients),
	    cmocka_unit_test(test_api_clients_are_other_people),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

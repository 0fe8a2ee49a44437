/*
 * One resource at a time: made, patched, removed, over JSON; who may, what is
 * in use, whose update would be lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config_fixture.h"

/* ---- resources ----------------------------------------------------------- */

static void
test_a_client_comes_and_goes(void **state)
{
	struct fixture *f = *state;
	struct config_outcome outcome;
	char *secret;

	assert_int_equal(
	    create(f, CONFIG_CLIENT,
		"{\"client_id\": \"app\", \"name\": null, \"enabled\": true}",
		&outcome),
	    OK);
	assert_int_equal(outcome.made_count, 1);
	assert_int_equal(strlen(outcome.etag), CONFIG_ETAG_CHARS);
	secret = strdup(outcome.made[0].secret);
	assert_true(is_secret(f, "app", secret));
	config_outcome_fini(&outcome);
	assert_json(f, CONFIG_CLIENT, "app",
	    "{\"client_id\":\"app\",\"client_secret\":{\"keep\":\"app\"},"
	    "\"enabled\":true}");
	assert_int_equal(
	    create(f, CONFIG_CLIENT, "{\"client_id\":\"app\"}", &outcome),
	    ERR_EXISTS);
	config_outcome_fini(&outcome);
	assert_int_equal(patch(f, CONFIG_CLIENT, "app",
			     "{\"name\":\"An app\",\"enabled\":null,"
			     "\"refresh_token\":{\"enabled\":false}}"),
	    OK);
	assert_json(f, CONFIG_CLIENT, "app",
	    "{\"client_id\":\"app\",\"name\":\"An app\","
	    "\"client_secret\":{\"keep\":\"app\"},"
	    "\"refresh_token\":{\"enabled\":false}}");
	assert_true(is_secret(f, "app", secret));
	assert_int_equal(delete (f, CONFIG_CLIENT, "app", &outcome), OK);
	config_outcome_fini(&outcome);
	assert_absent(f, CONFIG_CLIENT, "app");
	/* It does not come back with the secret it had. */
	{
		const struct config_file file = {"clients/app.yaml",
		    span_str("client_id: app\nclient_secret: {keep: app}\n")};

		assert_int_equal(
		    apply(f, &file, 1, &any, &outcome), ERR_INVALID);
		config_outcome_fini(&outcome);
	}
	free(secret);
}

static void
test_secret_is_renewed(void **state)
{
	struct fixture *f = *state;
	struct config_outcome outcome = {.arena = NULL};
	struct err_detail detail = {0};

	apply_good(f);
	assert_int_equal(patch(f, CONFIG_CLIENT, "demo-app",
			     "{\"client_secret\":{\"plain\":\"new one\"}}"),
	    OK);
	assert_true(is_secret(f, "demo-app", "new one"));
	restart(f);
	assert_true(is_secret(f, "demo-app", "new one"));
	assert_int_equal(
	    config_patch(f->config, &any, CONFIG_CLIENT, span_str("demo-app"),
		span_str("{\"client_secret\":null}"), &outcome, &detail),
	    OK);
	assert_int_equal(outcome.made_count, 1);
	assert_true(is_secret(f, "demo-app", outcome.made[0].secret));
	assert_false(is_secret(f, "demo-app", "new one"));
	config_outcome_fini(&outcome);
}

static void
test_scopes_and_properties(void **state)
{
	struct fixture *f = *state;
	struct config_outcome outcome;

	assert_int_equal(
	    create(f, CONFIG_SCOPE, "{\"id\":\"b\"}", &outcome), OK);
	config_outcome_fini(&outcome);
	assert_int_equal(
	    create(f, CONFIG_SCOPE, "{\"id\":\"a\"}", &outcome), OK);
	config_outcome_fini(&outcome);
	assert_int_equal(
	    patch(f, CONFIG_SCOPE, "b", "{\"description\":\"B\"}"), OK);
	assert_json(
	    f, CONFIG_SCOPE, "b", "{\"id\":\"b\",\"description\":\"B\"}");
	assert_int_equal(
	    patch(f, CONFIG_SCOPE, "b", "{\"id\":\"c\"}"), ERR_SYNTAX);
	assert_int_equal(patch(f, CONFIG_SCOPE, "c", "{}"), ERR_NOT_FOUND);
	assert_int_equal(create(f, CONFIG_PROPERTY,
			     "{\"id\":\"p\",\"value\":\"v\"}", &outcome),
	    OK);
	config_outcome_fini(&outcome);
	assert_int_equal(
	    patch(f, CONFIG_PROPERTY, "p", "{\"sensitive\":true}"), OK);
	assert_json(f, CONFIG_PROPERTY, "p",
	    "{\"id\":\"p\",\"keep\":\"p\",\"sensitive\":true}");
	/* What was hidden does not show itself again, nor as another kind. */
	assert_int_equal(patch(f, CONFIG_PROPERTY, "p", "{\"sensitive\":null}"),
	    ERR_INVALID);
	assert_int_equal(
	    patch(f, CONFIG_PROPERTY, "p", "{\"kind\":\"key\"}"), ERR_INVALID);
	assert_int_equal(patch(f, CONFIG_PROPERTY, "p",
			     "{\"kind\":\"key\",\"value\":\"k\"}"),
	    OK);
	assert_int_equal(delete (f, CONFIG_PROPERTY, "p", &outcome), OK);
	config_outcome_fini(&outcome);
	assert_int_equal(delete (f, CONFIG_SCOPE, "a", &outcome), OK);
	config_outcome_fini(&outcome);
	assert_absent(f, CONFIG_SCOPE, "a");
	restart(f);
	assert_json(
	    f, CONFIG_SCOPE, "b", "{\"id\":\"b\",\"description\":\"B\"}");
}

static void
test_identity_provider_with_scripts(void **state)
{
	struct fixture *f = *state;
	struct config_outcome outcome;
	const struct realm *realm;

	assert_int_equal(
	    create(f, CONFIG_IDP, "{\"id\":\"Idp\",\"type\":\"one_step\"}",
		&outcome),
	    ERR_INVALID);
	assert_problem(&outcome, "idps/Idp/complete.js", 0, "", "is required");
	config_outcome_fini(&outcome);
	assert_int_equal(create(f, CONFIG_IDP,
			     "{\"id\":\"Idp\",\"type\":\"one_step\","
			     "\"scripts\":{\"complete\":\"a\\nb\"}}",
			     &outcome),
	    OK);
	config_outcome_fini(&outcome);
	assert_json(
	    f, CONFIG_IDP, "Idp", "{\"id\":\"Idp\",\"type\":\"one_step\"}");
	assert_int_equal(
	    patch(f, CONFIG_IDP, "Idp",
		"{\"weight\":2,\"scripts\":{\"backchannel\":\"c\"}}"),
	    OK);
	realm = realm_acquire(f->realms);
	assert_true(span_is(realm_idp(realm, span_str("Idp"))
				->release->scripts[SCRIPT_COMPLETE]
				->source,
	    "a\nb"));
	assert_non_null(realm_idp(realm, span_str("Idp"))
			    ->release->scripts[SCRIPT_BACKCHANNEL]);
	realm_release(realm);
	assert_int_equal(
	    patch(f, CONFIG_IDP, "Idp", "{\"scripts\":{\"complete\":null}}"),
	    ERR_INVALID);
	assert_int_equal(
	    patch(f, CONFIG_IDP, "Idp", "{\"scripts\":{\"other\":\"\"}}"),
	    ERR_SYNTAX);
	assert_int_equal(delete (f, CONFIG_IDP, "Idp", &outcome), OK);
	assert_int_equal(outcome.change_count, 3);
	config_outcome_fini(&outcome);
}

static void
test_what_is_in_use_stays(void **state)
{
	struct fixture *f = *state;
	struct config_outcome outcome;
	char revision[CONFIG_REVISION_CHARS + 1];

	apply_good(f);
	revision_of(f, revision);
	assert_int_equal(
	    delete (f, CONFIG_SCOPE, "read", &outcome), ERR_INVALID);
	assert_problem(&outcome, "clients/demo-app.yaml", 10, "default_scopes",
	    "there is no scope 'read'");
	config_outcome_fini(&outcome);
	assert_int_equal(
	    delete (f, CONFIG_IDP, "TwoStep", &outcome), ERR_INVALID);
	assert_int_equal(outcome.problems.mistakes, 2);
	config_outcome_fini(&outcome);
	assert_revision(f, revision);
}

static void
test_lost_update(void **state)
{
	struct fixture *f = *state;
	const struct config_view *view;
	const struct config_document *document;
	struct config_request request = {.admin = true};

	apply_good(f);
	view = config_view_acquire(f->config);
	document =
	    config_view_document(view, CONFIG_CLIENT, span_str("demo-app"));
	request.etag = document->etag;
	assert_int_equal(patch_with(f, &request, CONFIG_CLIENT, "demo-app",
			     "{\"name\":\"One\"}"),
	    OK);
	assert_int_equal(patch_with(f, &request, CONFIG_CLIENT, "demo-app",
			     "{\"name\":\"Two\"}"),
	    ERR_STALE);
	config_view_release(view);
}

static void
test_only_admin(void **state)
{
	struct fixture *f = *state;
	struct config_request config_only = {.admin = false};

	apply_good(f);
	assert_int_equal(patch_with(f, &config_only, CONFIG_API_CLIENT,
			     "demo-app", "{\"name\":\"x\"}"),
	    ERR_DENIED);
	assert_int_equal(patch_with(f, &config_only, CONFIG_PROPERTY,
			     "backend_key", "{\"idps\":[\"OneStep\"]}"),
	    ERR_DENIED);
	assert_int_equal(patch_with(f, &config_only, CONFIG_PROPERTY,
			     "backend_url", "{\"kind\":\"key\"}"),
	    ERR_DENIED);
	assert_int_equal(patch_with(f, &config_only, CONFIG_PROPERTY,
			     "backend_url", "{\"value\":\"x\"}"),
	    OK);
	assert_int_equal(patch_with(f, &config_only, CONFIG_CLIENT, "demo-app",
			     "{\"name\":\"x\"}"),
	    OK);
}

static void
test_bodies_that_are_none(void **state)
{
	static const char *const bodies[] = {"", "[]", "1", "\"a\"", "{", "{}x",
	    "{\"a\":1,\"a\":2}", "a: b", "{a: b}", "{\"client_id\":\"a b\"}",
	    "{\"client_id\":7.5}x", "{\"client_id\":&a \"x\"}",
	    "{\"client_id\":!!str x}", "{}"};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct config_outcome outcome;

		assert_int_equal(
		    create(f, CONFIG_CLIENT, bodies[i], &outcome), ERR_SYNTAX);
		config_outcome_fini(&outcome);
	}
}

/* A line would be of a text that the caller has never seen. */
static void
test_mistakes_in_json_have_no_line(void **state)
{
	struct fixture *f = *state;
	struct config_outcome outcome;

	assert_int_equal(create(f, CONFIG_CLIENT,
			     "{\"client_id\":\"a\",\"access_token\":"
			     "{\"lifetime_secs\":\"600\"},\"nam\":\"x\"}",
			     &outcome),
	    ERR_INVALID);
	assert_problem(&outcome, "clients/a.yaml", 0,
	    "access_token.lifetime_secs", "without quotes");
	assert_problem(&outcome, "clients/a.yaml", 0, "nam", "unknown key");
	config_outcome_fini(&outcome);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_a_client_comes_and_goes),
	    TEST(test_secret_is_renewed),
	    TEST(test_scopes_and_properties),
	    TEST(test_identity_provider_with_scripts),
	    TEST(test_what_is_in_use_stays),
	    TEST(test_lost_update),
	    TEST(test_only_admin),
	    TEST(test_bodies_that_are_none),
	    TEST(test_mistakes_in_json_have_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Which paths of a gateway's export are believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/ctl/ctl_path.h"

static const char *const good[] = {"realm.yaml", "scopes.yaml",
    "properties.yaml", "clients/demo-app.yaml", "clients/a.b_c~d.yaml",
    "api-clients/backend.yaml", "idps/Example_Id-1/idp.yaml", "idps/x/init.js",
    "idps/x/complete.js", "idps/x/backchannel.js"};

static const char *const bad[] = {"", "/", ".", "..", "/etc/passwd",
    "../realm.yaml", "realm.yaml/", "/realm.yaml", "./realm.yaml",
    "clients/../../x.yaml", "clients/..yaml", "clients/.yaml",
    "clients/.x.yaml", "clients//x.yaml", "clients/a/b.yaml", "clients/x.yml",
    "clients/x", "clients", "clients/", "clients/a b.yaml", "clients/a\nb.yaml",
    "clients/\033[1m.yaml", "clients\\x.yaml", "idps/../idp.yaml",
    "idps/../../idp.yaml", "idps/x/../init.js", "idps/x/other.js",
    "idps/x/y/init.js", "idps//init.js", "idps/x", "idps/.git/idp.yaml",
    ".bashrc", ".ssh/authorized_keys",
    "idps/"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "/idp.yaml"};

static void
test_paths_of_realms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(ctl_path_is_realm_file(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(ctl_path_is_realm_file(bad[i]));
		assert_false(ctl_path_is_authorities(bad[i]));
	}
}

static void
test_paths_of_authorities(void **state)
{
	(void)state;
	assert_true(ctl_path_is_authorities("partner.pem"));
	assert_true(ctl_path_is_authorities("ca/partner-1.crt"));
	assert_true(ctl_path_is_authorities("idps/x/ca.pem"));
	assert_false(ctl_path_is_authorities("../ca.pem"));
	assert_false(ctl_path_is_authorities("/ca.pem"));
	assert_false(ctl_path_is_authorities("ca/../../ca.pem"));
	assert_false(ctl_path_is_authorities(".pem"));
	assert_false(ctl_path_is_authorities("ca/.pem"));
	assert_false(ctl_path_is_authorities("a/b/c/d/e.pem"));
	assert_false(ctl_path_is_authorities("authorized_keys"));
}

/* Whatever is believed stays below the directory. */
static void
assert_stays_below(const char *path)
{
	if (!ctl_path_is_realm_file(path) && !ctl_path_is_authorities(path))
		return;
	assert_true(path[0] != '/' && path[0] != '.');
	assert_null(strstr(path, "/."));
	assert_null(strstr(path, "//"));
	for (const char *c = path; *c != '\0'; c++)
		assert_true(*c > ' ' && *c < 127);
}

static void
test_no_path_leads_out(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		size_t len = strlen(good[i]);

		for (size_t bit = 0; bit < len * 8; bit++) {
			memcpy(path, good[i], len + 1);
			path[bit / 8] = (char)((unsigned char)path[bit / 8] ^
					       (1U << (bit % 8)));
			assert_stays_below(path);
		}
		for (size_t cut = 0; cut < len; cut++) {
			memcpy(path, good[i], cut);
			path[cut] = '\0';
			assert_stays_below(path);
			assert_stays_below(good[i] + cut);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_paths_of_realms),
	    cmocka_unit_test(test_paths_of_authorities),
	    cmocka_unit_test(test_no_path_leads_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

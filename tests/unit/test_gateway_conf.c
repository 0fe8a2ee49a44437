/* The gateway's settings: defaults, and what must hold between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "gateway/gateway_conf.h"

/* As gateway_conf_table, but no file of this machine is read. */
static struct conf_table table;
static struct gateway_conf settings;
static struct conf *conf;
static struct err_detail detail;

static int
setup(void **state)
{
	(void)state;
	table = gateway_conf_table;
	table.default_file = "/nonexistent/gateway.conf";
	return 0;
}

/* Up to two flags; NULL: none. */
static enum err
load(const char *first, const char *second)
{
	char program[] = "postern-gateway";
	char first_flag[256] = "", second_flag[256] = "";
	char *argv[] = {program, NULL, NULL, NULL};
	enum conf_action action;
	int argc = 1;

	if (first != NULL) {
		(void)snprintf(first_flag, sizeof first_flag, "%s", first);
		argv[argc++] = first_flag;
	}
	if (second != NULL) {
		(void)snprintf(second_flag, sizeof second_flag, "%s", second);
		argv[argc++] = second_flag;
	}
	detail.text[0] = '\0';
	return conf_load(
	    &table, argc, argv, &settings, &conf, &action, &detail);
}

static void
takes(const char *first, const char *second)
{
	enum err err = load(first, second);

	if (err != OK)
		fail_msg("%s", detail.text);
	conf_free(conf);
}

static void
refuses(const char *first, const char *second, const char *part)
{
	assert_int_equal(load(first, second), ERR_INVALID);
	if (strstr(detail.text, part) == NULL)
		fail_msg("no \"%s\" in: %s", part, detail.text);
}

static void
has_its_defaults(void **state)
{
	(void)state;
	assert_int_equal(load(NULL, NULL), OK);
	assert_string_equal(settings.public_url, "http://127.0.0.1:8080");
	assert_string_equal(settings.listen_public, "127.0.0.1:8080");
	assert_string_equal(settings.listen_admin, "127.0.0.1:8081");
	assert_int_equal(settings.threads, 64);
	assert_int_equal(settings.request_ms, 8000);
	assert_int_equal(settings.queue_ms, 2000);
	assert_int_equal(settings.queue_max, 256);
	assert_int_equal(settings.body_max_bytes, 128 * 1024);
	assert_string_equal(settings.data_dir, "/var/lib/postern");
	assert_null(settings.realm);
	assert_null(settings.master_key);
	assert_string_equal(
	    settings.engines_listen, "ipc:///run/postern/engines.sock");
	assert_string_equal(settings.log_format, "text");
	conf_free(conf);
}

static void
checks_the_public_url(void **state)
{
	(void)state;
	takes("--public-url=https://login.example", NULL);
	takes("--public-url=http://localhost:9000", NULL);
	takes("--public-url=http://[::1]:9000", NULL);
	refuses("--public-url=http://login.example", NULL, "https://");
	refuses("--public-url=login.example", NULL, "must start with");
	refuses("--public-url=https://", NULL, "host");
	refuses("--public-url=https://a.example/", NULL, "trailing slash");
	refuses("--public-url=https://a.example/x", NULL, "only");
	refuses("--public-url=https://u@a.example", NULL, "only");
	refuses("--public-url=http://127.0.0.1.evil.example", NULL, "https");
}

static void
keeps_listeners_on_loopback(void **state)
{
	(void)state;
	takes("--listen-public=127.0.0.1:0", "--listen-admin=[::1]:1");
	takes("--listen-public=0.0.0.0:8080", "--edge-tls=yes");
	refuses("--listen-public=0.0.0.0:8080", NULL, "edge_tls = yes");
	refuses("--listen-admin=10.0.0.1:8081", NULL, "listen_admin");
	refuses("--listen-admin=8081", NULL, "listen_admin");
	refuses("--listen-public=localhost:80", NULL, "ADDRESS:PORT");
}

static void
checks_proxies(void **state)
{
	(void)state;
	takes("--trusted-proxy=127.0.0.1, ::1", NULL);
	refuses("--trusted-proxy=127.0.0.1, haproxy", NULL, "haproxy");
}

static void
takes_engines_of_this_host(void **state)
{
	(void)state;
	takes("--engines-listen=ipc:///tmp/e.sock", NULL);
	refuses("--engines-listen=tls+tcp://0.0.0.0:9", NULL, "tls_cert");
	refuses("--engines-listen=tls+tcp://0.0.0.0", NULL, "HOST:PORT");
	refuses("--engines-listen=tls+tcp://::1:9", NULL, "HOST:PORT");
	refuses("--engines-listen=ipc://e.sock", NULL, "absolute path");
	refuses("--engines-listen=tcp://127.0.0.1:9", NULL, "ipc://");
	takes("--engines-listen=ipc:///a,ipc:///b", NULL);
	refuses("--tls-cert=/c.pem", NULL, "tls_key");
	refuses("--tls-cert=/c.pem", "--tls-key=/k.pem", "tls_ca");
}

static void
bounds_numbers(void **state)
{
	(void)state;
	takes("--threads=1024", NULL);
	refuses("--threads=0", NULL, "--threads");
	refuses("--threads=1025", NULL, "threads");
	takes("--request-ms=2001", NULL);
	refuses("--request-ms=2000", NULL, "queue_ms");
	refuses("--queue-ms=9000", NULL, "request_ms");
	refuses("--body-max-bytes=1G", NULL, "body-max-bytes");
}

static void
finds_the_runner(void **state)
{
	char path[PATH_MAX];
	char tiny[8];

	(void)state;
	assert_int_equal(load("--runner=/opt/runner", NULL), OK);
	assert_int_equal(
	    gateway_conf_runner(&settings, path, sizeof path, &detail), OK);
	assert_string_equal(path, "/opt/runner");
	conf_free(conf);
	assert_int_equal(load(NULL, NULL), OK);
	assert_int_equal(
	    gateway_conf_runner(&settings, path, sizeof path, &detail), OK);
	assert_int_equal(path[0], '/');
	assert_string_equal(strrchr(path, '/'), "/postern-runner");
	assert_int_equal(
	    gateway_conf_runner(&settings, tiny, sizeof tiny, &detail),
	    ERR_LIMIT);
	conf_free(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(has_its_defaults),
	    cmocka_unit_test(checks_the_public_url),
	    cmocka_unit_test(keeps_listeners_on_loopback),
	    cmocka_unit_test(checks_proxies),
	    cmocka_unit_test(takes_engines_of_this_host),
	    cmocka_unit_test(bounds_numbers),
	    cmocka_unit_test(finds_the_runner),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

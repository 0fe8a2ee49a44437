/* Configuration: sources and their order, refusals with their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/conf.h"

#define ARGS_MAX 8

struct settings {
	const char *public_url;
	const char *realm;
	const char *log_format;
	int64_t threads;
	int64_t body_max;
	bool edge_tls;
	const char *engines;
	const char *master_key;
};

#define ROW(section, name, kind, text, min, max, doc)      \
	{                                                  \
		section, #name, kind, text, min, max, doc, \
		    offsetof(struct settings, name)        \
	}
static const struct conf_row rows[] = {
    ROW("web", public_url, CONF_STRING, "http://x", 1, 100, "the issuer"),
    ROW("web", threads, CONF_INT, "64", 1, 256, "workers"),
    ROW("web", body_max, CONF_SIZE, "128k", 1024, 1 << 20, "of a body"),
    ROW("web", edge_tls, CONF_BOOL, "no", 0, 0, "something does TLS"),
    ROW("data", realm, CONF_PATH, "", 0, 0, "a realm directory"),
    ROW("data", engines, CONF_LIST, "a, b", 0, 0, "listeners"),
    ROW("data", master_key, CONF_SECRET_PATH, "", 0, 0, "32 bytes"),
    ROW("log", log_format, CONF_CHOICE, "text", 0, 0, "text|json: of lines"),
};

static enum err
no_thirteen(const void *settings, struct err_detail *detail)
{
	if (((const struct settings *)settings)->threads == 13)
		return err_set(detail, ERR_INVALID, "threads and luck");
	return OK;
}

static char file_path[] = "/tmp/test_conf.XXXXXX";

static const struct conf_table base_table = {
    .process = "postern-test",
    .env_prefix = "PTEST_",
    .default_file = file_path,
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .validate = no_thirteen,
};

static struct settings settings;
static struct conf *conf;
static enum conf_action action;
static struct err_detail detail;

static void
write_bytes(const char *text, size_t len)
{
	FILE *file = fopen(file_path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
write_file(const char *text)
{
	write_bytes(text, strlen(text));
}

/* `flags` is cut at spaces. */
static enum err
load_table(const struct conf_table *table, const char *flags)
{
	char copy[8192];
	char *argv[ARGS_MAX] = {copy};
	char *rest = copy;
	int argc = 1;

	conf_free(conf);
	conf = NULL;
	detail.text[0] = '\0';
	memset(&settings, 0xA5, sizeof settings);
	assert_true(strlen(flags) < sizeof copy);
	(void)strcpy(copy, flags);
	while (argc < ARGS_MAX - 1 && *flags != '\0' &&
	       (argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	return conf_load(table, argc, argv, &settings, &conf, &action, &detail);
}

static enum err
load(const char *flags)
{
	return load_table(&base_table, flags);
}

static void
expect_error(const char *flags, enum err expected, const char *text)
{
	static const struct settings zero;

	assert_int_equal(load(flags), expected);
	if (strstr(detail.text, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, detail.text);
	assert_null(conf);
	assert_int_equal(settings.threads, zero.threads);
	assert_null(settings.public_url);
}

/* A file of which line 2 is `line`. */
static void
expect_line_error(const char *line, const char *text)
{
	char content[6000];
	char place[200];

	(void)snprintf(content, sizeof content, "[web]\n%s\n", line);
	write_file(content);
	expect_error("", ERR_INVALID, text);
	(void)snprintf(place, sizeof place, "%s:2: ", file_path);
	assert_memory_equal(detail.text, place, strlen(place));
}

static void
paths_of_credentials(void **state)
{
	(void)state;
	write_file("[data]\nmaster_key = %d/master.key\nrealm = %d\n"
		   "engines = %d/a\n");
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/run/c", 1), 0);
	assert_int_equal(load(""), OK);
	assert_string_equal(settings.master_key, "/run/c/master.key");
	assert_string_equal(settings.realm, "%d");     /* names no credential */
	assert_string_equal(settings.engines, "%d/a"); /* is no path */
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(load(""), OK);
	assert_string_equal(settings.master_key, "%d/master.key");
}

static void
defaults(void **state)
{
	(void)state;
	write_file("");
	assert_int_equal(load(""), OK);
	assert_int_equal(action, CONF_RUN);
	assert_string_equal(settings.public_url, "http://x");
	assert_null(settings.realm);
	assert_null(settings.master_key);
	assert_string_equal(settings.log_format, "text");
	assert_int_equal(settings.threads, 64);
	assert_int_equal(settings.body_max, 128 * 1024);
	assert_false(settings.edge_tls);
	assert_string_equal(settings.engines, "a, b");
}

static void
a_file_is_read(void **state)
{
	(void)state;
	write_file("# comment\n\n[web]\r\n  threads =  8  # eight\n"
		   "public_url=http://a/#b\n\tedge_tls = yes\n[ log ]\n"
		   "log_format = json\n[data]\nrealm = /r s\n"
		   "master_key = /k\n[web]\nbody_max = 1M");
	assert_int_equal(load(""), OK);
	assert_int_equal(settings.threads, 8);
	assert_string_equal(settings.public_url, "http://a/#b");
	assert_true(settings.edge_tls);
	assert_string_equal(settings.log_format, "json");
	assert_string_equal(settings.realm, "/r s");
	assert_string_equal(settings.master_key, "/k");
	assert_int_equal(settings.body_max, 1 << 20);
}

static void
flag_beats_environment_beats_file(void **state)
{
	(void)state;
	write_file("[web]\nthreads = 2\nbody_max = 2k\npublic_url = f\n");
	assert_int_equal(setenv("PTEST_THREADS", "3", 1), 0);
	assert_int_equal(setenv("PTEST_BODY_MAX", "3k", 1), 0);
	assert_int_equal(load("--threads=4 --edge-tls --realm /r"), OK);
	assert_int_equal(settings.threads, 4);
	assert_int_equal(settings.body_max, 3 * 1024);
	assert_string_equal(settings.public_url, "f");
	assert_true(settings.edge_tls);
	assert_string_equal(settings.realm, "/r");
	assert_int_equal(load("--edge-tls=no --public-url=a=b"), OK);
	assert_false(settings.edge_tls);
	assert_string_equal(settings.public_url, "a=b");
	assert_int_equal(unsetenv("PTEST_THREADS"), 0);
	assert_int_equal(unsetenv("PTEST_BODY_MAX"), 0);
}

static void
bad_lines_are_refused(void **state)
{
	char text[5000];

	(void)state;
	expect_line_error("thread = 1", "thread: no such key");
	expect_line_error("realm = /r", "realm: belongs into [data]");
	expect_line_error("[weeb]", "[weeb]: no such section");
	expect_line_error("[web", "ends in ]");
	expect_line_error("[w b]", "a-z");
	expect_line_error("threads", "neither [section] nor key");
	expect_line_error("Threads = 1", "a-z");
	expect_line_error("= 1", "a-z");
	expect_line_error("threads = ", "threads: \"\" is not a number");
	expect_line_error("threads = 1x", "threads: \"1x\" is not a number");
	expect_line_error("threads = +1", "is not a number");
	expect_line_error("threads = 0", "below the least value 1");
	expect_line_error("threads = -1", "below the least value 1");
	expect_line_error("threads = 257", "above the greatest value 256");
	expect_line_error("threads = 9223372036854775808", "is not a number");
	expect_line_error("body_max = 2K", "is not a size");
	expect_line_error("body_max = 2kk", "is not a size");
	expect_line_error("body_max = k", "is not a size");
	expect_line_error("body_max = -2k", "is not a size");
	expect_line_error("body_max = 8589934592G", "too large");
	expect_line_error("body_max = 1G", "above the greatest");
	expect_line_error("edge_tls = true", "is not yes or no");
	expect_line_error("public_url =", "at least 1 characters");
	expect_line_error("public_url = a\x01", "not printable");
	expect_line_error("public_url = a\xff", "not printable");
	memset(text, 'a', sizeof text);
	memcpy(text, "public_url = ", 13);
	text[13 + 101] = '\0';
	expect_line_error(text, "more than 100 characters");
	text[13 + 101] = 'a';
	text[4999] = '\0';
	expect_line_error(text, "over 4095 characters");
}

/* Here because their line is not the second. */
static void
bad_files_are_refused(void **state)
{
	(void)state;
	write_file("threads = 1\n");
	expect_error("", ERR_INVALID, ":1: threads: stands before");
	write_file("[web]\nthreads = 1\n\nthreads = 2\n");
	expect_error("", ERR_INVALID, ":4: threads: given twice, first in");
	write_file("[log]\nlog_format = xml\n");
	expect_error("", ERR_INVALID, "\"xml\" is not one of text|json");
	write_file("[log]\nlog_format = tex\n");
	expect_error("", ERR_INVALID, "is not one of");
	write_file("[data]\nengines = a,,b\n");
	expect_error("", ERR_INVALID, "engines: an item is empty");
	write_bytes("[web]\nthreads = 1\0\n", 19);
	expect_error("", ERR_INVALID, "NUL");
	write_file("[web]\nthreads = 13\n");
	expect_error("", ERR_INVALID, "threads and luck");
	write_file("");
	expect_error("--config /nonexistent/file", ERR_IO, "/nonexistent/file");
	expect_error("--config=/tmp", ERR_IO, "/tmp: Is a directory");
	expect_error("--config=/dev/zero", ERR_IO, "/dev/zero: over");
	assert_int_equal(unlink(file_path), 0);
	assert_int_equal(load(""), OK);
	assert_string_equal(detail.text, "");
}

static void
bad_flags_and_variables_are_refused(void **state)
{
	(void)state;
	write_file("");
	expect_error("--thread=1", ERR_INVALID, "--thread: no such flag");
	expect_error("--body_max=2k", ERR_INVALID, "--body_max: no such flag");
	expect_error("--threads", ERR_INVALID, "--threads: needs a value");
	expect_error("--realm --check", ERR_INVALID, "--realm: needs a value");
	expect_error(
	    "--threads=1 --threads=1", ERR_INVALID, "--threads: given twice");
	expect_error("--threads=0", ERR_INVALID, "--threads: 0 is below");
	expect_error("--check=yes", ERR_INVALID, "--check: no such flag");
	expect_error("serve", ERR_INVALID, "\"serve\": not a flag");
	expect_error("--edge-tls yes", ERR_INVALID, "\"yes\": not a flag");
	expect_error("--", ERR_INVALID, "no such flag");
	assert_int_equal(setenv("PTEST_THREAD", "1", 1), 0);
	expect_error("", ERR_INVALID, "PTEST_THREAD: environment variable of");
	assert_int_equal(unsetenv("PTEST_THREAD"), 0);
	assert_int_equal(setenv("PTEST_THREADS", "x", 1), 0);
	expect_error("", ERR_INVALID, "PTEST_THREADS: \"x\" is not a number");
	assert_int_equal(unsetenv("PTEST_THREADS"), 0);
}

static void
bad_defaults_and_missing_values(void **state)
{
	struct conf_row row =
	    ROW("web", threads, CONF_INT, "0", 1, 256, "its default is wrong");
	struct conf_table table = base_table;

	(void)state;
	write_file("");
	table.rows = &row;
	table.row_count = 1;
	assert_int_equal(load_table(&table, ""), ERR_INVALID);
	assert_non_null(strstr(detail.text, "default of threads: 0 is below"));
	row = (struct conf_row)ROW(
	    "web", public_url, CONF_STRING, "", 1, 0, "must be set");
	assert_int_equal(load_table(&table, ""), ERR_INVALID);
	assert_non_null(strstr(detail.text, "public_url: must be set"));
	table.validate = NULL;
	assert_int_equal(load_table(&table, "--public-url=u"), OK);
	assert_string_equal(settings.public_url, "u");
	conf_free(conf); /* before its table goes */
	conf = NULL;
}

/* Every damaged file either loads or is refused; ASan sees the rest. */
static void
flipped_and_cut_files(void **state)
{
	static const char sample[] =
	    "[web]\nthreads = 8 # x\nbody_max = 1M\nedge_tls = yes\n"
	    "[data]\nengines = a, b\n[log]\nlog_format = json\n";
	char text[sizeof sample];
	unsigned refused = 0;

	(void)state;
	memcpy(text, sample, sizeof sample);
	for (size_t cut = 0; cut < sizeof sample; cut++) {
		write_bytes(text, cut);
		refused += load("") != OK;
	}
	for (size_t bit = 0; bit < (sizeof sample - 1) * 8; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		write_bytes(text, sizeof sample - 1);
		if (load("") != OK) {
			refused++;
			assert_true(detail.text[0] != '\0');
		}
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
	}
	assert_in_range(refused, 400, 900);
}

/* What --print-config shows can be loaded and shows the same. */
static void
printed_settings_load_again(void **state)
{
	char *first = NULL, *second = NULL;
	size_t first_len = 0, second_len = 0;
	FILE *out = open_memstream(&first, &first_len);

	(void)state;
	write_file("[web]\nbody_max = 2k\n");
	assert_int_equal(load("--threads=4 --realm=/r"), OK);
	conf_print(conf, out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(first,
	    "# workers\n# default: 64; source: flag --threads\nthreads = 4\n"));
	assert_non_null(strstr(first, "[web]\n\n# the issuer\n"
				      "# default: http://x; source: default\n"
				      "public_url = http://x\n"));
	assert_non_null(strstr(first, file_path));
	write_file(first);
	assert_int_equal(load(""), OK);
	assert_int_equal(settings.threads, 4);
	assert_int_equal(settings.body_max, 2048);
	assert_null(settings.master_key);
	out = open_memstream(&second, &second_len);
	conf_print(conf, out);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(second, "threads = 4\n"));
	free(first);
	free(second);
}

static void
actions(void **state)
{
	(void)state;
	write_file("");
	assert_int_equal(load("--check"), OK);
	assert_int_equal(action, CONF_CHECKED);
	assert_int_equal(load("--print-config"), OK);
	assert_int_equal(action, CONF_PRINTED);
	assert_non_null(conf);
	/* Help is there also for who has a broken file. */
	write_file("[broken\n");
	assert_int_equal(load("--help"), OK);
	assert_int_equal(action, CONF_PRINTED);
	assert_null(conf);
	assert_int_equal(load("--version"), OK);
	assert_int_equal(action, CONF_PRINTED);
	assert_int_equal(load("--check"), ERR_INVALID);
}

static void
lists_are_walked(void **state)
{
	const char *cursor = " a , bc,\tlonger-than-room ,d, ";
	char item[8];

	(void)state;
	assert_true(conf_list_next(&cursor, item, sizeof item));
	assert_string_equal(item, "a");
	assert_true(conf_list_next(&cursor, item, sizeof item));
	assert_string_equal(item, "bc");
	assert_true(conf_list_next(&cursor, item, sizeof item));
	assert_string_equal(item, "");
	assert_true(conf_list_next(&cursor, item, sizeof item));
	assert_string_equal(item, "d");
	assert_false(conf_list_next(&cursor, item, sizeof item));
	cursor = "";
	assert_false(conf_list_next(&cursor, item, sizeof item));
}

static int
make_file(void **state)
{
	int fd = mkstemp(file_path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void)state;
	conf_free(conf);
	return unlink(file_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_of_credentials),
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(a_file_is_read),
	    cmocka_unit_test(flag_beats_environment_beats_file),
	    cmocka_unit_test(bad_lines_are_refused),
	    cmocka_unit_test(bad_files_are_refused),
	    cmocka_unit_test(bad_flags_and_variables_are_refused),
	    cmocka_unit_test(bad_defaults_and_missing_values),
	    cmocka_unit_test(flipped_and_cut_files),
	    cmocka_unit_test(printed_settings_load_again),
	    cmocka_unit_test(actions),
	    cmocka_unit_test(lists_are_walked),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}

/*
 * store_migrate: steps forwards, a copy from before, what is refused, what an
 * interrupted or wrong step leaves. The steps are the test's own: the first
 * version of the schema has none yet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>

#include "gateway/store/store_migrate.h"

#include "store_fixture.h"

static const struct store_migration steps[] = {
    {2, "CREATE TABLE third (x INTEGER) STRICT;"
	"INSERT INTO third SELECT y * 10 FROM second"},
    {1, "CREATE TABLE second (y INTEGER) STRICT;"
	"INSERT INTO second VALUES (7)"},
};
static const struct store_migrations to_three = {3, steps, 2};

static struct sqlite_connection connection;

static void
open_file(void)
{
	struct err_detail detail = {0};

	store_close(store);
	store = NULL;
	if (sqlite_connection_open(
		&connection, store_path, CONNECTION_READ_WRITE, &detail) != OK)
		fail_msg("%s", detail.text);
}

static int
migrate_tear_down(void **state)
{
	sqlite_connection_close(&connection);
	return store_tear_down(state);
}

static int64_t
number_in(const char *path, const char *sql)
{
	struct sqlite_connection other = {0};
	struct err_detail detail = {0};
	int64_t number = -1;

	if (sqlite_connection_open(
		&other, path, CONNECTION_READ_ONLY, &detail) != OK ||
	    sqlite_connection_number(&other, sql, &number, &detail) != OK)
		number = -1;
	sqlite_connection_close(&other);
	return number;
}

static const char *
beside(const char *suffix)
{
	static char path[120];

	snprintf(path, sizeof path, "%s%s", store_path, suffix);
	return path;
}

static void
test_steps_lead_forwards(void **state)
{
	struct err_detail detail = {0};
	struct stat about;

	(void)state;
	open_file();
	assert_int_equal(
	    store_migrate(&connection, store_path, &to_three, &detail), OK);
	assert_int_equal(number_in(store_path, "SELECT x FROM third"), 70);
	assert_int_equal(number_in(store_path, "PRAGMA user_version"), 3);
	/* The copy is the store as it was, as private. */
	assert_int_equal(stat(beside(".before-3"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	assert_int_equal(
	    number_in(beside(".before-3"), "PRAGMA user_version"), 1);
	assert_int_equal(number_in(beside(".before-3"),
			     "SELECT count(*) FROM sqlite_schema"
			     " WHERE name IN ('second', 'third')"),
	    0);
	assert_int_not_equal(access(beside(".backup"), F_OK), 0);
}

static void
test_nothing_is_done_twice(void **state)
{
	struct err_detail detail = {0};

	(void)state;
	open_file();
	assert_int_equal(
	    store_migrate(&connection, store_path, &to_three, &detail), OK);
	assert_int_equal(unlink(beside(".before-3")), 0);
	assert_int_equal(
	    store_migrate(&connection, store_path, &to_three, &detail), OK);
	assert_int_not_equal(access(beside(".before-3"), F_OK), 0);
}

static void
test_a_step_is_done_whole_or_not(void **state)
{
	static const struct store_migration broken[] = {
	    {1, "CREATE TABLE second (y INTEGER) STRICT"},
	    {2, "CREATE TABLE third (x INTEGER) STRICT;"
		"INSERT INTO nowhere VALUES (1)"},
	};
	const struct store_migrations plan = {3, broken, 2};
	struct err_detail detail = {0};

	(void)state;
	open_file();
	assert_int_not_equal(
	    store_migrate(&connection, store_path, &plan, &detail), OK);
	assert_non_null(strstr(detail.text, "migration from version 2"));
	assert_int_equal(number_in(store_path, "PRAGMA user_version"), 2);
	assert_int_equal(
	    number_in(store_path, "SELECT count(*) FROM sqlite_schema"
				  " WHERE name = 'third'"),
	    0);
	/* With the step mended it goes on from there. */
	assert_int_equal(sqlite_connection_exec(&connection,
			     "INSERT INTO second VALUES (5)", &detail),
	    OK);
	assert_int_equal(
	    store_migrate(&connection, store_path, &to_three, &detail), OK);
	assert_int_equal(number_in(store_path, "SELECT x FROM third"), 50);
}

static void
test_other_versions_are_refused(void **state)
{
	const struct store_migrations older = {0, NULL, 0};
	const struct store_migrations with_gap = {3, steps, 1};
	struct err_detail detail = {0};

	(void)state;
	open_file();
	assert_int_equal(
	    store_migrate(&connection, store_path, &older, &detail),
	    ERR_VERSION);
	assert_non_null(strstr(detail.text, "newer Postern"));
	assert_int_equal(
	    store_migrate(&connection, store_path, &with_gap, &detail),
	    ERR_VERSION);
	assert_non_null(strstr(detail.text, "cannot bring to 3"));
	assert_int_not_equal(access(beside(".before-3"), F_OK), 0);
	assert_int_equal(number_in(store_path, "PRAGMA user_version"), 1);
}

/* A folder in the copy's place: it cannot be made, so nothing is changed. */
static void
test_without_its_copy_nothing_is_migrated(void **state)
{
	struct err_detail detail = {0};

	(void)state;
	open_file();
	assert_int_equal(mkdir(beside(".before-3"), 0700), 0);
	assert_int_equal(
	    store_migrate(&connection, store_path, &to_three, &detail), ERR_IO);
	assert_int_equal(number_in(store_path, "PRAGMA user_version"), 1);
	assert_int_equal(rmdir(beside(".before-3")), 0);
}

#define TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, migrate_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_steps_lead_forwards),
	    TEST(test_nothing_is_done_twice),
	    TEST(test_a_step_is_done_whole_or_not),
	    TEST(test_other_versions_are_refused),
	    TEST(test_without_its_copy_nothing_is_migrated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Records of failures over restarts: they come back, those that were pushed
 * out do not, and who has another key reads none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/dispatch/record.h"
#include "gateway/dispatch/record_journal.h"
#include "store_fixture.h"

static const char *const pointers[] = {"/password"};
static const struct release release = {.idp = "One", .hash = {3}};
static const struct realm_idp idp = {.identifier = "One",
    .record_mode = RECORD_ALL,
    .record_keep = 3,
    .record_mask = {pointers, 1}};
static struct vault *vault;

static struct record_store *
open_records(void)
{
	struct record_store *records = record_store_new(vault);
	struct err_detail detail = {0};

	assert_non_null(records);
	if (record_store_persist(records, store, &detail) != OK)
		fail_msg("%s", detail.text);
	return records;
}

static struct record_store *
again(struct record_store *records)
{
	record_store_stop(records);
	record_store_free(records);
	store_again();
	return open_records();
}

static void
add(struct record_store *records, const char *id, enum script_code code)
{
	const struct execution x = {.idp = &idp,
	    .release = &release,
	    .kind = SCRIPT_COMPLETE,
	    .correlation_id = id,
	    .data = span_str("{\"password\":\"hunter22\"}")};
	const struct execution_result r = {
	    .code = code, .message = "why", .attempts = 1};

	record_add(records, &x, &r, RECORD_NEW);
}

static bool
has(struct record_store *records, const char *id)
{
	struct buf out;
	enum err err;

	buf_init(&out, RECORD_MAX_BYTES);
	err = record_get(records, span_str(id), &out);
	if (err == OK)
		assert_non_null(strstr(buf_cstr(&out), "\"message\":\"why\""));
	buf_fini(&out);
	return err == OK;
}

static void
test_failures_come_back(void **state)
{
	struct record_store *records = open_records();
	struct record_of of;
	struct buf out;
	char id[16];

	(void)state;
	buf_init(&out, (size_t)1 << 20);
	add(records, "good", SCRIPT_OK);
	for (int i = 0; i < 5; i++) {
		(void)snprintf(id, sizeof id, "f%d", i);
		add(records, id, SCRIPT_THREW);
	}
	records = again(records);
	assert_false(has(records, "good"));
	assert_false(has(records, "f0"));
	assert_false(has(records, "f1"));
	assert_true(has(records, "f2"));
	assert_true(has(records, "f4"));
	assert_int_equal(record_open(records, span_str("f4"), &of, &out), OK);
	assert_non_null(strstr(buf_cstr(&out), "hunter22"));
	assert_memory_equal(of.release, release.hash, DIGEST_BYTES);
	/* Later ones push the old ones out, across the restart. */
	add(records, "f5", SCRIPT_THREW);
	records = again(records);
	assert_false(has(records, "f2"));
	assert_true(has(records, "f3"));
	assert_true(has(records, "f5"));
	record_store_stop(records);
	record_store_free(records);
	buf_fini(&out);
}

static void
test_another_key_reads_nothing(void **state)
{
	struct record_store *records = open_records();

	(void)state;
	add(records, "x", SCRIPT_THREW);
	record_store_stop(records);
	record_store_free(records);
	vault_close(vault);
	assert_int_equal(vault_open_passing(&vault, NULL), OK);
	records = open_records();
	assert_false(has(records, "x"));
	add(records, "y", SCRIPT_THREW);
	records = again(records);
	assert_true(has(records, "y"));
	record_store_stop(records);
	record_store_free(records);
}

static enum err
look(void *user, const struct store_recording *row)
{
	unsigned *count = user;

	++*count;
	assert_null(memmem(row->record.data, row->record.len, "why", 3));
	assert_null(
	    memmem(row->recording.data, row->recording.len, "hunter22", 8));
	return OK;
}

static void
test_nothing_is_stored_in_clear(void **state)
{
	struct record_store *records = open_records();
	unsigned count = 0;

	(void)state;
	add(records, "x", SCRIPT_THREW);
	record_store_stop(records);
	assert_int_equal(store_recording_each(store, look, &count), OK);
	assert_int_equal(count, 1);
	/* Stopped: kept all the same, in memory. */
	add(records, "y", SCRIPT_THREW);
	assert_true(has(records, "y"));
	record_store_free(records);
}

static int
set_up(void **state)
{
	assert_int_equal(vault_open_passing(&vault, NULL), OK);
	return store_set_up(state);
}

static int
tear_down(void **state)
{
	vault_close(vault);
	return store_tear_down(state);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_failures_come_back),
	    TEST(test_another_key_reads_nothing),
	    TEST(test_nothing_is_stored_in_clear),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}

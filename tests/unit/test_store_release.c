/*
 * store_release: drafts, coming into force, roll backs, what is dropped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gateway/store/store_config.h"
#include "gateway/store/store_release.h"

#include "store_fixture.h"

#define NOW      1700000000
#define ROWS_MAX 128

static struct arena *arena;

struct history {
	unsigned count;
	struct store_release_row rows[ROWS_MAX];
};

static void
note_row(void *user, const struct store_release_row *row)
{
	struct history *history = user;

	assert_in_range(history->count, 0, ROWS_MAX - 1);
	history->rows[history->count++] = *row;
}

static struct history
history_of(const char *idp)
{
	struct history history = {0};

	assert_int_equal(
	    store_release_each(store, idp, 0, ROWS_MAX, note_row, &history),
	    OK);
	return history;
}

/* The release named by one letter. */
static const uint8_t *
hash_named(char name)
{
	static uint8_t hashes[256][STORE_HASH_BYTES];
	uint8_t *hash = hashes[(uint8_t)name];

	memset(hash, name, STORE_HASH_BYTES);
	return hash;
}

static enum err
run_publish(struct store_writer *writer, void *user)
{
	return store_release_publish(writer, user);
}

static struct store_release_change
change_of(const char *idp, char name)
{
	return (struct store_release_change){.idp = idp,
	    .hash = hash_named(name),
	    .content = span_str("content"),
	    .at = NOW,
	    .by = "ops",
	    .why = "a reason"};
}

static void
publish(const char *idp, char name)
{
	struct store_release_change change = change_of(idp, name);

	assert_int_equal(store_perform(store, run_publish, &change), OK);
}

static void
draft(const char *idp, char name)
{
	struct store_release_change change = change_of(idp, name);

	assert_int_equal(store_release_draft(store, &change), OK);
}

static enum err
drop(const char *idp, char name)
{
	struct store_release_change change = change_of(idp, name);

	return store_release_draft_drop(store, &change);
}

static char
live_of(const char *idp)
{
	struct store_release_row row;

	assert_int_equal(store_release_live(store, idp, arena, &row), OK);
	assert_int_equal(row.state, STORE_RELEASE_LIVE);
	return (char)row.hash[0];
}

/* As the configuration rolls back; 0: there is nothing before. */
static char
roll_back(const char *idp)
{
	struct store_release_change change;
	struct store_release_row row;

	if (store_release_before(store, idp, arena, &row) != OK)
		return 0;
	change = change_of(idp, (char)row.hash[0]);
	change.origin = row.origin;
	assert_int_equal(store_perform(store, run_publish, &change), OK);
	return live_of(idp);
}

static bool
is_kept(char name)
{
	uint8_t *content = NULL;
	size_t len;
	enum err err =
	    store_release_get(store, hash_named(name), &content, &len);

	free(content);
	assert_true(err == OK || err == ERR_NOT_FOUND);
	return err == OK;
}

static void
expire(int64_t now)
{
	unsigned deleted;

	assert_int_equal(store_expire(store, now, 200, &deleted), OK);
}

static void
test_draft_comes_into_force(void **state)
{
	struct history history;

	(void)state;
	publish("idp", 'A');
	draft("idp", 'B');
	assert_int_equal(live_of("idp"), 'A');
	publish("idp", 'B');
	store_again();
	history = history_of("idp");
	assert_int_equal(history.count, 2);
	assert_int_equal(history.rows[0].hash[0], 'B');
	assert_int_equal(history.rows[0].state, STORE_RELEASE_LIVE);
	assert_int_equal(history.rows[0].published_at, NOW);
	assert_false(store_release_is_rollback(&history.rows[0]));
	assert_int_equal(history.rows[1].hash[0], 'A');
	assert_int_equal(history.rows[1].state, STORE_RELEASE_PAST);
	assert_true(history.rows[0].number > history.rows[1].number);
	assert_int_equal(history_of("other").count, 0);
}

static void
test_who_and_why_are_kept(void **state)
{
	struct store_release_change change = change_of("idp", 'A');
	struct store_release_row row;

	(void)state;
	change.by = "author";
	change.why = "written";
	assert_int_equal(store_release_draft(store, &change), OK);
	change.by = "boss";
	change.why = "let out";
	change.at = NOW + 5;
	assert_int_equal(store_perform(store, run_publish, &change), OK);
	assert_int_equal(store_release_live(store, "idp", arena, &row), OK);
	assert_string_equal(row.created_by, "author");
	assert_string_equal(row.created_why, "written");
	assert_int_equal(row.created_at, NOW);
	assert_string_equal(row.published_by, "boss");
	assert_string_equal(row.published_why, "let out");
	assert_int_equal(row.published_at, NOW + 5);
}

static void
test_published_again_is_no_row(void **state)
{
	(void)state;
	publish("idp", 'A');
	publish("idp", 'A');
	assert_int_equal(history_of("idp").count, 1);
}

/* Twice back goes further back, not forth again. */
static void
test_roll_backs(void **state)
{
	(void)state;
	assert_int_equal(roll_back("idp"), 0);
	publish("idp", 'A');
	assert_int_equal(roll_back("idp"), 0);
	publish("idp", 'B');
	publish("idp", 'C');
	assert_int_equal(roll_back("idp"), 'B');
	assert_true(store_release_is_rollback(&history_of("idp").rows[0]));
	assert_int_equal(roll_back("idp"), 'A');
	assert_int_equal(roll_back("idp"), 0);
	assert_int_equal(live_of("idp"), 'A');
	publish("idp", 'D');
	assert_int_equal(roll_back("idp"), 'A');
	publish("idp", 'C');
	draft("idp", 'E');
	assert_int_equal(roll_back("idp"), 'A');
}

static void
test_found_by_prefix(void **state)
{
	struct store_release_change change = change_of("idp", 'A');
	uint8_t near[STORE_HASH_BYTES];
	struct store_release_row row;

	(void)state;
	memcpy(near, hash_named('A'), sizeof near);
	near[4] = 0x4f; /* 41414141 4f.. */
	draft("idp", 'A');
	change.hash = near;
	assert_int_equal(store_release_draft(store, &change), OK);
	draft("other", 'B');
	assert_int_equal(store_release_find(store, "idp", near, 8, arena, &row),
	    ERR_INVALID);
	assert_int_equal(store_release_find(store, "idp", near, 9, arena, &row),
	    ERR_INVALID);
	assert_int_equal(
	    store_release_find(store, "idp", near, 10, arena, &row), OK);
	assert_memory_equal(row.hash, near, sizeof near);
	assert_int_equal(
	    store_release_find(store, "idp", near, 64, arena, &row), OK);
	assert_int_equal(
	    store_release_find(store, "idp", hash_named('B'), 8, arena, &row),
	    ERR_NOT_FOUND);
	/* The newest of several rows of one release. */
	publish("idp", 'A');
	publish("idp", 'C');
	publish("idp", 'A');
	assert_int_equal(
	    store_release_find(store, "idp", hash_named('A'), 64, arena, &row),
	    OK);
	assert_int_equal(row.state, STORE_RELEASE_LIVE);
}

static void
test_drafts_are_dropped_and_bounded(void **state)
{
	struct store_release_change change = change_of("idp", 'z');

	(void)state;
	publish("idp", 'Z');
	assert_int_equal(drop("idp", 'Z'), ERR_NOT_FOUND);
	for (char i = 0; i < STORE_RELEASE_DRAFTS; i++)
		draft("idp", (char)('a' + i));
	assert_int_equal(store_release_draft(store, &change), ERR_LIMIT);
	/* One of them again is no new one. */
	draft("idp", 'b');
	assert_int_equal(drop("idp", 'a'), OK);
	assert_int_equal(drop("idp", 'a'), ERR_NOT_FOUND);
	assert_int_equal(store_release_draft(store, &change), OK);
	assert_int_equal(live_of("idp"), 'Z');
}

static void
test_history_is_bounded(void **state)
{
	struct history history;

	(void)state;
	for (unsigned i = 0; i < STORE_RELEASES_PAST + 10; i++) {
		assert_int_equal(
		    store_release_put(store, hash_named((char)('!' + i)), "idp",
			span_str("content")),
		    OK);
		publish("idp", (char)('!' + i));
	}
	publish("other", 'A');
	history = history_of("idp");
	assert_int_equal(history.count, STORE_RELEASES_PAST + 1);
	assert_int_equal(history.rows[0].state, STORE_RELEASE_LIVE);
	/* Transactions may still need those that went. */
	assert_true(is_kept('!'));
	expire(NOW + STORE_RELEASE_UNUSED_SECS - 1);
	assert_true(is_kept('!'));
	expire(NOW + STORE_RELEASE_UNUSED_SECS);
	assert_false(is_kept('!'));
	assert_false(is_kept((char)('!' + 8)));
	assert_true(is_kept((char)('!' + 9)));
	assert_true(is_kept((char)('!' + STORE_RELEASES_PAST + 9)));
}

/* A change that never came to its end leaves content alone. */
static void
test_content_without_history_goes(void **state)
{
	int64_t late = INT64_C(1) << 40;

	(void)state;
	assert_int_equal(store_release_put(store, hash_named('A'), "idp",
			     span_str("content")),
	    OK);
	draft("idp", 'B');
	expire(late);
	assert_false(is_kept('A'));
	assert_true(is_kept('B'));
	assert_int_equal(drop("idp", 'B'), OK);
	expire(NOW);
	assert_true(is_kept('B'));
	draft("idp", 'B');
	expire(late);
	assert_true(is_kept('B'));
	assert_int_equal(drop("idp", 'B'), OK);
	expire(late);
	assert_false(is_kept('B'));
}

static enum err
run_sync(struct store_writer *writer, void *user)
{
	return store_release_sync(writer, user, 2, NOW);
}

static void
test_sync(void **state)
{
	struct store_release_change live[] = {
	    change_of("a", 'A'), change_of("c", 'C')};

	(void)state;
	publish("a", 'X');
	publish("b", 'B');
	draft("b", 'D');
	publish("c", 'C');
	assert_int_equal(store_perform(store, run_sync, live), OK);
	assert_int_equal(live_of("a"), 'A');
	assert_int_equal(history_of("a").count, 2);
	assert_int_equal(history_of("b").count, 0);
	assert_int_equal(history_of("c").count, 1);
	assert_int_equal(store_perform(store, run_sync, live), OK);
	assert_int_equal(history_of("a").count, 2);
}

static int
set_up(void **state)
{
	arena = arena_new(1 << 20);
	return arena == NULL ? -1 : store_set_up(state);
}

static int
tear_down(void **state)
{
	arena_free(arena);
	return store_tear_down(state);
}

#define RELEASE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RELEASE_TEST(test_draft_comes_into_force),
	    RELEASE_TEST(test_who_and_why_are_kept),
	    RELEASE_TEST(test_published_again_is_no_row),
	    RELEASE_TEST(test_roll_backs),
	    RELEASE_TEST(test_found_by_prefix),
	    RELEASE_TEST(test_drafts_are_dropped_and_bounded),
	    RELEASE_TEST(test_history_is_bounded),
	    RELEASE_TEST(test_content_without_history_goes),
	    RELEASE_TEST(test_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

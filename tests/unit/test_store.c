/*
 * store: groups, what a crash leaves, a full or failing disk, a second
 * gateway, foreign files. Disk errors come from an SQLite VFS of the test.
 * Started again by itself as a child that is killed or stops: see main().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/metric.h"
#include "gateway/store/query.h"
#include "gateway/store/store_config.h"
#include "gateway/store/store_grant.h"
#include "gateway/store/store_writer.h"

#include "store_fixture.h"

#define NOW 1000000

/* Generous: only a hang outlasts it. */
#define PATIENCE_MS 20000

extern char **environ;

/* ---- a VFS that can fail ------------------------------------------------- */

static atomic_int write_code; /* what writes answer, if not 0 */
static atomic_int sync_code;  /* what fsync answers, if not 0 */

/* Unix's VFS has several sets of methods, by how a file is locked. */
#define METHODS_MAX 4

static const sqlite3_io_methods *real_methods[METHODS_MAX];
static sqlite3_io_methods failing_methods[METHODS_MAX];
static sqlite3_vfs *real_vfs;
static sqlite3_vfs failing_vfs;

static const sqlite3_io_methods *
real_of(const sqlite3_file *file)
{
	return real_methods[file->pMethods - failing_methods];
}

static int
failing_write(
    sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	int code = atomic_load(&write_code);

	return code != 0 ? code
			 : real_of(file)->xWrite(file, data, len, offset);
}

static int
failing_sync(sqlite3_file *file, int flags)
{
	int code = atomic_load(&sync_code);

	return code != 0 ? code : real_of(file)->xSync(file, flags);
}

/* In these tests one thread at a time opens files. */
static int
failing_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file,
    int flags, int *flags_r)
{
	int code = real_vfs->xOpen(real_vfs, name, file, flags, flags_r);
	size_t i = 0;

	(void)vfs;
	if (code != SQLITE_OK || file->pMethods == NULL)
		return code;
	while (i < METHODS_MAX && real_methods[i] != NULL &&
	       real_methods[i] != file->pMethods)
		i++;
	assert_true(i < METHODS_MAX);
	if (real_methods[i] == NULL) {
		real_methods[i] = file->pMethods;
		failing_methods[i] = *file->pMethods;
		failing_methods[i].xWrite = failing_write;
		failing_methods[i].xSync = failing_sync;
	}
	file->pMethods = &failing_methods[i];
	return code;
}

static void
install_failing_vfs(void)
{
	sqlite3_initialize();
	real_vfs = sqlite3_vfs_find(NULL);
	failing_vfs = *real_vfs;
	failing_vfs.zName = "failing";
	failing_vfs.xOpen = failing_open;
	failing_vfs.pNext = NULL;
	sqlite3_vfs_register(&failing_vfs, 1);
}

/* ---- operations to play with --------------------------------------------- */

/* Writes one row named by `number`, then says `err`. */
struct note {
	struct store_op op;
	unsigned number;
	enum err err; /* what run() says after it wrote */
	enum err result;
	sem_t *last; /* posted by each done() */
};

static enum err
note_run(struct store_writer *writer, void *user)
{
	struct note *note = user;
	struct query query =
	    query_of(store_writer_connection(writer), SQL_CLIENT_SECRET_PUT);
	uint8_t digest[STORE_HASH_BYTES];
	char name[16];
	enum err err;

	snprintf(name, sizeof name, "%u", note->number);
	hash_of(note->number, digest);
	query_bind_text(&query, 1, "note");
	query_bind_text(&query, 2, name);
	query_bind_bytes(&query, 3, span_of(digest, sizeof digest));
	err = query_run(&query);
	return err != OK ? err : note->err;
}

static void
note_done(void *user, enum err err)
{
	struct note *note = user;

	note->result = err;
	sem_post(note->last);
}

static bool
note_is_stored(unsigned number)
{
	uint8_t digest[STORE_HASH_BYTES];
	char name[16];
	enum err err;

	snprintf(name, sizeof name, "%u", number);
	err = store_client_secret_get(store, "note", name, digest);
	assert_true(err == OK || err == ERR_NOT_FOUND);
	return err == OK;
}

/* An operation that holds the writer up, so that a group can gather. */
struct gate {
	struct store_op op;
	sem_t entered;
	sem_t open;
	sem_t left;
};

static enum err
gate_run(struct store_writer *writer, void *user)
{
	struct gate *gate = user;

	(void)writer;
	sem_post(&gate->entered);
	while (sem_wait(&gate->open) != 0)
		;
	return OK;
}

static void
gate_done(void *user, enum err err)
{
	struct gate *gate = user;

	(void)err;
	sem_post(&gate->left);
}

static void
gate_close(struct gate *gate)
{
	gate->op = (struct store_op){gate_run, gate_done, gate, NULL};
	sem_init(&gate->entered, 0, 0);
	sem_init(&gate->open, 0, 0);
	sem_init(&gate->left, 0, 0);
	store_submit(store, &gate->op);
	while (sem_wait(&gate->entered) != 0)
		;
}

static void
gate_open(struct gate *gate)
{
	sem_post(&gate->open);
	while (sem_wait(&gate->left) != 0)
		;
}

static enum err
write_note(unsigned number)
{
	struct note note = {.number = number, .err = OK};

	return store_perform(store, note_run, &note);
}

/* ---- groups -------------------------------------------------------------- */

static void
test_failure_does_not_fail_neighbours(void **state)
{
	enum { COUNT = 40 };
	struct note notes[COUNT] = {0};
	struct gate gate;
	sem_t last;
	int64_t commits;

	(void)state;
	sem_init(&last, 0, 0);
	gate_close(&gate);
	commits = metric_value(M_STORE_COMMITS, "ok", NULL);
	for (unsigned i = 0; i < COUNT; i++) {
		notes[i].op =
		    (struct store_op){note_run, note_done, &notes[i], NULL};
		notes[i].number = i;
		notes[i].err = i % 4 == 1 ? ERR_INVALID : OK;
		notes[i].last = &last;
		store_submit(store, &notes[i].op);
	}
	gate_open(&gate);
	for (unsigned i = 0; i < COUNT; i++)
		while (sem_wait(&last) != 0)
			;
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(notes[i].result, notes[i].err);
		assert_true(note_is_stored(i) == (notes[i].err == OK));
	}
	/* The gate's group and one for all the rest. */
	assert_int_equal(
	    metric_value(M_STORE_COMMITS, "ok", NULL) - commits, 2);
	/* A row that is there already fails alone, too. */
	assert_int_equal(write_note(0), ERR_EXISTS);
	assert_int_equal(write_note(1), OK);
}

static void
test_too_many_wait(void **state)
{
	enum { COUNT = 20000 };
	struct note *notes = calloc(COUNT, sizeof *notes);
	struct gate gate;
	unsigned refused = 0;
	sem_t last;

	(void)state;
	assert_non_null(notes);
	sem_init(&last, 0, 0);
	gate_close(&gate);
	for (unsigned i = 0; i < COUNT; i++) {
		notes[i].op =
		    (struct store_op){note_run, note_done, &notes[i], NULL};
		notes[i].number = i;
		notes[i].last = &last;
		notes[i].result = ERR_COUNT;
		store_submit(store, &notes[i].op);
		refused += notes[i].result == ERR_FULL;
	}
	assert_in_range(refused, 1, COUNT - 1);
	gate_open(&gate);
	for (unsigned i = 0; i < COUNT; i++)
		while (sem_wait(&last) != 0)
			;
	for (unsigned i = 0; i < COUNT; i++)
		assert_true(
		    notes[i].result == OK || notes[i].result == ERR_FULL);
	assert_int_equal(write_note(COUNT), OK);
	free(notes);
}

static void
test_close_finishes_what_was_submitted(void **state)
{
	enum { COUNT = 1500 };
	struct note *notes = calloc(COUNT, sizeof *notes);
	sem_t last;

	(void)state;
	assert_non_null(notes);
	sem_init(&last, 0, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		notes[i].op =
		    (struct store_op){note_run, note_done, &notes[i], NULL};
		notes[i].number = i;
		notes[i].last = &last;
		store_submit(store, &notes[i].op);
	}
	store_again();
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(notes[i].result, OK);
		assert_true(note_is_stored(i));
	}
	free(notes);
}

static void
test_numbers_only_grow(void **state)
{
	struct store_transaction row = {.client_id = "c", .idp = "i"};
	uint64_t first = store_next_number(store, SEQUENCE_TRANSACTION);

	(void)state;
	assert_true(store_next_number(store, SEQUENCE_TRANSACTION) > first);
	row.number = 4711;
	row.expires_at = NOW;
	assert_int_equal(store_transaction_open(store, &row), OK);
	store_again();
	assert_true(store_next_number(store, SEQUENCE_TRANSACTION) == 4712);
	assert_true(store_next_number(store, SEQUENCE_GRANT) == 1);
}

/* ---- a disk that fails --------------------------------------------------- */

static void
wait_until_writable(void)
{
	int64_t until = clock_mono_ms() + PATIENCE_MS;

	/* The writer probes by itself; this only watches the flag. */
	while (!store_is_writable(store) && clock_mono_ms() < until)
		sched_yield();
	assert_true(store_is_writable(store));
}

static void
check_disk_error(int code)
{
	assert_true(store_is_writable(store));
	assert_int_equal(write_note(1), OK);
	atomic_store(&write_code, code);
	assert_int_equal(write_note(2), ERR_IO);
	assert_false(store_is_writable(store));
	assert_int_equal(write_note(3), ERR_IO);
	assert_true(note_is_stored(1)); /* reads go on */
	assert_false(note_is_stored(2));
	atomic_store(&write_code, 0);
	wait_until_writable();
	assert_int_equal(write_note(2), OK);
	store_again();
	assert_true(note_is_stored(1));
	assert_true(note_is_stored(2));
	assert_false(note_is_stored(3));
}

static void
test_full_disk(void **state)
{
	(void)state;
	check_disk_error(SQLITE_FULL);
}

static void
test_failing_disk(void **state)
{
	(void)state;
	check_disk_error(SQLITE_IOERR_WRITE);
}

static void
test_disk_fails_a_whole_group(void **state)
{
	enum { COUNT = 10 };
	struct note notes[COUNT] = {0};
	struct gate gate;
	sem_t last;

	(void)state;
	sem_init(&last, 0, 0);
	gate_close(&gate);
	atomic_store(&write_code, SQLITE_FULL);
	for (unsigned i = 0; i < COUNT; i++) {
		notes[i].op =
		    (struct store_op){note_run, note_done, &notes[i], NULL};
		notes[i].number = i;
		notes[i].last = &last;
		store_submit(store, &notes[i].op);
	}
	gate_open(&gate);
	for (unsigned i = 0; i < COUNT; i++)
		while (sem_wait(&last) != 0)
			;
	atomic_store(&write_code, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(notes[i].result, ERR_IO);
		assert_false(note_is_stored(i));
	}
	wait_until_writable();
}

/* ---- children ------------------------------------------------------------ */

/* Starts this program as `role` with its stdout (or stderr) as `*out_r`. */
static pid_t
start_child(const char *role, int descriptor, int *out_r)
{
	char program[] = "/proc/self/exe";
	char *role_copy = strdup(role);
	char *arguments[] = {program, role_copy, store_path, NULL};
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], descriptor);
	assert_int_equal(
	    posix_spawn(&pid, program, &actions, NULL, arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	free(role_copy);
	*out_r = ends[0];
	return pid;
}

static void *
create_grants(void *argument)
{
	(void)argument;
	for (;;) {
		struct store_token token = {.kind = TOKEN_ACCESS};
		struct store_grant grant = {.client_id = "client",
		    .idp = "idp",
		    .sub = "idp|ada",
		    .scope = "openid",
		    .created_at = NOW,
		    .tokens = &token,
		    .token_count = 1};

		token.number = store_next_number(store, SEQUENCE_TOKEN);
		token.expires_at = NOW + 900;
		hash_of(token.number, token.hash);
		grant.number = store_next_number(store, SEQUENCE_GRANT);
		if (store_grant_create(store, &grant) != OK)
			_exit(1);
		/* What was answered: the parent insists on it. */
		if (write(STDOUT_FILENO, &token.number, sizeof token.number) !=
		    sizeof token.number)
			_exit(2);
	}
}

/* The child that is killed while 64 threads write. */
static int
child_writes(void)
{
	struct err_detail detail = {0};
	pthread_t thread;

	if (store_open(store_path, &store, &detail) != OK)
		return 3;
	for (int i = 0; i < 64; i++) {
		if (pthread_create(&thread, NULL, create_grants, NULL) != 0)
			return 4;
	}
	for (;;)
		pause();
}

static void
test_answered_is_durable_across_kill(void **state)
{
	enum { ENOUGH = 2000 };
	static uint64_t answered[200000];
	size_t count = 0;
	ssize_t got;
	int out;
	pid_t pid;

	(void)state;
	store_close(store);
	store = NULL;
	pid = start_child("--write", STDOUT_FILENO, &out);
	while ((got = read(out, &answered[count], sizeof answered[0])) > 0) {
		assert_int_equal(got, sizeof answered[0]);
		if (++count == ENOUGH)
			kill(pid, SIGKILL);
		assert_in_range(count, 1, 199999);
	}
	close(out);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_in_range(count, ENOUGH, 199999);
	store_again();
	for (size_t i = 0; i < count; i++) {
		uint8_t hash[STORE_HASH_BYTES];

		hash_of(answered[i], hash);
		assert_int_equal(
		    find_token(answered[i], hash, TOKEN_ACCESS, NOW), OK);
		/* Numbers go on behind those of the crashed process. */
		assert_true(
		    store_next_number(store, SEQUENCE_TOKEN) > answered[i]);
	}
}

/* The child whose disk does not confirm a write. */
static int
child_loses_fsync(void)
{
	struct err_detail detail = {0};

	install_failing_vfs();
	if (store_open(store_path, &store, &detail) != OK)
		return 3;
	atomic_store(&sync_code, SQLITE_IOERR_FSYNC);
	(void)!write_note(1);
	return 0; /* must not be reached: the writer stops the process */
}

static void
test_failed_fsync_stops_the_process(void **state)
{
	char text[4096] = "";
	size_t len = 0;
	ssize_t got;
	int status;
	int out;
	pid_t pid;

	(void)state;
	store_close(store);
	store = NULL;
	pid = start_child("--lose-fsync", STDERR_FILENO, &out);
	while (len < sizeof text - 1 &&
	       (got = read(out, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	close(out);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
	assert_non_null(strstr(text, "did not confirm a write"));
	store_again(); /* and what is on disk can be opened */
}

/* ---- the file ------------------------------------------------------------ */

static void
test_second_gateway_is_refused(void **state)
{
	struct err_detail detail = {0};
	struct store *second;

	(void)state;
	assert_int_equal(store_open(store_path, &second, &detail), ERR_STATE);
	assert_non_null(strstr(detail.text, "another gateway uses it"));
	assert_int_equal(write_note(1), OK);
	store_again();
	assert_true(note_is_stored(1));
}

static void
test_files_are_private(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};

	(void)state;
	assert_int_equal(write_note(1), OK);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		char path[100];
		struct stat about;

		snprintf(path, sizeof path, "%s%s", store_path, suffixes[i]);
		assert_int_equal(stat(path, &about), 0);
		assert_int_equal(about.st_mode & 07777, 0600);
	}
}

static void
expect_refused(enum err expected, const char *sentence)
{
	struct err_detail detail = {0};
	struct store *other;

	assert_int_equal(store_open(store_path, &other, &detail), expected);
	assert_non_null(strstr(detail.text, store_path));
	assert_non_null(strstr(detail.text, sentence));
}

static void
change_file(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(store_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
test_foreign_files_are_refused(void **state)
{
	FILE *file;

	(void)state;
	store_close(store);
	store = NULL;
	change_file("PRAGMA user_version = 99");
	expect_refused(ERR_VERSION, "version 99");
	change_file("PRAGMA application_id = 1");
	expect_refused(ERR_INVALID, "something else");
	change_file("PRAGMA application_id = 0; PRAGMA user_version = 0");
	expect_refused(ERR_INVALID, "something else");
	file = fopen(store_path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("this is not a database\n", file);
	fclose(file);
	expect_refused(ERR_CORRUPT, "not a database");
	assert_int_equal(truncate(store_path, 0), 0);
	store_again(); /* an empty file is a new one */
}

static void
test_numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	store_close(store);
	store = NULL;
	change_file("INSERT INTO tokens VALUES (9223372036854775807, x'00', "
		    "1, 1, 1, 1, NULL, NULL, NULL)");
	expect_refused(ERR_CORRUPT, "out of range");
}

/* Cut anywhere or overwritten anywhere, the file must not crash us. */
static void
test_damaged_files_do_not_crash(void **state)
{
	struct err_detail detail;
	struct stat about;
	uint8_t hash[STORE_HASH_BYTES] = {0};

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(write_note(i), OK);
	store_close(store);
	store = NULL;
	assert_int_equal(stat(store_path, &about), 0);
	for (off_t at = about.st_size - 1; at > 0; at -= 997) {
		int fd = open(store_path, O_RDWR | O_CLOEXEC);

		assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, at), 4);
		close(fd);
		memset(&detail, 0, sizeof detail);
		if (store_open(store_path, &store, &detail) != OK) {
			assert_true(detail.text[0] != '\0');
			continue;
		}
		(void)!write_note(1000000 + (unsigned)at);
		(void)!find_token(1, hash, TOKEN_ACCESS, NOW);
		store_close(store);
		store = NULL;
	}
	for (off_t size = about.st_size; size > 0; size -= 4096 + 512) {
		assert_int_equal(truncate(store_path, size), 0);
		if (store_open(store_path, &store, &detail) == OK)
			store_close(store);
		store = NULL;
	}
}

static bool
plan_scans(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	char text[1024];
	bool scans = false;

	snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(
	    sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *step =
		    (const char *)sqlite3_column_text(statement, 3);

		scans = scans || strncmp(step, "SCAN", 4) == 0 ||
			strstr(step, "TEMP B-TREE") != NULL;
	}
	sqlite3_finalize(statement);
	return scans;
}

static void
test_no_statement_scans_a_table(void **state)
{
	static const char *const texts[][3] = {
#define STATEMENT(symbol, sql, doc) {#symbol, sql, doc},
#include "gateway/store/statements.def"
#undef STATEMENT
	};
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(store_path, &db), SQLITE_OK);
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		bool may_scan = strstr(texts[i][2], "(scan") != NULL;

		if (plan_scans(db, texts[i][1]) && !may_scan)
			fail_msg("%s reads a whole table", texts[i][0]);
	}
	assert_true(plan_scans(db, "SELECT * FROM tokens WHERE hash = 1"));
	sqlite3_close(db);
}

#define STORE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, store_set_up, store_tear_down)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    STORE_TEST(test_failure_does_not_fail_neighbours),
	    STORE_TEST(test_too_many_wait),
	    STORE_TEST(test_close_finishes_what_was_submitted),
	    STORE_TEST(test_numbers_only_grow),
	    STORE_TEST(test_full_disk),
	    STORE_TEST(test_failing_disk),
	    STORE_TEST(test_disk_fails_a_whole_group),
	    STORE_TEST(test_answered_is_durable_across_kill),
	    STORE_TEST(test_failed_fsync_stops_the_process),
	    STORE_TEST(test_second_gateway_is_refused),
	    STORE_TEST(test_files_are_private),
	    STORE_TEST(test_foreign_files_are_refused),
	    STORE_TEST(test_numbers_out_of_range_are_refused),
	    STORE_TEST(test_damaged_files_do_not_crash),
	    STORE_TEST(test_no_statement_scans_a_table),
	};

	if (argc == 3)
		snprintf(store_path, sizeof store_path, "%s", argv[2]);
	if (argc == 3 && strcmp(argv[1], "--write") == 0)
		return child_writes();
	if (argc == 3 && strcmp(argv[1], "--lose-fsync") == 0)
		return child_loses_fsync();
	install_failing_vfs();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * postern test: finds test files, runs all their cases in one local engine,
 * reports. Runs in `postern`, which has one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "gateway/ctl/ctl_command.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_local.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_script.h"
#include "gateway/ctl/ctl_test_compare.h"
#include "gateway/ctl/ctl_test_file.h"
#include "gateway/ctl/ctl_test_report.h"
#include "gateway/ctl/ctl_watch.h"

#define PROBLEMS_BYTES    ((size_t)64 << 10)
#define DIFFERENCES_BYTES ((size_t)1 << 20)
#define JUNIT_BYTES       ((size_t)256 << 20)
#define FILES_MAX         10000
/* Cases that the engine has at a time, and of which it knows the next ones. */
#define CASES_AHEAD 32

/* A test file and its script. */
struct tested {
	char *path;
	struct ctl_test_file file;
};

struct expectation {
	const json_t *expect; /* borrowed; NULL: of no case */
};

struct run {
	struct tested *files;
	size_t file_count;
	/* In the order of files and cases; its expectation beside each. */
	struct ctl_test_result *results;
	struct expectation *expects;
	size_t count;
	size_t sent;
	size_t ended;
	const char *filter; /* NULL: all */
};

/* ---- finding -------------------------------------------------------------
 */

static bool
is_test_file(const char *name)
{
	size_t len = strlen(name);
	size_t tail = strlen(CTL_TEST_FILE_ENDING);

	return len > tail &&
	       strcmp(name + len - tail, CTL_TEST_FILE_ENDING) == 0;
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void
add_file(struct run *run, const char *path)
{
	CHECK(run->file_count < FILES_MAX);
	run->files =
	    realloc(run->files, (run->file_count + 1) * sizeof *run->files);
	CHECK(run->files != NULL);
	run->files[run->file_count] = (struct tested){.path = strdup(path)};
	CHECK(run->files[run->file_count].path != NULL);
	run->file_count++;
}

static enum err
find_files(struct run *run, const char *path, struct err_detail *detail)
{
	char *roots[] = {(char *)(uintptr_t)path, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	enum err err = OK;
	FTSENT *entry;

	if (tree == NULL)
		return err_set_errno(detail, ERR_IO, "%s", path);
	while (err == OK && (entry = fts_read(tree)) != NULL) {
		errno = entry->fts_errno;
		if (entry->fts_info == FTS_D && entry->fts_level > 0 &&
		    entry->fts_name[0] == '.')
			(void)fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_NS ||
			 entry->fts_info == FTS_DNR)
			err = err_set_errno(
			    detail, ERR_NOT_FOUND, "%s", entry->fts_path);
		else if (entry->fts_info == FTS_F &&
			 is_test_file(entry->fts_name) &&
			 run->file_count < FILES_MAX)
			add_file(run, entry->fts_path);
	}
	(void)fts_close(tree);
	return err;
}

/* ---- results -------------------------------------------------------------
 */

static struct ctl_test_result *
add_result(struct run *run, const char *file, const char *name, int line,
    const json_t *expect)
{
	struct ctl_test_result *result;
	size_t bytes = run->count + 1;

	run->results = realloc(run->results, bytes * sizeof *run->results);
	run->expects = realloc(run->expects, bytes * sizeof *run->expects);
	CHECK(run->results != NULL && run->expects != NULL);
	run->expects[run->count].expect = expect;
	result = &run->results[run->count++];
	*result =
	    (struct ctl_test_result){.file = file, .name = name, .line = line};
	buf_init(&result->differences, DIFFERENCES_BYTES);
	return result;
}

/* Its cases were not run: one failure that says why. */
static void
fail_file(struct run *run, const struct tested *tested, const char *sentence,
    const struct buf *problems)
{
	struct ctl_test_result *result =
	    add_result(run, tested->path, "the file can be used", 1, NULL);

	if (problems->len == 0)
		buf_printf(&result->differences, "%s\n", sentence);
	buf_append_span(&result->differences, buf_span(problems));
}

static void
run_fini(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		buf_fini(&run->results[i].differences);
	for (size_t i = 0; i < run->file_count; i++) {
		ctl_test_file_fini(&run->files[i].file);
		free(run->files[i].path);
	}
	free(run->files);
	free(run->results);
	free(run->expects);
}

/* ---- jobs ----------------------------------------------------------------
 */

/* The case's over the script's: maps by member. */
static json_t *
merge(const json_t *base, const json_t *own)
{
	static const char *const maps[] = {
	    "properties", "keys", "limits", NULL};
	json_t *job = json_deep_copy(base);
	const char *key;
	json_t *value;

	CHECK(job != NULL);
	json_object_foreach ((json_t *)(uintptr_t)own, key, value) {
		json_t *there = json_object_get(job, key);
		const char *const *map = maps;

		while (*map != NULL && strcmp(*map, key) != 0)
			map++;
		if (*map != NULL && there != NULL)
			(void)json_object_update(there, value);
		else
			(void)json_object_set(job, key, value);
	}
	return job;
}

/* ---- running -------------------------------------------------------------
 */

static enum err
take_outcome(
    struct run *run, struct ctl_local *local, struct err_detail *detail)
{
	struct ctl_test_result *result;
	json_t *outcome;
	json_int_t id;
	enum err err = ctl_local_next(local, &outcome, detail);

	if (err != OK)
		return err;
	id = ctl_json_number(outcome, "id", -1);
	if (id < 0 || (size_t)id >= run->count) {
		json_decref(outcome);
		return err_set(
		    detail, ERR_INVALID, "an outcome of no case of ours");
	}
	result = &run->results[id];
	result->wall_us = ctl_json_number(outcome, "wall_us", 0);
	result->passed = ctl_test_compare(run->expects[id].expect, outcome,
			     &result->differences) == 0;
	json_decref(outcome);
	run->ended++;
	return OK;
}

/* Waits until only so many are left to end. */
static enum err
await(struct run *run, struct ctl_local *local, size_t left,
    struct err_detail *detail)
{
	enum err err = OK;

	while (err == OK && run->sent - run->ended > left) {
		ctl_out_progress("%zu cases done", run->ended);
		err = take_outcome(run, local, detail);
	}
	return err;
}

static bool
is_wanted(const struct run *run, const char *name)
{
	return run->filter == NULL || strstr(name, run->filter) != NULL;
}

static enum err
send_cases(struct run *run, const struct tested *tested, const json_t *base,
    struct ctl_local *local, struct err_detail *detail)
{
	for (size_t i = 0; i < tested->file.count; i++) {
		const struct ctl_test_case *one = &tested->file.cases[i];
		json_t *job;
		enum err err;

		if (!is_wanted(run, one->name))
			continue;
		job = merge(base, one->job);
		(void)json_object_set_new(
		    job, "id", json_integer((json_int_t)run->count));
		(void)add_result(
		    run, tested->path, one->name, one->line, one->expect);
		err = ctl_local_send(local, job);
		json_decref(job);
		if (err != OK)
			return err_set(detail, err, "out of memory");
		run->sent++;
		err = await(run, local, CASES_AHEAD, detail);
		if (err != OK)
			return err;
	}
	return OK;
}

/* The path of a file beside another. */
static char *
beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	char *joined;

	if (asprintf(&joined, "%.*s%s",
		slash == NULL ? 0 : (int)(slash + 1 - path), path, name) < 0)
		joined = NULL;
	CHECK(joined != NULL);
	return joined;
}

static enum err
read_file(struct tested *tested, struct buf *problems, json_t **base_r,
    struct err_detail *detail)
{
	const char *slash = strrchr(tested->path, '/');
	struct buf text;
	char *script;
	enum err err;

	buf_init(&text, CTL_TEST_FILE_BYTES);
	err = ctl_file_read(AT_FDCWD, tested->path, &text, detail);
	if (err == OK)
		err =
		    ctl_test_file_read(slash == NULL ? tested->path : slash + 1,
			tested->path, buf_span(&text), problems, &tested->file);
	buf_wipe(&text);
	if (err != OK)
		return err;
	script = beside(tested->path, tested->file.script);
	err = ctl_script_job(script, NULL, problems, base_r, detail);
	free(script);
	return err;
}

/* A file that cannot be used is a failure among the results. */
static enum err
take_file(struct run *run, struct tested *tested, struct ctl_local *local,
    struct err_detail *detail)
{
	struct err_detail mistake = {0};
	struct buf problems;
	json_t *base = NULL;
	enum err err;

	buf_init(&problems, PROBLEMS_BYTES);
	err = read_file(tested, &problems, &base, &mistake);
	if (err == OK) {
		err = send_cases(run, tested, base, local, detail);
	} else {
		fail_file(run, tested, err_text(&mistake, err), &problems);
		err = OK;
	}
	json_decref(base);
	buf_fini(&problems);
	return err;
}

static enum err
run_all(struct run *run, struct err_detail *detail)
{
	struct ctl_local *local;
	enum err err = ctl_local_start(&local, detail);

	if (err != OK)
		return err;
	for (size_t i = 0; err == OK && i < run->file_count; i++)
		err = take_file(run, &run->files[i], local, detail);
	if (err == OK)
		err = await(run, local, 0, detail);
	ctl_out_progress_end();
	ctl_local_stop(local);
	return err;
}

/* ---- the command ---------------------------------------------------------
 */

/* In the folder it is for, so that it is replaced in one step. */
static enum err
replace_file(const char *path, struct span bytes, struct err_detail *detail)
{
	const char *slash = strrchr(path, '/');
	char *folder = beside(path, ".");
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum err err;

	free(folder);
	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "no such folder");
	err = ctl_file_replace(
	    fd, slash == NULL ? path : slash + 1, bytes, 0644, detail);
	(void)close(fd);
	return err;
}

static enum err
write_junit(const struct run *run, const char *path, struct err_detail *detail)
{
	struct buf text;
	enum err err;

	buf_init(&text, JUNIT_BYTES);
	ctl_test_report_junit(run->results, run->count, &text);
	err = buf_status(&text);
	if (err == OK)
		err = replace_file(path, buf_span(&text), detail);
	buf_fini(&text);
	return err == OK ? OK : err_prefix(detail, err, "%s", path);
}

static enum ctl_exit
report(const struct ctl_call *call, const struct run *run)
{
	const char *junit = ctl_command_option(call, OPT_JUNIT);
	struct err_detail detail = {0};
	bool failed = false;
	enum err err;

	if (ctl_command_option(call, OPT_TAP) != NULL)
		ctl_test_report_tap(run->results, run->count);
	else
		ctl_test_report_text(run->results, run->count);
	if (junit != NULL) {
		err = write_junit(run, junit, &detail);
		if (err != OK)
			return ctl_out_error(
			    CTL_FAILED, "%s", err_text(&detail, err));
	}
	for (size_t i = 0; i < run->count; i++)
		failed |= !run->results[i].passed;
	if (run->count == 0)
		return ctl_out_error(CTL_FAILED,
		    "no case: tests are in files named *%s",
		    CTL_TEST_FILE_ENDING);
	return failed ? CTL_FAILED : CTL_OK;
}

static enum ctl_exit
test_once(const struct ctl_call *call)
{
	struct run run = {.filter = ctl_command_option(call, OPT_FILTER)};
	struct err_detail detail = {0};
	enum ctl_exit exit;
	enum err err = OK;

	for (size_t i = 0; err == OK && i < call->argument_count; i++)
		err = find_files(&run, call->arguments[i], &detail);
	if (err == OK)
		err = run_all(&run, &detail);
	if (err == OK)
		exit = report(call, &run);
	else
		exit = ctl_out_error(
		    err == ERR_NOT_FOUND ? CTL_NOT_FOUND : CTL_FAILED, "%s",
		    err_text(&detail, err));
	run_fini(&run);
	return exit;
}

/* Again after each change, until a signal comes. Watching begins before the
 * run, so that nothing is missed. */
static enum ctl_exit
test_and_watch(const struct ctl_call *call)
{
	struct err_detail detail = {0};
	struct ctl_watch *watch;
	enum err err;

	do {
		err = ctl_watch_open(
		    call->arguments, call->argument_count, &watch, &detail);
		if (err != OK)
			break;
		(void)test_once(call);
		(void)ctl_out_flush(CTL_OK);
		ctl_out_note("waiting for a change");
		err = ctl_watch_wait(watch, &detail);
		ctl_watch_close(watch);
	} while (err == OK);
	if (err == ERR_STATE)
		return CTL_INTERRUPTED;
	return ctl_out_error(CTL_FAILED, "%s", err_text(&detail, err));
}

enum ctl_exit
ctl_test(const struct ctl_call *call)
{
	if (ctl_command_option(call, OPT_WATCH) != NULL)
		return test_and_watch(call);
	return test_once(call);
}

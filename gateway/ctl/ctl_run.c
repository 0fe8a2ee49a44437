/*
 * postern run: one script, once, in a local engine, and what came of it. Runs
 * in `postern`, which has one thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/ctl/ctl_command.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_local.h"
#include "gateway/ctl/ctl_out.h"
#include "gateway/ctl/ctl_script.h"

/* Of data and registration data; the engine knows the limits. */
#define ARGUMENT_BYTES ((size_t)1 << 20)
#define PROBLEMS_BYTES ((size_t)64 << 10)

/* ---- the job -------------------------------------------------------------
 */

/* A text as it is, or with @ before it the file of that name. */
static enum err
read_text(const char *text, json_t **string_r, struct err_detail *detail)
{
	struct buf bytes;
	enum err err = OK;

	buf_init(&bytes, ARGUMENT_BYTES);
	if (text[0] == '@')
		err = ctl_file_read_argument(text + 1, &bytes, detail);
	else
		buf_append_str(&bytes, text);
	if (err == OK)
		err = buf_status(&bytes);
	if (err == OK) {
		*string_r = json_stringn(
		    bytes.len == 0 ? "" : (const char *)bytes.data, bytes.len);
		if (*string_r == NULL)
			err = err_set(detail, ERR_INVALID, "not UTF-8");
	}
	buf_wipe(&bytes);
	return err;
}

static enum err
add_data(const struct ctl_call *call, json_t *job, struct err_detail *detail)
{
	const char *text = ctl_command_option(call, OPT_DATA);
	json_t *data;
	enum err err;

	if (text == NULL)
		return OK;
	err = read_text(text, &data, detail);
	if (err == OK)
		(void)json_object_set_new(job, "data", data);
	return err_prefix(detail, err, "--data");
}

static enum err
add_registration(
    const struct ctl_call *call, json_t *job, struct err_detail *detail)
{
	const char *text = ctl_command_option(call, OPT_REGISTRATION_DATA);
	json_t *string;
	json_t *value;
	enum err err;

	if (text == NULL)
		return OK;
	err = read_text(text, &string, detail);
	if (err != OK)
		return err_prefix(detail, err, "--registration-data");
	value =
	    json_loadb(json_string_value(string), json_string_length(string),
		JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	json_decref(string);
	if (value == NULL)
		return err_set(
		    detail, ERR_INVALID, "--registration-data: expects JSON");
	(void)json_object_set_new(job, "registration_data", value);
	return OK;
}

static enum err
add_properties(
    const struct ctl_call *call, json_t *job, struct err_detail *detail)
{
	json_t *properties = json_object_get(job, "properties");
	const char *text;

	for (size_t n = 0;
	     (text = ctl_command_option_at(call, OPT_PROPERTY, n)) != NULL;
	     n++) {
		const char *equals = strchr(text, '=');
		char *id;

		if (equals == NULL || equals == text)
			return err_set(detail, ERR_INVALID,
			    "--property: expects ID=VALUE");
		id = strndup(text, (size_t)(equals - text));
		CHECK(id != NULL);
		(void)json_object_set_new(
		    properties, id, json_string(equals + 1));
		free(id);
	}
	return OK;
}

/* With --http-real: what is listed, and nothing else. */
static enum err
add_http(const struct ctl_call *call, json_t *job, struct err_detail *detail)
{
	bool is_real = ctl_command_option(call, OPT_HTTP_REAL) != NULL;
	const char *text;

	if (ctl_command_option(call, OPT_ALLOW) != NULL && !is_real)
		return err_set(detail, ERR_INVALID,
		    "--allow says what --http-real may reach");
	if (!is_real)
		return OK;
	(void)json_object_set_new(job, "http", json_string("real"));
	if (json_object_get(job, "http_allow") == NULL)
		(void)json_object_set_new(job, "http_allow", json_array());
	for (size_t n = 0;
	     (text = ctl_command_option_at(call, OPT_ALLOW, n)) != NULL; n++)
		(void)json_array_append_new(
		    json_object_get(job, "http_allow"), json_string(text));
	return OK;
}

/* A line each. */
static void
say_problems(struct buf *problems)
{
	const char *line = buf_cstr(problems);

	while (line != NULL && *line != '\0') {
		size_t len = strcspn(line, "\n");

		ctl_out_error_line("%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* Says on stderr what is wrong; NULL then. */
static json_t *
make_job(const struct ctl_call *call, enum ctl_exit *exit_r)
{
	struct err_detail detail = {0};
	struct buf problems;
	json_t *job = NULL;
	enum err err;

	buf_init(&problems, PROBLEMS_BYTES);
	err = ctl_script_job(ctl_command_argument(call, 0),
	    ctl_command_option(call, OPT_SCRIPT), &problems, &job, &detail);
	*exit_r = CTL_FAILED;
	if (err == OK) {
		*exit_r = CTL_USAGE;
		err = add_data(call, job, &detail);
	}
	if (err == OK)
		err = add_registration(call, job, &detail);
	if (err == OK)
		err = add_properties(call, job, &detail);
	if (err == OK)
		err = add_http(call, job, &detail);
	if (err != OK) {
		*exit_r = ctl_out_error(*exit_r, "%s", err_text(&detail, err));
		say_problems(&problems);
		json_decref(job);
		job = NULL;
	}
	buf_fini(&problems);
	return job;
}

/* ---- what came of it -----------------------------------------------------
 */

static void
print_value(const char *name, const json_t *value)
{
	const char *string = json_string_value(value);
	json_t *inner = NULL;
	char *text = NULL;

	if (value == NULL || json_is_null(value))
		return;
	if (string != NULL)
		inner = json_loads(string, 0, NULL);
	if (string == NULL || inner != NULL)
		text = json_dumps(inner == NULL ? value : inner,
		    JSON_INDENT(2) | JSON_ENCODE_ANY);
	if (text != NULL)
		string = text;
	ctl_out(STYLE_BOLD, "%s\n", name);
	ctl_out(STYLE_PLAIN, "%s\n", string == NULL ? "" : string);
	free(text);
	json_decref(inner);
}

static void
print_verdict(const json_t *outcome)
{
	json_int_t code = ctl_json_number(outcome, "code", -1);
	json_int_t status = ctl_json_number(outcome, "status", 0);
	const char *message = ctl_json_text(outcome, "message");
	const char *stack = ctl_json_text(outcome, "stack");

	if (code == 0) {
		ctl_out(status < 3000 ? STYLE_GREEN : STYLE_YELLOW,
		    "status %d\n", (int)status);
		print_value("payload", json_object_get(outcome, "payload"));
		print_value("user", json_object_get(outcome, "user"));
		print_value("registrationData",
		    json_object_get(outcome, "registration_data"));
		return;
	}
	ctl_out(STYLE_RED, "failed: %s (%d)\n", ctl_json_text(outcome, "name"),
	    (int)code);
	ctl_out(STYLE_PLAIN, "%s\n", message == NULL ? "" : message);
	if (stack != NULL)
		ctl_out(STYLE_DIM, "%s\n", stack);
}

static void
print_log(const json_t *log)
{
	const json_t *line;
	size_t i;

	if (json_array_size(log) == 0)
		return;
	ctl_out(STYLE_BOLD, "log\n");
	json_array_foreach (log, i, line) {
		const char *level = ctl_json_text(line, "level");
		struct span text = ctl_json_span(json_object_get(line, "text"));

		ctl_out(STYLE_CYAN, "  %-5s ", level == NULL ? "" : level);
		ctl_out_span(STYLE_PLAIN, text);
		ctl_out(STYLE_PLAIN, "%s\n",
		    json_is_true(json_object_get(line, "cut")) ? " [cut]" : "");
	}
}

/* The members of a call in a few words. */
static void
print_call(const json_t *call)
{
	const json_t *request = json_object_get(call, "request");
	const json_t *error = json_object_get(call, "error");
	const json_t *answer = json_object_get(call, "answer");
	const char *url = ctl_json_text(request, "url");
	const char *key = ctl_json_text(request, "key");
	const char *value = ctl_json_text(answer, "value");
	json_int_t us = ctl_json_number(call, "us", 0);

	ctl_out(STYLE_PLAIN, "  %-15s ", ctl_json_text(call, "call"));
	if (url != NULL)
		ctl_out(STYLE_PLAIN, "%s %s", ctl_json_text(request, "method"),
		    url);
	else if (key != NULL)
		ctl_out(STYLE_PLAIN, "%s", key);
	if (error != NULL)
		ctl_out(STYLE_RED, " -> %s: %s", ctl_json_text(error, "error"),
		    ctl_json_text(error, "sentence"));
	else if (url != NULL)
		ctl_out(STYLE_PLAIN, " -> %d",
		    (int)ctl_json_number(answer, "status", 0));
	else if (value != NULL)
		ctl_out(STYLE_PLAIN, " -> %s", value);
	ctl_out(STYLE_DIM, "  %.3f ms\n", (double)us / 1000);
}

static void
print_outcome(const json_t *outcome)
{
	const json_t *calls = json_object_get(outcome, "calls");
	const json_t *call;
	size_t i;

	print_verdict(outcome);
	print_log(json_object_get(outcome, "log"));
	if (json_array_size(calls) > 0)
		ctl_out(STYLE_BOLD, "host calls\n");
	json_array_foreach (calls, i, call)
		print_call(call);
	ctl_out(STYLE_DIM,
	    "%.3f ms, CPU %.3f ms, peak heap %d KiB, %zu host calls%s\n",
	    (double)ctl_json_number(outcome, "wall_us", 0) / 1000,
	    (double)ctl_json_number(outcome, "cpu_us", 0) / 1000,
	    (int)(ctl_json_number(outcome, "heap_peak_bytes", 0) / 1024),
	    json_array_size(calls),
	    json_is_true(json_object_get(outcome, "cold")) ? ", run cold" : "");
}

static enum ctl_exit
exit_of(const json_t *outcome)
{
	json_int_t status = ctl_json_number(outcome, "status", 0);

	if (ctl_json_number(outcome, "code", -1) != 0)
		return CTL_FAILED;
	return status >= 2000 && status < 3000 ? CTL_OK : CTL_REFUSED;
}

static enum ctl_exit
run_job(const struct ctl_call *call, const json_t *job)
{
	struct err_detail detail = {0};
	struct ctl_local *local = NULL;
	json_t *outcome = NULL;
	enum ctl_exit exit;
	enum err err = ctl_local_start(&local, &detail);

	if (err == OK)
		err = ctl_local_send(local, job);
	if (err == OK)
		err = ctl_local_next(local, &outcome, &detail);
	ctl_local_stop(local);
	if (err != OK)
		return ctl_out_error(CTL_FAILED, "%s", err_text(&detail, err));
	if (ctl_json_text(outcome, "error") != NULL)
		exit = ctl_out_error(
		    CTL_FAILED, "%s", ctl_json_text(outcome, "error"));
	else if (ctl_command_option(call, OPT_JSON) != NULL) {
		ctl_json_print(outcome);
		exit = exit_of(outcome);
	} else {
		print_outcome(outcome);
		exit = exit_of(outcome);
	}
	json_decref(outcome);
	return exit;
}

enum ctl_exit
ctl_run(const struct ctl_call *call)
{
	enum ctl_exit exit;
	json_t *job = make_job(call, &exit);

	if (job == NULL)
		return exit;
	exit = run_job(call, job);
	json_decref(job);
	return exit;
}

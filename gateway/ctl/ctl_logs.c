/*
 * logs: the log lines of executions as they come. Runs in `postern`, which has
 * one thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/ctl/ctl_api.h"
#include "gateway/ctl/ctl_interrupt.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"

/* How long a call waits for a line, and for its answer. */
#define WAIT_MS   20000
#define ANSWER_MS 40000

/* Between tries of a gateway that is gone: a restart takes a second. */
#define RETRY_MS 1000

static enum ctl_style
style_of(const char *level)
{
	if (strcmp(level, "error") == 0)
		return STYLE_RED;
	if (strcmp(level, "warn") == 0)
		return STYLE_YELLOW;
	return STYLE_PLAIN;
}

static const char *
text_or_dash(const json_t *line, const char *key)
{
	const char *text = ctl_json_text(line, key);

	return text == NULL ? "-" : text;
}

static void
print_line(const struct ctl_call *call, const json_t *line)
{
	const char *level = text_or_dash(line, "level");

	if (ctl_api_wants_json(call)) {
		char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);

		if (text != NULL)
			ctl_out_raw(span_str(text));
		ctl_out_raw(span_str("\n"));
		free(text);
		return;
	}
	ctl_out(STYLE_DIM, "%s %s %s/%s ", text_or_dash(line, "at"),
	    text_or_dash(line, "correlation_id"), text_or_dash(line, "idp"),
	    text_or_dash(line, "script"));
	ctl_out(style_of(level), "%-5s ", level);
	ctl_out_span(STYLE_PLAIN, ctl_json_span(json_object_get(line, "text")));
	ctl_out(STYLE_PLAIN, "\n");
}

static void
print_lines(const struct ctl_call *call, const json_t *answer)
{
	json_int_t lost = ctl_json_number(answer, "lost", 0);
	const json_t *line;
	size_t index;

	if (lost > 0)
		ctl_out_note(
		    "%lld lines came too fast and are lost", (long long)lost);
	json_array_foreach (json_object_get(answer, "lines"), index, line)
		print_line(call, line);
}

static char *
path_of(const struct ctl_call *call, json_int_t after, bool wait)
{
	const char *idp = ctl_command_option(call, OPT_IDP);
	char number[32], wait_ms[32];

	(void)snprintf(number, sizeof number, "%lld", (long long)after);
	(void)snprintf(wait_ms, sizeof wait_ms, "%d", wait ? WAIT_MS : 0);
	return idp == NULL
		   ? ctl_api_path("log?after=*&wait_ms=*", number, wait_ms)
		   : ctl_api_path(
			 "log?after=*&wait_ms=*&idp=*", number, wait_ms, idp);
}

/* A gateway that restarts is gone for a moment: said once, then tried again
 * and again. */
static void
wait_for_return(bool was_lost)
{
	const struct timespec pause = {
	    RETRY_MS / 1000, RETRY_MS % 1000 * 1000000L};

	if (!was_lost)
		ctl_out_note("trying again until the gateway is back");
	(void)nanosleep(&pause, NULL);
}

static enum ctl_exit
follow(struct ctl_api *api, const struct ctl_call *call)
{
	struct ctl_api_call with = {.timeout_ms = ANSWER_MS};
	bool follows = ctl_command_option(call, OPT_FOLLOW) != NULL;
	bool was_there = false;
	json_int_t after = 0;
	enum ctl_exit exit;

	do {
		json_t *answer = NULL;

		exit = ctl_api_call(api, "GET", path_of(call, after, follows),
		    &with, &answer, NULL);
		if (exit == CTL_OK) {
			print_lines(call, answer);
			after = ctl_json_number(answer, "next", after);
			exit = ctl_out_flush(exit);
			was_there = follows;
			with.lost_is_fine = false;
		} else if (exit == CTL_UNREACHABLE && was_there) {
			wait_for_return(with.lost_is_fine);
			with.lost_is_fine = true;
			exit = CTL_OK;
		}
		json_decref(answer);
	} while (follows && exit == CTL_OK && !ctl_interrupt_came());
	return exit;
}

enum ctl_exit
ctl_logs(const struct ctl_call *call)
{
	struct ctl_api *api = NULL;
	enum ctl_exit exit = ctl_api_open(call, &api);

	if (exit == CTL_OK)
		exit = follow(api, call);
	ctl_api_close(api);
	return exit;
}

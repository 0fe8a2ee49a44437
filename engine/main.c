/*
 * postern-engine: pulls jobs from a gateway and executes scripts, each in a
 * sandboxed process of its own (engine/front, engine/runner). As
 * `postern-engine local` it takes them from standard input instead. This file
 * is the command line and the exit status, nothing else.
 *
 * Privileges: none needed. Started as root it gives each template a uid of its
 * own; a hardened unit starts it as an ordinary user.
 *
 * Exit status: 0 stopped or checked, 1 could not start, 2 configuration,
 * 3 a layer of the sandbox is missing.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/trace.h"
#include "engine/engine_conf.h"
#include "engine/front/front.h"
#include "engine/front/local.h"
#include "engine/front/sandbox_check.h"

enum engine_exit {
	ENGINE_EXIT_OK = 0,
	ENGINE_EXIT_START = 1,
	ENGINE_EXIT_CONF = 2,
	ENGINE_EXIT_SANDBOX = 3
};

enum engine_mode {
	ENGINE_SERVE, /* a gateway */
	ENGINE_CHECK, /* only the sandbox */
	ENGINE_LOCAL  /* jobs from standard input */
};

/* Removes `flag` from the arguments; true if it was there. */
static bool
take_flag(int *argc, char **argv, const char *flag)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], flag) != 0)
			argv[kept++] = argv[i];
	}
	if (kept == *argc)
		return false;
	*argc = kept;
	argv[kept] = NULL;
	return true;
}

/* The settings' own flags are conf.h's and come after these. */
static enum engine_mode
take_mode(int *argc, char **argv)
{
	if (take_flag(argc, argv, "--check-sandbox"))
		return ENGINE_CHECK;
	if (*argc < 2 || strcmp(argv[1], "local") != 0)
		return ENGINE_SERVE;
	return take_flag(argc, argv, "local") ? ENGINE_LOCAL : ENGINE_SERVE;
}

static void
set_up_log(const struct engine_conf *settings)
{
	enum log_level level = LOG_INFO;

	/* The table allows only levels there are. */
	if (log_level_parse(settings->log_level, &level) != OK)
		level = LOG_INFO;
	log_setup("engine",
	    strcmp(settings->log_format, "json") == 0 ? LOG_JSON : LOG_TEXT,
	    level);
}

static int
fail(
    int status, const char *what, const struct err_detail *detail, enum err err)
{
	log_error(what, LOG_STR("error", err_text(detail, err)));
	return status;
}

/* Fills sandbox_missing; ENGINE_EXIT_OK if the engine may serve. */
static int
check_sandbox(const struct engine_conf *settings, struct front_settings *front)
{
	struct err_detail detail = {0};
	enum err err;

	err = sandbox_check(front->runner, front->sandbox_missing, &detail);
	if (err != OK)
		return fail(
		    ENGINE_EXIT_SANDBOX, "sandbox not checked", &detail, err);
	if (front->sandbox_missing[0] == '\0')
		return ENGINE_EXIT_OK;
	if (!settings->require_sandbox) {
		log_warn("serving without layers of the sandbox",
		    LOG_STR("missing", front->sandbox_missing));
		return ENGINE_EXIT_OK;
	}
	(void)err_set(&detail, ERR_STATE,
	    "this host lacks %s; require_sandbox = no serves without",
	    front->sandbox_missing);
	return fail(ENGINE_EXIT_SANDBOX, "not serving", &detail, ERR_STATE);
}

static int
serve(const struct engine_conf *settings, enum engine_mode mode)
{
	struct err_detail detail = {0};
	struct front_settings front;
	enum err err;
	int status;

	err = trace_open("postern-engine", settings->trace_file, &detail);
	if (err != OK)
		return fail(ENGINE_EXIT_START, "not started", &detail, err);
	err = engine_conf_front(settings, &front, &detail);
	if (err != OK)
		return fail(ENGINE_EXIT_CONF, "not started", &detail, err);
	status = check_sandbox(settings, &front);
	if (status != ENGINE_EXIT_OK)
		return status;
	if (mode == ENGINE_CHECK) {
		(void)printf("sandbox: %s\n", front.sandbox_missing[0] == '\0'
						  ? "complete"
						  : "incomplete");
		return ENGINE_EXIT_OK;
	}
	if (mode == ENGINE_LOCAL) {
		front.local = local_new(STDIN_FILENO, STDOUT_FILENO);
		if (front.local == NULL)
			return fail(
			    ENGINE_EXIT_START, "not started", NULL, ERR_NOMEM);
	}
	err = front_run(&front, &detail);
	return fail(ENGINE_EXIT_START, "not started", &detail, err);
}

/* Before anything else: a stop that comes while starting waits for the loop,
 * which ends as it should. Runners are spawned with a mask of their own. */
static void
hold_stops(void)
{
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stops, NULL);
}

int
main(int argc, char **argv)
{
	enum engine_mode mode = take_mode(&argc, argv);
	struct engine_conf settings;
	struct err_detail detail = {0};
	enum conf_action action;
	struct conf *conf;
	enum err err;
	int status;

	hold_stops();
	err = engine_conf_load(argc, argv, &settings, &conf, &action, &detail);
	if (err != OK) {
		(void)fprintf(
		    stderr, "postern-engine: %s\n", err_text(&detail, err));
		return ENGINE_EXIT_CONF;
	}
	if (action != CONF_RUN) {
		conf_free(conf);
		return ENGINE_EXIT_OK;
	}
	set_up_log(&settings);
	/* Scripts' arguments, results and properties pass through it. */
	secret_forbid_dumps();
	status = serve(&settings, mode);
	conf_free(conf);
	return status;
}

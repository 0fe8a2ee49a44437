/*
 * postern-gateway: HTTP, client authentication, OAuth, tokens, the store and
 * the dispatch of executions to engines. It never runs a script.
 *
 * Privileges: none needed; reads its configuration, realm and credentials,
 * writes data_dir and the engines' socket. As `postern-gateway restore` it
 * brings a backup back instead. This file: start, signals, end.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/secret.h"
#include "gateway/gateway.h"
#include "gateway/gateway_conf.h"
#include "gateway/gateway_restore.h"

/* Every thread inherits the mask, so only main() sees these. */
static void
block_signals(sigset_t *set_r)
{
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(set_r);
	sigaddset(set_r, SIGTERM);
	sigaddset(set_r, SIGINT);
	sigaddset(set_r, SIGHUP);
	sigaddset(set_r, SIGUSR1);
	sigaddset(set_r, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, set_r, NULL);
}

static int
fail(enum err err, const struct err_detail *detail)
{
	log_error(
	    "gateway cannot start", LOG_STR("error", err_text(detail, err)));
	return err == ERR_INVALID ? EX_CONFIG : EX_UNAVAILABLE;
}

/* Of what somebody runs by hand. */
static int
complain(int status, enum err err, const struct err_detail *detail)
{
	fprintf(stderr, "postern-gateway: %s\n", err_text(detail, err));
	return status;
}

/* False: it is one that ends us. */
static bool
serve_signal(struct gateway *gateway, int number)
{
	if (number == SIGHUP)
		gateway_reload(gateway);
	else if (number == SIGUSR1 || number == SIGUSR2)
		gateway_rotate_keys(gateway, number == SIGUSR2);
	else
		return false;
	return true;
}

static void
serve_until_stopped(struct gateway *gateway, const sigset_t *signals)
{
	int number;

	notify_ready("serving");
	while (sigwait(signals, &number) == 0 && serve_signal(gateway, number))
		continue;
	log_info("gateway stops: finishing what runs",
	    LOG_STR("signal", strsignal(number)));
	notify_stopping();
	gateway_drain(gateway);
	log_info("gateway stopped");
}

static void
set_up_log(const struct gateway_conf *conf)
{
	enum log_level level = LOG_INFO;

	/* The table has checked the word. */
	(void)!log_level_parse(conf->log_level, &level);
	log_setup("gateway",
	    strcmp(conf->log_format, "json") == 0 ? LOG_JSON : LOG_TEXT, level);
}

static int
run(const struct gateway_conf *conf, const sigset_t *signals)
{
	struct err_detail detail = {0};
	struct gateway *gateway;
	enum err err;

	set_up_log(conf);
	secret_forbid_dumps();
	err = gateway_open(conf, &gateway, &detail);
	if (err == OK)
		err = gateway_serve(gateway, &detail);
	if (err != OK)
		/* Not exit(): nng's threads run and cannot be closed. */
		_exit(fail(err, &detail));
	serve_until_stopped(gateway, signals);
	_exit(EX_OK);
}

int
main(int argc, char **argv)
{
	struct gateway_restore restore;
	struct err_detail detail = {0};
	struct gateway_conf conf;
	enum conf_action action;
	struct conf *loaded;
	sigset_t signals;
	enum err err;

	/* First, so that a stop while starting ends as it should. */
	block_signals(&signals);
	err = gateway_restore_take(&argc, argv, &restore, &detail);
	if (err == OK)
		err = conf_load(&gateway_conf_table, argc, argv, &conf, &loaded,
		    &action, &detail);
	if (err == OK && action == CONF_CHECKED)
		err = gateway_check(&conf, &detail);
	if (err != OK)
		return complain(EX_CONFIG, err, &detail);
	if (action != CONF_RUN)
		return EX_OK;
	if (restore.file == NULL)
		return run(&conf, &signals);
	set_up_log(&conf);
	err = gateway_restore_run(&conf, &restore, &detail);
	return err == OK ? EX_OK : complain(EX_UNAVAILABLE, err, &detail);
}

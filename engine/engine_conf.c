/*
 * postern-engine's settings: the table, what the rows demand of each other,
 * and their translation for the front. Runs at start, before any thread.
 */
#include "engine/engine_conf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/front/front_limits.h"
#include "engine/front/slot.h"
#include "proto/link_tls.h"

#define ENGINE_NAME_BYTES 65 /* hello.engine and its terminator */
#define IPC_SCHEME        "ipc://"
#define TLS_SCHEME        "tls+tcp://"

static const struct conf_row engine_rows[] = {
#define CONF(kind, name, default_text, min, max, doc)               \
	{"engine", #name, CONF_##kind, default_text, min, max, doc, \
	    offsetof(struct engine_conf, name)},
#include "engine/engine_conf.def"
#undef CONF
};

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum err
validate_remote(const struct engine_conf *settings, const char *url,
    struct err_detail *detail)
{
	const char *name = settings->tls_server_name;
	char host[CONF_ITEM_BYTES];
	enum err err = link_tls_host(url, host, sizeof host, detail);

	if (err != OK)
		return err_prefix(detail, err, "gateways");
	if (settings->tls_cert == NULL || settings->tls_ca == NULL)
		return err_set(detail, ERR_INVALID,
		    "gateways: %s needs tls_ca, tls_cert and tls_key", url);
	if (settings->identity_key == NULL)
		return err_set(detail, ERR_INVALID,
		    "gateways: %s needs identity_key", url);
	if (name[0] != '\0' && !link_tls_is_dns_name(name))
		return err_set(detail, ERR_INVALID,
		    "tls_server_name: must be a DNS name, since addresses are "
		    "not compared");
	if (name[0] == '\0' && !link_tls_is_dns_name(host))
		return err_set(detail, ERR_INVALID,
		    "gateways: %s has an address: set tls_server_name to the "
		    "DNS name in the gateway's certificate",
		    url);
	return OK;
}

static enum err
validate_gateways(const struct engine_conf *settings, struct err_detail *detail)
{
	const char *cursor = settings->gateways;
	char url[CONF_ITEM_BYTES];
	unsigned count = 0;
	enum err err = OK;

	while (err == OK && conf_list_next(&cursor, url, sizeof url)) {
		count++;
		if (starts_with(url, TLS_SCHEME))
			err = validate_remote(settings, url, detail);
		else if (!starts_with(url, IPC_SCHEME) ||
			 url[strlen(IPC_SCHEME)] != '/')
			err = err_set(detail, ERR_INVALID,
			    "gateways: %s is neither ipc:// and an absolute "
			    "path nor tls+tcp://HOST:PORT",
			    url);
	}
	if (err == OK && (count == 0 || count > FRONT_GATEWAYS_MAX))
		err = err_set(detail, ERR_INVALID,
		    "gateways: must be 1 to %d URLs", FRONT_GATEWAYS_MAX);
	if (err == OK && settings->slots > 0 && settings->slots < count)
		err = err_set(detail, ERR_INVALID,
		    "slots: each of %u gateways needs one", count);
	return err;
}

static bool
name_is_valid(const char *name)
{
	return strspn(name,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789._-") == strlen(name);
}

static enum err
engine_validate(const void *loaded, struct err_detail *detail)
{
	const struct engine_conf *settings = loaded;

	if (!name_is_valid(settings->name))
		return err_set(detail, ERR_INVALID,
		    "name: only A-Z a-z 0-9 . _ - are allowed");
	if ((settings->tls_cert == NULL) != (settings->tls_key == NULL))
		return err_set(detail, ERR_INVALID,
		    "tls_cert and tls_key need each other");
	if (settings->http_connect_ms > settings->http_total_ms)
		return err_set(detail, ERR_INVALID,
		    "http_connect_ms is above http_total_ms");
	return validate_gateways(settings, detail);
}

enum err
engine_conf_load(int argc, char **argv, struct engine_conf *settings_r,
    struct conf **conf_r, enum conf_action *action_r, struct err_detail *detail)
{
	static const struct conf_table table = {
	    .process = "postern-engine",
	    .env_prefix = "POSTERN_ENGINE_",
	    .default_file = "/etc/postern/engine.conf",
	    .rows = engine_rows,
	    .row_count = sizeof engine_rows / sizeof engine_rows[0],
	    .validate = engine_validate,
	};

	return conf_load(
	    &table, argc, argv, settings_r, conf_r, action_r, detail);
}

/* The host's name with what the wire does not allow replaced. */
static const char *
host_name(void)
{
	static char name[ENGINE_NAME_BYTES];

	if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0')
		return "engine";
	for (char *c = name; *c != '\0'; c++) {
		char one[2] = {*c, '\0'};

		if (!name_is_valid(one))
			*c = '-';
	}
	return name;
}

/* postern-runner in the directory of this executable. NULL: see `detail`. */
static const char *
runner_beside(struct err_detail *detail)
{
	static const char runner[] = "/postern-runner";
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	char *slash;

	if (len < 0) {
		(void)err_set_errno(
		    detail, ERR_IO, "runner: cannot tell where I am");
		return NULL;
	}
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL ||
	    (size_t)(slash - path) + sizeof runner > sizeof path) {
		(void)err_set(detail, ERR_INVALID,
		    "runner: no path beside this executable");
		return NULL;
	}
	memcpy(slash, runner, sizeof runner);
	return path;
}

enum err
engine_conf_front(const struct engine_conf *settings,
    struct front_settings *front_r, struct err_detail *detail)
{
	struct front_settings front = {0};

	front.gateways = settings->gateways;
	front.identity_key = settings->identity_key;
	front.tls = (struct link_tls){.ca = settings->tls_ca,
	    .cert = settings->tls_cert,
	    .key = settings->tls_key};
	if (settings->tls_server_name[0] != '\0')
		front.tls.server_name = settings->tls_server_name;
	front.name = settings->name[0] != '\0' ? settings->name : host_name();
	front.labels = settings->labels;
	front.slots =
	    slot_count(settings->slots, sysconf(_SC_NPROCESSORS_ONLN));
	front.templates_max_bytes =
	    (uint64_t)settings->templates_max_mib * 1024 * 1024;
	front.template_forks_max = (uint64_t)settings->template_forks;
	front.template_age_us = settings->template_minutes * 60 * 1000000;
	front.http_ca = settings->http_ca;
	front.http_resolve = settings->http_resolve;
	front.http_per_host = (unsigned)settings->http_per_host;
	front.http_connect_ms = settings->http_connect_ms;
	front.http_total_ms = settings->http_total_ms;
	front.runner = settings->runner;
	if (front.runner == NULL)
		front.runner = runner_beside(detail);
	if (front.runner == NULL)
		return ERR_IO;
	if (access(front.runner, X_OK) != 0)
		return err_set_errno(
		    detail, ERR_IO, "runner: %s", front.runner);
	*front_r = front;
	return OK;
}

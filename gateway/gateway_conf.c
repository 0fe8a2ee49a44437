/*
 * The gateway's table of settings and what must hold between them. Not the
 * reading of files and flags (common/conf). Runs at start, single-threaded.
 */
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/gateway_conf.h"
#include "gateway/http/http.h"
#include "proto/link_server.h"
#include "proto/link_tls.h"

static const struct conf_row rows[] = {
#define CONF(section, kind, name, default_text, min, max, doc)     \
	{section, #name, CONF_##kind, default_text, min, max, doc, \
	    offsetof(struct gateway_conf, name)},
#include "gateway/gateway_conf.def"
#undef CONF
};

/* The length of `prefix` where `text` starts with it, else 0. */
static size_t
prefix_len(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? len : 0;
}

/* RFC 8414 section 2: an issuer has no query, no fragment; ours no user and
 * no path either, since paths below it are fixed. */
static enum err
check_public_url(const struct gateway_conf *conf, struct err_detail *detail)
{
	size_t https = prefix_len(conf->public_url, "https://");
	size_t http = prefix_len(conf->public_url, "http://");
	const char *authority = conf->public_url + https + http;

	if (https + http == 0)
		return err_set(detail, ERR_INVALID,
		    "public_url \"%s\" must start with https:// or http://",
		    conf->public_url);
	if (*authority == '\0' || strpbrk(authority, "/?#@ \\\"") != NULL)
		return err_set(detail, ERR_INVALID,
		    "public_url \"%s\" must be scheme, host and port only, "
		    "without a trailing slash",
		    conf->public_url);
	if (http > 0 && !http_host_is_loopback(span_str(authority)))
		return err_set(detail, ERR_INVALID,
		    "public_url \"%s\" must be https://: plain http is only "
		    "for loopback hosts",
		    conf->public_url);
	return OK;
}

static enum err
check_listen(const struct gateway_conf *conf, const char *key, const char *text,
    struct err_detail *detail)
{
	struct http_listen listen;
	enum err err = http_listen_parse(text, &listen, detail);

	if (err != OK)
		return err_prefix(detail, err, "%s", key);
	if (!listen.is_loopback && !conf->edge_tls)
		return err_set(detail, ERR_INVALID,
		    "%s = %s is not loopback and the gateway speaks no TLS: "
		    "put "
		    "a TLS proxy in front and set edge_tls = yes",
		    key, text);
	return OK;
}

static enum err
check_trusted_proxy(const struct gateway_conf *conf, struct err_detail *detail)
{
	enum err err = http_proxy_list_check(conf->trusted_proxy, detail);

	return err == OK ? OK : err_prefix(detail, err, "trusted_proxy");
}

/* Engines on other hosts are told apart by their keys and kept out by TLS. */
static enum err
check_remote_engines(
    const struct gateway_conf *conf, const char *url, struct err_detail *detail)
{
	char host[CONF_ITEM_BYTES];
	enum err err = link_tls_host(url, host, sizeof host, detail);

	if (err != OK)
		return err_prefix(detail, err, "engines_listen");
	if (conf->tls_cert == NULL || conf->tls_ca == NULL)
		return err_set(detail, ERR_INVALID,
		    "engines_listen: %s needs tls_ca, tls_cert and tls_key "
		    "(postern-pki makes them)",
		    url);
	if (conf->engines_keys == NULL)
		return err_set(detail, ERR_INVALID,
		    "engines_listen: %s needs engines_keys: which engine it "
		    "is, the certificate does not tell",
		    url);
	return OK;
}

static enum err
check_engines_listen(const struct gateway_conf *conf, struct err_detail *detail)
{
	const char *cursor = conf->engines_listen;
	char url[CONF_ITEM_BYTES];
	unsigned count = 0;
	enum err err = OK;

	for (; err == OK && conf_list_next(&cursor, url, sizeof url); count++) {
		size_t ipc = prefix_len(url, "ipc://");

		if (prefix_len(url, "tls+tcp://") > 0)
			err = check_remote_engines(conf, url, detail);
		else if (ipc == 0 || url[ipc] != '/')
			err = err_set(detail, ERR_INVALID,
			    "engines_listen: \"%s\" is neither ipc:// with "
			    "an absolute path nor tls+tcp://ADDRESS:PORT",
			    url);
	}
	if (err == OK && (count == 0 || count > LINK_LISTENERS_MAX))
		err = err_set(detail, ERR_INVALID,
		    "engines_listen must be 1 to %d URLs", LINK_LISTENERS_MAX);
	return err;
}

/* Half a set is a mistake that is better found now. */
static enum err
check_tls(const struct gateway_conf *conf, struct err_detail *detail)
{
	if ((conf->tls_cert == NULL) != (conf->tls_key == NULL))
		return err_set(detail, ERR_INVALID,
		    "tls_cert and tls_key must be set together");
	if (conf->tls_cert != NULL && conf->tls_ca == NULL)
		return err_set(detail, ERR_INVALID,
		    "tls_cert needs tls_ca: engines are checked too");
	return OK;
}

static enum err
check_times(const struct gateway_conf *conf, struct err_detail *detail)
{
	if (conf->queue_ms >= conf->request_ms)
		return err_set(detail, ERR_INVALID,
		    "queue_ms = %lld must be less than request_ms = %lld",
		    (long long)conf->queue_ms, (long long)conf->request_ms);
	return OK;
}

static enum err
validate(const void *settings, struct err_detail *detail)
{
	const struct gateway_conf *conf = settings;
	enum err err = check_public_url(conf, detail);

	if (err == OK)
		err = check_listen(
		    conf, "listen_public", conf->listen_public, detail);
	if (err == OK)
		err = check_listen(
		    conf, "listen_admin", conf->listen_admin, detail);
	if (err == OK)
		err = check_trusted_proxy(conf, detail);
	if (err == OK)
		err = check_engines_listen(conf, detail);
	if (err == OK)
		err = check_tls(conf, detail);
	if (err == OK)
		err = check_times(conf, detail);
	return err;
}

const struct conf_table gateway_conf_table = {
    .process = "postern-gateway",
    .env_prefix = "POSTERN_GATEWAY_",
    .default_file = "/etc/postern/gateway.conf",
    .more_usage = "       postern-gateway restore FILE [--keep-refresh] "
		  "[--SETTING=VALUE ...]\n",
    .rows = rows,
    .row_count = sizeof rows / sizeof rows[0],
    .validate = validate,
};

enum err
gateway_conf_runner(const struct gateway_conf *conf, char *path_r, size_t bytes,
    struct err_detail *detail)
{
	char self[PATH_MAX] = "";
	char *slash;
	int len;

	if (conf->runner == NULL) {
		ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

		slash = n > 0 ? strrchr(self, '/') : NULL;
		if (slash == NULL)
			return err_set_errno(detail, ERR_IO,
			    "cannot find the folder of this executable");
		slash[1] = '\0';
	}
	len = snprintf(path_r, bytes, "%s%s", self,
	    conf->runner == NULL ? "postern-runner" : conf->runner);
	if (len < 0 || (size_t)len >= bytes)
		return err_set(detail, ERR_LIMIT, "the path of the runner");
	return OK;
}

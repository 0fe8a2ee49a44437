/*
 * nng's TLS configuration from PEM files; see link_tls.h. Not the connections.
 * Runs where a listener or dialer is opened or given new files.
 */
#include "proto/link_tls.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/secret.h"

#define TLS_SCHEME "tls+tcp://"

/* A chain, or a bundle of authorities during their exchange: a few KiB each. */
#define PEM_BYTES 65536

/* Longest port, as in :65535. */
#define PORT_DIGITS 5

/* The whole file, terminated; the caller frees it. */
static enum err
read_pem(const char *path, char **pem_r, struct err_detail *detail)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *pem = malloc(PEM_BYTES);
	size_t len = 0;
	ssize_t got = 1;

	if (fd < 0 || pem == NULL) {
		free(pem);
		if (fd < 0)
			return err_set_errno(detail, ERR_IO, "%s", path);
		close(fd);
		return ERR_NOMEM;
	}
	while (got > 0 && len < PEM_BYTES - 1) {
		got = read(fd, pem + len, PEM_BYTES - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		(void)err_set_errno(detail, ERR_IO, "%s", path);
	close(fd);
	if (got != 0) {
		free(pem);
		return got < 0 ? ERR_IO
			       : err_set(detail, ERR_LIMIT,
				     "%s: is larger than %d bytes", path,
				     PEM_BYTES - 1);
	}
	pem[len] = '\0';
	*pem_r = pem;
	return OK;
}

/* The key's text, terminated, in memory that is wiped when freed. */
static enum err
read_key(const char *path, struct secret **pem_r, struct err_detail *detail)
{
	struct secret *file = NULL;
	struct span bytes;
	char *text;
	enum err err;

	err = secret_read_file(path, PEM_BYTES - 1, &file, detail);
	if (err != OK)
		return err;
	bytes = secret_bytes(file);
	text = calloc(1, bytes.len + 1);
	if (text != NULL) {
		memcpy(text, bytes.data, bytes.len);
		*pem_r = secret_new(span_of(text, bytes.len + 1));
		secret_wipe(text, bytes.len);
	}
	free(text);
	secret_free(file);
	return text != NULL && *pem_r != NULL ? OK : ERR_NOMEM;
}

static enum err
set_own(nng_tls_config *config, const struct link_tls *tls,
    struct err_detail *detail)
{
	struct secret *key = NULL;
	char *cert = NULL;
	enum err err;
	int rv;

	err = read_pem(tls->cert, &cert, detail);
	if (err == OK)
		err = read_key(tls->key, &key, detail);
	if (err == OK) {
		rv = nng_tls_config_own_cert(
		    config, cert, (const char *)secret_bytes(key).data, NULL);
		if (rv != 0)
			err = err_set(detail, ERR_INVALID,
			    "%s and %s: are no certificate and key in PEM "
			    "(%s)",
			    tls->cert, tls->key, nng_strerror(rv));
	}
	secret_free(key);
	free(cert);
	return err;
}

static enum err
set_ca(nng_tls_config *config, const struct link_tls *tls,
    struct err_detail *detail)
{
	char *ca = NULL;
	enum err err;
	int rv;

	err = read_pem(tls->ca, &ca, detail);
	if (err != OK)
		return err;
	rv = nng_tls_config_ca_chain(config, ca, NULL);
	free(ca);
	if (rv != 0)
		return err_set(detail, ERR_INVALID,
		    "%s: is no certificate in PEM (%s)", tls->ca,
		    nng_strerror(rv));
	return OK;
}

static enum err
set_rest(
    nng_tls_config *config, const char *server_name, struct err_detail *detail)
{
	int rv = nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);

	/* This nng has no newer one. */
	if (rv == 0)
		rv = nng_tls_config_version(config, NNG_TLS_1_2, NNG_TLS_1_2);
	if (rv == 0 && server_name != NULL)
		rv = nng_tls_config_server_name(config, server_name);
	if (rv != 0)
		return err_set(detail, ERR_IO, "TLS: %s", nng_strerror(rv));
	return OK;
}

enum err
link_tls_config(const struct link_tls *tls, const char *server_name,
    struct nng_tls_config **config_r, struct err_detail *detail)
{
	nng_tls_config *config;
	enum err err;
	int rv;

	rv = nng_tls_config_alloc(&config,
	    server_name == NULL ? NNG_TLS_MODE_SERVER : NNG_TLS_MODE_CLIENT);
	if (rv != 0)
		return err_set(detail, ERR_IO, "TLS: %s", nng_strerror(rv));
	err = set_own(config, tls, detail);
	if (err == OK)
		err = set_ca(config, tls, detail);
	if (err == OK)
		err = set_rest(config, server_name, detail);
	if (err != OK) {
		nng_tls_config_free(config);
		return err;
	}
	*config_r = config;
	return OK;
}

static bool
is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits <= PORT_DIGITS && text[digits] == '\0' &&
	       strtoul(text, NULL, 10) >= 1 && strtoul(text, NULL, 10) <= 65535;
}

enum err
link_tls_host(
    const char *url, char *host_r, size_t bytes, struct err_detail *detail)
{
	const size_t scheme = strlen(TLS_SCHEME);
	const char *host = url + scheme;
	const char *colon;
	size_t len;

	if (strncmp(url, TLS_SCHEME, scheme) != 0)
		return err_set(
		    detail, ERR_INVALID, "%s: is not tls+tcp://HOST:PORT", url);
	colon = strrchr(host, ':');
	len = colon == NULL ? 0 : (size_t)(colon - host);
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	} else if (memchr(host, ':', len) != NULL) {
		len = 0; /* an IPv6 address without its brackets */
	}
	if (len == 0 || len >= bytes || !is_port(colon + 1) ||
	    memchr(host, '/', len) != NULL)
		return err_set(
		    detail, ERR_INVALID, "%s: is not tls+tcp://HOST:PORT", url);
	memcpy(host_r, host, len);
	host_r[len] = '\0';
	return OK;
}

bool
link_tls_is_dns_name(const char *host)
{
	uint8_t address[16];

	return host[0] != '\0' && inet_pton(AF_INET, host, address) != 1 &&
	       inet_pton(AF_INET6, host, address) != 1;
}

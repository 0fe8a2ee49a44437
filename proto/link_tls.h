/*
 * Mutual TLS 1.2 of the link: files to nng's configuration object.
 *
 * Both ends always show a certificate and always check the peer's against the
 * private authority; a dialer also checks the gateway's DNS name. mbedTLS
 * (seen by test_link) checks the extended key usage of the peer's certificate
 * for its role: an engine's (clientAuth) is no good for a listener, a
 * gateway's (serverAuth) none for a dialer. A certificate without that
 * extension passes as either, so the authority must always set it
 * (systemd/postern-pki does). nng shows no peer certificate: who an engine is
 * follows from its identity key (identity_proof.h), not from this.
 *
 * Threads: any.
 */
#ifndef POSTERN_LINK_TLS_H
#define POSTERN_LINK_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Paths of PEM files, borrowed for as long as the link. */
struct link_tls {
	const char *ca;   /* authorities of the peers' certificates */
	const char *cert; /* ours, with what leads to its authority */
	const char *key;  /* of cert; not for other users to read */
	/* A dialer's: the DNS name in the gateway's certificate; NULL: the
	 * URL's host. No IP address: mbedTLS does not compare those. */
	const char *server_name;
};

struct nng_tls_config;

/* For a listener if `server_name` is NULL, else for a dialer. Reads the files
 * anew. ERR_INVALID, ERR_NOT_FOUND, ERR_DENIED, ERR_IO with the file's path.
 * The caller gives it back with nng_tls_config_free(). */
enum err link_tls_config(const struct link_tls *tls, const char *server_name,
    struct nng_tls_config **config_r, struct err_detail *detail) MUST_USE;

/* The host of a tls+tcp:// URL (an address in brackets without them), at most
 * `bytes` with its end. ERR_INVALID: not tls+tcp://HOST:PORT. */
enum err link_tls_host(const char *url, char *host_r, size_t bytes,
    struct err_detail *detail) MUST_USE;

/* Whether mbedTLS can compare it with a certificate: no IP address. */
bool link_tls_is_dns_name(const char *host);

#endif

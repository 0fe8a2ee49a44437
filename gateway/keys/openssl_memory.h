/*
 * Memory for OpenSSL that does not end where malloc()'s does. A digest or an
 * HMAC takes a little of it at each use (OpenSSL 3.0 makes a context anew), and
 * who computes one has nobody to tell that it failed.
 *
 * Threads: any.
 */
#ifndef POSTERN_OPENSSL_MEMORY_H
#define POSTERN_OPENSSL_MEMORY_H

/* Before anything else of OpenSSL: later it has no effect. */
void openssl_memory_set(void);

#endif

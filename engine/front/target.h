/*
 * Where a URL leads: parsed the way libcurl will, so that what is judged is
 * what is connected to. Threads: any.
 */
#ifndef POSTERN_TARGET_H
#define POSTERN_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/span.h"

#define TARGET_URL_BYTES  8193
#define TARGET_HOST_BYTES 254

struct target {
	char url[TARGET_URL_BYTES];   /* normal form, for libcurl */
	char host[TARGET_HOST_BYTES]; /* a name, or an address in digits */
	uint16_t port;
	bool is_https;
};

/*
 * ERR_INVALID with a sentence: not an absolute URL, not http or https, with
 * user information, or with a host that is neither name nor address.
 */
enum err target_parse(struct span url, struct target *target_r,
    struct err_detail *detail) MUST_USE;

/* Scheme, host and port are the same (RFC 6454). */
bool target_is_same_origin(const struct target *a, const struct target *b);

#endif

/*
 * Random numbers of scripts: Math.random and random UUIDs. Not the
 * generator: that is drbg.c. Threads: one.
 */
#include <stdio.h>

#include "engine/runner/script_api.h"
#include "engine/runner/vm.h"

#define UUID_BYTES      16
#define UUID_TEXT_BYTES 37 /* with the NUL */

duk_ret_t
api_random_unit(duk_context *ctx)
{
	duk_push_number(ctx, drbg_unit(&vm_of(ctx)->drbg));
	return 1;
}

/* RFC 9562 section 5.4. */
duk_ret_t
api_random_uuid(duk_context *ctx)
{
	uint8_t b[UUID_BYTES];
	char text[UUID_TEXT_BYTES];

	drbg_bytes(&vm_of(ctx)->drbg, b, sizeof b);
	b[6] = (uint8_t)((b[6] & 0x0F) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
	(void)snprintf(text, sizeof text,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10],
	    b[11], b[12], b[13], b[14], b[15]);
	duk_push_string(ctx, text);
	return 1;
}

/*
 * The self-request; see http_probe.h. Looks at the status line only: what is
 * right in an answer is the tests' matter. Runs on the caller's thread.
 */
#include "gateway/http/http_probe.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "gateway/http/http_caller.h"

#define REQUEST_BYTES 256
#define STATUS_LINE   "HTTP/1.1 200 "

/* Of the answer nothing more is read than this. */
#define STATUS_BYTES (sizeof STATUS_LINE - 1)

static enum err
ask(const struct http_caller *caller, const char *path,
    struct err_detail *detail)
{
	char request[REQUEST_BYTES];
	char status[STATUS_BYTES] = "";
	size_t len = 0;
	int written;
	enum err err;

	written = snprintf(request, sizeof request,
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
	    path);
	if (written < 0 || (size_t)written >= sizeof request)
		return err_set(detail, ERR_LIMIT, "%s is too long", path);
	err = http_caller_send(caller, request, (size_t)written);
	if (err == OK)
		err = http_caller_receive(caller, status, sizeof status, &len);
	if (err != OK)
		return err_set(detail, err, "%s: no answer", path);
	if (len < STATUS_BYTES || memcmp(status, STATUS_LINE, len) != 0)
		return err_set(detail, ERR_STATE, "%s: the answer was \"%.*s\"",
		    path, (int)len, status);
	return OK;
}

enum err
http_probe(const char *listen, unsigned port, const char *path,
    int64_t timeout_ms, struct err_detail *detail)
{
	int64_t until_us = clock_mono_us() + timeout_ms * 1000;
	struct http_caller caller;
	enum err err = http_caller_open(listen, until_us, &caller, detail);

	if (err != OK)
		return err;
	err = http_caller_connect(&caller, listen, port, detail);
	if (err == OK)
		err = ask(&caller, path, detail);
	http_caller_close(&caller);
	return err;
}

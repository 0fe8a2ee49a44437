/*
 * Reads bodies, see http_body.h. Not their syntax. Runs on civetweb's workers.
 */
#include <stdbool.h>

#include <civetweb.h>

#include "common/clock.h"
#include "gateway/http/http_body.h"
#include "gateway/http/http_socket.h"
#include "gateway/http/http_watch.h"

/* A client that got its refusal while it was still sending needs some round
 * trips to notice; a worker is worth more than the rest of it. */
#define DISCARD_US        500000
#define DISCARD_MAX_BYTES (1024 * 1024)
#define DISCARD_STEP      4096 /* on a worker's small stack */

/* Looks the descriptor up once a connection. False: the peer is gone. */
static bool
find_socket(struct mg_connection *conn, int *socket)
{
	const struct mg_request_info *info = mg_get_request_info(conn);

	if (*socket < 0)
		*socket = http_socket_find(
		    info->remote_addr, info->remote_port, info->server_port);
	return *socket >= 0;
}

enum err
http_body_read(struct mg_connection *conn, struct http_watch *watch,
    int *socket, int64_t deadline_us, uint8_t *body_r, size_t len)
{
	size_t got = 0;
	unsigned place;
	bool was_cut;
	int n = 0;

	if (!find_socket(conn, socket))
		return ERR_LOST;
	place = http_watch_add(watch, *socket, deadline_us);
	/* 0 is civetweb's own time-out between two bytes: not our limit. */
	while (got < len && n >= 0 && clock_mono_us() < deadline_us) {
		n = mg_read(conn, body_r + got, len - got);
		if (n > 0)
			got += (size_t)n;
	}
	was_cut = http_watch_remove(watch, place);
	if (got == len)
		return OK;
	return was_cut || n >= 0 ? ERR_TIMEOUT : ERR_LOST;
}

void
http_body_discard(
    struct mg_connection *conn, struct http_watch *watch, int *socket)
{
	int64_t deadline_us = clock_mono_us() + DISCARD_US;
	char bytes[DISCARD_STEP];
	size_t got = 0;
	unsigned place;
	int n;

	if (!find_socket(conn, socket))
		return;
	place = http_watch_add(watch, *socket, deadline_us);
	do {
		n = mg_read(conn, bytes, sizeof bytes);
		got += n > 0 ? (size_t)n : 0;
	} while (
	    n > 0 && got < DISCARD_MAX_BYTES && clock_mono_us() < deadline_us);
	(void)http_watch_remove(watch, place);
}

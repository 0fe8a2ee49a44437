/*
 * Handing a listening socket from process to process, which civetweb 1.15 has
 * no call for; see http_gate.h. Its listener is a descriptor that its thread
 * polls and accepts from: another socket of the same kind can take the
 * descriptor's place, and something that is never ready ends the accepting.
 * Not what becomes of connections that are in: http_server.c.
 */
#include "gateway/http/http_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "gateway/http/http_caller.h"
#include "gateway/http/http_socket.h"

/* On loopback, to wake a thread: it is connected at once or never. */
#define WAKE_US 100000

/* One step for the kernel, whatever civetweb's thread does with the descriptor
 * meanwhile. Not by the C library: ThreadSanitizer takes its dup3() for a race
 * with every later use of the number. */
static int
put_in_place(int fd, int place)
{
	return (int)syscall(SYS_dup3, fd, place, O_CLOEXEC);
}

void
http_gate_take(
    struct http_gate *gate, const char *name, const struct http_listen *listen)
{
	*gate = (struct http_gate){.name = name, .fd = -1};
	gate->taken = notify_socket_take(name);
	if (gate->taken < 0 || http_socket_listens_at(gate->taken,
				   listen->address, (int)listen->port))
		return;
	/* The setting has changed since. */
	close(gate->taken);
	gate->taken = -1;
	notify_socket_forget(name);
}

/* civetweb's thread still polls what was at the descriptor before, for seconds
 * if nothing happens there; it lives as long as that poll. */
static void
wake_poll(const struct http_listen *listen)
{
	struct err_detail detail = {0};
	struct http_caller caller;
	char text[sizeof listen->address + 8];

	(void)snprintf(
	    text, sizeof text, "%s:%u", listen->address, listen->port);
	if (http_caller_open(
		text, clock_mono_us() + WAKE_US, &caller, &detail) != OK)
		return;
	if (http_caller_connect(&caller, text, listen->port, &detail) != OK)
		log_debug("no poll to wake", LOG_STR("listener", text));
	http_caller_close(&caller);
}

enum err
http_gate_open(struct http_gate *gate, const struct http_listen *listen,
    struct err_detail *detail)
{
	gate->fd =
	    http_socket_find_listener(listen->address, (int)listen->port);
	if (gate->fd < 0)
		return err_set(detail, ERR_IO, "no socket listens");
	if (gate->taken >= 0) {
		if (put_in_place(gate->taken, gate->fd) < 0)
			return err_set_errno(detail, ERR_IO, "dup3");
		close(gate->taken);
		gate->taken = -1;
		wake_poll(listen);
	}
	gate->is_kept = notify_socket_keep(gate->fd, gate->name);
	return OK;
}

bool
http_gate_shut(struct http_gate *gate)
{
	int never_ready;

	if (!gate->is_kept)
		return false;
	never_ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (never_ready < 0 || put_in_place(never_ready, gate->fd) < 0) {
		log_warn("connections go on being taken while stopping",
		    LOG_STR("listener", gate->name), LOG_INT("errno", errno));
		gate->is_kept = false;
	}
	if (never_ready >= 0)
		close(never_ready);
	return gate->is_kept;
}

/*
 * How a listener is shut; see http_gate.h. civetweb can neither stop listening
 * without cutting answers nor hand its listener on, and closing a listener
 * resets the connections that wait in it. Not what is done with those that are
 * in: http_server.c counts them. Runs on the thread that drains.
 */
#include "gateway/http/http_gate.h"

#include <linux/filter.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/http/http.h"
#include "gateway/http/http_caller.h"
#include "gateway/http/http_socket.h"

/* A filter on a listening TCP socket sees packets from their TCP header on. */
#define TCP_SOURCE_PORT 0
#define TCP_FLAGS       13
#define TCP_SYN         0x02
#define PASS_WHOLE      0xffffffffu
#define DROP            0u

/*
 * Drops what opens a connection, unless it comes from `caller_port`. What
 * completes a connection passes: its client believes to be in already.
 */
static enum err
drop_newcomers(int fd, unsigned caller_port, struct err_detail *detail)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TCP_SYN, 0, 2),
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TCP_SOURCE_PORT),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, caller_port, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, PASS_WHOLE),
	    BPF_STMT(BPF_RET | BPF_K, DROP),
	};
	const struct sock_fprog program = {
	    .len = sizeof code / sizeof code[0], .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		sizeof program) != 0)
		return err_set_errno(detail, ERR_IO, "SO_ATTACH_FILTER");
	return OK;
}

/* The last in line. Connections are taken up in their order: once this one was
 * seen to have ended, everybody before it has a worker. */
static enum err
wait_in_line(const struct http_caller *caller, const char *listen,
    unsigned port, struct err_detail *detail)
{
	char nothing[1];
	size_t len;
	enum err err = http_caller_connect(caller, listen, port, detail);

	if (err != OK)
		return err;
	(void)shutdown(caller->fd, SHUT_WR);
	err = http_caller_receive(caller, nothing, sizeof nothing, &len);
	if (err == ERR_TIMEOUT)
		return err_set(detail, err,
		    "connections still wait for a worker at %s", listen);
	return OK; /* however it ended */
}

enum err
http_gate_shut(const char *listen, unsigned port, int64_t until_us,
    struct err_detail *detail)
{
	struct http_listen parsed;
	struct http_caller caller;
	enum err err;
	int fd;

	err = http_listen_parse(listen, &parsed, detail);
	if (err != OK)
		return err;
	fd = http_socket_find_listener(parsed.address, (int)port);
	if (fd < 0)
		return err_set(
		    detail, ERR_IO, "no socket listens at %s", listen);
	err = http_caller_open(listen, until_us, &caller, detail);
	if (err != OK)
		return err;
	err = drop_newcomers(fd, caller.own_port, detail);
	if (err == OK)
		err = wait_in_line(&caller, listen, port, detail);
	http_caller_close(&caller);
	return err;
}

/*
 * The journal's socket; see log_journal.h. Not what an entry says (log.c).
 */
#include "common/log_journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Set before there are threads. */
static int journal = -1;

bool
log_journal_open(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) !=
	    0) {
		(void)close(fd);
		return false;
	}
	if (journal >= 0)
		(void)close(journal);
	journal = fd;
	return true;
}

bool
log_journal_send(const char *entry, size_t len)
{
	ssize_t sent;

	if (journal < 0)
		return false;
	do {
		sent = send(journal, entry, len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)len;
}

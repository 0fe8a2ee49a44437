/*
 * Reads /proc/self/statm; see resident.h. Any process, any thread.
 */
#include "common/resident.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Seven numbers. */
#define STATM_BYTES 256

uint64_t
resident_bytes(void)
{
	char text[STATM_BYTES];
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);
	ssize_t len;
	char *second;

	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (len <= 0 || page <= 0)
		return 0;
	text[len] = '\0';
	(void)strtoull(text, &second, 10); /* the whole address space */
	return strtoull(second, NULL, 10) * (uint64_t)page;
}

/*
 * What a machine can refuse, refused on order: an LD_PRELOAD library for the
 * tests of resource faults. One process, the one named in the control file,
 * has its allocations counted and failed, its fsync answered with EIO, or its
 * wall clock moved; all others with the library loaded (an engine's runners)
 * are left alone. Not in any package. Runs in whichever thread calls.
 *
 * The control file (POSTERN_FAULT_CONTROL) is mapped: struct control below is
 * what tests/service/harness/faults.py writes into it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
	_Atomic int64_t pid;         /* of the process that is meant */
	_Atomic int64_t seen;        /* allocations since a test set it to 0 */
	_Atomic int64_t fail_at;     /* the allocation to fail; 0: none */
	_Atomic int64_t fail_for;    /* how many from that one on */
	_Atomic int64_t sync_fails;  /* 1: fsync and fdatasync do */
	_Atomic int64_t wall_secs;   /* added to the wall clock */
	_Atomic int64_t sync_failed; /* how often they did */
};

/* glibc's own, under the names that it exports for such as us. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static struct control *control;
static pid_t own_pid;

__attribute__((constructor)) static void
attach(void)
{
	const char *path = getenv("POSTERN_FAULT_CONTROL");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *mapped;

	if (fd < 0)
		return;
	mapped = mmap(
	    NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		return;
	own_pid = getpid();
	control = mapped;
}

/* Not after a fork: children keep own_pid, but only who is named is meant and
 * a runner is another executable with a pid of its own. */
static int
is_meant(void)
{
	return control != NULL && atomic_load(&control->pid) == own_pid;
}

static int
must_fail(void)
{
	int64_t number, from;

	if (!is_meant())
		return 0;
	number = atomic_fetch_add(&control->seen, 1) + 1;
	from = atomic_load(&control->fail_at);
	if (from == 0 || number < from ||
	    number >= from + atomic_load(&control->fail_for))
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return must_fail() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *memory, size_t size)
{
	return must_fail() ? NULL : __libc_realloc(memory, size);
}

static int
sync_fails(void)
{
	if (!is_meant() || atomic_load(&control->sync_fails) == 0)
		return 0;
	atomic_fetch_add(&control->sync_failed, 1);
	errno = EIO;
	return 1;
}

int
fsync(int fd)
{
	return sync_fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return sync_fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static int64_t
wall_secs(void)
{
	return is_meant() ? atomic_load(&control->wall_secs) : 0;
}

int
clock_gettime(clockid_t id, struct timespec *time)
{
	int status = (int)syscall(SYS_clock_gettime, id, time);

	if (status == 0 && id == CLOCK_REALTIME)
		time->tv_sec += wall_secs();
	return status;
}

int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	int status = (int)syscall(SYS_gettimeofday, time, zone);

	if (status == 0)
		time->tv_sec += wall_secs();
	return status;
}

time_t
time(time_t *out)
{
	struct timespec now;
	time_t secs =
	    clock_gettime(CLOCK_REALTIME, &now) == 0 ? now.tv_sec : -1;

	if (out != NULL)
		*out = secs;
	return secs;
}

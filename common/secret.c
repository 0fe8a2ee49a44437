/*
 * Bytes that must not leak: in memory, and in the files they come from. Not
 * encryption: keys at rest are the gateway's. Any process, any thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/random.h"
#include "common/secret.h"

struct secret {
	size_t len;
	uint8_t data[];
};

static struct secret *
secret_alloc(size_t len)
{
	struct secret *secret;

	if (len > SIZE_MAX - sizeof *secret)
		return NULL;
	secret = malloc(sizeof *secret + len);
	if (secret != NULL)
		secret->len = len;
	return secret;
}

struct secret *
secret_new(struct span bytes)
{
	struct secret *secret = secret_alloc(bytes.len);

	if (secret != NULL && bytes.len > 0)
		memcpy(secret->data, bytes.data, bytes.len);
	return secret;
}

void
secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	secret_wipe(secret->data, secret->len);
	free(secret);
}

struct span
secret_bytes(const struct secret *secret)
{
	return span_of(secret->data, secret->len);
}

bool
secret_equal(struct span a, struct span b)
{
	/* volatile: the compiler must not stop at the first difference. */
	volatile uint8_t difference = 0;

	if (!span_present(a) || !span_present(b) || a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		difference = (uint8_t)(difference | (a.data[i] ^ b.data[i]));
	return difference == 0;
}

void
secret_wipe(void *data, size_t len)
{
	if (len > 0)
		explicit_bzero(data, len);
}

/* Refuses what is no private file of a sane size. */
static enum err
secret_check_file(int fd, const char *path, size_t max_bytes, size_t *size_r,
    struct err_detail *detail)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set_errno(detail, ERR_IO, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(
		    detail, ERR_DENIED, "%s: not a regular file", path);
	if ((st.st_mode & S_IRWXO) != 0)
		return err_set(detail, ERR_DENIED,
		    "%s: others have access (mode %04o); chmod o= it", path,
		    (unsigned)(st.st_mode & 07777));
	if (st.st_size < 0 || (uintmax_t)st.st_size > max_bytes)
		return err_set(detail, ERR_LIMIT, "%s: larger than %zu bytes",
		    path, max_bytes);
	*size_r = (size_t)st.st_size;
	return OK;
}

/* Reads exactly the secret's length, and expects the end behind it. */
static enum err
secret_fill(
    int fd, struct secret *secret, const char *path, struct err_detail *detail)
{
	size_t have = 0;
	ssize_t got;
	uint8_t beyond;

	while (have < secret->len) {
		got = read(fd, secret->data + have, secret->len - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set_errno(detail, ERR_IO, "%s", path);
		if (got == 0)
			break;
		have += (size_t)got;
	}
	got = read(fd, &beyond, 1);
	if (got < 0)
		return err_set_errno(detail, ERR_IO, "%s", path);
	if (have < secret->len || got != 0)
		return err_set(
		    detail, ERR_IO, "%s: changed while it was read", path);
	return OK;
}

static enum err
secret_read_fd(int fd, const char *path, size_t max_bytes,
    struct secret **secret_r, struct err_detail *detail)
{
	struct secret *secret;
	size_t size = 0;
	enum err err;

	err = secret_check_file(fd, path, max_bytes, &size, detail);
	if (err != OK)
		return err;
	secret = secret_alloc(size);
	if (secret == NULL)
		return err_set(detail, ERR_NOMEM, "%s: out of memory", path);
	err = secret_fill(fd, secret, path, detail);
	if (err != OK) {
		secret_free(secret);
		return err;
	}
	*secret_r = secret;
	return OK;
}

enum err
secret_read_file(const char *path, size_t max_bytes, struct secret **secret_r,
    struct err_detail *detail)
{
	/* O_NONBLOCK: opening a FIFO must not hang. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum err err;

	if (fd < 0)
		return err_set_errno(detail,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	err = secret_read_fd(fd, path, max_bytes, secret_r, detail);
	(void)close(fd);
	return err;
}

static enum err
secret_write_fd(int fd, struct span bytes, struct err_detail *detail)
{
	while (bytes.len > 0) {
		ssize_t wrote = write(fd, bytes.data, bytes.len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_set_errno(detail, ERR_IO, "write");
		bytes.data += wrote;
		bytes.len -= (size_t)wrote;
	}
	if (fsync(fd) != 0)
		return err_set_errno(detail, ERR_DURABILITY, "fsync");
	return OK;
}

/* A complete, durable file under a name nobody looks for. */
static enum err
secret_write_temporary(int dir_fd, const char *temporary, struct span bytes,
    struct err_detail *detail)
{
	int fd = openat(dir_fd, temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	enum err err;

	if (fd < 0)
		return err_set_errno(detail, ERR_IO, "create");
	err = secret_write_fd(fd, bytes, detail);
	if (close(fd) != 0 && err == OK)
		err = err_set_errno(detail, ERR_IO, "close");
	if (err != OK)
		(void)unlinkat(dir_fd, temporary, 0);
	return err;
}

/*
 * link() and not rename(): it fails where the name is taken, on every file
 * system, so two first starts at once cannot replace each other's key.
 */
static enum err
secret_publish(int dir_fd, const char *temporary, const char *name,
    struct err_detail *detail)
{
	enum err err = OK;

	if (linkat(dir_fd, temporary, dir_fd, name, 0) != 0)
		err = err_set_errno(
		    detail, errno == EEXIST ? ERR_EXISTS : ERR_IO, "link");
	(void)unlinkat(dir_fd, temporary, 0);
	if (err != OK)
		return err;
	if (fsync(dir_fd) != 0) {
		err = err_set_errno(detail, ERR_DURABILITY, "fsync directory");
		(void)unlinkat(dir_fd, name, 0);
	}
	return err;
}

static enum err
secret_write_in(
    int dir_fd, const char *name, struct span bytes, struct err_detail *detail)
{
	/* The name is ours alone by chance, by O_EXCL otherwise an error. */
	char temporary[sizeof ".postern-0123456789abcdef"];
	enum err err;

	(void)snprintf(temporary, sizeof temporary, ".postern-%016llx",
	    (unsigned long long)random_u64());
	err = secret_write_temporary(dir_fd, temporary, bytes, detail);
	if (err != OK)
		return err;
	return secret_publish(dir_fd, temporary, name, detail);
}

/* The directory part of path, "." without one; false where it is too long. */
static bool
secret_dir_of(const char *path, const char **name_r, char *dir_r, size_t room)
{
	const char *slash = strrchr(path, '/');
	size_t len;

	if (slash == NULL) {
		*name_r = path;
		memcpy(dir_r, ".", sizeof ".");
		return true;
	}
	*name_r = slash + 1;
	len = slash == path ? 1 : (size_t)(slash - path);
	if (len >= room)
		return false;
	memcpy(dir_r, path, len);
	dir_r[len] = '\0';
	return true;
}

enum err
secret_write_file(
    const char *path, struct span bytes, struct err_detail *detail)
{
	char dir[PATH_MAX];
	const char *name;
	int dir_fd;
	enum err err;

	if (!secret_dir_of(path, &name, dir, sizeof dir))
		return err_set(detail, ERR_LIMIT, "path of a secret too long");
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return err_set_errno(detail,
		    errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", dir);
	err = secret_write_in(dir_fd, name, bytes, detail);
	(void)close(dir_fd);
	if (err != OK)
		return err_prefix(detail, err, "%s", path);
	return OK;
}

/* ---- the process ---- */

void
secret_forbid_dumps(void)
{
	const struct rlimit none = {0, 0};

	CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
}

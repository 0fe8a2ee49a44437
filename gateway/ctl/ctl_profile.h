/*
 * Which gateway to call, and as whom: a profile file, as `postern login` wrote
 * it, or the environment.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_PROFILE_H
#define POSTERN_CTL_PROFILE_H

#include "common/err.h"
#include "common/secret.h"

/* Longest secret, and file of one: generated ones have 43 characters. */
#define CTL_SECRET_BYTES_MAX 4096

struct ctl_profile {
	char *url;             /* owned; of the admin listener, no slash last */
	char *client_id;       /* owned */
	struct secret *secret; /* owned */
	char *ca;              /* owned; file of authorities, NULL: system's */
};

/*
 * With a `name` that profile. Without: what the environment says
 * (POSTERN_URL, POSTERN_CLIENT_ID, POSTERN_SECRET_FILE and, if wanted,
 * POSTERN_CA), else the profile POSTERN_PROFILE or "default".
 *
 * The environment counts whole or not at all: a secret never goes to another
 * gateway than it was given for. ERR_NOT_FOUND, ERR_INVALID, ERR_DENIED (a
 * file that others may read), ERR_IO; detail says what to do.
 */
enum err ctl_profile_load(const char *name, struct ctl_profile *profile_r,
    struct err_detail *detail) MUST_USE;

/* Writes a profile; `name` as above, *path_r (owned by the caller) is its
 * file. */
enum err ctl_profile_save(const char *name, const struct ctl_profile *profile,
    char **path_r, struct err_detail *detail) MUST_USE;

void ctl_profile_fini(struct ctl_profile *profile);

/* A secret without the line end that an editor left behind it. */
struct span ctl_profile_trim(struct span secret);

#endif

/*
 * The configuration API as handlers of commands see it: documents in and out,
 * what goes wrong said on stderr and turned into an exit status.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_API_H
#define POSTERN_CTL_API_H

#include <jansson.h>

#include "common/buf.h"
#include "gateway/ctl/ctl_command.h"
#include "gateway/ctl/ctl_http.h"

/* Below the admin listener's URL. */
#define CTL_API_BASE "/api/v1/configuration"

/* An answer: a page of a list, one resource, one recorded execution. */
#define CTL_API_ANSWER_MAX ((size_t)16 * 1024 * 1024)

/* A whole realm: 32 MiB of files, whose newlines and quotes take two bytes in
 * JSON, twice in the answer of a plan. */
#define CTL_API_REALM_MAX ((size_t)160 * 1024 * 1024)

struct ctl_api;

/* The gateway and credentials that the command line and the profile name. */
enum ctl_exit ctl_api_open(const struct ctl_call *call, struct ctl_api **api_r);

/* The same with a profile at hand, which is taken over in every case. */
enum ctl_exit ctl_api_open_profile(const struct ctl_call *call,
    struct ctl_profile *profile, struct ctl_api **api_r);

/* Borrowed. */
const struct ctl_profile *ctl_api_profile(const struct ctl_api *api);

void ctl_api_close(struct ctl_api *api); /* NULL is fine */

/*
 * The path of a resource: `pattern` below CTL_API_BASE, in which each * stands
 * for the next text, percent-encoded. Owned by the caller; dies without
 * memory.
 */
char *ctl_api_path(const char *pattern, ...);

/* What a call needs beside method and path; all may be left out. */
struct ctl_api_call {
	json_t *body; /* borrowed */
	const char *if_match;
	const char *activity;    /* of the progress line; has long to answer */
	size_t answer_max_bytes; /* 0: CTL_API_ANSWER_MAX */
	const int *file;         /* descriptor that takes a 200's body instead
				    of a document; NULL: none does */
	int64_t timeout_ms;      /* 0: what --timeout says, or its default */
	bool absent_is_fine;     /* 404 is CTL_NOT_FOUND without a word */
	bool lost_is_fine;       /* no answer: CTL_UNREACHABLE without one */
};

/*
 * `path` is freed. CTL_OK with the answer's document, NULL where it has none
 * (204). `document_r` and `etag_r` may be NULL.
 */
enum ctl_exit ctl_api_call(struct ctl_api *api, const char *method, char *path,
    const struct ctl_api_call *with, json_t **document_r,
    char etag_r[CTL_HTTP_ETAG_BYTES]);

/* GET, and a document with it. */
enum ctl_exit ctl_api_get(struct ctl_api *api, char *path, json_t **document_r);

/* All items of a list, or the first `max` where that is not 0. */
enum ctl_exit
ctl_api_list(struct ctl_api *api, char *path, size_t max, json_t **items_r);

/* Whether --json was given. */
bool ctl_api_wants_json(const struct ctl_call *call);

#endif

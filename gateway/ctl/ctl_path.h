/*
 * The paths that the files of a realm have, as docs of the realm directory
 * list them. A gateway's export is believed only so far.
 *
 * Threads: any.
 */
#ifndef POSTERN_CTL_PATH_H
#define POSTERN_CTL_PATH_H

#include <stdbool.h>

/* Longest name of a folder or a file. */
#define CTL_PATH_NAME_MAX 255

/*
 * realm.yaml, scopes.yaml, properties.yaml, clients/NAME.yaml,
 * api-clients/NAME.yaml, idps/IDP/idp.yaml and IDP's init.js, complete.js,
 * backchannel.js. A NAME is of [A-Za-z0-9._~%-] and begins with no dot, an IDP
 * is an identity provider's identifier.
 */
bool ctl_path_is_realm_file(const char *path);

/*
 * A file of certificate authorities (http.ca), which may be anywhere in a
 * realm: up to CTL_PATH_DEPTH_MAX NAMEs, the last ending in .pem or .crt.
 */
bool ctl_path_is_authorities(const char *path);

#define CTL_PATH_DEPTH_MAX 4

/* Whether a folder at the top of a realm has this name. */
bool ctl_path_is_realm_folder(const char *name);

/* Whether the name of a file has this ending, and something before it. */
bool ctl_path_has_ending(const char *name, const char *ending);

#endif

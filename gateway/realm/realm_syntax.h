/*
 * The spelling of identifiers in a realm. Pure functions: whether what is
 * named exists is realm_check.c's matter.
 * Threads: any.
 */
#ifndef POSTERN_REALM_SYNTAX_H
#define POSTERN_REALM_SYNTAX_H

#include <stdbool.h>

#include "common/span.h"

#define REALM_CLIENT_ID_BYTES   128
#define REALM_IDP_ID_BYTES      64
#define REALM_SCOPE_BYTES       255
#define REALM_PROPERTY_ID_BYTES 128

/* What may stand between quotes in a log or an answer: no control character,
 * valid UTF-8. */
bool realm_syntax_is_text(struct span text);

/* Text that may also have tabs and line ends, such as a PEM key. */
bool realm_syntax_is_lines(struct span text);

/* Printable ASCII, as a subject must be; may be empty. */
bool realm_syntax_is_ascii(struct span text);

bool realm_syntax_is_client_id(struct span text);   /* [A-Za-z0-9._~-] */
bool realm_syntax_is_idp_id(struct span text);      /* [A-Za-z0-9_-] */
bool realm_syntax_is_scope(struct span text);       /* RFC 6749 section 3.3 */
bool realm_syntax_is_property_id(struct span text); /* an identifier and . - */
bool realm_syntax_is_label(struct span text);       /* [A-Za-z0-9._-]{1,64} */
bool realm_syntax_is_env_name(struct span text);    /* POSIX: [A-Za-z_][..] */
bool realm_syntax_is_pointer(struct span text);     /* RFC 6901 */

#endif

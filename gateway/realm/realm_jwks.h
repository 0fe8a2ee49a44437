/*
 * A client's public keys: a YAML map in the shape of RFC 7517 as JSON text.
 * Threads: the loader's.
 */
#ifndef POSTERN_REALM_JWKS_H
#define POSTERN_REALM_JWKS_H

#include "gateway/realm/realm_yaml.h"

/*
 * Checks `node` (keys of kty RSA or EC, nothing private) and writes the JSON
 * in `arena`; NULL for an empty set and after a mistake, which is a problem.
 * False: the arena is full.
 */
bool realm_jwks_take(const struct yaml_source *source,
    const struct yaml_node *node, struct arena *arena, const char **json_r);

#endif

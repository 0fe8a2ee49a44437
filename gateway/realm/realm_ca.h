/*
 * http.ca of realm.yaml and idp.yaml: the certificate authorities that
 * scripts' HTTP trusts instead of the engine's. Threads: the loader's.
 */
#ifndef POSTERN_REALM_CA_H
#define POSTERN_REALM_CA_H

#include "gateway/realm/realm_draft.h"

/* messages.def: keys.ca. The system's own store is not larger. */
#define REALM_CA_BYTES ((size_t)262144)

/*
 * Reads the file `setting` names and keeps its text in `pem_r`; NULL where
 * none is named and after a mistake, which is a problem. False: the arena is
 * full.
 */
bool realm_ca_take(struct realm_draft *draft, const struct yaml_source *source,
    const struct setting *setting, const char **pem_r);

/* Whether some http.ca names this file, or one in this folder. */
bool realm_ca_is_named(const struct realm_draft *draft, const char *path);

#endif

/*
 * The limits of a release as the settings that make them: what idp.yaml's
 * script block must say beside realm.yaml's. Private to config/.
 *
 * Threads: any.
 */
#ifndef POSTERN_RELEASE_SETTINGS_H
#define POSTERN_RELEASE_SETTINGS_H

#include "common/buf.h"
#include "gateway/realm/realm.h"

/*
 * Appends a merge patch (RFC 7396) of the identity provider's document, {} or
 * {"script": ..}, after which it has these limits. What says so already stays
 * as it is; what would repeat the realm's setting goes. Both documents as JSON.
 * ERR_NOMEM; ERR_CORRUPT: they are none.
 */
enum err release_settings_patch(const struct script_limits *limits,
    struct span realm_json, struct span idp_json, struct buf *out) MUST_USE;

#endif

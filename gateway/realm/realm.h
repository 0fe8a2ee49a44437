/*
 * The realm: all of a deployment's clients, API clients, scopes, identity
 * providers, scripts and properties, as one immutable counted snapshot.
 *
 * A snapshot is built whole by realm_load() and never changes; a reload swaps
 * the pointer in `struct realm_holder`. A request takes one snapshot at its
 * start and uses only that, so it never sees half of an import.
 *
 * Lifetime: everything reachable from a `const struct realm *` lives until the
 * reference it came with is dropped. Threads: any.
 */
#ifndef POSTERN_REALM_H
#define POSTERN_REALM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/script_code.h"
#include "common/span.h"
#include "gateway/keys/keyring.h"
#include "gateway/keys/vault.h"

/* How a client's secret is checked. */
enum secret_kind {
	SECRET_DIGEST, /* vault_mac(VAULT_CLIENT_SECRETS, kind NUL id NUL
			  secret) */
	SECRET_PHC     /* an imported PHC string */
};

struct realm_secret {
	enum secret_kind kind;
	uint8_t digest[DIGEST_BYTES];
	const char *phc; /* SECRET_PHC only */
};

struct string_set {
	const char *const *items; /* sorted by strcmp, unique */
	size_t count;
};

enum profile_rule { PROFILE_NONE, PROFILE_OPTIONAL, PROFILE_REQUIRED };
enum access_format { ACCESS_OPAQUE, ACCESS_JWT };

struct realm_client {
	const char *client_id;
	const char *name;
	struct realm_secret secret;
	bool enabled;
	struct string_set idps;
	struct string_set default_scopes;
	struct string_set scopes; /* default and additional together */
	bool grant_client_credentials;
	bool grant_stateless;
	bool refresh_enabled;
	int64_t refresh_idle_secs;
	int64_t refresh_lifetime_secs;
	enum access_format access_format;
	struct string_set access_audience; /* empty: the issuer */
	int64_t access_lifetime_secs;
	enum signing_alg id_token_alg;
	int64_t id_token_lifetime_secs;
	enum profile_rule profile;
	const char *jwks_json; /* NULL: none */
	const char *jwks_uri;  /* NULL: none */
};

/* Bits of realm_api_client.scopes. */
enum api_scope {
	API_USER_REGISTRATION = 1,
	API_TOKEN_INTROSPECTION = 2,
	API_END_USER = 4,
	API_EVENTS = 8,
	API_CONFIG = 16,
	API_ADMIN = 32
};

struct realm_api_client {
	const char *client_id;
	const char *name;
	struct realm_secret secret;
	bool enabled;
	unsigned scopes;
};

/* Limits of one execution; realm.yaml's `script`, overridden per IdP. */
struct script_limits {
	int64_t wall_ms, cpu_ms, heap_mib, executions_per_process, host_calls;
	int64_t source_kib, data_kib, result_kib, log_kib, http_body_kib;
	int64_t cache_value_kib, cache_entries;
};

struct realm_script {
	uint8_t source_hash[DIGEST_BYTES]; /* SHA-256 of the text */
	const char *file;                  /* "ExampleId/complete.js" */
	struct span source;
};

/*
 * An immutable set of one IdP's scripts and script settings, named by the
 * SHA-256 of its content; the content is kept in the store so that a
 * transaction finishes on the release it began with.
 */
struct release {
	uint8_t hash[DIGEST_BYTES];
	const char *idp;
	const struct realm_script
	    *scripts[SCRIPT_KINDS]; /* NULL: there is none */
	struct script_limits limits;
};

struct attribute_rename {
	const char *from;
	const char *to;
};

enum record_mode { RECORD_OFF, RECORD_FAILURES, RECORD_ALL };

struct realm_idp {
	const char *identifier;
	const char *name;
	bool two_step;
	bool enabled;
	const char *subject_prefix;
	const struct attribute_rename *mapping;
	size_t mapping_count; /* 0: attributes pass as they are */
	bool cache_shared;
	struct string_set engine_labels; /* empty: any engine */
	int64_t weight;
	enum record_mode record_mode;
	int64_t record_keep;
	struct string_set record_mask; /* JSON pointers */
	struct string_set http_allow;  /* the realm's and the IdP's */
	const char *http_allow_lines;  /* the same, one a line */
	const char *http_ca_pem;       /* NULL: the engine's authorities */
	const struct release *release; /* what runs now */
	uint8_t properties_version[DIGEST_BYTES]; /* unguessable */
	/* {"id":"value",..} of what it may read, null in place of a key. */
	const char *properties_json;
	const char *keys_json; /* {"id":"value",..} of its kind: key */
	struct string_set sensitive_values; /* to mask in logs and records */
};

struct realm {
	const char *issuer; /* NULL: public URL + "/oauth" */
	bool shared_subjects;
	int64_t attempts_per_source_4xx;
	int64_t attempts_window_secs;
	int64_t transaction_lifetime_secs;
	unsigned transaction_attempts;
	int64_t cache_ttl_secs;
	struct string_set scopes;
	const struct realm_client *clients; /* sorted by client_id */
	size_t client_count;
	const struct realm_api_client *api_clients;
	size_t api_client_count;
	const struct realm_idp *idps; /* sorted by identifier */
	size_t idp_count;
};

/* NULL when there is none. `id` need not be terminated. */
const struct realm_client *
realm_client(const struct realm *realm, struct span id);
const struct realm_api_client *
realm_api_client(const struct realm *realm, struct span id);
const struct realm_idp *realm_idp(const struct realm *realm, struct span id);

/*
 * For authentication: the client of this id, or, with *same_r false, one to go
 * through the same steps with; NULL only where there are none at all. Takes
 * the same time either way.
 */
const struct realm_client *
realm_client_near(const struct realm *realm, struct span id, bool *same_r);
const struct realm_api_client *
realm_api_client_near(const struct realm *realm, struct span id, bool *same_r);

bool string_set_has(const struct string_set *set, struct span item);

/*
 * The digest that a client's secret is kept and compared as. `kind` is
 * "client" or "api_client": an API client's secret is no client's of the same
 * id. Compare with secret_equal().
 */
void realm_secret_digest(struct vault *vault, const char *kind, struct span id,
    struct span secret, uint8_t out_r[DIGEST_BYTES]);

/* ---- the snapshot in force ---------------------------------------------- */

struct realm_holder; /* process lifetime */

struct realm_holder *realm_holder_new(void);

/* Drops the realm in force too; nobody may use the holder any more. */
void realm_holder_free(struct realm_holder *holder); /* NULL is fine */

/* Takes a reference on the realm in force; NULL before the first one. Give it
 * back with realm_release(). */
const struct realm *realm_acquire(struct realm_holder *holder);
void realm_release(const struct realm *realm); /* NULL is fine */

/* Puts `realm` (a new reference, taken over) in force. */
void realm_publish(struct realm_holder *holder, const struct realm *realm);

#endif

/*
 * The OAuth surface: what every endpoint needs, and the route table.
 *
 * Threads: handlers run on HTTP worker threads; `struct oauth` is immutable
 * after it is filled, what it points to guards itself.
 */
#ifndef POSTERN_OAUTH_H
#define POSTERN_OAUTH_H

#include "gateway/dispatch/dispatch.h"
#include "gateway/http/http.h"
#include "gateway/keys/keyring.h"
#include "gateway/keys/vault.h"
#include "gateway/realm/realm.h"
#include "gateway/store/store.h"

struct attempt_limit;
struct auth_throttle;
struct event_log;
struct secret_checker;

/* Filled by gateway.c; process lifetime. */
struct oauth {
	const char *default_issuer; /* public URL + "/oauth" */
	struct realm_holder *realms;
	struct store *store;
	struct vault *vault;
	struct keyring *keyring;
	struct dispatch *dispatch;
	struct attempt_limit *attempts;
	struct auth_throttle *throttle; /* NULL: nobody is throttled (tests) */
	struct event_log *events;       /* NULL: nothing is recorded (tests) */
	struct secret_checker *secrets; /* imported hashes; NULL: none */
	int64_t jwks_max_age_secs;
};

/* The public listener's routes; handlers expect a struct oauth as context. */
const struct http_route *oauth_routes(size_t *count_r);

/* The issuer of tokens of this realm; borrowed from either. */
const char *oauth_issuer(const struct oauth *oauth, const struct realm *realm);

http_handler init_handle, complete_handle, backchannel_handle, jwks_handle;
http_handler init_v2_handle, complete_v2_handle, events_handle;
http_handler token_handle, revoke_handle, introspect_handle;
http_handler introspect_v1_handle, userinfo_handle, discovery_handle;
http_handler user_tokens_list_handle, user_tokens_revoke_handle;
http_handler user_tokens_revoke_all_handle;

#endif

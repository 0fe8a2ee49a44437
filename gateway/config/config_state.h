/*
 * The struct behind config.h. Private to config/.
 *
 * Lock order: changing, then viewing. Whoever holds `changing` is the only one
 * to put a view or a realm in force.
 */
#ifndef POSTERN_CONFIG_STATE_H
#define POSTERN_CONFIG_STATE_H

#include <pthread.h>

#include "common/arena.h"
#include "gateway/config/config.h"
#include "gateway/realm/realm_syntax.h"

struct config {
	struct config_options options;
	pthread_mutex_t changing; /* one change or reload at a time */
	pthread_mutex_t viewing;  /* of `view`: held for a few instructions */
	const struct config_view *view; /* owns one reference */
	struct realm_api_client first_client;
	char first_id[REALM_CLIENT_ID_BYTES + 1];
	/* config_on_commit()'s; NULL: none */
	enum err (*commit)(struct store_writer *writer, void *user,
	    const struct config_commit *commit);
	void *commit_user;
	/* config_load_problems()'s. Main thread. */
	struct arena *load_arena;
	struct config_problems load_problems;
};

/* Puts both in force; takes over both references. Holding `changing`. */
void config_publish(struct config *config, const struct realm *realm,
    const struct config_view *view);

/* Reads admin_credential, or makes it, into first_client. */
enum err config_credential_open(
    struct config *config, struct err_detail *detail) MUST_USE;

#endif

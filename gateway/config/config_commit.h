/*
 * The one store operation that a change is. Private to config/.
 */
#ifndef POSTERN_CONFIG_COMMIT_H
#define POSTERN_CONFIG_COMMIT_H

#include "gateway/config/config_load.h"
#include "gateway/config/config_secrets.h"

/* What is written; borrowed. */
struct config_writing {
	const struct config *config;
	struct arena *arena; /* for what gets sealed */
	const struct config_change *changes;
	size_t change_count;
	/* Of what changes here; with those of documents that went. */
	struct config_secrets *secrets;
	const struct config_view *before;
	const struct config_view *after;
	const struct config_release *releases;
	const struct config_step *step; /* NULL: none */
	const struct config_request *request;
	const struct realm *realm_before;
	const struct realm *realm_after;
};

/* Seals, then writes all of it in one operation. Durable when OK. */
enum err config_commit_write(
    const struct config_writing *writing, struct err_detail *detail) MUST_USE;

/* Only config_on_commit()'s function, for the realm in force. */
enum err config_commit_tell(const struct config *config,
    const struct realm *before, const struct realm *after) MUST_USE;

/* Seals a document of the store, and opens it. */
enum err config_commit_seal(const struct config *config, const char *path,
    struct span text, struct buf *out) MUST_USE;
enum err config_commit_unseal(const struct config *config, const char *path,
    struct span sealed, struct buf *out) MUST_USE;

#endif

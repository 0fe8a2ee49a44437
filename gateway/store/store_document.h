/*
 * The realm where the store rules: its documents, and the secrets that they
 * leave out. All sealed or digested by the caller; the store sees no value.
 *
 * Written inside one operation of the caller's (store_perform), so that a
 * realm changes whole: those functions are for the writer's thread. Reads are
 * for any thread.
 */
#ifndef POSTERN_STORE_DOCUMENT_H
#define POSTERN_STORE_DOCUMENT_H

#include "gateway/store/store.h"

/* ---- writer thread ------------------------------------------------------- */

/* Replaces the one that is there. */
enum err store_document_put(
    struct store_writer *writer, const char *path, struct span sealed) MUST_USE;

/* OK also where there is none; so the other deletes. */
enum err
store_document_delete(struct store_writer *writer, const char *path) MUST_USE;

/* A client's secret: its digest or, with `digest` absent, its sealed imported
 * hash. Replaces the one that is there. */
enum err store_client_secret_set(struct store_writer *writer, const char *kind,
    const char *client_id, struct span digest, struct span sealed_phc) MUST_USE;
enum err store_client_secret_delete(struct store_writer *writer,
    const char *kind, const char *client_id) MUST_USE;

/* The value of a sensitive property or a key. */
enum err store_property_value_put(
    struct store_writer *writer, const char *id, struct span sealed) MUST_USE;
enum err store_property_value_delete(
    struct store_writer *writer, const char *id) MUST_USE;

/* ---- any thread ---------------------------------------------------------- */

/* All documents by path; stops at the first error of `each`. */
enum err store_document_each(struct store *store,
    enum err (*each)(void *user, const char *path, struct span sealed),
    void *user) MUST_USE;

/* malloc'd; ERR_NOT_FOUND. */
enum err store_property_value_get(struct store *store, const char *id,
    uint8_t **sealed_r, size_t *len_r) MUST_USE;

/* The sealed imported hash of a client, malloc'd. ERR_NOT_FOUND: it has none
 * (perhaps a digest: store_client_secret_get()). */
enum err store_client_phc_get(struct store *store, const char *kind,
    const char *client_id, uint8_t **sealed_r, size_t *len_r) MUST_USE;

#endif

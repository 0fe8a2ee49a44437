/*
 * Transactions: the link between init and complete (SPEC 1).
 *
 * States: open -> claimed -> open again (attempts left) or gone. A claim is
 * durable before the script is dispatched; a claim found at start belongs to
 * an execution whose fate is unknown and is spent.
 */
#ifndef POSTERN_STORE_TRANSACTION_H
#define POSTERN_STORE_TRANSACTION_H

#include "gateway/store/store.h"

#define STORE_HASH_BYTES 32

/* What a row says; strings and spans are the caller's. */
struct store_transaction {
	uint64_t number;                /* SEQUENCE_TRANSACTION */
	uint8_t hash[STORE_HASH_BYTES]; /* SHA-256 of the transaction_id */
	const char *client_id;
	const char *idp;
	uint8_t release[STORE_HASH_BYTES]; /* what complete must run */
	int64_t expires_at;                /* wall-clock seconds */
	unsigned attempts_left;
	struct span registration_data; /* sealed; may be absent */
};

enum err store_transaction_open(
    struct store *store, const struct store_transaction *row) MUST_USE;

/* What a claim needs and gives. */
struct store_claim {
	/* in */
	uint64_t number;
	uint8_t hash[STORE_HASH_BYTES];
	const char *client_id;
	const char *idp;
	int64_t now;
	/* out, on ERR_NOT_FOUND: the id is right, but client or IdP is not;
	 * for the audit, never for the caller */
	bool tampered;
	/* out, on OK */
	uint8_t release[STORE_HASH_BYTES];
	unsigned attempts_left; /* after this one */
	uint8_t
	    *registration_data; /* sealed, malloc'd, caller frees; or NULL */
	size_t registration_data_len;
};

/* ERR_NOT_FOUND: unknown, expired, spent, claimed, or of another client or
 * IdP: the caller must not be able to tell which. */
enum err store_transaction_claim(
    struct store *store, struct store_claim *claim) MUST_USE;

/* How a claim ends when no grant is made with it (see store_grant.h). */
enum store_settle {
	SETTLE_SPEND, /* 2xxx without tokens, 5xxx, script failure, unknown */
	SETTLE_GIVE_BACK /* 4xxx: open again if attempts are left, else spent */
};
enum err store_transaction_settle(
    struct store *store, uint64_t number, enum store_settle how) MUST_USE;

#endif

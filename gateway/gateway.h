/*
 * The gateway's parts, put together: opened in the order of their
 * dependencies, reloaded on SIGHUP, drained on SIGTERM.
 *
 * Threads of the process:
 *   main      waits for signals; reloads the realm; rotates keys when told
 *             to; drains. Nothing else.
 *   HTTP      civetweb's workers of the public and the admin listener: each
 *             runs one request from end to end and blocks where it must
 *             (dispatch, store).
 *   link      nng's: engines' messages; never block.
 *   probe     has an engine run a script of ours when none ran lately.
 *   keeper, canary   the dispatcher's clock and the listener's self-request.
 *   writer    the store's only writing connection.
 *   janitor   expires stored rows in small batches, rotates old keys.
 *   events    writes audit events in batches.
 *   records   writes the records of failed executions in batches.
 *   shadow    runs drafts on idle slots, once one is shadowed.
 *   hasher    computes imported secret hashes, one at a time.
 *
 * Shared mutable state and its lock: struct dispatch (dispatch.lock), the
 * store's queue (its own), the realm in force (realm_holder's), its documents
 * and who changes them (config's), the signing keys in force (keyring's), the
 * tables of attempts, throttled sources and checked secrets, the ring of
 * events, the latest log lines, the records and their journal, the drafts that
 * are shadowed (their own), metrics (atomics).
 * Everything else is immutable once opened or belongs to one request.
 *
 * The process drops core dumps: its memory holds keys and tokens.
 */
#ifndef POSTERN_GATEWAY_H
#define POSTERN_GATEWAY_H

#include <stdbool.h>

#include "common/err.h"
#include "gateway/gateway_conf.h"

struct gateway;

/* Everything but serving: keys, store, realm, dispatcher. */
enum err gateway_open(const struct gateway_conf *conf,
    struct gateway **gateway_r, struct err_detail *detail) MUST_USE;

/* Opens both listeners and the janitor: ready when it returns OK. */
enum err
gateway_serve(struct gateway *gateway, struct err_detail *detail) MUST_USE;

/* Reads the engines' keys and certificates anew and imports the realm; bad
 * ones leave the old ones serving (logged). */
void gateway_reload(struct gateway *gateway);

/* Signing keys move on (logged); refused if too soon, unless forced. */
void gateway_rotate_keys(struct gateway *gateway, bool forced);

/* No new work, what runs is finished, the store is closed. */
void gateway_drain(struct gateway *gateway);

/* --check: the realm directory, if one is set, without touching anything.
 * Prints problems and warnings to stderr. */
enum err gateway_check(
    const struct gateway_conf *conf, struct err_detail *detail) MUST_USE;

#endif

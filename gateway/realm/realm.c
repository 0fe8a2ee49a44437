/*
 * Look-ups in a snapshot, and the snapshot in force. Not its making:
 * realm_load.c. Any thread.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/realm/realm.h"
#include "gateway/realm/realm_snapshot.h"

/* ---- look-ups ----------------------------------------------------------- */

/* As strcmp(), for a name that is not terminated; with a NUL inside it equals
 * no name. */
static int
realm_compare(struct span name, const char *other)
{
	size_t len = strlen(other);
	size_t common = name.len < len ? name.len : len;
	int order = common == 0 ? 0 : memcmp(name.data, other, common);

	if (order != 0)
		return order;
	return (name.len > len) - (name.len < len);
}

/* Every element of these arrays starts with its name. */
static const void *
realm_search(struct span name, const void *base, size_t count, size_t bytes)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const void *item = (const uint8_t *)base + middle * bytes;
		const char *other;
		int order;

		memcpy(&other, item, sizeof other);
		order = realm_compare(name, other);
		if (order == 0)
			return item;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

_Static_assert(offsetof(struct realm_client, client_id) == 0, "realm_search");
_Static_assert(
    offsetof(struct realm_api_client, client_id) == 0, "realm_search");
_Static_assert(offsetof(struct realm_idp, identifier) == 0, "realm_search");

const struct realm_client *
realm_client(const struct realm *realm, struct span id)
{
	return realm_search(
	    id, realm->clients, realm->client_count, sizeof *realm->clients);
}

const struct realm_api_client *
realm_api_client(const struct realm *realm, struct span id)
{
	return realm_search(id, realm->api_clients, realm->api_client_count,
	    sizeof *realm->api_clients);
}

const struct realm_idp *
realm_idp(const struct realm *realm, struct span id)
{
	return realm_search(
	    id, realm->idps, realm->idp_count, sizeof *realm->idps);
}

bool
string_set_has(const struct string_set *set, struct span item)
{
	return realm_search(item, set->items, set->count, sizeof *set->items) !=
	       NULL;
}

/* ---- references --------------------------------------------------------- */

struct realm_snapshot {
	struct realm realm; /* first: a realm's address is its snapshot's */
	struct arena *arena;
	atomic_uint references;
};

struct realm *
realm_snapshot_new(struct arena *arena)
{
	struct realm_snapshot *snapshot = arena_alloc(arena, sizeof *snapshot);

	if (snapshot == NULL)
		return NULL;
	snapshot->arena = arena;
	atomic_init(&snapshot->references, 1);
	return &snapshot->realm;
}

/* Only the count behind the realm changes, never the realm. */
static struct realm_snapshot *
realm_snapshot_of(const struct realm *realm)
{
	return (struct realm_snapshot *)(uintptr_t)realm;
}

void
realm_release(const struct realm *realm)
{
	struct realm_snapshot *snapshot;
	unsigned before;

	if (realm == NULL)
		return;
	snapshot = realm_snapshot_of(realm);
	before = atomic_fetch_sub_explicit(
	    &snapshot->references, 1, memory_order_acq_rel);
	CHECK(before > 0);
	if (before == 1)
		arena_free(snapshot->arena);
}

/* ---- the snapshot in force ---------------------------------------------- */

/*
 * A mutex around "read the pointer, take a reference": two uncontended atomic
 * operations a request, and no way to take a reference on what was just freed.
 */
struct realm_holder {
	pthread_mutex_t lock;
	const struct realm *current; /* under lock; owns one reference */
};

struct realm_holder *
realm_holder_new(void)
{
	struct realm_holder *holder = calloc(1, sizeof *holder);

	if (holder == NULL)
		return NULL;
	if (pthread_mutex_init(&holder->lock, NULL) != 0) {
		free(holder);
		return NULL;
	}
	return holder;
}

void
realm_holder_free(struct realm_holder *holder)
{
	if (holder == NULL)
		return;
	realm_release(holder->current);
	(void)pthread_mutex_destroy(&holder->lock);
	free(holder);
}

const struct realm *
realm_acquire(struct realm_holder *holder)
{
	const struct realm *realm;

	(void)pthread_mutex_lock(&holder->lock);
	realm = holder->current;
	if (realm != NULL)
		(void)atomic_fetch_add_explicit(
		    &realm_snapshot_of(realm)->references, 1,
		    memory_order_relaxed);
	(void)pthread_mutex_unlock(&holder->lock);
	return realm;
}

void
realm_publish(struct realm_holder *holder, const struct realm *realm)
{
	const struct realm *before;

	(void)pthread_mutex_lock(&holder->lock);
	before = holder->current;
	holder->current = realm;
	(void)pthread_mutex_unlock(&holder->lock);
	/* Outside the lock: it may free a large snapshot. */
	realm_release(before);
}

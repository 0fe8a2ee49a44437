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

/*
 * As strcmp(), for a name that is not terminated; with a NUL inside it equals
 * no name. Without a branch on the bytes: how long an authentication takes
 * must not tell which clients there are.
 */
static int
realm_compare(struct span name, const char *other)
{
	size_t len = strlen(other);
	int order = 0;

	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = (uint8_t)other[i < len ? i : len];

		order += (order == 0) * (name.data[i] - c);
	}
	return order + (order == 0) * ((name.len > len) - (name.len < len));
}

/* Every element of these arrays starts with its name. */
static int
realm_compare_item(struct span name, const uint8_t *item)
{
	const char *other;

	memcpy(&other, item, sizeof other);
	return realm_compare(name, other);
}

/*
 * The last element whose name is not above `name`, else the first; NULL only
 * of none. As many steps for a name that there is as for one that there is
 * not: how long an authentication takes must not tell which clients there are.
 */
static const void *
realm_search_near(struct span name, const void *base, size_t count,
    size_t bytes, bool *same_r)
{
	const uint8_t *first = base;

	*same_r = false;
	if (count == 0)
		return NULL;
	while (count > 1) {
		size_t half = count / 2;
		int order = realm_compare_item(name, first + half * bytes);

		first += (size_t)(order >= 0) * half * bytes;
		count -= half;
	}
	*same_r = realm_compare_item(name, first) == 0;
	return first;
}

static const void *
realm_search(struct span name, const void *base, size_t count, size_t bytes)
{
	bool same;
	const void *near = realm_search_near(name, base, count, bytes, &same);

	return same ? near : NULL;
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

const struct realm_client *
realm_client_near(const struct realm *realm, struct span id, bool *same_r)
{
	return realm_search_near(id, realm->clients, realm->client_count,
	    sizeof *realm->clients, same_r);
}

const struct realm_api_client *
realm_api_client_near(const struct realm *realm, struct span id, bool *same_r)
{
	return realm_search_near(id, realm->api_clients,
	    realm->api_client_count, sizeof *realm->api_clients, same_r);
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

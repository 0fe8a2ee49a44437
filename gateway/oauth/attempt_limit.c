/*
 * Counting failed attempts; see attempt_limit.h.
 */
#include "gateway/oauth/attempt_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/random.h"

/* Sets of WAYS entries: 4096 sources, far more than fail at a time. */
#define SETS 512
#define WAYS 8

struct entry {
	uint64_t key;    /* 0: free */
	int64_t ends_ms; /* monotonic end of the window */
	int64_t count;
};

struct attempt_limit {
	pthread_mutex_t lock;
	uint64_t seed; /* so that nobody can aim at a set */
	struct entry entries[SETS][WAYS];
};

struct attempt_limit *
attempt_limit_new(void)
{
	struct attempt_limit *limit = calloc(1, sizeof *limit);

	if (limit == NULL)
		return NULL;
	CHECK(pthread_mutex_init(&limit->lock, NULL) == 0);
	limit->seed = random_u64();
	return limit;
}

void
attempt_limit_free(struct attempt_limit *limit)
{
	if (limit == NULL)
		return;
	pthread_mutex_destroy(&limit->lock);
	free(limit);
}

/* FNV-1a, seeded, with an avalanche at the end; collisions only make two
 * sources share a count. */
static uint64_t
mix_text(uint64_t hash, const char *text)
{
	for (const char *p = text;; p++) {
		hash = (hash ^ (uint8_t)*p) * 0x100000001b3u;
		if (*p == '\0')
			return hash;
	}
}

static uint64_t
key_of(const struct attempt_limit *limit, const struct attempt_source *source)
{
	uint64_t hash = limit->seed;

	hash = mix_text(hash, source->client_id);
	hash = mix_text(hash, source->idp);
	hash = mix_text(hash, source->source);
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93u;
	hash ^= hash >> 32;
	return hash == 0 ? 1 : hash;
}

static struct entry *
find(struct attempt_limit *limit, uint64_t key, int64_t now_ms)
{
	struct entry *set = limit->entries[key % SETS];

	for (int way = 0; way < WAYS; way++)
		if (set[way].key == key && set[way].ends_ms > now_ms)
			return &set[way];
	return NULL;
}

static struct entry *
make_room(struct attempt_limit *limit, uint64_t key)
{
	struct entry *set = limit->entries[key % SETS], *oldest = &set[0];

	for (int way = 1; way < WAYS; way++)
		if (set[way].ends_ms < oldest->ends_ms)
			oldest = &set[way];
	return oldest;
}

int64_t
attempt_limit_check(struct attempt_limit *limit,
    const struct attempt_source *source, int64_t most)
{
	int64_t now_ms = clock_mono_ms(), wait_secs = 0;
	const struct entry *entry;

	if (most == 0)
		return 0;
	pthread_mutex_lock(&limit->lock);
	entry = find(limit, key_of(limit, source), now_ms);
	if (entry != NULL && entry->count >= most)
		wait_secs = (entry->ends_ms - now_ms + 999) / 1000;
	pthread_mutex_unlock(&limit->lock);
	return wait_secs;
}

void
attempt_limit_count(struct attempt_limit *limit,
    const struct attempt_source *source, int64_t window_secs)
{
	int64_t now_ms = clock_mono_ms();
	uint64_t key = key_of(limit, source);
	struct entry *entry;

	pthread_mutex_lock(&limit->lock);
	entry = find(limit, key, now_ms);
	if (entry == NULL) {
		entry = make_room(limit, key);
		*entry = (struct entry){
		    .key = key, .ends_ms = now_ms + window_secs * 1000};
	}
	entry->count++;
	pthread_mutex_unlock(&limit->lock);
}

/*
 * CACHE of one job of a local engine: in memory, by the job's clock, with the
 * gateway's semantics and sentences. Threads: the main one.
 */
#ifndef POSTERN_LOCAL_CACHE_H
#define POSTERN_LOCAL_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"
#include "proto/message.h"

struct local_cache_entry;

struct local_cache {
	struct local_cache_entry *entries; /* in the order they were stored */
	size_t count;
	size_t capacity;
	size_t max_entries;
	size_t value_max_bytes;
	int64_t ttl_secs; /* of what is stored without one */
	char number[24];  /* what an increment answered */
	struct buf taken; /* what a take answered */
};

void local_cache_init(struct local_cache *cache);
void local_cache_fini(struct local_cache *cache);

/* What is there before the script runs; `ttl_secs` 0: the default. */
enum err local_cache_put(struct local_cache *cache, struct span key,
    struct span value, int64_t ttl_secs, int64_t now_us) MUST_USE;

bool local_cache_is_call(enum message_type type);

/* Carries a cache call out. The reply's spans live until the next call. */
void local_cache_call(struct local_cache *cache, const struct message *call,
    int64_t now_us, struct message *reply_r);

/* Appends {"key": {"value": "...", "ttl_secs": seconds left}, ...}. */
void
local_cache_append(struct local_cache *cache, int64_t now_us, struct buf *out);

#endif

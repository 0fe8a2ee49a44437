/*
 * An array of entries, as a script makes some dozen calls at most; see
 * local_cache.h. Runs on the main thread.
 */
#include "engine/front/local_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"

struct local_cache_entry {
	struct buf key;
	struct buf value;
	int64_t expires_us;
};

void
local_cache_init(struct local_cache *cache)
{
	*cache = (struct local_cache){.count = 0};
	buf_init(&cache->taken, MESSAGE_MAX_BYTES);
}

static void
remove_at(struct local_cache *cache, size_t at)
{
	struct local_cache_entry *entry = &cache->entries[at];

	buf_fini(&entry->key);
	buf_fini(&entry->value);
	cache->count--;
	memmove(entry, entry + 1, (cache->count - at) * sizeof *entry);
}

void
local_cache_fini(struct local_cache *cache)
{
	while (cache->count > 0)
		remove_at(cache, cache->count - 1);
	free(cache->entries);
	cache->entries = NULL;
	buf_fini(&cache->taken);
}

static void
drop_expired(struct local_cache *cache, int64_t now_us)
{
	for (size_t i = cache->count; i-- > 0;) {
		if (cache->entries[i].expires_us <= now_us)
			remove_at(cache, i);
	}
}

/* NULL: there is none. Valid until one is added or removed. */
static struct local_cache_entry *
find(const struct local_cache *cache, struct span key)
{
	for (size_t i = 0; i < cache->count; i++) {
		if (span_equal(buf_span(&cache->entries[i].key), key))
			return &cache->entries[i];
	}
	return NULL;
}

static enum err
set_value(struct local_cache_entry *entry, struct span value)
{
	buf_reset(&entry->value);
	buf_append_span(&entry->value, value);
	return buf_status(&entry->value);
}

static enum err
add(struct local_cache *cache, struct span key,
    struct local_cache_entry **entry_r)
{
	struct local_cache_entry *entry;

	if (cache->max_entries > 0 && cache->count >= cache->max_entries)
		return ERR_LIMIT;
	if (cache->count == cache->capacity) {
		size_t capacity = cache->capacity * 2 + 8;

		entry = realloc(cache->entries, capacity * sizeof *entry);
		if (entry == NULL)
			return ERR_NOMEM;
		cache->entries = entry;
		cache->capacity = capacity;
	}
	entry = &cache->entries[cache->count++];
	buf_init(&entry->key, MESSAGE_MAX_BYTES);
	buf_init(&entry->value, MESSAGE_MAX_BYTES);
	buf_append_span(&entry->key, key);
	if (buf_status(&entry->key) != OK) {
		remove_at(cache, cache->count - 1);
		return ERR_NOMEM;
	}
	*entry_r = entry;
	return OK;
}

static int64_t
expiry(const struct local_cache *cache, int64_t ttl_secs, int64_t now_us)
{
	return now_us + (ttl_secs > 0 ? ttl_secs : cache->ttl_secs) * 1000000;
}

enum err
local_cache_put(struct local_cache *cache, struct span key, struct span value,
    int64_t ttl_secs, int64_t now_us)
{
	struct local_cache_entry *entry = find(cache, key);
	enum err err = entry == NULL ? add(cache, key, &entry) : OK;

	if (err != OK)
		return err;
	entry->expires_us = expiry(cache, ttl_secs, now_us);
	return set_value(entry, value);
}

/* A text that is a whole number of 64 bits. */
static bool
read_number(struct buf *text, int64_t *number_r)
{
	const char *start = buf_cstr(text);
	char *end;
	long long number;

	if (start == NULL || text->len == 0 ||
	    (*start != '-' && (*start < '0' || *start > '9')))
		return false;
	errno = 0;
	number = strtoll(start, &end, 10);
	if (errno != 0 || end != start + text->len || number == INT64_MAX)
		return false;
	*number_r = number;
	return true;
}

/* A counter that is there keeps its life. */
static enum err
increment(struct local_cache *cache, struct span key, uint64_t ttl_secs,
    int64_t now_us)
{
	struct local_cache_entry *entry = find(cache, key);
	int64_t number = 0;
	enum err err = OK;

	if (entry != NULL && !read_number(&entry->value, &number))
		return ERR_INVALID;
	(void)snprintf(
	    cache->number, sizeof cache->number, "%" PRId64, number + 1);
	if (entry == NULL) {
		err = add(cache, key, &entry);
		if (err == OK)
			entry->expires_us =
			    expiry(cache, (int64_t)ttl_secs, now_us);
	}
	return err == OK ? set_value(entry, span_str(cache->number)) : err;
}

static void
fail(struct message *reply_r, enum err err)
{
	struct msg_call_failed *failed = &reply_r->call_failed;

	*reply_r = (struct message){.type = MSG_CALL_FAILED};
	failed->error = span_str(err == ERR_LIMIT     ? "limit"
				 : err == ERR_INVALID ? "invalid"
						      : "unavailable");
	failed->sentence = span_str(
	    err == ERR_LIMIT ? "CACHE holds as many entries as this identity "
			       "provider may have"
	    : err == ERR_INVALID
		? "CACHE.increment needs a value that is a whole number"
		: "CACHE cannot be reached at present");
}

static struct span
key_of(const struct message *call)
{
	if (call->type == MSG_CACHE_STORE)
		return call->cache_store.key;
	if (call->type == MSG_CACHE_FETCH)
		return call->cache_fetch.key;
	if (call->type == MSG_CACHE_DELETE)
		return call->cache_delete.key;
	if (call->type == MSG_CACHE_TAKE)
		return call->cache_take.key;
	return call->cache_increment.key;
}

bool
local_cache_is_call(enum message_type type)
{
	return type >= MSG_CACHE_STORE && type <= MSG_CACHE_INCREMENT;
}

/* fetch, delete and take */
static enum err
look_up(struct local_cache *cache, const struct message *call,
    struct message *reply_r)
{
	struct local_cache_entry *entry = find(cache, key_of(call));
	struct span value;

	*reply_r = (struct message){.type = MSG_CACHE_VALUE};
	reply_r->cache_value.found = entry != NULL;
	if (entry == NULL)
		return OK;
	buf_reset(&cache->taken);
	buf_append_span(&cache->taken, buf_span(&entry->value));
	if (buf_status(&cache->taken) != OK)
		return ERR_NOMEM;
	value = cache->taken.len > 0 ? buf_span(&cache->taken) : span_of("", 0);
	if (call->type != MSG_CACHE_DELETE)
		reply_r->cache_value.value = value;
	if (call->type != MSG_CACHE_FETCH)
		remove_at(cache, (size_t)(entry - cache->entries));
	return OK;
}

static enum err
carry_out(struct local_cache *cache, const struct message *call, int64_t now_us,
    struct message *reply_r)
{
	enum err err;

	if (call->type == MSG_CACHE_STORE) {
		*reply_r = (struct message){.type = MSG_CALL_DONE};
		return local_cache_put(cache, call->cache_store.key,
		    call->cache_store.value,
		    (int64_t)call->cache_store.ttl_secs, now_us);
	}
	if (call->type != MSG_CACHE_INCREMENT)
		return look_up(cache, call, reply_r);
	err = increment(cache, call->cache_increment.key,
	    call->cache_increment.ttl_secs, now_us);
	*reply_r = (struct message){.type = MSG_CACHE_VALUE};
	reply_r->cache_value.found = true;
	reply_r->cache_value.value = span_str(cache->number);
	return err;
}

void
local_cache_call(struct local_cache *cache, const struct message *call,
    int64_t now_us, struct message *reply_r)
{
	enum err err;

	drop_expired(cache, now_us);
	/* The runner refuses both; a child that was taken over does not. */
	if (key_of(call).len == 0 ||
	    (call->type == MSG_CACHE_STORE &&
		call->cache_store.value.len > cache->value_max_bytes)) {
		fail(reply_r, ERR_LIMIT);
		reply_r->call_failed.sentence =
		    span_str("the key is empty or the value too large");
		return;
	}
	err = carry_out(cache, call, now_us, reply_r);
	if (err != OK)
		fail(reply_r, err);
}

void
local_cache_append(struct local_cache *cache, int64_t now_us, struct buf *out)
{
	const char *key;
	bool first = true;

	drop_expired(cache, now_us);
	buf_append_char(out, '{');
	for (size_t i = 0; i < cache->count; i++) {
		struct local_cache_entry *entry = &cache->entries[i];

		key = buf_cstr(&entry->key);
		if (key == NULL)
			continue;
		json_append_key(out, &first, key);
		buf_append_str(out, "{\"value\":");
		json_append_string(out, buf_span(&entry->value));
		buf_printf(out, ",\"ttl_secs\":%" PRId64 "}",
		    (entry->expires_us - now_us + 999999) / 1000000);
	}
	buf_append_char(out, '}');
}

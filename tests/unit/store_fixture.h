/*
 * A store in a folder of its own, for the tests of its tables. Header only;
 * included by one test program each.
 */
#ifndef POSTERN_STORE_FIXTURE_H
#define POSTERN_STORE_FIXTURE_H

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/store.h"
#include "gateway/store/store_token.h"
#include "gateway/store/store_transaction.h"

static char store_directory[64];
static char store_path[80];
static struct store *store;

static inline void
store_again(void)
{
	struct err_detail detail = {0};

	store_close(store);
	store = NULL;
	if (store_open(store_path, &store, &detail) != OK)
		fail_msg("%s", detail.text);
}

static inline int
store_set_up(void **state)
{
	(void)state;
	snprintf(
	    store_directory, sizeof store_directory, "/tmp/test_store.XXXXXX");
	if (mkdtemp(store_directory) == NULL)
		return -1;
	snprintf(
	    store_path, sizeof store_path, "%s/postern.db", store_directory);
	store_again();
	return 0;
}

static inline int
store_tear_down(void **state)
{
	DIR *folder = opendir(store_directory);
	struct dirent *entry;

	(void)state;
	store_close(store);
	store = NULL;
	while (folder != NULL && (entry = readdir(folder)) != NULL)
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder != NULL)
		closedir(folder);
	return rmdir(store_directory);
}

/* OK: the token is there, of this kind and alive at `now`. */
static inline enum err
find_token(uint64_t number, const uint8_t hash[STORE_HASH_BYTES],
    enum store_token_kind kind, int64_t now)
{
	struct store_token_view view = {0};
	struct arena *arena = arena_new(65536);
	enum err err = store_token_get(store, number, hash, arena, &view);

	if (err == OK && (view.kind != kind || view.expires_at <= now))
		err = ERR_NOT_FOUND;
	arena_free(arena);
	return err;
}

/* A hash that only `number` has. */
static inline void
hash_of(uint64_t number, uint8_t hash_r[STORE_HASH_BYTES])
{
	memset(hash_r, 0x5a, STORE_HASH_BYTES);
	memcpy(hash_r + 8, &number, sizeof number);
}

/* Runs `body` in `count` threads at once and waits for all. */
static inline void
in_threads(size_t count, void *(*body)(void *), void *argument)
{
	pthread_t threads[256];

	assert_in_range(count, 1, 256);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, body, argument), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

#endif

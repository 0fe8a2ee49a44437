/*
 * Lends read-only connections to the threads that look something up.
 * Not here: writes, and reads that must be in order with them.
 * Runs on any thread of the gateway.
 */
#include "gateway/store/store_readers.h"

#include <pthread.h>
#include <stdlib.h>

/* A look-up takes microseconds, so few serve many threads; 1 MiB each. */
#define READERS 4

struct store_readers {
	struct sqlite_connection connections[READERS];
	pthread_mutex_t lock; /* guards the two below */
	struct sqlite_connection *free[READERS];
	unsigned free_count;
	pthread_cond_t given; /* one became free */
};

enum err
store_readers_open(const char *path, struct store_readers **readers_r,
    struct err_detail *detail)
{
	struct store_readers *readers = calloc(1, sizeof *readers);
	enum err err = OK;

	if (readers == NULL)
		return ERR_NOMEM;
	pthread_mutex_init(&readers->lock, NULL);
	pthread_cond_init(&readers->given, NULL);
	for (unsigned i = 0; i < READERS && err == OK; i++) {
		struct sqlite_connection *one = &readers->connections[i];

		err = sqlite_connection_open(
		    one, path, CONNECTION_READ_ONLY, detail);
		if (err == OK)
			err = sqlite_connection_prepare(one, detail);
		readers->free[readers->free_count++] = one;
	}
	if (err != OK) {
		store_readers_close(readers);
		return err;
	}
	*readers_r = readers;
	return OK;
}

void
store_readers_close(struct store_readers *readers)
{
	if (readers == NULL)
		return;
	for (unsigned i = 0; i < READERS; i++)
		sqlite_connection_close(&readers->connections[i]);
	pthread_cond_destroy(&readers->given);
	pthread_mutex_destroy(&readers->lock);
	free(readers);
}

struct sqlite_connection *
store_readers_take(struct store_readers *readers)
{
	struct sqlite_connection *connection;

	pthread_mutex_lock(&readers->lock);
	while (readers->free_count == 0)
		pthread_cond_wait(&readers->given, &readers->lock);
	connection = readers->free[--readers->free_count];
	pthread_mutex_unlock(&readers->lock);
	return connection;
}

void
store_readers_give(
    struct store_readers *readers, struct sqlite_connection *connection)
{
	pthread_mutex_lock(&readers->lock);
	readers->free[readers->free_count++] = connection;
	pthread_cond_signal(&readers->given);
	pthread_mutex_unlock(&readers->lock);
}

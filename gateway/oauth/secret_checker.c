/*
 * The queue of imported secret hashes, the thread that works it off, and the
 * memory of both outcomes.
 * Not here: the hashes themselves (imported_hash.c).
 */
#include "gateway/oauth/secret_checker.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "common/secret.h"
#include "gateway/oauth/imported_hash.h"
#include "gateway/realm/realm.h"

/* At 0.1 s a hash, as many as a request has time for. */
#define QUEUE_MAX 16

/* One each would do for as many clients; wrong ones are for retry loops. */
#define RIGHT_MAX 4096
#define WRONG_MAX 1024

#define WRONG_MS 60000

/* Of "kind NUL phc", the name under which realm_secret_digest() keeps it. */
#define NAME_BYTES 640

struct remembered {
	uint8_t digest[DIGEST_BYTES];
	int64_t until_ms; /* 0: free */
};

/* Waits in the queue; freed by the last of its two users. */
struct check {
	TAILQ_ENTRY(check) link;
	uint8_t digest[DIGEST_BYTES];
	char *client_id; /* for the log */
	char *phc;
	struct secret *secret;
	bool done;
	bool abandoned; /* nobody waits any more */
	enum err result;
};

TAILQ_HEAD(check_queue, check);

struct secret_checker {
	struct vault *vault;
	pthread_t thread;
	pthread_mutex_t lock;    /* guards all below and every check */
	pthread_cond_t work;     /* the queue is no longer empty */
	pthread_cond_t finished; /* some check is done */
	struct check_queue queue;
	unsigned queued; /* the one that is being computed too */
	struct remembered right[RIGHT_MAX];
	struct remembered wrong[WRONG_MAX];
};

/* ---- memory ------------------------------------------------------------- */

static void
digest_of(struct secret_checker *checker,
    const struct imported_secret *imported, uint8_t digest_r[DIGEST_BYTES])
{
	struct buf name;

	/* The hash is part of the name, so another hash is another memory. */
	buf_init(&name, NAME_BYTES);
	buf_printf(&name, "imported %s %s", imported->kind, imported->phc);
	CHECK(buf_cstr(&name) != NULL);
	realm_secret_digest(checker->vault, buf_cstr(&name),
	    imported->client_id, imported->secret, digest_r);
	buf_fini(&name);
}

/* The MAC is as good as random: its first bytes choose the place. */
static struct remembered *
place_of(
    struct remembered *table, size_t size, const uint8_t digest[DIGEST_BYTES])
{
	uint32_t start;

	memcpy(&start, digest, sizeof start);
	return &table[start % size];
}

static bool
recall(const struct remembered *place, const uint8_t digest[DIGEST_BYTES])
{
	return place->until_ms > clock_mono_ms() &&
	       secret_equal(span_of(place->digest, DIGEST_BYTES),
		   span_of(digest, DIGEST_BYTES));
}

/* Under the lock. ERR_NOT_FOUND: neither. */
static enum err
recall_either(
    struct secret_checker *checker, const uint8_t digest[DIGEST_BYTES])
{
	if (recall(place_of(checker->right, RIGHT_MAX, digest), digest))
		return OK;
	if (recall(place_of(checker->wrong, WRONG_MAX, digest), digest))
		return ERR_DENIED;
	return ERR_NOT_FOUND;
}

static void
remember(struct secret_checker *checker, const uint8_t digest[DIGEST_BYTES],
    enum err result)
{
	struct remembered *place =
	    result == OK ? place_of(checker->right, RIGHT_MAX, digest)
			 : place_of(checker->wrong, WRONG_MAX, digest);

	memcpy(place->digest, digest, DIGEST_BYTES);
	place->until_ms = result == OK ? INT64_MAX : clock_mono_ms() + WRONG_MS;
}

enum err
secret_checker_recall(
    struct secret_checker *checker, const struct imported_secret *imported)
{
	uint8_t digest[DIGEST_BYTES];
	enum err err;

	digest_of(checker, imported, digest);
	pthread_mutex_lock(&checker->lock);
	err = recall_either(checker, digest);
	pthread_mutex_unlock(&checker->lock);
	return err == OK ? OK : ERR_DENIED;
}

/* ---- the thread --------------------------------------------------------- */

static void
check_free(struct check *check)
{
	secret_free(check->secret);
	free(check->client_id);
	free(check->phc);
	free(check);
}

/* OK and ERR_DENIED are known for certain; anything else is the hash's. */
static enum err
compute(const struct check *check)
{
	enum err err =
	    imported_hash_check(check->phc, secret_bytes(check->secret));

	metric_count(M_SECRET_HASHES, err == OK ? "right" : "wrong", NULL);
	if (err == OK || err == ERR_DENIED)
		return err;
	log_error("imported secret hash cannot be computed",
	    LOG_STR("client", check->client_id),
	    LOG_STR("error", err_sentence(err)));
	return ERR_DENIED;
}

/* Under the lock, which it lets go of while it computes. */
static void
work_off(struct secret_checker *checker, struct check *check)
{
	enum err result = recall_either(checker, check->digest);

	if (result == ERR_NOT_FOUND && !check->abandoned) {
		pthread_mutex_unlock(&checker->lock);
		result = compute(check);
		pthread_mutex_lock(&checker->lock);
		remember(checker, check->digest, result);
	}
	check->result = result;
	check->done = true;
	checker->queued--;
	if (check->abandoned)
		check_free(check);
	else
		pthread_cond_broadcast(&checker->finished);
}

static _Noreturn void *
checker_main(void *argument)
{
	struct secret_checker *checker = argument;
	struct check *check;

	pthread_mutex_lock(&checker->lock);
	for (;;) {
		while ((check = TAILQ_FIRST(&checker->queue)) == NULL)
			pthread_cond_wait(&checker->work, &checker->lock);
		TAILQ_REMOVE(&checker->queue, check, link);
		work_off(checker, check);
	}
}

enum err
secret_checker_open(struct vault *vault, struct secret_checker **checker_r,
    struct err_detail *detail)
{
	struct secret_checker *checker = calloc(1, sizeof *checker);
	pthread_condattr_t attributes;

	if (checker == NULL)
		return ERR_NOMEM;
	checker->vault = vault;
	TAILQ_INIT(&checker->queue);
	pthread_mutex_init(&checker->lock, NULL);
	pthread_cond_init(&checker->work, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&checker->finished, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&checker->thread, NULL, checker_main, checker) !=
		0 ||
	    pthread_detach(checker->thread) != 0) {
		free(checker);
		return err_set(detail, ERR_NOMEM,
		    "the thread for imported secrets cannot be started");
	}
	*checker_r = checker;
	return OK;
}

/* ---- callers ------------------------------------------------------------ */

static struct check *
check_new(
    const struct imported_secret *imported, const uint8_t digest[DIGEST_BYTES])
{
	struct check *check = calloc(1, sizeof *check);

	if (check == NULL)
		return NULL;
	memcpy(check->digest, digest, DIGEST_BYTES);
	check->client_id = strndup(
	    (const char *)imported->client_id.data, imported->client_id.len);
	check->phc = strdup(imported->phc);
	check->secret = secret_new(imported->secret);
	if (check->client_id != NULL && check->phc != NULL &&
	    check->secret != NULL)
		return check;
	check_free(check);
	return NULL;
}

/* Under the lock. */
static enum err
wait_for(
    struct secret_checker *checker, struct check *check, int64_t deadline_us)
{
	struct timespec until = clock_timespec_of_us(deadline_us);
	enum err err;

	while (!check->done)
		if (pthread_cond_timedwait(
			&checker->finished, &checker->lock, &until) != 0)
			break;
	if (!check->done) {
		check->abandoned = true;
		return ERR_UNAVAILABLE;
	}
	err = check->result;
	check_free(check);
	return err;
}

/* Under the lock. */
static enum err
queue_and_wait(struct secret_checker *checker,
    const struct imported_secret *imported, const uint8_t digest[DIGEST_BYTES],
    int64_t deadline_us)
{
	struct check *check =
	    checker->queued < QUEUE_MAX ? check_new(imported, digest) : NULL;

	if (check == NULL) {
		metric_count(M_SECRET_HASHES, "busy", NULL);
		return ERR_UNAVAILABLE;
	}
	TAILQ_INSERT_TAIL(&checker->queue, check, link);
	checker->queued++;
	pthread_cond_signal(&checker->work);
	return wait_for(checker, check, deadline_us);
}

enum err
secret_checker_check(struct secret_checker *checker,
    const struct imported_secret *imported, int64_t deadline_us)
{
	uint8_t digest[DIGEST_BYTES];
	enum err err;

	digest_of(checker, imported, digest);
	pthread_mutex_lock(&checker->lock);
	err = recall_either(checker, digest);
	if (err == ERR_NOT_FOUND)
		err = queue_and_wait(checker, imported, digest, deadline_us);
	else
		metric_count(M_SECRET_HASHES, "remembered", NULL);
	pthread_mutex_unlock(&checker->lock);
	return err;
}

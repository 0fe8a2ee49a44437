/*
 * The tables behind auth_throttle.h: failures by pair, failures by source,
 * successes by pair; each of sets of WAYS entries under a seeded hash.
 * Not here: what a refused caller is told.
 */
#include "gateway/oauth/auth_throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/check.h"
#include "common/random.h"
#include "gateway/keys/vault.h"

#define WAYS 8

/* 32,768 pairs and 8,192 sources that fail within a minute; 65,536 pairs that
 * ever succeeded. 2.5 MiB in all. */
#define PAIR_SETS   4096
#define SOURCE_SETS 1024
#define KNOWN_SETS  8192

/* Failures are forgotten a minute after the last that counted. */
#define WINDOW_MS 60000

/* Failures without a penalty: a few typing errors; many users of one NAT. */
#define PAIR_FREE   5
#define SOURCE_FREE 49

#define PENALTY_FIRST_MS 100
#define PENALTY_MAX_MS   5000

/* Longest name of a pair: an address, a kind and a client id of any length
 * that fits a header. What is longer shares one entry. */
#define NAME_MAX_BYTES 16384

struct failures {
	uint64_t key; /* 0: free */
	int64_t last_ms;
	int64_t penalty_until_ms;
	unsigned count;
};

struct known {
	uint64_t key; /* 0: free */
	int64_t last_ms;
};

struct auth_throttle {
	pthread_mutex_t lock;
	uint8_t seed[16]; /* so that nobody can aim at a set */
	struct failures pairs[PAIR_SETS][WAYS];
	struct failures sources[SOURCE_SETS][WAYS];
	struct known known[KNOWN_SETS][WAYS];
};

struct auth_throttle *
auth_throttle_new(void)
{
	struct auth_throttle *throttle = calloc(1, sizeof *throttle);

	if (throttle == NULL)
		return NULL;
	CHECK(pthread_mutex_init(&throttle->lock, NULL) == 0);
	random_bytes(throttle->seed, sizeof throttle->seed);
	return throttle;
}

void
auth_throttle_free(struct auth_throttle *throttle)
{
	if (throttle == NULL)
		return;
	pthread_mutex_destroy(&throttle->lock);
	free(throttle);
}

/* ---- names -------------------------------------------------------------- */

/* The part of the address that one customer has: an IPv6 /64 is what a single
 * line is given. An IPv4 address, mapped or not, counts whole. */
static void
append_source(struct buf *name, const char *source)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct in6_addr address;

	if (inet_pton(AF_INET6, source, &address) != 1)
		buf_append_str(name, source);
	else if (memcmp(address.s6_addr, mapped, sizeof mapped) == 0)
		buf_printf(name, "%u.%u.%u.%u", address.s6_addr[12],
		    address.s6_addr[13], address.s6_addr[14],
		    address.s6_addr[15]);
	else
		buf_append(name, address.s6_addr, 8);
}

static uint64_t
key_of_name(struct buf *name)
{
	uint8_t digest[DIGEST_BYTES];
	uint64_t key;

	digest_sha256(buf_span(name), digest);
	buf_fini(name);
	memcpy(&key, digest, sizeof key);
	return key == 0 ? 1 : key;
}

static uint64_t
key_of_source(const struct auth_throttle *throttle, const struct auth_who *who)
{
	struct buf name;

	buf_init(&name, NAME_MAX_BYTES);
	buf_append(&name, throttle->seed, sizeof throttle->seed);
	append_source(&name, who->source);
	return key_of_name(&name);
}

static uint64_t
key_of_pair(const struct auth_throttle *throttle, const struct auth_who *who)
{
	struct buf name;

	buf_init(&name, NAME_MAX_BYTES);
	buf_append(&name, throttle->seed, sizeof throttle->seed);
	append_source(&name, who->source);
	buf_append_char(&name, '\0');
	buf_append_str(&name, who->kind);
	buf_append_char(&name, '\0');
	buf_append_span(&name, who->client_id);
	return key_of_name(&name);
}

/* ---- tables ------------------------------------------------------------- */

static struct failures *
failures_find(struct failures set[WAYS], uint64_t key, int64_t now_ms)
{
	for (int way = 0; way < WAYS; way++)
		if (set[way].key == key &&
		    set[way].last_ms + WINDOW_MS > now_ms)
			return &set[way];
	return NULL;
}

/* Room for another key: what has run out, else who failed least. */
static struct failures *
failures_make_room(struct failures set[WAYS], uint64_t key, int64_t now_ms)
{
	struct failures *least = &set[0];

	for (int way = 0; way < WAYS; way++) {
		struct failures *one = &set[way];

		if (one->key == 0 || one->last_ms + WINDOW_MS <= now_ms) {
			least = one;
			break;
		}
		if (one->count < least->count)
			least = one;
	}
	*least = (struct failures){.key = key};
	return least;
}

static int64_t
penalty_ms(unsigned beyond)
{
	int64_t penalty = PENALTY_FIRST_MS;

	while (--beyond > 0 && penalty < PENALTY_MAX_MS)
		penalty *= 2;
	return penalty < PENALTY_MAX_MS ? penalty : PENALTY_MAX_MS;
}

/* Counts a failure; true: it started a penalty. */
static bool
failures_add(struct failures set[WAYS], uint64_t key, unsigned free_of_penalty,
    int64_t now_ms)
{
	struct failures *one = failures_find(set, key, now_ms);

	if (one == NULL)
		one = failures_make_room(set, key, now_ms);
	one->last_ms = now_ms;
	if (one->count < UINT32_MAX)
		one->count++;
	if (one->count <= free_of_penalty)
		return false;
	one->penalty_until_ms =
	    now_ms + penalty_ms(one->count - free_of_penalty);
	return true;
}

static struct known *
known_find(struct auth_throttle *throttle, uint64_t pair)
{
	struct known *set = throttle->known[pair % KNOWN_SETS];

	for (int way = 0; way < WAYS; way++)
		if (set[way].key == pair)
			return &set[way];
	return NULL;
}

static void
known_add(struct auth_throttle *throttle, uint64_t pair, int64_t now_ms)
{
	struct known *set = throttle->known[pair % KNOWN_SETS];
	struct known *one = known_find(throttle, pair);

	if (one == NULL) {
		one = &set[0];
		for (int way = 1; way < WAYS; way++)
			if (one->key != 0 &&
			    (set[way].key == 0 ||
				set[way].last_ms < one->last_ms))
				one = &set[way];
	}
	*one = (struct known){pair, now_ms};
}

static bool
is_penalised(struct failures set[WAYS], uint64_t key, int64_t now_ms)
{
	const struct failures *one = failures_find(set, key, now_ms);

	return one != NULL && one->penalty_until_ms > now_ms;
}

/* ---- what callers ask --------------------------------------------------- */

enum auth_verdict
auth_throttle_check(
    struct auth_throttle *throttle, const struct auth_who *who, int64_t now_ms)
{
	enum auth_verdict verdict = AUTH_CHECK;
	uint64_t pair, source;

	if (throttle == NULL)
		return AUTH_CHECK;
	pair = key_of_pair(throttle, who);
	source = key_of_source(throttle, who);
	pthread_mutex_lock(&throttle->lock);
	if (is_penalised(throttle->pairs[pair % PAIR_SETS], pair, now_ms))
		verdict = AUTH_REFUSE_CLIENT;
	else if (is_penalised(
		     throttle->sources[source % SOURCE_SETS], source, now_ms))
		verdict = AUTH_REFUSE_SOURCE;
	if (verdict != AUTH_CHECK && known_find(throttle, pair) != NULL)
		verdict = AUTH_CHECK_KNOWN;
	pthread_mutex_unlock(&throttle->lock);
	return verdict;
}

bool
auth_throttle_failed(
    struct auth_throttle *throttle, const struct auth_who *who, int64_t now_ms)
{
	uint64_t pair, source;
	bool of_pair, of_source;

	if (throttle == NULL)
		return false;
	pair = key_of_pair(throttle, who);
	source = key_of_source(throttle, who);
	pthread_mutex_lock(&throttle->lock);
	of_pair = failures_add(
	    throttle->pairs[pair % PAIR_SETS], pair, PAIR_FREE, now_ms);
	of_source = failures_add(throttle->sources[source % SOURCE_SETS],
	    source, SOURCE_FREE, now_ms);
	pthread_mutex_unlock(&throttle->lock);
	return of_pair || of_source;
}

void
auth_throttle_succeeded(
    struct auth_throttle *throttle, const struct auth_who *who, int64_t now_ms)
{
	struct failures *one;
	uint64_t pair;

	if (throttle == NULL)
		return;
	pair = key_of_pair(throttle, who);
	pthread_mutex_lock(&throttle->lock);
	one = failures_find(throttle->pairs[pair % PAIR_SETS], pair, now_ms);
	if (one != NULL)
		*one = (struct failures){0};
	known_add(throttle, pair, now_ms);
	pthread_mutex_unlock(&throttle->lock);
}

/*
 * client_auth: how long a refusal takes does not tell an unknown client from
 * a wrong secret or a disabled client. Welch's t-test on interleaved samples,
 * cropped at several percentiles as dudect does ("dude, is my code constant
 * time?", 2017), since a busy machine has a long tail.
 *
 * A comparison that stops at the first difference, or a look-up that returns
 * early, gives |t| in the hundreds; noise alone exceeds 4.5 once in 10^5
 * tests. A test that exceeds it measures again, up to ROUNDS times: a real
 * difference shows every time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/random.h"
#include "gateway/oauth/client_auth.h"

#define SAMPLES 100000 /* of each class */
#define T_MAX   4.5
#define ROUNDS  4
#define CROPS   5

/* Ids of one length, around which a realm's other clients lie. */
#define CLIENTS 64

#define BATCH 256

enum class { UNKNOWN, WRONG, DISABLED, CLASSES };

static struct vault *vault;
static struct realm realm;
static struct realm_client clients[CLIENTS];
static char ids[CLIENTS][16];
static double samples[CLASSES][SAMPLES];

static int
set_up(void **state)
{
	struct err_detail detail = {{0}};

	(void)state;
	if (vault_open_passing(&vault, &detail) != OK)
		return -1;
	for (int i = 0; i < CLIENTS; i++) {
		snprintf(ids[i], sizeof ids[i], "client-%04d", i * 2);
		clients[i].client_id = ids[i];
		clients[i].enabled = i % 2 == 0;
		realm_secret_digest(vault, "client", span_str(ids[i]),
		    span_str("the right secret, of 43 letters, as generated"),
		    clients[i].secret.digest);
	}
	realm.clients = clients;
	realm.client_count = CLIENTS;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	vault_close(vault);
	return 0;
}

/* Which clients are disabled is drawn anew for every batch: otherwise the test
 * would tell one set of ids from another, by what branch predictors learn. */
static void
shuffle(void)
{
	for (int i = 0; i < CLIENTS; i++)
		clients[i].enabled = random_u64() % 2 == 0;
	clients[0].enabled = true;
	clients[1].enabled = false;
}

static void
name_of(enum class class, char id_r[16])
{
	unsigned i;

	do
		i = (unsigned)(random_u64() % CLIENTS);
	while (class != UNKNOWN && clients[i].enabled != (class == WRONG));
	snprintf(id_r, 16, "client-%04u", 2 * i + (class == UNKNOWN));
}

static double
nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Made beforehand, as dudect does: what leads up to a measurement must be the
 * same code for every class, since processors remember branches. */
struct input {
	enum class class;
	char id[16];
	char secret[64];
};

static void
prepare(struct input batch[BATCH])
{
	shuffle();
	for (int i = 0; i < BATCH; i++) {
		struct input *input = &batch[i];

		input->class = (enum class)(random_u64() % CLASSES);
		name_of(input->class, input->id);
		snprintf(input->secret, sizeof input->secret,
		    "the %s secret, of 43 letters, as generated",
		    input->class == DISABLED ? "right" : "wrong");
	}
}

static double
time_one(const struct oauth *oauth, const struct input *given)
{
	/* One place for all: where a text lies is no secret, but is timed. */
	static struct input input;
	const struct realm_client *found = NULL;
	struct credentials c;
	double start, end;
	enum err err;

	input = *given;
	c = (struct credentials){
	    .id = span_str(input.id), .secret = span_str(input.secret)};
	start = nanoseconds();
	err = client_check(oauth, &realm, &c, &found);
	end = nanoseconds();
	assert_int_equal(err, ERR_DENIED);
	return end - start;
}

/* In random order, so that nothing periodic meets one class only. */
static void
measure(const struct oauth *oauth)
{
	static struct input batch[BATCH];
	static double times[BATCH];
	size_t count[CLASSES] = {0};

	while (count[0] + count[1] + count[2] < (size_t)CLASSES * SAMPLES) {
		prepare(batch);
		for (int i = 0; i < BATCH; i++)
			times[i] = time_one(oauth, &batch[i]);
		/* The first ones of a batch warm the caches up again. */
		for (int i = BATCH / 8; i < BATCH; i++) {
			enum class class = batch[i].class;

			if (count[class] < SAMPLES)
				samples[class][count[class]++] = times[i];
		}
	}
}

static int
ascending(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

/* Mean and variance of the mean, of samples below `limit`. */
static void
summarise(const double *of, double limit, double *mean_r, double *variance_r)
{
	double n = 0, mean = 0, squares = 0;

	for (size_t i = 0; i < SAMPLES; i++) {
		double delta = of[i] - mean;

		if (of[i] > limit)
			continue;
		n++;
		mean += delta / n;
		squares += delta * (of[i] - mean);
	}
	*mean_r = mean;
	*variance_r = squares / (n - 1) / n;
}

static double
welch(const double *a, const double *b, double limit)
{
	double mean_a, mean_b, variance_a, variance_b;

	summarise(a, limit, &mean_a, &variance_a);
	summarise(b, limit, &mean_b, &variance_b);
	return (mean_a - mean_b) / sqrt(variance_a + variance_b);
}

/* The largest |t| over pairs of classes and crops, each crop's limit taken
 * from both classes together. */
static double
worst(void)
{
	static const double crops[CROPS] = {0.5, 0.7, 0.8, 0.9, 0.95};
	static double all[2 * SAMPLES];
	double most = 0;

	for (int pair = 0; pair < CLASSES; pair++) {
		const double *a = samples[pair];
		const double *b = samples[(pair + 1) % CLASSES];

		memcpy(all, a, sizeof samples[0]);
		memcpy(all + SAMPLES, b, sizeof samples[0]);
		qsort(all, 2 * (size_t)SAMPLES, sizeof all[0], ascending);
		for (int i = 0; i < CROPS; i++) {
			double t = fabs(
			    welch(a, b, all[(size_t)(2 * SAMPLES * crops[i])]));

			most = t > most ? t : most;
		}
	}
	return most;
}

static void
test_refusals_take_one_time(void **state)
{
	const struct oauth oauth = {.vault = vault};
	double t = INFINITY;

	(void)state;
#if !defined(__OPTIMIZE__) || defined(POSTERN_SANITIZED)
	/* Not the code that runs anywhere: a compiler that does not optimise,
	 * or checks every access, makes branches of its own. */
	skip();
#endif
	for (int round = 0; round < ROUNDS && t >= T_MAX; round++) {
		measure(&oauth);
		t = worst();
		print_message(
		    "largest |t| = %.2f of %d samples a class\n", t, SAMPLES);
	}
	assert_true(t < T_MAX);
}

/* The test must be able to fail: 20 ns more for one class are seen. */
static void
test_a_difference_is_seen(void **state)
{
	const struct oauth oauth = {.vault = vault};

	(void)state;
	measure(&oauth);
	for (size_t i = 0; i < SAMPLES; i++)
		samples[UNKNOWN][i] += 20;
	assert_true(worst() > T_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refusals_take_one_time),
	    cmocka_unit_test(test_a_difference_is_seen),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

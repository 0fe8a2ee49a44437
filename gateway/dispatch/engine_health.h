/*
 * Whether an engine is fit to be given work. An engine that falls silent, that
 * lets jobs lie, or that lies itself is taken out; one that is heard again is
 * tried with a single job first, and one result from it lets it in fully.
 *
 *	FULL --silent, faulty--> OUT --heard, back-off over--> PROBE --result--+
 *	  ^                       ^                              |             |
 *	  |                       +------- faulty again ---------+             |
 *	  +--------------------------------------------------------------------+
 *
 * Only what the engine itself does counts: how a script ended never does, for
 * who can make scripts fail could then take engines from everybody.
 *
 * Same lock as jobs.h: everything here is locked.
 */
#ifndef POSTERN_ENGINE_HEALTH_H
#define POSTERN_ENGINE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

struct dispatch;
struct engine;
struct job;

/* Jobs that an engine lets lie, one after the other, before it is out. One is
 * chance: an answer can be lost with its connection. */
#define HEALTH_MISSED_MAX 3

/* Messages that no honest engine sends, within HEALTH_LIES_US, before it is
 * out. A version of ours with a mistake should not fall at the first. */
#define HEALTH_LIES_MAX 3
#define HEALTH_LIES_US  (60 * 1000000ll)

/* How long a faulty engine stays out, doubled each time it fails its probe. A
 * silent one is out just until it is heard. */
#define HEALTH_BACKOFF_US     (1000 * 1000ll)
#define HEALTH_BACKOFF_MAX_US (60 * 1000000ll)

enum engine_standing { ENGINE_FULL, ENGINE_OUT, ENGINE_PROBE };

struct engine_health {
	enum engine_standing standing;
	int64_t out_us;  /* when it was taken out */
	int64_t back_us; /* not to be tried before */
	int64_t backoff_us;
	unsigned missed; /* jobs in a row */
	unsigned lies;
	int64_t lied_us; /* the first of them */
};

/* Whether it may be given one more job now. */
bool engine_is_fit(struct dispatch *d, const struct engine *engine);

/* Nobody should wait for it: it will be tried later than an engine takes to
 * return. */
bool engine_is_out_for_long(const struct engine *engine);

/* A look at the clock: OUT when silent, PROBE when heard again. True: it has
 * just been taken out. */
bool engine_health_look(struct engine *engine, int64_t now_us);

/* It was sent a job and neither acknowledged nor finished it in time. */
void engine_missed(struct engine *engine, const struct job *job);

/* It said what no honest engine says. */
void engine_lied(struct engine *engine);

/* It brought a result of a job it holds. */
void engine_served(struct engine *engine);

/* For the operator: serving, probing, out, draining or lost. */
const char *engine_state_name(const struct engine *engine);

#endif

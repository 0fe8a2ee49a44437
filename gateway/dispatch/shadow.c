/*
 * Which live executions get a shadow, the queue of those, and the thread that
 * runs them; see shadow.h. Not here: finding a slot (dispatch_idle.c),
 * comparing (shadow_compare.c).
 */
#include "gateway/dispatch/shadow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/json_text.h"
#include "common/metric.h"
#include "common/random.h"
#include "gateway/dispatch/dispatch_idle.h"
#include "gateway/dispatch/jobs.h"
#include "gateway/dispatch/shadow_compare.h"

/* What waits, together: a few of the largest, or the most of ordinary ones. */
#define WAITING_MAX_BYTES ((size_t)8 << 20)

/* One live execution at its limits: data, state, recording, result. */
#define ITEM_MAX_BYTES ((size_t)4 << 20)

/* A result at its limit, masked. */
#define RUN_MAX_BYTES ((size_t)4 << 20)

/* Two sides and what is around them. */
#define EXAMPLE_MAX_BYTES 16384

enum shadow_result {
	SHADOW_SAME,
	SHADOW_DIFFERENT,
	SHADOW_DIVERGED,
	SHADOW_SKIPPED,
	SHADOW_RESULTS
};

/* A draft that is shadowed. Guarded by shadow.lock but for `draft`. */
struct target {
	LIST_ENTRY(target) link; /* shadow.targets, until it is stopped */
	struct release *draft;   /* owned; does not change */
	unsigned uses;           /* items that point here */
	bool is_stopped;
	unsigned percent;
	uint64_t counts[SHADOW_RESULTS];
	char *examples[SHADOW_EXAMPLES]; /* JSON, newest first; NULL: none */
};

/* A live execution; texts are in the arena. */
struct shadow_item {
	TAILQ_ENTRY(shadow_item) link;
	struct shadow *shadow;
	struct target *target; /* used */
	struct arena *arena;
	size_t bytes;
	uint8_t properties_version[DIGEST_BYTES];
	struct execution execution; /* without realm, idp and release */
	struct execution_result live;
};
TAILQ_HEAD(item_list, shadow_item);

struct shadow {
	struct dispatch *dispatch;
	atomic_uint target_count; /* read without the lock, to leave at once */
	pthread_mutex_t lock;     /* guards all below */
	pthread_cond_t work;
	bool is_running; /* the thread */
	LIST_HEAD(, target) targets;
	struct item_list waiting;
	unsigned waiting_count;
	size_t waiting_bytes;
};

static const char *const result_names[SHADOW_RESULTS] = {
    "same", "different", "diverged", "skipped"};

struct shadow *
shadow_new(struct dispatch *dispatch)
{
	struct shadow *shadow = calloc(1, sizeof *shadow);

	if (shadow == NULL)
		return NULL;
	shadow->dispatch = dispatch;
	CHECK(pthread_mutex_init(&shadow->lock, NULL) == 0);
	CHECK(pthread_cond_init(&shadow->work, NULL) == 0);
	LIST_INIT(&shadow->targets);
	TAILQ_INIT(&shadow->waiting);
	return shadow;
}

void
shadow_free(struct shadow *shadow)
{
	if (shadow == NULL)
		return;
	pthread_mutex_destroy(&shadow->lock);
	pthread_cond_destroy(&shadow->work);
	free(shadow);
}

/* ---- targets ------------------------------------------------------------- */

static void
target_free(struct target *target)
{
	for (size_t i = 0; i < SHADOW_EXAMPLES; i++)
		free(target->examples[i]);
	free(target->draft);
	free(target);
}

/* Locked. */
static void
target_leave(struct target *target)
{
	if (--target->uses == 0 && target->is_stopped)
		target_free(target);
}

/* NULL: none. Locked. */
static struct target *
target_of_idp(struct shadow *shadow, const char *idp)
{
	struct target *target;

	LIST_FOREACH (target, &shadow->targets, link)
		if (strcmp(target->draft->idp, idp) == 0)
			return target;
	return NULL;
}

/* The one of this release; NULL: none. Locked. */
static struct target *
target_find(
    struct shadow *shadow, const char *idp, const uint8_t hash[DIGEST_BYTES])
{
	struct target *target = target_of_idp(shadow, idp);

	if (target == NULL ||
	    memcmp(target->draft->hash, hash, DIGEST_BYTES) != 0)
		return NULL;
	return target;
}

/* Locked. */
static void
count(struct target *target, enum shadow_result result)
{
	target->counts[result]++;
	metric_count(M_SHADOW_RUNS, target->draft->idp, result_names[result]);
}

/* Locked. `example`, owned, may be NULL. */
static void
keep_example(struct target *target, char *example)
{
	if (example == NULL)
		return;
	free(target->examples[SHADOW_EXAMPLES - 1]);
	memmove(&target->examples[1], &target->examples[0],
	    (SHADOW_EXAMPLES - 1) * sizeof target->examples[0]);
	target->examples[0] = example;
}

/* ---- one run ------------------------------------------------------------- */

static void
item_free(struct shadow_item *item)
{
	arena_wipe(item->arena);
	arena_free(item->arena);
}

/* malloc'd JSON; NULL: no memory. `draft` NULL: it has no result. */
static char *
example_of(const struct shadow_item *item, const struct realm_idp *idp,
    enum shadow_result result, const char *what,
    const struct execution_result *draft)
{
	const struct execution *x = &item->execution;
	bool first = true;
	char *example = NULL;
	struct buf out;

	buf_init(&out, EXAMPLE_MAX_BYTES);
	buf_append_char(&out, '{');
	json_append_member_int(&out, &first, "at", clock_wall_secs());
	json_append_member_str(
	    &out, &first, "correlation_id", span_str(x->correlation_id));
	json_append_member_str(
	    &out, &first, "script", span_str(script_kind_name(x->kind)));
	json_append_member_str(
	    &out, &first, "result", span_str(result_names[result]));
	json_append_member_str(&out, &first, "what", span_str(what));
	json_append_key(&out, &first, "live");
	shadow_compare_append(&out, &item->live, idp);
	json_append_key(&out, &first, "draft");
	if (draft == NULL)
		buf_append_str(&out, "null");
	else
		shadow_compare_append(&out, draft, idp);
	buf_append_char(&out, '}');
	if (buf_cstr(&out) != NULL)
		example = strdup(buf_cstr(&out));
	buf_wipe(&out);
	return example;
}

/* A draft without the script that ran fails as a live release would. */
static enum err
run_draft(struct shadow_item *item, struct arena *arena,
    struct execution_result *result_r)
{
	const struct execution *x = &item->execution;

	if (x->release->scripts[x->kind] != NULL)
		return dispatch_idle_run(
		    item->shadow->dispatch, x, arena, result_r);
	*result_r = (struct execution_result){.code = SCRIPT_MISSING,
	    .message = script_code_sentence(SCRIPT_MISSING)};
	return OK;
}

static enum shadow_result
judge(struct shadow_item *item, struct arena *arena, char **example_r)
{
	const struct realm_idp *idp = item->execution.idp;
	struct execution_result draft;
	const char *what;

	if (run_draft(item, arena, &draft) != OK)
		return SHADOW_SKIPPED;
	if (draft.diverged) {
		*example_r =
		    example_of(item, idp, SHADOW_DIVERGED, "host call", NULL);
		return SHADOW_DIVERGED;
	}
	if (draft.code == SCRIPT_LOST)
		return SHADOW_SKIPPED;
	what = shadow_compare(&item->live, &draft);
	if (what == NULL)
		return SHADOW_SAME;
	*example_r = example_of(item, idp, SHADOW_DIFFERENT, what, &draft);
	return SHADOW_DIFFERENT;
}

/* With the realm in force, if what the live run could see of it is the same. */
static enum shadow_result
run_item(struct shadow_item *item, char **example_r)
{
	struct shadow *shadow = item->shadow;
	struct execution *x = &item->execution;
	const char *identifier = item->target->draft->idp;
	const struct realm *realm =
	    realm_acquire(shadow->dispatch->config.realms);
	struct arena *arena = arena_new(RUN_MAX_BYTES);
	enum shadow_result result = SHADOW_SKIPPED;

	x->realm = realm;
	x->release = item->target->draft;
	x->idp = realm == NULL ? NULL : realm_idp(realm, span_str(identifier));
	if (arena != NULL && x->idp != NULL &&
	    memcmp(x->idp->properties_version, item->properties_version,
		DIGEST_BYTES) == 0)
		result = judge(item, arena, example_r);
	if (arena != NULL)
		arena_wipe(arena);
	arena_free(arena);
	realm_release(realm);
	return result;
}

/* ---- the thread ---------------------------------------------------------- */

/* Waits for one. Locked. */
static struct shadow_item *
next_item(struct shadow *shadow)
{
	struct shadow_item *item;

	while ((item = TAILQ_FIRST(&shadow->waiting)) == NULL)
		pthread_cond_wait(&shadow->work, &shadow->lock);
	TAILQ_REMOVE(&shadow->waiting, item, link);
	shadow->waiting_count--;
	shadow->waiting_bytes -= item->bytes;
	return item;
}

/* As long as the process: what it waits for ends with the dispatcher. */
static void *
shadow_main(void *argument)
{
	struct shadow *shadow = argument;

	for (;;) {
		struct shadow_item *item;
		enum shadow_result result;
		char *example = NULL;

		pthread_mutex_lock(&shadow->lock);
		item = next_item(shadow);
		pthread_mutex_unlock(&shadow->lock);
		result = run_item(item, &example);
		pthread_mutex_lock(&shadow->lock);
		count(item->target, result);
		keep_example(item->target, example);
		target_leave(item->target);
		pthread_mutex_unlock(&shadow->lock);
		item_free(item);
	}
	return NULL;
}

/* Locked. */
static enum err
start_thread(struct shadow *shadow)
{
	pthread_t thread;

	if (shadow->is_running)
		return OK;
	if (pthread_create(&thread, NULL, shadow_main, shadow) != 0)
		return ERR_NOMEM;
	pthread_detach(thread);
	shadow->is_running = true;
	return OK;
}

/* ---- drafts -------------------------------------------------------------- */

/* Locked. */
static enum err
add_target(struct shadow *shadow, struct release *draft, unsigned percent)
{
	struct target *target = target_of_idp(shadow, draft->idp);
	enum err err;

	if (target != NULL) {
		if (memcmp(target->draft->hash, draft->hash, DIGEST_BYTES) != 0)
			return ERR_EXISTS;
		target->percent = percent;
		free(draft);
		return OK;
	}
	if (atomic_load(&shadow->target_count) >= SHADOW_TARGETS_MAX)
		return ERR_LIMIT;
	err = start_thread(shadow);
	target = err == OK ? calloc(1, sizeof *target) : NULL;
	if (target == NULL)
		return ERR_NOMEM;
	target->draft = draft;
	target->percent = percent;
	LIST_INSERT_HEAD(&shadow->targets, target, link);
	atomic_fetch_add(&shadow->target_count, 1);
	return OK;
}

enum err
shadow_start(struct shadow *shadow, struct release *draft, unsigned percent)
{
	enum err err;

	pthread_mutex_lock(&shadow->lock);
	err = add_target(shadow, draft, percent);
	pthread_mutex_unlock(&shadow->lock);
	if (err != OK)
		free(draft);
	return err;
}

enum err
shadow_stop(
    struct shadow *shadow, const char *idp, const uint8_t hash[DIGEST_BYTES])
{
	struct target *target;

	pthread_mutex_lock(&shadow->lock);
	target = target_find(shadow, idp, hash);
	if (target != NULL) {
		LIST_REMOVE(target, link);
		atomic_fetch_sub(&shadow->target_count, 1);
		target->is_stopped = true;
		target->uses++; /* for target_leave() */
		target_leave(target);
	}
	pthread_mutex_unlock(&shadow->lock);
	return target == NULL ? ERR_NOT_FOUND : OK;
}

/* Locked. */
static void
append_target(const struct target *target, struct buf *out)
{
	bool first = false;
	uint64_t runs = 0;

	for (int result = 0; result < SHADOW_SKIPPED; result++)
		runs += target->counts[result];
	json_append_member_int(out, &first, "percent", target->percent);
	json_append_member_int(out, &first, "runs", (int64_t)runs);
	for (int result = 0; result < SHADOW_RESULTS; result++)
		json_append_member_int(out, &first, result_names[result],
		    (int64_t)target->counts[result]);
	json_append_key(out, &first, "examples");
	buf_append_char(out, '[');
	for (size_t i = 0; i < SHADOW_EXAMPLES; i++) {
		if (target->examples[i] == NULL)
			break;
		if (i > 0)
			buf_append_char(out, ',');
		buf_append_str(out, target->examples[i]);
	}
	buf_append_char(out, ']');
}

enum err
shadow_append(struct shadow *shadow, const char *idp,
    const uint8_t hash[DIGEST_BYTES], struct buf *out)
{
	const struct target *target;

	pthread_mutex_lock(&shadow->lock);
	target = target_find(shadow, idp, hash);
	if (target != NULL)
		append_target(target, out);
	pthread_mutex_unlock(&shadow->lock);
	return target == NULL ? ERR_NOT_FOUND : OK;
}

/* ---- live executions ----------------------------------------------------- */

/* The target for a live execution; NULL: none, or it is that release. Locked.
 */
static struct target *
target_for(struct shadow *shadow, const struct realm_idp *idp,
    const struct release *release)
{
	struct target *target = target_of_idp(shadow, idp->identifier);

	if (target == NULL ||
	    memcmp(target->draft->hash, release->hash, DIGEST_BYTES) == 0)
		return NULL;
	return target;
}

bool
shadow_wants(struct shadow *shadow, const struct realm_idp *idp,
    const struct release *release)
{
	const struct target *target;
	bool wants;

	if (atomic_load(&shadow->target_count) == 0)
		return false;
	pthread_mutex_lock(&shadow->lock);
	target = target_for(shadow, idp, release);
	wants = target != NULL && random_u64() % 100 < target->percent;
	pthread_mutex_unlock(&shadow->lock);
	return wants;
}

/* False: the arena is full. */
static bool
copy_span(struct arena *arena, struct span from, struct span *to_r)
{
	*to_r = arena_copy(arena, from);
	return span_present(*to_r) == span_present(from);
}

static bool
copy_text(struct arena *arena, const char *from, const char **to_r)
{
	*to_r = from == NULL ? NULL : arena_strdup(arena, from);
	return *to_r != NULL || from == NULL;
}

static bool
fill_item(struct shadow_item *item, const struct execution *x,
    const struct execution_result *r)
{
	struct execution *copy = &item->execution;
	struct execution_result *live = &item->live;
	struct arena *arena = item->arena;

	copy->kind = x->kind;
	live->code = r->code;
	live->status = r->status;
	live->line = r->line;
	memcpy(
	    item->properties_version, x->idp->properties_version, DIGEST_BYTES);
	item->bytes = sizeof *item + x->data.len + x->registration_data.len +
		      x->custom_params.len + r->recording.len + r->payload.len +
		      r->user.len + r->registration_data.len;
	return copy_text(arena, x->correlation_id, &copy->correlation_id) &&
	       copy_span(arena, x->data, &copy->data) &&
	       copy_span(
		   arena, x->registration_data, &copy->registration_data) &&
	       copy_span(arena, x->custom_params, &copy->custom_params) &&
	       copy_span(arena, r->recording, &copy->replay) &&
	       copy_span(arena, r->payload, &live->payload) &&
	       copy_span(arena, r->user, &live->user) &&
	       copy_span(
		   arena, r->registration_data, &live->registration_data) &&
	       copy_text(arena, r->message, &live->message);
}

/* In an arena of its own; without a target. NULL: no memory. */
static struct shadow_item *
make_item(const struct execution *x, const struct execution_result *r)
{
	struct arena *arena = arena_new(ITEM_MAX_BYTES);
	struct shadow_item *item =
	    arena == NULL ? NULL : arena_alloc(arena, sizeof *item);

	if (item != NULL) {
		item->arena = arena;
		if (fill_item(item, x, r))
			return item;
	}
	arena_free(arena);
	return NULL;
}

struct shadow_item *
shadow_item_new(struct shadow *shadow, const struct execution *execution,
    const struct execution_result *result)
{
	struct shadow_item *item = NULL;
	struct target *target;

	if (span_present(result->recording) && result->code != SCRIPT_LOST)
		item = make_item(execution, result);
	pthread_mutex_lock(&shadow->lock);
	target = target_for(shadow, execution->idp, execution->release);
	if (target != NULL && item != NULL) {
		target->uses++;
		item->shadow = shadow;
		item->target = target;
	} else if (target != NULL) {
		count(target, SHADOW_SKIPPED);
	}
	pthread_mutex_unlock(&shadow->lock);
	if (target != NULL || item == NULL)
		return item;
	item_free(item);
	return NULL;
}

void
shadow_submit(void *submitted)
{
	struct shadow_item *item = submitted;
	struct shadow *shadow;
	bool fits;

	if (item == NULL)
		return;
	shadow = item->shadow;
	pthread_mutex_lock(&shadow->lock);
	fits = shadow->waiting_count < SHADOW_WAITING_MAX &&
	       shadow->waiting_bytes + item->bytes <= WAITING_MAX_BYTES &&
	       !item->target->is_stopped;
	if (fits) {
		TAILQ_INSERT_TAIL(&shadow->waiting, item, link);
		shadow->waiting_count++;
		shadow->waiting_bytes += item->bytes;
		pthread_cond_signal(&shadow->work);
	} else {
		count(item->target, SHADOW_SKIPPED);
		target_leave(item->target);
	}
	pthread_mutex_unlock(&shadow->lock);
	if (!fits)
		item_free(item);
}

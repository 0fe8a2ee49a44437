/*
 * The engines that are connected, for the configuration API. Not their
 * sessions (engines.c). Runs on HTTP threads.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/encoding.h"
#include "common/json_text.h"
#include "gateway/dispatch/jobs.h"

/* An engine, and how many executions it has. */
struct seen_engine {
	const struct engine *engine;
	unsigned running;
};

/* Locked. */
static unsigned
running_of(struct dispatch *d, const struct engine *engine)
{
	static const enum job_state states[] = {JOB_SENT, JOB_RUNNING};
	const struct job *job;
	unsigned running = 0;

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		TAILQ_FOREACH (job, &d->jobs[states[i]], link)
			running += job->engine == engine;
	return running;
}

static int
compare(const void *a, const void *b)
{
	const struct seen_engine *left = a, *right = b;
	int by_name = strcmp(left->engine->name, right->engine->name);

	return by_name != 0 ? by_name
			    : memcmp(left->engine->boot_id,
				  right->engine->boot_id, BOOT_ID_BYTES);
}

/* "eu,big" as ["eu","big"]. */
static void
append_labels(struct buf *out, const struct engine *engine)
{
	size_t at = 0, len;
	bool first = true;

	buf_append_char(out, '[');
	for (; engine->labels[at] != '\0';
	     at += len + (engine->labels[at + len] == ',')) {
		len = strcspn(engine->labels + at, ",");
		if (len == 0)
			continue;
		if (!first)
			buf_append_char(out, ',');
		first = false;
		json_append_string(out, span_of(engine->labels + at, len));
	}
	buf_append_char(out, ']');
}

static void
append_boot_id(struct buf *out, bool *first, const struct engine *engine)
{
	char hex[2 * BOOT_ID_BYTES + 1];

	for (unsigned i = 0; i < BOOT_ID_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", engine->boot_id[i]);
	json_append_member_str(out, first, "boot_id", span_str(hex));
}

static void
append_engine(struct buf *out, const struct seen_engine *seen)
{
	const struct engine *engine = seen->engine;
	bool first = true;

	buf_append_char(out, '{');
	json_append_member_str(out, &first, "name", span_str(engine->name));
	append_boot_id(out, &first, engine);
	json_append_key(out, &first, "labels");
	append_labels(out, engine);
	json_append_member_str(
	    out, &first, "version", span_str(engine->version));
	json_append_member_int(out, &first, "slots", engine->slots);
	json_append_member_int(out, &first, "running", seen->running);
	json_append_member_str(
	    out, &first, "state", span_str(engine_state_name(engine)));
	json_append_member_int(out, &first, "since", engine->since);
	json_append_member_str(out, &first, "peer", span_str(engine->peer));
	json_append_member_str(
	    out, &first, "sandbox_missing", span_str(engine->sandbox_missing));
	buf_append_char(out, '}');
}

void
dispatch_engines_list(struct dispatch *dispatch, struct buf *out)
{
	struct seen_engine seen[ENGINES_MAX];
	const struct engine *engine;
	unsigned count = 0;

	buf_append_char(out, '[');
	pthread_mutex_lock(&dispatch->lock);
	LIST_FOREACH (engine, &dispatch->engines, link)
		if (count < ENGINES_MAX)
			seen[count++] = (struct seen_engine){
			    engine, running_of(dispatch, engine)};
	if (count > 1)
		qsort(seen, count, sizeof seen[0], compare);
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			buf_append_char(out, ',');
		append_engine(out, &seen[i]);
	}
	pthread_mutex_unlock(&dispatch->lock);
	buf_append_char(out, ']');
}

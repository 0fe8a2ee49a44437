/*
 * The supervisor of one template process. What its children do is worker's,
 * when it is needed is template_pool's. Runs on the main thread.
 */
#include "engine/front/template_process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "engine/front/runner_spawn.h"
#include "engine/front/template_pool.h"

static void template_retry(void *owner);
static void template_too_slow(void *owner);
static void
template_reaped(void *owner, int status, const struct rusage *usage);

void
template_process_init(struct template_entry *entry)
{
	entry->state = TEMPLATE_ABSENT;
	entry->conduit.fd = -1;
	entry->pidfd = -1;
	timer_init(&entry->retry, template_retry, entry);
	timer_init(&entry->start_deadline, template_too_slow, entry);
}

static void
template_retry(void *owner)
{
	template_pool_serve(owner);
}

void
template_process_back_off(struct template_entry *entry)
{
	unsigned next_ms = entry->backoff_ms * 2;

	loop_timer_in(&entry->front->loop, &entry->retry, entry->backoff_ms);
	if (next_ms < FRONT_BACKOFF_FIRST_MS)
		next_ms = FRONT_BACKOFF_FIRST_MS;
	if (next_ms > FRONT_BACKOFF_MAX_MS)
		next_ms = FRONT_BACKOFF_MAX_MS;
	entry->backoff_ms = next_ms;
}

static void
template_release(struct template_entry *entry)
{
	struct timers *timers = &entry->front->loop.timers;

	timer_clear(timers, &entry->start_deadline);
	conduit_close(&entry->conduit);
	reaper_forget(&entry->process);
	if (entry->pidfd >= 0)
		close(entry->pidfd);
	entry->pidfd = -1;
	entry->dying_of = NULL;
	entry->state = TEMPLATE_ABSENT;
}

static void
template_signal_kill(const struct template_entry *entry)
{
	if (entry->pidfd >= 0 &&
	    pidfd_send_signal(entry->pidfd, SIGKILL, NULL, 0) != 0 &&
	    errno != ESRCH)
		log_error("template cannot be killed",
		    LOG_INT("pid", entry->process.pid),
		    LOG_STR("error", strerror(errno)));
}

void
template_process_drop(struct template_entry *entry)
{
	template_signal_kill(entry);
	template_release(entry);
	timer_clear(&entry->front->loop.timers, &entry->retry);
}

/* Its exit status completes the obituary. */
static void
template_die(struct template_entry *entry, const char *of)
{
	entry->dying_of = of;
	entry->state = TEMPLATE_DYING;
	timer_clear(&entry->front->loop.timers, &entry->start_deadline);
	conduit_close(&entry->conduit);
	template_signal_kill(entry);
}

static void
template_too_slow(void *owner)
{
	struct template_entry *entry = owner;

	entry->front->counters.templates_slow++;
	template_die(entry, "was not ready in time");
}

/* A first failed start is repeated as a cold one; a second is final. */
static void
template_start_failed(struct template_entry *entry, const char *how)
{
	char sentence[TEMPLATE_MESSAGE_BYTES];

	if (!entry->load_cold) {
		entry->load_cold = true;
		return;
	}
	entry->is_broken = true;
	(void)snprintf(sentence, sizeof sentence,
	    "the script's template could not be started: %s", how);
	template_process_back_off(entry);
	template_pool_fail(entry, SCRIPT_CRASHED, sentence);
}

static void
template_reaped(void *owner, int status, const struct rusage *usage)
{
	struct template_entry *entry = owner;
	int64_t lived_ms = (clock_mono_us() - entry->started_us) / 1000;
	const char *of;
	char text[REAPER_TEXT_BYTES];

	(void)usage;
	/* Its last words may still be in the socket: template_failed. */
	conduit_read_all(&entry->conduit);
	of = entry->dying_of;
	if (of == NULL)
		entry->front->counters.templates_died++;
	(void)reaper_describe(status, text);
	log_warn("template died", LOG_STR("file", entry->file),
	    LOG_STR("of", of == NULL ? "its own end" : of),
	    LOG_STR("how", text), LOG_INT("lived_ms", lived_ms));
	template_release(entry);
	if (entry->has_failed) {
		entry->has_failed = false;
	} else if (!entry->was_ready) {
		template_start_failed(entry, of == NULL ? text : of);
	} else {
		if (lived_ms >= FRONT_TEMPLATE_STABLE_MS)
			entry->backoff_ms = 0;
		template_process_back_off(entry);
	}
	template_pool_serve(entry);
}

static void
template_lost(void *owner, const char *why)
{
	(void)why; /* the exit status says more */
	template_die(owner, NULL);
}

static void
template_is_ready(
    struct template_entry *entry, const struct msg_template_ready *ready)
{
	timer_clear(&entry->front->loop.timers, &entry->start_deadline);
	entry->state = TEMPLATE_READY;
	entry->was_ready = true;
	entry->is_broken = false;
	entry->is_cold = ready->cold;
	/* Its word counts within what it can have. */
	entry->image_bytes = ready->heap_bytes < entry->key.heap_bytes
				 ? ready->heap_bytes
				 : entry->key.heap_bytes;
	log_info("template ready", LOG_STR("file", entry->file),
	    LOG_INT("pid", entry->process.pid),
	    LOG_STR("cold", ready->cold ? "yes" : "no"),
	    LOG_UINT("image_bytes", entry->image_bytes),
	    LOG_INT("start_us", clock_mono_us() - entry->started_us));
	template_pool_ready(entry);
}

static void
template_has_failed(
    struct template_entry *entry, const struct msg_template_failed *failed)
{
	char sentence[TEMPLATE_MESSAGE_BYTES];
	enum script_code code =
	    script_code_is_known(failed->code) && failed->code != SCRIPT_OK
		? (enum script_code)failed->code
		: SCRIPT_CRASHED;

	if (failed->line > 0)
		(void)snprintf(sentence, sizeof sentence, "%.*s (%s:%llu)",
		    SPAN_ARG(failed->message), entry->file,
		    (unsigned long long)failed->line);
	else
		(void)snprintf(sentence, sizeof sentence, "%.*s",
		    SPAN_ARG(failed->message));
	entry->front->counters.templates_failed++;
	entry->has_failed = true;
	entry->is_broken = true;
	template_die(entry, "failed to load");
	template_pool_fail(entry, code, sentence);
}

static void
template_frame(void *owner, struct span body, pid_t pid)
{
	struct template_entry *entry = owner;
	struct message message;

	(void)pid;
	if (entry->state != TEMPLATE_STARTING ||
	    message_decode(body, SENDER_TEMPLATE, &message, NULL) != OK) {
		entry->front->counters.spoke_out_of_turn++;
		template_die(entry, "spoke out of turn");
		return;
	}
	if (message.type == MSG_TEMPLATE_READY)
		template_is_ready(entry, &message.template_ready);
	else
		template_has_failed(entry, &message.template_failed);
}

/* A fork had to wait for the socket. */
static void
template_drained(void *owner)
{
	template_pool_serve(owner);
}

static const struct conduit_events template_events = {.frame = template_frame,
    .lost = template_lost,
    .drained = template_drained};

static enum err
template_load(struct template_entry *entry, struct err_detail *detail)
{
	struct message message = {.type = MSG_TEMPLATE_LOAD};

	message.template_load.kind = entry->key.kind;
	message.template_load.file = span_str(entry->file);
	message.template_load.source = buf_span(&entry->source);
	message.template_load.properties = buf_span(&entry->properties);
	message.template_load.heap_bytes = entry->key.heap_bytes;
	message.template_load.cold = entry->load_cold;
	if (!span_present(message.template_load.source))
		message.template_load.source = span_str("");
	return conduit_send(&entry->conduit, &message, detail);
}

static enum err
template_spawn(struct template_entry *entry, struct err_detail *detail)
{
	struct front *front = entry->front;
	int ours;
	int theirs;
	pid_t pid;
	enum err err;

	err = conduit_pair(false, &ours, &theirs);
	if (err != OK)
		return err_set_errno(detail, err, "socketpair");
	err = runner_spawn_template(front->settings, theirs, &pid, detail);
	close(theirs);
	if (err != OK) {
		close(ours);
		return err;
	}
	entry->process = (struct reaper_entry){
	    .pid = pid, .reaped = template_reaped, .owner = entry};
	reaper_add(&front->reaper, &entry->process);
	entry->pidfd = pidfd_open(pid, 0);
	err = conduit_open(&entry->conduit, &front->loop, ours, false,
	    &template_events, entry);
	if (err != OK || entry->pidfd < 0)
		return err_set_errno(detail, ERR_IO, "watching a template");
	return OK;
}

void
template_process_start(struct template_entry *entry)
{
	struct err_detail detail = {0};
	enum err err;

	CHECK(entry->state == TEMPLATE_ABSENT);
	entry->started_us = clock_mono_us();
	entry->was_ready = false;
	entry->forks = 0;
	entry->generation++;
	err = template_spawn(entry, &detail);
	if (err == OK)
		err = template_load(entry, &detail);
	if (err == OK) {
		entry->state = TEMPLATE_STARTING;
		entry->front->counters.templates_started++;
		loop_timer_in(&entry->front->loop, &entry->start_deadline,
		    FRONT_TEMPLATE_START_MS);
		return;
	}
	log_error("template not started", LOG_STR("file", entry->file),
	    LOG_STR("error", err_text(&detail, err)));
	template_process_drop(entry);
	template_process_back_off(entry);
	entry->is_broken = true;
	template_pool_fail(entry, SCRIPT_CRASHED,
	    "the engine could not start a process for the script");
}

enum err
template_process_fork(struct template_entry *entry, int fd)
{
	struct message message = {.type = MSG_TEMPLATE_FORK};

	CHECK(entry->state == TEMPLATE_READY);
	return conduit_send_fd(&entry->conduit, &message, fd);
}

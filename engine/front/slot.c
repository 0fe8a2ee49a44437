/*
 * Tickets out, jobs in, results out. How a job is executed is execution's.
 * Runs on the main thread.
 */
#include "engine/front/slot.h"

#include <stdlib.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "engine/front/uplink.h"
#include "proto/frame.h"

/* messages.def: hello.running. */
#define SLOT_RUNNING_MAX 16384

static void slot_offer(struct slot *slot);
static void slot_deliver(struct slot *slot);

unsigned
slot_count(int64_t configured, int64_t cores)
{
	int64_t slots = configured;

	if (slots == 0)
		slots = cores * FRONT_SLOTS_PER_CORE;
	if (slots < 1)
		slots = 1;
	if (slots > FRONT_SLOTS_MAX)
		slots = FRONT_SLOTS_MAX;
	return (unsigned)slots;
}

static void
slot_again(void *owner)
{
	struct slot *slot = owner;

	if (slot->state == SLOT_IDLE)
		slot_offer(slot);
	else if (slot->state == SLOT_ENDED && slot->ask.state == ASK_IDLE)
		slot_deliver(slot);
}

static void
slot_idle(struct slot *slot)
{
	slot->state = SLOT_IDLE;
	loop_timer_in(&slot->front->loop, &slot->again, FRONT_TICKET_RETRY_MS);
}

/* What came is no job: the gateway's fault, or version's. */
static void
slot_bad_job(struct slot *slot, const char *error)
{
	slot->front->counters.jobs_bad++;
	log_error("gateway's answer to a ticket is unusable",
	    LOG_STR("error", error));
	slot_idle(slot);
}

static void
slot_take_job(struct slot *slot, struct span bytes)
{
	struct err_detail detail = {0};
	enum err err;

	slot->state = SLOT_HELD;
	err = execution_begin(&slot->execution, bytes, &detail);
	if (err != OK)
		slot_bad_job(slot, err_text(&detail, err));
}

/* The execution in `slot` is settled; `bytes` is the answer that says so, or
 * the answer to a plain ticket. */
static void
slot_go_on(struct slot *slot, struct span bytes)
{
	enum message_type type = message_peek(bytes);
	struct message message;

	if (type == MSG_JOB) {
		slot_take_job(slot, bytes);
		return;
	}
	if (type != MSG_DONE && type != MSG_GO_AWAY) {
		slot_bad_job(slot, message_name(type));
		return;
	}
	/* "Ask no more" is the gateway's state of a moment: a slot that
	 * believed it for ever would be lost. */
	slot_idle(slot);
	if (type == MSG_GO_AWAY &&
	    message_decode(bytes, SENDER_GATEWAY, &message, NULL) == OK)
		uplink_go_away(slot->uplink, &message.go_away);
}

static void
slot_ticket_answered(struct slot *slot, enum err err, struct span bytes)
{
	if (err != OK) {
		/* The next session starts it again; this is for an ask that
		 * failed while the session seems well. */
		slot_idle(slot);
		return;
	}
	slot_go_on(slot, bytes);
}

/* The gateway did not look at the result, since it knows no session: keep it.
 * Any other answer, "draining" too, came after it had taken it. */
static bool
slot_keeps_result(struct slot *slot, struct span bytes)
{
	struct message message;

	if (message_peek(bytes) != MSG_GO_AWAY ||
	    message_decode(bytes, SENDER_GATEWAY, &message, NULL) != OK)
		return false;
	if (message.go_away.reason != GO_AWAY_UNKNOWN_SESSION)
		return false;
	uplink_go_away(slot->uplink, &message.go_away);
	return true;
}

static void
slot_result_answered(struct slot *slot, enum err err, struct span bytes)
{
	/* Lost: it may or may not have been read. It is sent again, and the
	 * gateway knows an attempt that it has settled. */
	if (!slot->is_settled &&
	    (err != OK || slot_keeps_result(slot, bytes))) {
		loop_timer_in(
		    &slot->front->loop, &slot->again, FRONT_TICKET_RETRY_MS);
		return;
	}
	slot->front->counters.results++;
	execution_clear(&slot->execution);
	slot->state = SLOT_IDLE;
	if (err != OK) {
		slot_idle(slot); /* its ticket is lost */
		return;
	}
	if (message_peek(bytes) == MSG_DONE && !slot->carries_ticket)
		slot_offer(slot);
	else
		slot_go_on(slot, bytes);
	if (slot->state == SLOT_IDLE && message_peek(bytes) == MSG_GO_AWAY)
		slot_offer(slot);
}

static void
slot_answered(void *owner, enum err err, struct span bytes)
{
	struct slot *slot = owner;

	if (slot->state == SLOT_ASKING)
		slot_ticket_answered(slot, err, bytes);
	else if (slot->state == SLOT_ENDED)
		slot_result_answered(slot, err, bytes);
}

static void
slot_offer(struct slot *slot)
{
	struct message message = {.type = MSG_TICKET};
	struct front *front = slot->front;
	struct uplink *uplink;

	CHECK(slot->state == SLOT_IDLE && slot->ask.state == ASK_IDLE);
	timer_clear(&front->loop.timers, &slot->again);
	uplink = front->draining ? NULL : uplink_for(slot->home);
	if (uplink == NULL)
		return;
	slot->uplink = uplink;
	slot->state = SLOT_ASKING;
	CHECK(ask_send(uplink_asks(slot->uplink), &slot->ask, &message, 0,
		  NULL) == OK);
}

/*
 * Each part of a result is within its own limit but not always their sum.
 * The recording goes first and then the log, as the gateway can do without; a
 * result that still does not encode is none.
 */
static void
slot_deliver(struct slot *slot)
{
	struct front *front = slot->front;
	struct err_detail detail = {0};
	struct message message;

	CHECK(slot->state == SLOT_ENDED && slot->ask.state == ASK_IDLE);
	slot->sent_us = clock_mono_us();
	slot->is_settled = false;
	timer_clear(&front->loop.timers, &slot->again);
	slot->carries_ticket =
	    !front->draining && uplink_for(slot->home) == slot->uplink;
	execution_result(&slot->execution, &message);
	message.result.ticket = slot->carries_ticket;
	if (ask_send(uplink_asks(slot->uplink), &slot->ask, &message, 0,
		&detail) == OK)
		return;
	message.result.recording = recording_shrink(&slot->execution.recording);
	if (ask_send(uplink_asks(slot->uplink), &slot->ask, &message, 0,
		&detail) == OK)
		return;
	message.result.log = (struct span){NULL, 0};
	if (ask_send(uplink_asks(slot->uplink), &slot->ask, &message, 0,
		&detail) == OK)
		return;
	log_error("result did not encode", LOG_STR("error", detail.text));
	message.result.outcome = (struct span){NULL, 0};
	message.result.code = SCRIPT_BAD_RESULT;
	message.result.error =
	    span_str("the script's result does not fit a message");
	CHECK(ask_send(uplink_asks(slot->uplink), &slot->ask, &message, 0,
		  NULL) == OK);
}

void
slot_ended(struct slot *slot)
{
	slot->state = SLOT_ENDED;
	slot_deliver(slot);
}

void
slot_freed(struct slot *slot)
{
	slot->state = SLOT_IDLE;
	slot_offer(slot);
}

enum err
slots_init(struct front *front)
{
	unsigned count = front->settings->slots;

	front->slots = calloc(count, sizeof *front->slots);
	if (front->slots == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < count; i++) {
		struct slot *slot = &front->slots[i];

		slot->front = front;
		slot->home = front->uplinks[i % front->uplink_count];
		slot->uplink = slot->home;
		ask_init(&slot->ask, i, 1, slot_answered, slot);
		timer_init(&slot->again, slot_again, slot);
		execution_init(&slot->execution, front, slot);
	}
	return OK;
}

void
slots_resume(struct front *front, const struct uplink *uplink)
{
	for (unsigned i = 0; i < front->settings->slots; i++) {
		struct slot *slot = &front->slots[i];

		if (slot->ask.state != ASK_IDLE)
			continue;
		if (slot->state == SLOT_IDLE)
			slot_offer(slot);
		else if (slot->state == SLOT_ENDED && slot->uplink == uplink)
			slot_deliver(slot);
	}
}

/* A gateway that lost us for so long has given these jobs up. */
static void
slot_drop_result(struct slot *slot)
{
	slot->front->counters.abandoned++;
	execution_clear(&slot->execution);
	slot->state = SLOT_IDLE;
}

void
slots_lend(struct front *front, const struct uplink *home)
{
	bool is_long = uplink_away_ms(home) > FRONT_DRAIN_RESULTS_MS;

	for (unsigned i = 0; i < front->settings->slots; i++) {
		struct slot *slot = &front->slots[i];

		if (is_long && slot->uplink == home &&
		    slot->state == SLOT_ENDED && slot->ask.state == ASK_IDLE)
			slot_drop_result(slot);
		if (slot->home == home && slot->state == SLOT_IDLE &&
		    slot->ask.state == ASK_IDLE)
			slot_offer(slot);
	}
}

bool
slots_are_lent(const struct front *front, const struct uplink *uplink,
    const struct uplink *home)
{
	for (unsigned i = 0; i < front->settings->slots; i++) {
		const struct slot *slot = &front->slots[i];

		if (slot->home == home && slot->uplink == uplink &&
		    slot->ask.state == ASK_OUT &&
		    (slot->state == SLOT_ASKING || slot->carries_ticket))
			return true;
	}
	return false;
}

void
slots_forget(struct front *front, const struct uplink *uplink)
{
	unsigned forgotten = 0;

	for (unsigned i = 0; i < front->settings->slots; i++) {
		struct slot *slot = &front->slots[i];

		if (slot->uplink != uplink ||
		    (slot->state != SLOT_HELD && slot->state != SLOT_ENDED))
			continue;
		ask_drop(&slot->ask);
		execution_clear(&slot->execution);
		slot->state = SLOT_IDLE;
		forgotten++;
	}
	if (forgotten > 0)
		log_warn("jobs of the previous gateway process dropped",
		    LOG_UINT("jobs", forgotten));
}

static bool
slot_is_in_hand(const struct slot *slot)
{
	return slot->state == SLOT_HELD ||
	       (slot->state == SLOT_ENDED && !slot->is_settled);
}

void
slots_settle(struct front *front, const struct uplink *uplink, int64_t asked_us)
{
	for (unsigned i = 0; i < front->settings->slots; i++) {
		struct slot *slot = &front->slots[i];

		if (slot->uplink == uplink && slot->state == SLOT_ENDED &&
		    slot->carries_ticket && slot->ask.state == ASK_OUT &&
		    asked_us - slot->sent_us > FRONT_SETTLED_MS * 1000)
			slot->is_settled = true;
	}
}

void
slots_append_running(
    const struct front *front, const struct uplink *uplink, struct buf *out)
{
	/* 33 slots times some 30 bytes are far below this. */
	CHECK(out->max_bytes >= SLOT_RUNNING_MAX);
	for (unsigned i = 0; i < front->settings->slots; i++) {
		const struct slot *slot = &front->slots[i];
		struct message message = {.type = MSG_RUNNING_JOB};

		if (slot->uplink != uplink || !slot_is_in_hand(slot))
			continue;
		message.running_job.job = slot->execution.job.job;
		message.running_job.attempt = slot->execution.job.attempt;
		CHECK(frame_append(out, &message, NULL) == OK);
	}
}

unsigned
slots_live(const struct front *front)
{
	unsigned live = 0;

	for (unsigned i = 0; i < front->settings->slots; i++) {
		if (execution_is_live(&front->slots[i].execution))
			live++;
	}
	return live;
}

unsigned
slots_owed(const struct front *front)
{
	unsigned owed = 0;

	for (unsigned i = 0; i < front->settings->slots; i++) {
		const struct slot *slot = &front->slots[i];

		if (!slot_is_in_hand(slot))
			continue;
		if (slot->state == SLOT_ENDED && slot->carries_ticket &&
		    slot->ask.state == ASK_OUT &&
		    uplink_draining_heard(slot->uplink))
			continue;
		owed++;
	}
	return owed;
}

bool
slots_offered(const struct front *front)
{
	for (unsigned i = 0; i < front->settings->slots; i++) {
		const struct slot *slot = &front->slots[i];

		/* Tickets cannot be withdrawn; a gateway that has heard that
		 * we drain answers none, and without a session none is out. */
		if (slot->ask.state == ASK_OUT &&
		    uplink_is_welcome(slot->uplink) &&
		    !uplink_draining_heard(slot->uplink) &&
		    (slot->state == SLOT_ASKING || slot->carries_ticket))
			return true;
	}
	return false;
}

void
slots_take_back(struct front *front, const struct uplink *uplink)
{
	for (unsigned i = 0; i < front->settings->slots; i++)
		if (front->slots[i].uplink == uplink)
			ask_cancel(&front->slots[i].ask);
}

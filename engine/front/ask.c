/*
 * Which question is out by which context of the link. Knows no message.
 * Runs on the main thread.
 */
#include "engine/front/ask.h"

#include "common/check.h"

void
asks_init(struct asks *asks)
{
	*asks = (struct asks){.open = false};
	TAILQ_INIT(&asks->queue);
}

static bool
ask_try(struct asks *asks, struct ask *ask)
{
	if (!asks->open && !ask->control)
		return false;
	for (unsigned i = ask->first; i < ask->first + ask->count; i++) {
		if (asks->busy[i])
			continue;
		asks->busy[i] = true;
		asks->cancelled[i] = false;
		asks->asker[i] = ask;
		ask->context = i;
		ask->state = ASK_OUT;
		asks->carrier.ask(asks->carrier.owner, i, buf_span(&ask->bytes),
		    ask->timeout_ms);
		return true;
	}
	return false;
}

static void
asks_pump(struct asks *asks)
{
	struct ask *ask;
	struct ask *next;

	for (ask = TAILQ_FIRST(&asks->queue); ask != NULL; ask = next) {
		next = TAILQ_NEXT(ask, link);
		if (ask_try(asks, ask))
			TAILQ_REMOVE(&asks->queue, ask, link);
	}
}

void
asks_open(struct asks *asks, bool open)
{
	asks->open = open;
	if (open)
		asks_pump(asks);
}

void
asks_answered(
    struct asks *asks, unsigned context, enum err err, struct span bytes)
{
	struct ask *ask;

	CHECK(context < FRONT_CONTEXTS_MAX && asks->busy[context]);
	ask = asks->asker[context];
	asks->busy[context] = false;
	asks->asker[context] = NULL;
	if (ask != NULL) {
		ask->state = ASK_IDLE;
		ask->answered(ask->owner, err, bytes);
	}
	asks_pump(asks);
}

void
ask_init(struct ask *ask, unsigned first, unsigned count,
    void (*answered)(void *owner, enum err err, struct span bytes), void *owner)
{
	CHECK(count > 0 && first + count <= FRONT_CONTEXTS_MAX);
	*ask = (struct ask){.state = ASK_IDLE,
	    .first = first,
	    .count = count,
	    .answered = answered,
	    .owner = owner};
	buf_init(&ask->bytes, MESSAGE_MAX_BYTES);
}

enum err
ask_send(struct asks *asks, struct ask *ask, const struct message *message,
    int timeout_ms, struct err_detail *detail)
{
	enum err err;

	CHECK(ask->state == ASK_IDLE);
	buf_reset(&ask->bytes);
	err = message_encode(message, &ask->bytes, detail);
	if (err == OK)
		err = buf_status(&ask->bytes);
	if (err != OK)
		return err;
	ask->timeout_ms = timeout_ms;
	ask->asks = asks;
	if (!ask_try(asks, ask)) {
		ask->state = ASK_QUEUED;
		TAILQ_INSERT_TAIL(&asks->queue, ask, link);
	}
	return OK;
}

void
ask_drop(struct ask *ask)
{
	if (ask->state == ASK_QUEUED)
		TAILQ_REMOVE(&ask->asks->queue, ask, link);
	if (ask->state == ASK_OUT)
		ask->asks->asker[ask->context] = NULL;
	ask->state = ASK_IDLE;
}

void
ask_cancel(struct ask *ask)
{
	struct asks *asks = ask->asks;

	if (ask->state != ASK_OUT)
		return;
	asks->cancelled[ask->context] = true;
	asks->carrier.cancel(asks->carrier.owner, ask->context);
}

bool
asks_is_cancelled(const struct asks *asks, unsigned context)
{
	return asks->cancelled[context];
}

void
ask_fini(struct ask *ask)
{
	CHECK(ask->state == ASK_IDLE);
	buf_fini(&ask->bytes);
}

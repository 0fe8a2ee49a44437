/*
 * What an operator orders about engines: new keys and certificates, and that
 * an engine leaves. Runs on the thread that reloads and on the admin
 * listener's.
 */
#include <pthread.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/metric.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/dispatch/engines.h"

/* ---- keys and certificates ------------------------------------------------
 */

/* Sessions whose key is gone or another one end. Locked. How many. */
static unsigned
end_revoked(struct dispatch *d, const struct engine_keys *before,
    struct ticket_list *dropped)
{
	struct engine *engine, *next;
	unsigned ended = 0;

	for (engine = LIST_FIRST(&d->engines); engine; engine = next) {
		next = LIST_NEXT(engine, link);
		if (engine_keys_agree(
			before, d->identity.keys, span_str(engine->name)))
			continue;
		metric_count(M_DISPATCH_EVENTS, "engine_revoked", NULL);
		engine_end_session(d, engine, dropped);
		ended++;
	}
	return ended;
}

static enum err
reload_keys(struct dispatch *d, struct err_detail *detail)
{
	struct ticket_list dropped = TAILQ_HEAD_INITIALIZER(dropped);
	struct engine_keys *keys, *before;
	unsigned ended;
	enum err err;

	if (d->config.engines_keys == NULL)
		return OK;
	err = engine_keys_load(d->config.engines_keys, &keys, detail);
	if (err != OK)
		return err_prefix(detail, err, "engines_keys");
	pthread_mutex_lock(&d->lock);
	before = d->identity.keys;
	d->identity.keys = keys;
	ended = end_revoked(d, before, &dropped);
	pthread_mutex_unlock(&d->lock);
	engine_keys_free(before);
	tickets_drop(&dropped, TICKETS_ALL_LIVE);
	if (ended > 0)
		log_warn("engines revoked: their key is gone or changed",
		    LOG_UINT("engines", ended));
	engines_match(d);
	return OK;
}

enum err
dispatch_reload(struct dispatch *dispatch, struct err_detail *detail)
{
	enum err err = reload_keys(dispatch, detail);

	if (err == OK)
		err = link_server_reload(dispatch->link, detail);
	return err;
}

/* ---- drain ----------------------------------------------------------------
 */

enum err
dispatch_engine_drain(struct dispatch *dispatch, struct span name)
{
	struct ticket_list left = TAILQ_HEAD_INITIALIZER(left);
	struct dispatch *d = dispatch;
	struct engine *engine;
	struct ticket *ticket;
	unsigned told = 0;

	pthread_mutex_lock(&d->lock);
	LIST_FOREACH (engine, &d->engines, link) {
		if (!span_is(name, engine->name))
			continue;
		engine->leaving = true;
		engine->draining = true;
		engine_take_tickets(d, engine, &left);
		told++;
	}
	pthread_mutex_unlock(&d->lock);
	/* One with no ticket out is told by its next heartbeat. */
	while ((ticket = TAILQ_FIRST(&left)) != NULL) {
		TAILQ_REMOVE(&left, ticket, link);
		answer_go_away(ticket->request, GO_AWAY_LEAVE,
		    "the gateway's operator drains this engine: finish and "
		    "exit");
		free(ticket);
	}
	if (told == 0)
		return ERR_NOT_FOUND;
	log_info("engine told to leave", LOG_SPAN("engine", name));
	engines_match(d);
	return OK;
}

/*
 * Sessions with gateways, and the canary of their dialers. Jobs are slot's.
 * Runs on the main thread.
 */
#include "engine/front/uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/resident.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/random.h"
#include "common/secret.h"
#include "engine/front/identity.h"
#include "engine/front/inbox.h"
#include "engine/front/local.h"
#include "engine/front/property_keys.h"
#include "engine/front/slot.h"
#include "engine/front/template_pool.h"
#include "proto/link_client.h"

#define UPLINK_BOOT_ID_BYTES 16
/* messages.def: hello.running. */
#define UPLINK_RUNNING_MAX 16384
/* Before a first welcome says otherwise. */
#define UPLINK_ACK_AFTER_MS 100

enum uplink_state {
	UPLINK_DOWN,     /* no connection, or an answer to hello was lost */
	UPLINK_GREETING, /* hello is out */
	UPLINK_WELCOME,  /* tickets are taken */
	UPLINK_REFUSED   /* hello again when `tick` fires */
};

struct uplink {
	struct front *front;
	char url[CONF_ITEM_BYTES];
	struct asks asks;
	struct inbox *inbox;
	struct loop_source inbox_source;
	struct link_client *client; /* NULL: the host is local */
	enum uplink_state state;
	bool is_connected;
	struct ask control; /* hello or heartbeat */
	struct timer tick;  /* by state: redial, heartbeat, hello again */
	bool knows_gateway; /* gateway_boot_id is set */
	uint8_t gateway_boot_id[UPLINK_BOOT_ID_BYTES];
	int64_t heard_us; /* when it last answered hello or a heartbeat */
	int64_t heartbeat_ms;
	int64_t ack_after_ms;
	int64_t left_us; /* when there last was a session, or the start */
	int64_t beat_us; /* when the heartbeat that is out left */
	int64_t round_trip_us;
	bool said_draining; /* in the heartbeat that is out */
	bool heard_draining;

	/* Of the hello that is out. */
	uint8_t nonce[IDENTITY_NONCE_BYTES];
	uint8_t proof[IDENTITY_PROOF_BYTES];
	bool has_proof; /* the gateway has proven itself */
};

/* The same for all gateways; read again on SIGHUP. */
static struct secret *identity_key; /* NULL: none */
static uint8_t boot_id[UPLINK_BOOT_ID_BYTES];

static void uplink_greet(struct uplink *uplink);

static void
uplink_tick_in(struct uplink *uplink, int64_t ms)
{
	loop_timer_in(&uplink->front->loop, &uplink->tick, ms);
}

/* Leaves whatever there was; only control questions leave from now on. */
static void
uplink_leave(struct uplink *uplink, enum uplink_state state, int64_t retry_ms)
{
	if (uplink->state == UPLINK_WELCOME) {
		uplink->left_us = clock_mono_us();
		notify_status("no session with a gateway");
	}
	uplink->state = state;
	asks_open(&uplink->asks, false);
	uplink_tick_in(uplink, retry_ms);
}

/* The dialer or the gateway is deaf: both look the same from here, and a new
 * dialer helps against one of them. */
static void
uplink_redial(struct uplink *uplink)
{
	struct err_detail detail = {0};

	uplink->front->counters.redials++;
	/* A local host is never deaf and has nothing to dial. */
	CHECK(uplink->client != NULL);
	if (link_client_redial(uplink->client, &detail) != OK)
		log_error(
		    "cannot dial the gateway", LOG_STR("error", detail.text));
	uplink_leave(uplink, UPLINK_DOWN, FRONT_SILENCE_MS);
}

static void
uplink_beat(struct uplink *uplink)
{
	struct front *front = uplink->front;
	struct message message = {.type = MSG_HEARTBEAT};

	uplink_tick_in(uplink, uplink->heartbeat_ms);
	if (uplink->control.state != ASK_IDLE)
		return;
	message.heartbeat.running = slots_live(front);
	message.heartbeat.draining = front->draining;
	message.heartbeat.round_trip_us = (uint64_t)uplink->round_trip_us;
	message.heartbeat.resident_bytes = resident_bytes();
	uplink->beat_us = clock_mono_us();
	uplink->said_draining = front->draining;
	CHECK(ask_send(&uplink->asks, &uplink->control, &message,
		  FRONT_SILENCE_MS, NULL) == OK);
}

static void
uplink_tick(void *owner)
{
	struct uplink *uplink = owner;

	if (uplink->state != UPLINK_WELCOME)
		slots_lend(uplink->front, uplink);
	switch (uplink->state) {
	case UPLINK_WELCOME:
		uplink_beat(uplink);
		return;
	case UPLINK_REFUSED:
		if (uplink->is_connected)
			uplink_greet(uplink);
		else
			uplink_leave(uplink, UPLINK_DOWN, FRONT_SILENCE_MS);
		return;
	case UPLINK_DOWN:
		if (uplink->is_connected)
			uplink_greet(uplink);
		else
			uplink_redial(uplink);
		return;
	case UPLINK_GREETING:
		return; /* hello has its own time-out */
	}
}

static void
uplink_fill_hello(const struct uplink *uplink, struct msg_hello *hello)
{
	const struct front_settings *settings = uplink->front->settings;

	hello->protocol_min = PROTOCOL_MIN;
	hello->protocol_max = PROTOCOL_MAX;
	hello->engine = span_str(settings->name);
	hello->boot_id = span_of(boot_id, sizeof boot_id);
	hello->slots = settings->slots;
	hello->version = span_str(POSTERN_VERSION);
	if (settings->labels[0] != '\0')
		hello->labels = span_str(settings->labels);
	if (settings->sandbox_missing[0] != '\0')
		hello->sandbox_missing = span_str(settings->sandbox_missing);
	if (identity_key == NULL)
		return;
	hello->nonce = span_of(uplink->nonce, sizeof uplink->nonce);
	if (uplink->has_proof)
		hello->proof = span_of(uplink->proof, sizeof uplink->proof);
}

static void
uplink_send_hello(struct uplink *uplink)
{
	struct front *front = uplink->front;
	struct message message = {.type = MSG_HELLO};
	struct err_detail detail = {0};
	struct buf running;
	enum err err;

	uplink_fill_hello(uplink, &message.hello);
	buf_init(&running, UPLINK_RUNNING_MAX);
	slots_append_running(front, uplink, &running);
	if (running.len > 0)
		message.hello.running = buf_span(&running);
	err = ask_send(&uplink->asks, &uplink->control, &message,
	    FRONT_SILENCE_MS, &detail);
	buf_fini(&running);
	if (err == OK)
		return;
	log_error("hello did not encode", LOG_STR("error", detail.text));
	uplink_leave(uplink, UPLINK_REFUSED, FRONT_VERSION_RETRY_MS);
}

static void
uplink_greet(struct uplink *uplink)
{
	slots_take_back(uplink->front, uplink);
	uplink_leave(uplink, UPLINK_GREETING, FRONT_SILENCE_MS);
	timer_clear(&uplink->front->loop.timers, &uplink->tick);
	ask_drop(&uplink->control);
	uplink->has_proof = false;
	random_bytes(uplink->nonce, sizeof uplink->nonce);
	uplink_send_hello(uplink);
}

static void
uplink_distrust(struct uplink *uplink, const char *why)
{
	log_error("the gateway is not trusted", LOG_STR("gateway", uplink->url),
	    LOG_STR("error", why));
	uplink_leave(uplink, UPLINK_REFUSED, FRONT_VERSION_RETRY_MS);
}

/* The gateway says that it knows our key: then we say so too. */
static void
uplink_challenged(struct uplink *uplink, const struct msg_challenge *challenge)
{
	struct msg_hello hello = {0};

	if (identity_key == NULL || uplink->has_proof) {
		uplink_distrust(uplink, "it asks for a proof out of turn");
		return;
	}
	uplink_fill_hello(uplink, &hello);
	if (!identity_is_gateway(identity_key, challenge, &hello)) {
		uplink_distrust(uplink,
		    "it does not have this engine's identity key: one of "
		    "identity_key and engines_keys is wrong, or this is not "
		    "the gateway");
		return;
	}
	if (!identity_prove(identity_key, IDENTITY_ENGINE, challenge->nonce,
		&hello, uplink->proof)) {
		uplink_distrust(uplink, "the proof cannot be computed");
		return;
	}
	uplink->has_proof = true;
	uplink_send_hello(uplink);
}

static void
uplink_refused_version(struct uplink *uplink, struct span sentence)
{
	log_error("the gateway speaks another protocol version",
	    LOG_INT("engine_min", PROTOCOL_MIN),
	    LOG_INT("engine_max", PROTOCOL_MAX), LOG_SPAN("remedy", sentence));
	uplink_leave(uplink, UPLINK_REFUSED, FRONT_VERSION_RETRY_MS);
}

static bool
uplink_speaks(struct uplink *uplink, uint64_t protocol)
{
	if (protocol > PROTOCOL_MAX)
		uplink_refused_version(uplink,
		    span_str("upgrade the engine: the gateway is newer"));
	else if (protocol < PROTOCOL_MIN)
		uplink_refused_version(uplink,
		    span_str("upgrade the gateway: the engine is newer"));
	else
		return true;
	return false;
}

/* Another gateway boot: nothing in hand means anything to it. */
static void
uplink_forget(struct uplink *uplink)
{
	struct front *front = uplink->front;

	slots_forget(front, uplink);
	property_keys_forget(front);
}

/* Tickets of our slots that others have: theirs are voided by a hello. */
static void
uplinks_reclaim(struct uplink *uplink)
{
	struct front *front = uplink->front;

	for (unsigned i = 0; i < front->uplink_count; i++) {
		struct uplink *other = front->uplinks[i];

		if (other != uplink && other->state == UPLINK_WELCOME &&
		    slots_are_lent(front, other, uplink))
			uplink_greet(other);
	}
}

static bool
uplink_is_remote(const struct uplink *uplink)
{
	return strncmp(uplink->url, "tls+tcp://", strlen("tls+tcp://")) == 0;
}

static void
uplink_welcome(struct uplink *uplink, const struct msg_welcome *welcome)
{
	struct front *front = uplink->front;

	if (!uplink_speaks(uplink, welcome->protocol))
		return;
	/* On our own host the socket's directory says who it is. */
	if (uplink_is_remote(uplink) && !uplink->has_proof) {
		uplink_distrust(
		    uplink, "it asked for no proof of identity and gave none");
		return;
	}
	if (uplink->knows_gateway &&
	    memcmp(uplink->gateway_boot_id, welcome->boot_id.data,
		UPLINK_BOOT_ID_BYTES) != 0)
		uplink_forget(uplink);
	uplink->knows_gateway = true;
	memcpy(uplink->gateway_boot_id, welcome->boot_id.data,
	    UPLINK_BOOT_ID_BYTES);
	uplink->heartbeat_ms = (int64_t)welcome->heartbeat_ms;
	if (uplink->heartbeat_ms < FRONT_HEARTBEAT_MIN_MS)
		uplink->heartbeat_ms = FRONT_HEARTBEAT_MIN_MS;
	uplink->ack_after_ms = (int64_t)welcome->ack_after_ms;
	uplink->state = UPLINK_WELCOME;
	uplink->heard_draining = false;
	log_info("session with the gateway", LOG_STR("gateway", uplink->url),
	    LOG_UINT("slots", front->settings->slots));
	notify_status("serving the gateway");
	asks_open(&uplink->asks, true);
	uplinks_reclaim(uplink);
	slots_resume(front, uplink);
	template_pool_resume(front);
	uplink_tick_in(uplink, front->draining ? 0 : uplink->heartbeat_ms);
}

bool
uplink_is_about_job(const struct msg_go_away *go_away)
{
	return go_away->reason == GO_AWAY_STALE ||
	       go_away->reason == GO_AWAY_NOT_YOURS;
}

static void
uplink_refused(struct uplink *uplink, const struct msg_go_away *go_away)
{
	log_error("the gateway refuses this engine",
	    LOG_STR("gateway", uplink->url),
	    LOG_SPAN("remedy", go_away->sentence));
	uplink_leave(uplink, UPLINK_REFUSED,
	    go_away->reason == GO_AWAY_NAME_TAKEN ? FRONT_SILENCE_MS
						  : FRONT_VERSION_RETRY_MS);
}

void
uplink_go_away(struct uplink *uplink, const struct msg_go_away *go_away)
{
	switch (go_away->reason) {
	case GO_AWAY_UNKNOWN_SESSION:
		/* Several questions may be told so; one hello answers all. */
		if (uplink->state == UPLINK_WELCOME)
			uplink_greet(uplink);
		return;
	case GO_AWAY_VERSION:
		uplink_refused_version(uplink, go_away->sentence);
		return;
	case GO_AWAY_DRAINING:
		if (uplink->state == UPLINK_REFUSED)
			return;
		log_info("the gateway is stopping");
		uplink_leave(uplink, UPLINK_REFUSED, FRONT_DRAINING_RETRY_MS);
		return;
	case GO_AWAY_BAD_MESSAGE:
		uplink->front->counters.bad_messages++;
		log_error("the gateway refused a message of this engine",
		    LOG_SPAN("sentence", go_away->sentence));
		return;
	case GO_AWAY_STALE:
	case GO_AWAY_NOT_YOURS:
		return;
	case GO_AWAY_IDENTITY:
	case GO_AWAY_NAME_TAKEN:
		uplink_refused(uplink, go_away);
		return;
	case GO_AWAY_LEAVE:
		if (!uplink->front->told_to_leave)
			log_info("the gateway's operator drains this engine",
			    LOG_STR("gateway", uplink->url));
		uplink->front->told_to_leave = true;
		return;
	default:
		log_warn("the gateway refused for an unknown reason",
		    LOG_UINT("reason", go_away->reason),
		    LOG_SPAN("sentence", go_away->sentence));
	}
}

static void
uplink_greeted(struct uplink *uplink, const struct message *answer)
{
	if (answer->type == MSG_WELCOME) {
		uplink_welcome(uplink, &answer->welcome);
		return;
	}
	if (answer->type == MSG_CHALLENGE) {
		uplink_challenged(uplink, &answer->challenge);
		return;
	}
	uplink_leave(uplink, UPLINK_REFUSED, FRONT_VERSION_RETRY_MS);
	if (answer->type != MSG_GO_AWAY) {
		log_error("the gateway's answer to hello is no welcome",
		    LOG_STR("message", message_name(answer->type)));
		return;
	}
	if (answer->go_away.reason == GO_AWAY_DRAINING)
		uplink_tick_in(uplink, FRONT_DRAINING_RETRY_MS);
	else
		uplink_go_away(uplink, &answer->go_away);
}

static void
uplink_control_answered(void *owner, enum err err, struct span bytes)
{
	struct uplink *uplink = owner;
	struct err_detail detail = {0};
	struct message message;

	if (err == ERR_TIMEOUT) {
		log_warn("the gateway is silent: dialling anew");
		uplink_redial(uplink);
		return;
	}
	if (err != OK) {
		/* `up` comes with the next connection; if the old one was not
		 * lost at all, hello goes out again after this. */
		if (uplink->state == UPLINK_GREETING)
			uplink_leave(
			    uplink, UPLINK_DOWN, FRONT_DRAINING_RETRY_MS);
		return;
	}
	err = message_decode(bytes, SENDER_GATEWAY, &message, &detail);
	if (err != OK) {
		log_error("gateway's answer did not decode",
		    LOG_STR("error", err_text(&detail, err)));
		uplink_leave(uplink, UPLINK_REFUSED, FRONT_VERSION_RETRY_MS);
		return;
	}
	uplink->heard_us = clock_mono_us();
	if (uplink->state == UPLINK_GREETING) {
		uplink_greeted(uplink, &message);
		return;
	}
	uplink->round_trip_us = uplink->heard_us - uplink->beat_us;
	slots_settle(uplink->front, uplink, uplink->beat_us);
	if (message.type == MSG_GO_AWAY)
		uplink_go_away(uplink, &message.go_away);
	else if (uplink->said_draining)
		uplink->heard_draining = true;
}

/* ---- what the inbox delivers -------------------------------------------- */

static void
uplink_answered(void *owner, unsigned context, enum err err, struct span bytes)
{
	struct uplink *uplink = owner;

	/* The connection is going, told by a question before the pipe's own
	 * news: ask nothing more until there is a session again. */
	if (err == ERR_LOST && uplink->state == UPLINK_WELCOME &&
	    !asks_is_cancelled(&uplink->asks, context))
		uplink_leave(uplink, UPLINK_DOWN, FRONT_DRAINING_RETRY_MS);
	asks_answered(&uplink->asks, context, err, bytes);
}

static void
uplink_lost(void *owner)
{
	struct uplink *uplink = owner;

	if (uplink->state != UPLINK_DOWN)
		log_warn("connection to the gateway lost",
		    LOG_STR("gateway", uplink->url));
	uplink->is_connected = false;
	uplink_leave(uplink, UPLINK_DOWN, FRONT_SILENCE_MS);
}

static void
uplink_up(void *owner)
{
	struct uplink *uplink = owner;

	uplink->is_connected = true;
	uplink_greet(uplink);
}

static void
uplink_inbox_ready(void *owner, uint32_t events)
{
	struct uplink *uplink = owner;
	const struct inbox_sink sink = {.owner = uplink,
	    .answered = uplink_answered,
	    .lost = uplink_lost,
	    .up = uplink_up};

	(void)events;
	inbox_deliver(uplink->inbox, &sink);
}

static void
uplink_carry(void *owner, unsigned context, struct span bytes, int timeout_ms)
{
	struct uplink *uplink = owner;

	link_ask(uplink->client, context, bytes, timeout_ms);
}

static void
uplink_uncarry(void *owner, unsigned context)
{
	struct uplink *uplink = owner;

	link_cancel(uplink->client, context);
}

/* Who answers: a gateway over nng, or the local host in this process. */
static enum err
uplink_connect(
    struct uplink *uplink, unsigned contexts, struct err_detail *detail)
{
	struct front *front = uplink->front;
	const struct front_settings *settings = front->settings;
	struct link_client_handlers handlers = {.user = uplink->inbox,
	    .answered = inbox_answered,
	    .connected = inbox_connected};

	if (settings->local != NULL)
		return local_open(settings->local, front, &uplink->asks,
		    uplink->inbox, detail);
	uplink->asks.carrier = (struct ask_carrier){
	    .owner = uplink, .ask = uplink_carry, .cancel = uplink_uncarry};
	return link_client_open(uplink->url,
	    settings->tls.cert == NULL ? NULL : &settings->tls, contexts,
	    &handlers, &uplink->client, detail);
}

static enum err
uplink_open(struct uplink *uplink, struct err_detail *detail)
{
	struct front *front = uplink->front;
	unsigned contexts = front->settings->slots + FRONT_CONTEXTS_CALLS +
			    FRONT_CONTEXTS_AUX + FRONT_CONTEXTS_CONTROL;
	enum err err;

	CHECK(contexts <= FRONT_CONTEXTS_MAX);
	timer_init(&uplink->tick, uplink_tick, uplink);
	ask_init(&uplink->control, contexts - 1, FRONT_CONTEXTS_CONTROL,
	    uplink_control_answered, uplink);
	uplink->control.control = true;
	uplink->inbox = inbox_new(contexts);
	if (uplink->inbox == NULL)
		return err_set_errno(detail, ERR_NOMEM, "inbox");
	uplink->inbox_source = (struct loop_source){
	    .fd = -1, .ready = uplink_inbox_ready, .owner = uplink};
	err = loop_watch(&front->loop, &uplink->inbox_source,
	    inbox_event_fd(uplink->inbox), EPOLLIN);
	if (err != OK)
		return err_set_errno(detail, err, "epoll");
	err = uplink_connect(uplink, contexts, detail);
	if (err != OK)
		return err;
	uplink_tick_in(uplink, FRONT_SILENCE_MS);
	return OK;
}

/* ---- all of them --------------------------------------------------------- */

static enum err
uplink_make(struct front *front, const char *url)
{
	struct uplink *uplink = calloc(1, sizeof *uplink);

	if (uplink == NULL)
		return ERR_NOMEM;
	CHECK(front->uplink_count < FRONT_GATEWAYS_MAX);
	uplink->front = front;
	(void)snprintf(uplink->url, sizeof uplink->url, "%s", url);
	uplink->ack_after_ms = UPLINK_ACK_AFTER_MS;
	uplink->heartbeat_ms = FRONT_SILENCE_MS;
	uplink->left_us = clock_mono_us();
	asks_init(&uplink->asks);
	front->uplinks[front->uplink_count++] = uplink;
	return OK;
}

enum err
uplinks_make(struct front *front, struct err_detail *detail)
{
	const struct front_settings *settings = front->settings;
	const char *cursor = settings->gateways;
	char url[CONF_ITEM_BYTES];
	enum err err = OK;

	random_bytes(boot_id, sizeof boot_id);
	if (settings->local != NULL)
		return uplink_make(front, "local");
	if (settings->identity_key != NULL)
		err = identity_read(
		    settings->identity_key, &identity_key, detail);
	while (err == OK && conf_list_next(&cursor, url, sizeof url))
		err = uplink_make(front, url);
	return err;
}

enum err
uplinks_open(struct front *front, struct err_detail *detail)
{
	enum err err = OK;

	for (unsigned i = 0; i < front->uplink_count && err == OK; i++)
		err = uplink_open(front->uplinks[i], detail);
	return err;
}

static void
reload_identity(const struct front_settings *settings)
{
	struct err_detail detail = {0};
	struct secret *key = NULL;
	enum err err;

	if (settings->identity_key == NULL)
		return;
	err = identity_read(settings->identity_key, &key, &detail);
	if (err != OK) {
		log_error("identity_key: the old one stays",
		    LOG_STR("error", err_text(&detail, err)));
		return;
	}
	secret_free(identity_key);
	identity_key = key;
}

void
uplinks_reload(struct front *front)
{
	struct err_detail detail = {0};
	enum err err;

	reload_identity(front->settings);
	for (unsigned i = 0; i < front->uplink_count; i++) {
		if (front->uplinks[i]->client == NULL)
			continue;
		err = link_client_reload(front->uplinks[i]->client, &detail);
		if (err != OK)
			log_error("certificates: the old ones stay",
			    LOG_STR("error", err_text(&detail, err)));
	}
}

struct uplink *
uplink_for(struct uplink *home)
{
	struct front *front = home->front;

	if (home->state == UPLINK_WELCOME)
		return home;
	if (uplink_away_ms(home) < FRONT_LEND_AFTER_MS)
		return NULL;
	for (unsigned i = 0; i < front->uplink_count; i++)
		if (front->uplinks[i]->state == UPLINK_WELCOME)
			return front->uplinks[i];
	return NULL;
}

int64_t
uplinks_silent_us(const struct front *front)
{
	int64_t now_us = clock_mono_us(), silent_us = 0;

	for (unsigned i = 0; i < front->uplink_count; i++) {
		const struct uplink *uplink = front->uplinks[i];

		if (uplink->state == UPLINK_WELCOME &&
		    now_us - uplink->heard_us > silent_us)
			silent_us = now_us - uplink->heard_us;
	}
	return silent_us;
}

void
uplinks_say_draining(struct front *front)
{
	for (unsigned i = 0; i < front->uplink_count; i++)
		if (front->uplinks[i]->state == UPLINK_WELCOME)
			uplink_beat(front->uplinks[i]);
}

/* ---- one ------------------------------------------------------------------
 */

struct asks *
uplink_asks(struct uplink *uplink)
{
	return &uplink->asks;
}

bool
uplink_is_welcome(const struct uplink *uplink)
{
	return uplink->state == UPLINK_WELCOME;
}

int64_t
uplink_away_ms(const struct uplink *uplink)
{
	if (uplink->state == UPLINK_WELCOME)
		return 0;
	return (clock_mono_us() - uplink->left_us) / 1000;
}

int64_t
uplink_ack_after_ms(const struct uplink *uplink)
{
	return uplink->ack_after_ms;
}

bool
uplink_draining_heard(const struct uplink *uplink)
{
	return uplink->heard_draining;
}

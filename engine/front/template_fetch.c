/*
 * source_get and properties_get. The gateway is trusted with what a script
 * is; the codec has bounded the sizes. Runs on the main thread.
 */
#include "engine/front/template_fetch.h"

#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "engine/front/execution.h"
#include "engine/front/slot.h"
#include "engine/front/template_pool.h"
#include "engine/front/uplink.h"

/* messages.def bounds both texts to this. */
#define TEMPLATE_TEXT_MAX 524288

static void
template_fetch_source_came(void *owner, enum err err, struct span bytes);
static void
template_fetch_properties_came(void *owner, enum err err, struct span bytes);

void
template_fetch_init(struct template_entry *entry)
{
	unsigned first = entry->front->settings->slots + FRONT_CONTEXTS_CALLS;

	ask_init(&entry->source_ask, first, FRONT_CONTEXTS_AUX,
	    template_fetch_source_came, entry);
	ask_init(&entry->properties_ask, first, FRONT_CONTEXTS_AUX,
	    template_fetch_properties_came, entry);
	buf_init(&entry->source, TEMPLATE_TEXT_MAX);
	buf_init(&entry->properties, TEMPLATE_TEXT_MAX);
}

void
template_fetch_fini(struct template_entry *entry)
{
	ask_drop(&entry->source_ask);
	ask_drop(&entry->properties_ask);
	ask_fini(&entry->source_ask);
	ask_fini(&entry->properties_ask);
	buf_fini(&entry->source);
	buf_wipe(&entry->properties);
}

/*
 * The gateway did not hand it out. What concerns only the job it was asked for
 * costs that job; a lost connection costs nothing, as the entry asks again, at
 * once where another gateway wants the same, else with the next session (the
 * job's start allowance bounds the wait).
 */
static void
template_fetch_refused(struct template_entry *entry,
    const struct template_asked *asked, const struct message *answer)
{
	struct execution *execution;

	if (answer->type != MSG_GO_AWAY) {
		template_pool_fail(entry, SCRIPT_CRASHED,
		    "the gateway answered the engine's question for the script "
		    "with something else");
		return;
	}
	switch (answer->go_away.reason) {
	case GO_AWAY_STALE:
	case GO_AWAY_NOT_YOURS:
		TAILQ_FOREACH (execution, &entry->waiting, waiting) {
			if (execution->job.job == asked->job &&
			    execution->slot->uplink == asked->uplink)
				break;
		}
		if (execution != NULL)
			execution_abandon(execution);
		template_pool_serve(entry);
		return;
	case GO_AWAY_BAD_MESSAGE:
		template_pool_fail(entry, SCRIPT_CRASHED,
		    "the gateway did not hand out the script");
		break;
	default:
		break;
	}
	uplink_go_away(asked->uplink, &answer->go_away);
}

/* True: the text of the expected answer. False: all that is to do is done. */
static bool
template_fetch_decode(struct template_entry *entry,
    const struct template_asked *asked, struct span bytes,
    enum message_type expected, struct message *message_r)
{
	struct err_detail detail = {0};
	enum err err;

	err = message_decode(bytes, SENDER_GATEWAY, message_r, &detail);
	if (err != OK) {
		log_error("gateway's answer did not decode",
		    LOG_STR("error", err_text(&detail, err)));
		template_pool_fail(entry, SCRIPT_CRASHED,
		    "the gateway's answer to the question for the script did "
		    "not decode");
		return false;
	}
	if (message_r->type == expected)
		return true;
	template_fetch_refused(entry, asked, message_r);
	return false;
}

static void
template_fetch_source_came(void *owner, enum err err, struct span bytes)
{
	struct template_entry *entry = owner;
	struct message message;
	size_t len;

	if (err != OK) {
		template_pool_serve(entry);
		return;
	}
	if (!template_fetch_decode(
		entry, &entry->source_asked, bytes, MSG_SOURCE, &message))
		return;
	buf_reset(&entry->source);
	buf_append_span(&entry->source, message.source.text);
	len = message.source.file.len;
	CHECK(len < sizeof entry->file);
	memcpy(entry->file, message.source.file.data, len);
	entry->file[len] = '\0';
	entry->has_source = buf_status(&entry->source) == OK;
	template_pool_serve(entry);
}

static void
template_fetch_properties_came(void *owner, enum err err, struct span bytes)
{
	struct template_entry *entry = owner;
	struct message message;

	if (err != OK) {
		template_pool_serve(entry);
		return;
	}
	if (!template_fetch_decode(entry, &entry->properties_asked, bytes,
		MSG_PROPERTIES, &message))
		return;
	buf_reset(&entry->properties);
	buf_append_span(&entry->properties, message.properties.json);
	entry->has_properties = buf_status(&entry->properties) == OK;
	template_pool_serve(entry);
}

static void
template_fetch_ask(struct ask *ask, const struct execution *execution,
    const struct message *message, struct template_asked *asked_r)
{
	struct uplink *uplink = execution->slot->uplink;
	struct err_detail detail = {0};

	if (ask->state != ASK_IDLE)
		return;
	*asked_r = (struct template_asked){uplink, execution->job.job};
	if (ask_send(uplink_asks(uplink), ask, message, FRONT_AUX_TIMEOUT_MS,
		&detail) != OK)
		log_error(
		    "question did not encode", LOG_STR("error", detail.text));
}

/* The first that waits and whose gateway can be asked; NULL: none, and whoever
 * has a session next asks again (template_pool_resume()). */
static const struct execution *
template_fetch_asker(const struct template_entry *entry)
{
	const struct execution *execution;

	TAILQ_FOREACH (execution, &entry->waiting, waiting)
		if (uplink_is_welcome(execution->slot->uplink))
			return execution;
	return NULL;
}

bool
template_fetch_ready(struct template_entry *entry)
{
	const struct execution *execution;
	struct message message;

	if (entry->has_source && entry->has_properties)
		return true;
	execution = template_fetch_asker(entry);
	if (execution == NULL)
		return false;
	if (!entry->has_source) {
		message = (struct message){.type = MSG_SOURCE_GET};
		message.source_get.job = execution->job.job;
		message.source_get.source = execution->job.source;
		template_fetch_ask(&entry->source_ask, execution, &message,
		    &entry->source_asked);
	}
	if (!entry->has_properties) {
		message = (struct message){.type = MSG_PROPERTIES_GET};
		message.properties_get.job = execution->job.job;
		message.properties_get.properties = execution->job.properties;
		template_fetch_ask(&entry->properties_ask, execution, &message,
		    &entry->properties_asked);
	}
	return false;
}

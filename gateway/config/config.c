/*
 * The realm in force as documents, and its changes; see config.h. Not here:
 * the canonical form, the loader (realm/). Any thread.
 */
#include "gateway/config/config.h"

#include "common/arena.h"

const char *
config_kind_name(enum config_kind kind)
{
	static const char *const names[CONFIG_KINDS] = {
	    "realm", "scope", "property", "client", "api-client", "idp"};

	return names[kind];
}

const char *
config_action_name(enum config_action action)
{
	static const char *const names[] = {"add", "change", "remove"};

	return names[action];
}

void
config_outcome_fini(struct config_outcome *outcome)
{
	if (outcome->arena != NULL)
		arena_wipe(outcome->arena);
	arena_free(outcome->arena);
	*outcome = (struct config_outcome){.arena = NULL};
}

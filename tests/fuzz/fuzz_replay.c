/*
 * A recording as another engine's bytes: whatever it says, every call that it
 * has is looked up in it.
 */
#include <stddef.h>
#include <stdint.h>

#include "engine/front/replay.h"
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span frames = span_of(data, size);
	struct message reply;
	struct replay replay;
	struct span body;

	if (replay_begin(&replay, frames) == OK) {
		while (frame_next(&frames, &body) == OK)
			(void)replay_take(&replay, body, &reply);
	}
	replay_end(&replay);
	return 0;
}

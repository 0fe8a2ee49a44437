/*
 * Whether waiting for a group to grow pays; see store_gather.h. Not here: the
 * waiting (store_writer.c). The writer's thread.
 */
#include "gateway/store/store_gather.h"

/* A wait pays if it saves an operation a commit of its own. */
#define PAYS_X16 16

/* Where it did not pay, it is tried again after so many groups: a trial in
 * vain costs its callers GATHER_US, a 16th of that on average. */
#define TRY_EVERY_GROUPS 16

/* Groups that large come only from callers in such numbers. With fewer the
 * cores have time to spare: each would wait for the slowest, for nothing. */
#define CALLERS_X16 (8 * 16)

/* How slowly the largest group is forgotten. */
#define FADE 64

unsigned
store_gather_until(struct store_gather *gather, unsigned queued)
{
	/* As many as there were of late: more callers than that are seldom
	 * there, so the rest of the time would be lost. */
	unsigned largest = (gather->largest_x16 + 8) / 16;

	if (queued >= GATHER_ENOUGH || gather->largest_x16 < CALLERS_X16)
		return 0;
	if (gather->brought_x16 >= PAYS_X16)
		return queued >= largest          ? 0
		       : largest >= GATHER_ENOUGH ? GATHER_ENOUGH
						  : largest;
	if (gather->passed < TRY_EVERY_GROUPS)
		gather->passed++;
	return gather->passed == TRY_EVERY_GROUPS ? GATHER_ENOUGH : 0;
}

void
store_gather_waited(
    struct store_gather *gather, unsigned queued, unsigned grown)
{
	unsigned brought_x16 = (grown - queued) * 16;

	/* A trial says what is so now; later waits are averaged, as a burst
	 * or a gap says little. */
	if (gather->brought_x16 < PAYS_X16)
		gather->brought_x16 = brought_x16;
	else
		gather->brought_x16 =
		    (7 * gather->brought_x16 + brought_x16) / 8;
	gather->passed = 0;
}

void
store_gather_taken(struct store_gather *gather, unsigned count)
{
	if (count * 16 >= gather->largest_x16)
		gather->largest_x16 = count * 16;
	else
		gather->largest_x16 -=
		    (gather->largest_x16 - count * 16 + FADE - 1) / FADE;
}

/*
 * The engine as its service manager's watchdog sees it.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_PULSE_H
#define POSTERN_PULSE_H

#include <stdint.h>

#include "engine/front/front.h"

struct pulse {
	struct front *front;
	struct timer timer;
	int64_t every_ms;
};

/*
 * Where a service manager watches, tells it "alive" as long as the loop turns
 * and, while there is a session, the gateway answers heartbeats. Without a
 * session the loop is enough: a gateway that is away is not cured by starting
 * the engine anew.
 */
void pulse_start(struct pulse *pulse, struct front *front);

#endif

/*
 * The session with the gateway: hello, welcome, heartbeats, and what every
 * go_away means.
 *
 *	DOWN --connected--> GREETING --welcome--> WELCOME
 *	  ^                    | go_away             | unknown_session: GREETING
 *	  |                    v                     | draining
 *	  +--- lost ------ REFUSED <-----------------+
 *
 * Threads: the main one.
 */
#ifndef POSTERN_UPLINK_H
#define POSTERN_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "engine/front/front.h"
#include "proto/message.h"

/* Opens the link and starts dialling; starts nng's threads. */
enum err uplink_open(struct front *front, struct err_detail *detail) MUST_USE;

bool uplink_is_welcome(const struct front *front);

/* Monotonic: when the gateway last answered hello or a heartbeat. */
int64_t uplink_heard_us(const struct front *front);

/* A job still in hand after this is acknowledged. */
int64_t uplink_ack_after_ms(const struct front *front);

/* True: it concerns the job that the question named, and only that. */
bool uplink_is_about_job(const struct msg_go_away *go_away);

/* Does what a go_away asks of the session; nothing for those about a job. */
void uplink_go_away(struct front *front, const struct msg_go_away *go_away);

/* The engine stops: tells the gateway at once. */
void uplink_say_draining(struct front *front);

/* The gateway has answered that. */
bool uplink_draining_heard(const struct front *front);

#endif

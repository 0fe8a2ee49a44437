/*
 * The session with each gateway: hello, challenge, welcome, heartbeats, and
 * what every go_away means.
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

struct asks;
struct uplink;

/* ---- all of them --------------------------------------------------------- */

/* One for each gateway of the settings; reads the identity key. */
enum err uplinks_make(struct front *front, struct err_detail *detail) MUST_USE;

/* Opens the links and starts dialling; starts nng's threads. */
enum err uplinks_open(struct front *front, struct err_detail *detail) MUST_USE;

/* Certificates and identity key are read anew, for connections and hellos to
 * come; bad ones leave the old ones in use (logged). */
void uplinks_reload(struct front *front);

/* The engine stops: tells the gateways at once. */
void uplinks_say_draining(struct front *front);

/* How long the session that was silent longest has been. */
int64_t uplinks_silent_us(const struct front *front);

/* Where a free slot of `home` is to be offered: there, or, where it has been
 * away for a while, at another gateway. NULL: nowhere now. */
struct uplink *uplink_for(struct uplink *home);

/* ---- one ------------------------------------------------------------------
 */

struct asks *uplink_asks(struct uplink *uplink);

bool uplink_is_welcome(const struct uplink *uplink);

/* How long it has been without a session; 0: there is one. */
int64_t uplink_away_ms(const struct uplink *uplink);

/* A job still in hand after this is acknowledged. */
int64_t uplink_ack_after_ms(const struct uplink *uplink);

/* True: it concerns the job that the question named, and only that. */
bool uplink_is_about_job(const struct msg_go_away *go_away);

/* Does what a go_away asks of the session; nothing for those about a job. */
void uplink_go_away(struct uplink *uplink, const struct msg_go_away *go_away);

/* The gateway has answered that this engine drains. */
bool uplink_draining_heard(const struct uplink *uplink);

#endif

/*
 * What both ends of the link set on their nng sockets.
 */
#ifndef POSTERN_LINK_OPTIONS_H
#define POSTERN_LINK_OPTIONS_H

#include "proto/message.h"

/* The largest message and REQ's header before it, generously. nng's default is
 * no limit at all. Set before listening or dialling, then read back. */
#define LINK_RECEIVE_MAX_BYTES (MESSAGE_MAX_BYTES + 64)

/* Answers leave into the pipe's queue at once; one that does not is lost. */
#define LINK_SEND_TIMEOUT_MS 5000

#endif

/*
 * The messages of messages.def as C structs, and their codec.
 *
 * On the wire a message is one msgpack map with string keys: "t" (the
 * message's number) first, then its fields by name. Decoding is by a bounded
 * cursor of our own that allocates nothing: it refuses wrong types, values
 * over the row's limit, duplicate keys, missing MUST fields, ext types, depth,
 * non-string keys, trailing bytes and invalid UTF-8 in TEXT; unknown keys are
 * skipped, so a neighbour version may add MAY fields.
 *
 * Ownership: spans of a decoded message point into the bytes it was decoded
 * from and live as long as those. Threads: any.
 */
#ifndef POSTERN_MESSAGE_H
#define POSTERN_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/span.h"

/* Versions this build speaks; hello carries them (PROTOCOL.md, "Versions"). */
#define PROTOCOL_MIN 1
#define PROTOCOL_MAX 1

/* No message is larger: the links enforce it before the codec sees it. */
#define MESSAGE_MAX_BYTES 1048576

/* Who sends: bits, see messages.def. */
enum message_sender {
	SENDER_ENGINE = 1,
	SENDER_GATEWAY = 2,
	SENDER_FRONT = 4,
	SENDER_TEMPLATE = 8,
	SENDER_CHILD = 16
};

/* Reasons of go_away: what the engine does about each is in PROTOCOL.md. */
enum go_away_reason {
	GO_AWAY_UNKNOWN_SESSION = 1, /* say hello first */
	GO_AWAY_VERSION = 2,         /* no common protocol version */
	GO_AWAY_STALE = 3,           /* this attempt was given up: kill it */
	GO_AWAY_BAD_MESSAGE = 4,     /* did not decode, or not yours to send */
	GO_AWAY_DRAINING = 5,        /* the gateway is stopping */
	GO_AWAY_NOT_YOURS = 6,       /* names a job this engine does not hold */
	GO_AWAY_IDENTITY = 7,        /* no proof, or not of a known key */
	GO_AWAY_LEAVE = 8,           /* finish what runs and exit */
	GO_AWAY_NAME_TAKEN = 9       /* an engine of that name is at work */
};

enum message_type {
	MSG_NONE = 0,
#define MESSAGE(UPPER, lower, number, sender, doc) MSG_##UPPER = number,
#define FIELD(kind, need, name, max, doc)
#define END_MESSAGE(UPPER, lower)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
};

#define MESSAGE_TYPE_UINT  uint64_t
#define MESSAGE_TYPE_INT   int64_t
#define MESSAGE_TYPE_BOOL  bool
#define MESSAGE_TYPE_TEXT  struct span
#define MESSAGE_TYPE_BYTES struct span
#define MESSAGE_TYPE_ID    struct span

/* struct msg_hello, struct msg_job, ... (an empty one has only `unused`). */
#define MESSAGE(UPPER, lower, number, sender, doc) struct msg_##lower {
#define FIELD(kind, need, name, max, doc)          MESSAGE_TYPE_##kind name;
#define END_MESSAGE(UPPER, lower) \
	char unused;              \
	}                         \
	;
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE

/* Any one message, decoded. */
struct message {
	enum message_type type;
	union {
#define MESSAGE(UPPER, lower, number, sender, doc) struct msg_##lower lower;
#define FIELD(kind, need, name, max, doc)
#define END_MESSAGE(UPPER, lower)
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef END_MESSAGE
	};
};

/*
 * Appends the encoded message. The caller fills every MUST field within its
 * limit; a value over the limit, an absent MUST or invalid UTF-8 in TEXT is
 * ERR_LIMIT / ERR_INVALID (what a script computed goes through here too),
 * with the field named in `detail`, and nothing is appended.
 */
enum err message_encode(const struct message *message, struct buf *out,
    struct err_detail *detail) MUST_USE;

/*
 * Decodes exactly `bytes`. `senders` is the set (enum message_sender bits) of
 * who can be at the other end: a message not theirs to send is ERR_DENIED.
 * ERR_SYNTAX: not our msgpack; ERR_INVALID: unknown type, missing field,
 * wrong type of value; ERR_LIMIT: a value over its row's limit.
 */
enum err message_decode(struct span bytes, unsigned senders,
    struct message *message_r, struct err_detail *detail) MUST_USE;

/* The number in "t" without decoding the rest; MSG_NONE if it is unreadable or
 * no message's number. */
enum message_type message_peek(struct span bytes);

/* "hello", "cache_store", ...; "unknown" for a foreign number. */
const char *message_name(enum message_type type);

#endif

/*
 * A gateway as far as one engine can tell, for tests: the real link, the real
 * postern-engine executable, and the test deciding each answer.
 *
 * Threads: link callbacks fill a queue under a mutex, the test takes from it.
 */
#ifndef POSTERN_ENGINE_GATEWAY_H
#define POSTERN_ENGINE_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/link_server.h"
#include "proto/message.h"

/* Nothing here takes longer unless it hangs. */
#define GATEWAY_PATIENCE_MS 10000

/* A question of the engine; given up by answering it. */
struct question {
	struct question *next;
	struct link_request *request;
	uint32_t pipe;
	struct buf bytes;
	struct message message; /* its spans point into bytes */
};

struct gateway;

/* Listens in a new temporary directory and starts the engine on it, with
 * `runner` and slots = 2. */
struct gateway *gateway_start(const char *runner);

/* The same with one more flag for the engine. */
struct gateway *gateway_start_as(const char *runner, const char *flag);

/* Kills the engine if it still runs and removes the directory. */
void gateway_stop(struct gateway *gateway);

/* The next question of this type; heartbeats and acknowledgements are answered
 * with done unless they are what is asked for. NULL: none in time. */
struct question *gateway_take(struct gateway *gateway, enum message_type type);

/* Whether heartbeats are answered at all. */
void gateway_set_deaf(struct gateway *gateway, bool deaf);

void gateway_answer(struct question *question, const struct message *answer);
void gateway_answer_type(struct question *question, enum message_type type);
void gateway_go_away(struct question *question, enum go_away_reason reason);

/* Takes a hello and answers it; `boot` makes the gateway's boot id. */
void gateway_welcome(struct gateway *gateway, uint8_t boot);

/* Closes the connection a question came by; the question is freed. */
void gateway_hang_up(struct gateway *gateway, struct question *question);

/* A job whose source is `source`; the IDs follow from it. */
struct message
gateway_job(uint64_t number, const char *source, const char *data);

/* Answers source_get and properties_get. */
void gateway_serve_source(struct gateway *gateway, const char *source);

/* The engine's process, and its exit status once it ended (-1: not in time).
 */
pid_t gateway_engine(const struct gateway *gateway);
int gateway_wait_exit(struct gateway *gateway);

/* Sends SIGKILL to all runner processes; how many there were. */
unsigned gateway_kill_runners(struct gateway *gateway);

#endif

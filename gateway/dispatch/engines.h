/*
 * Engines and their tickets: sessions over the link, and matching tickets
 * with jobs. Same lock, same rules as jobs.h.
 */
#ifndef POSTERN_ENGINES_H
#define POSTERN_ENGINES_H

#include "gateway/dispatch/jobs.h"

/* What to send once the lock is free: matching happens under it, sending not.
 */
struct delivery {
	struct link_request *request; /* NULL: nothing to send */
	struct buf bytes;
};

/* Sends and frees what a match produced; nothing if there was none. */
void delivery_send(struct delivery *delivery);

/* Label and health: whether this engine may be given a job of this IdP now.
 * Locked. */
bool engine_may_run(struct dispatch *d, const struct engine *engine,
    const struct realm_idp *idp);

/* The connected engine of a pipe, NULL if it never said hello. Locked. */
struct engine *engine_of_pipe(struct dispatch *d, uint32_t pipe);

/* Whether any healthy engine may run jobs of this IdP, or one may be back
 * shortly. Locked. */
bool engines_have(struct dispatch *d, const struct realm_idp *idp);

/* A hello: a new session, or the old one of this boot id taken up again.
 * Answers the request. Not locked. */
void engine_hello(struct dispatch *d, struct link_request *request,
    const struct msg_hello *hello);

/* Keeps an offered slot; call engines_match() after unlocking. Locked.
 * ERR_NOMEM: not kept, the caller still owns the request. */
enum err ticket_offer(struct dispatch *d, struct engine *engine,
    struct link_request *request) MUST_USE;

/* Gives `job` the oldest ticket that may run it and that its share allows:
 * HELD. Locked. */
bool ticket_take(struct dispatch *d, struct job *job, int64_t weights,
    enum share_claim claim);

/* The ticket a HELD job did not need is offered again. Locked. */
void ticket_give_back(struct dispatch *d, struct job *job);

/* Sends a HELD job that has its execution: a new attempt. Locked; the delivery
 * is sent by the caller after unlocking. */
void job_send(struct dispatch *d, struct job *job, struct delivery *delivery_r);

/* Brings waiting jobs and free tickets together until none fit. Not locked. */
void engines_match(struct dispatch *d);

/* The connection went: tickets go, jobs wait for a hello in the grace. Not
 * locked. */
void engine_pipe_lost(struct dispatch *d, uint32_t pipe);

/* Everything a lost engine still held is lost; frees the record. Locked. */
void engine_forget(struct dispatch *d, struct engine *engine);

/* Its tickets into `dropped`; what was held by one waits again. Locked. */
void engine_take_tickets(
    struct dispatch *d, struct engine *engine, struct ticket_list *dropped);

/* Its tickets into `dropped`, then engine_forget(). Locked. */
void engine_end_session(
    struct dispatch *d, struct engine *engine, struct ticket_list *dropped);

/*
 * Frees tickets whose session ended. Those of the connection `live` are
 * answered, or its engine would wait for ever and be a slot short. Those of
 * others are not: their engine has dialled anew, and answers on a TLS
 * connection that its peer has closed can hang nng's reaper for good. Not
 * locked.
 */
void tickets_drop(struct ticket_list *dropped, uint32_t live);

/* Every connection lives, none does. */
#define TICKETS_ALL_LIVE  UINT32_MAX
#define TICKETS_NONE_LIVE 0u

/* Whether this attempt of the job was ever this engine's. Locked. */
bool job_was_held_by(
    const struct job *job, uint64_t attempt, const struct engine *engine);

/* Gives up the attempts an engine holds that touched nothing outside: it does
 * not answer, others may. Locked. */
void engine_move_jobs(struct dispatch *d, struct engine *engine);

/* Answers go_away. */
void answer_go_away(struct link_request *request, enum go_away_reason reason,
    const char *sentence);

/* Answers with a message of ours; one that cannot be encoded is our bug. */
void
answer_message(struct link_request *request, const struct message *message);

#endif

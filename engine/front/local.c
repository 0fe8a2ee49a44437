/*
 * The host of a local engine; see local.h. What a job is, is local_job's, and
 * what a call is answered, local_call's. Runs on the main thread.
 *
 * Ends with its input, once all outcomes are written; at once when nobody reads
 * them any more, since then nobody waits for what runs.
 */
#include "engine/front/local.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "engine/front/execution.h"
#include "engine/front/hostcall.h"
#include "engine/front/inbox.h"
#include "engine/front/local_call.h"
#include "engine/front/local_job.h"
#include "engine/front/local_outcome.h"
#include "engine/front/outbound.h"

/* A job of the largest script, data and cache, escaped. */
#define LINE_MAX_BYTES ((size_t)32 << 20)
#define READ_BYTES     65536
/* Jobs read ahead; then the input waits. */
#define JOBS_AHEAD_MAX 64
#define OUT_MAX_BYTES  ((size_t)256 << 20)
/* What a pipe takes without blocking once it is writable (PIPE_BUF). */
#define WRITE_BYTES 4096
/* How long a hello or an answer may take is no matter here. */
#define HEARTBEAT_MS 1000
#define ACK_AFTER_MS 60000

enum { EXIT_UNREAD = 1 };

struct local {
	struct front *front;
	struct inbox *inbox;
	int in_fd;
	int out_fd;
	struct loop_source in_source;
	struct loop_source out_source;
	struct timer pump; /* for files, which epoll does not take */
	bool in_is_file;
	bool out_is_file;
	bool is_reading; /* in_source is watched, or the pump is set */
	bool has_ended;  /* no more jobs will come */
	struct buf in;
	size_t scanned; /* of `in`: no line end so far */
	struct buf out;
	uint64_t next_number;
	struct local_job_list waiting;
	struct local_job_list given; /* to the engine */
	size_t waiting_count;
	bool has_ticket[FRONT_CONTEXTS_MAX];
};

static void local_settle(struct local *local);

struct local *
local_new(int jobs_fd, int outcomes_fd)
{
	struct local *local = calloc(1, sizeof *local);

	if (local == NULL)
		return NULL;
	local->in_fd = jobs_fd;
	local->out_fd = outcomes_fd;
	local->next_number = 1;
	TAILQ_INIT(&local->waiting);
	TAILQ_INIT(&local->given);
	buf_init(&local->in, LINE_MAX_BYTES);
	buf_init(&local->out, OUT_MAX_BYTES);
	return local;
}

static struct local_job *
given_job(const struct local *local, uint64_t number)
{
	struct local_job *job;

	TAILQ_FOREACH (job, &local->given, link) {
		if (job->number == number)
			return job;
	}
	return NULL;
}

/* ---- outcomes ------------------------------------------------------------
 */

/* Whoever reads the outcomes is gone. The runners die with this process
 * (PR_SET_PDEATHSIG), whatever they do. */
static _Noreturn void
end_unread(void)
{
	log_info("engine stopped", LOG_STR("because", "nobody reads outcomes"));
	_exit(EXIT_UNREAD);
}

static void
write_some(struct local *local)
{
	size_t len = local->out.len < WRITE_BYTES && !local->out_is_file
			 ? local->out.len
			 : WRITE_BYTES;
	ssize_t written;

	if (local->out_is_file || len > local->out.len)
		len = local->out.len;
	if (len == 0)
		return;
	written = write(local->out_fd, local->out.data, len);
	if (written < 0 && errno != EINTR && errno != EAGAIN)
		end_unread();
	if (written > 0)
		buf_consume(&local->out, (size_t)written);
}

static void
local_writable(void *owner, uint32_t events)
{
	struct local *local = owner;

	if ((events & (EPOLLERR | EPOLLHUP)) != 0)
		end_unread();
	write_some(local);
	local_settle(local);
}

/* ---- jobs ----------------------------------------------------------------
 */

static void
answer(struct local *local, unsigned context, const struct message *message)
{
	struct err_detail detail = {0};
	struct buf bytes;

	buf_init(&bytes, MESSAGE_MAX_BYTES);
	CHECK(message_encode(message, &bytes, &detail) == OK);
	inbox_answered(local->inbox, context, OK, buf_span(&bytes));
	buf_wipe(&bytes);
}

/* A gateway would refuse such a request; here the job ends with the reason. */
static bool
fits_message(struct local *local, struct local_job *job)
{
	struct err_detail detail = {0};
	struct message message;
	struct buf bytes;
	enum err err;

	buf_init(&bytes, MESSAGE_MAX_BYTES);
	local_job_message(job, &message);
	err = message_encode(&message, &bytes, &detail);
	buf_wipe(&bytes);
	if (err == OK)
		return true;
	local_outcome_append_refusal(&local->out,
	    json_object_get(job->root, "id"), err_text(&detail, err));
	return false;
}

static void
give_jobs(struct local *local)
{
	for (unsigned i = 0; i < FRONT_CONTEXTS_MAX; i++) {
		struct local_job *job = TAILQ_FIRST(&local->waiting);
		struct message message;

		if (job == NULL)
			return;
		if (!local->has_ticket[i])
			continue;
		TAILQ_REMOVE(&local->waiting, job, link);
		local->waiting_count--;
		TAILQ_INSERT_TAIL(&local->given, job, link);
		local->has_ticket[i] = false;
		local_job_message(job, &message);
		answer(local, i, &message);
	}
}

static void
take_line(struct local *local, struct span line)
{
	struct err_detail detail = {0};
	struct local_job *job;
	json_error_t error;
	json_t *root;
	json_t *id;

	if (line.len == 0)
		return;
	root = json_loadb((const char *)line.data, line.len,
	    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (root == NULL) {
		local_outcome_append_refusal(
		    &local->out, NULL, "the line is not JSON");
		return;
	}
	id = json_incref(json_object_get(root, "id"));
	if (local_job_new(root, &job, &detail) != OK) {
		local_outcome_append_refusal(
		    &local->out, id, err_text(&detail, ERR_INVALID));
	} else if (!fits_message(local, job)) {
		local_job_free(job);
	} else {
		job->number = local->next_number++;
		TAILQ_INSERT_TAIL(&local->waiting, job, link);
		local->waiting_count++;
	}
	json_decref(id);
}

/* Lines as long as there is room for their jobs. */
static void
take_lines(struct local *local)
{
	while (local->waiting_count < JOBS_AHEAD_MAX) {
		uint8_t *end = NULL;
		size_t len;

		if (local->in.len > local->scanned)
			end = memchr(local->in.data + local->scanned, '\n',
			    local->in.len - local->scanned);
		if (end == NULL && !local->has_ended) {
			local->scanned = local->in.len;
			return;
		}
		if (end == NULL && local->in.len == 0)
			return;
		len = end == NULL ? local->in.len
				  : (size_t)(end - local->in.data);
		take_line(local, span_of(local->in.data, len));
		buf_consume(&local->in, end == NULL ? len : len + 1);
		local->scanned = 0;
	}
}

static void
read_some(struct local *local)
{
	uint8_t *room = buf_reserve(&local->in, READ_BYTES);
	ssize_t got;

	if (room == NULL) {
		local_outcome_append_refusal(&local->out, NULL,
		    "a line is longer than 32 MiB, or there is no memory");
		buf_reset(&local->in);
		local->has_ended = true;
		return;
	}
	got = read(local->in_fd, room, READ_BYTES);
	if (got > 0)
		buf_commit(&local->in, (size_t)got);
	else if (got == 0 || (errno != EINTR && errno != EAGAIN))
		local->has_ended = true;
}

static void
local_readable(void *owner, uint32_t events)
{
	struct local *local = owner;

	(void)events;
	read_some(local);
	local_settle(local);
}

static void
local_pump(void *owner)
{
	struct local *local = owner;

	local->is_reading = false;
	read_some(local);
	local_settle(local);
}

static void
watch_input(struct local *local)
{
	bool wanted =
	    !local->has_ended && local->waiting_count < JOBS_AHEAD_MAX;

	if (wanted == local->is_reading)
		return;
	local->is_reading = wanted;
	if (local->in_is_file) {
		if (wanted)
			loop_timer_in(&local->front->loop, &local->pump, 0);
	} else if (wanted) {
		CHECK(loop_watch(&local->front->loop, &local->in_source,
			  local->in_fd, EPOLLIN) == OK);
	} else {
		loop_forget(&local->front->loop, &local->in_source);
	}
}

static bool
is_idle(const struct local *local)
{
	return local->has_ended && local->in.len == 0 && local->out.len == 0 &&
	       TAILQ_EMPTY(&local->waiting) && TAILQ_EMPTY(&local->given);
}

/* After anything that may have made something possible. */
static void
local_settle(struct local *local)
{
	take_lines(local);
	give_jobs(local);
	watch_input(local);
	/* A file takes all at once; and who was told to stop has no later. */
	while ((local->out_is_file || local->front->draining) &&
	       local->out.len > 0)
		write_some(local);
	if (!local->out_is_file)
		loop_change(&local->front->loop, &local->out_source,
		    local->out.len > 0 ? EPOLLOUT : 0);
	/* The ordinary way out, as for an engine in service. */
	if (is_idle(local) && !local->front->draining)
		(void)kill(getpid(), SIGTERM);
}

/* ---- questions of the front ----------------------------------------------
 */

static void
take_result(struct local *local, const struct msg_result *result)
{
	struct local_job *job = given_job(local, result->job);

	CHECK(job != NULL);
	TAILQ_REMOVE(&local->given, job, link);
	local_call_end(job);
	local_outcome_append(&local->out, job, result);
	local_job_free(job);
}

/* What a job's template is made of. */
static bool
answer_material(
    struct local *local, const struct message *ask, struct message *answer_r)
{
	uint64_t number = ask->type == MSG_SOURCE_GET ? ask->source_get.job
			  : ask->type == MSG_PROPERTIES_GET
			      ? ask->properties_get.job
			      : ask->keys_get.job;
	const struct local_job *job = given_job(local, number);

	if (job == NULL)
		return false;
	if (ask->type == MSG_SOURCE_GET) {
		answer_r->type = MSG_SOURCE;
		answer_r->source.text = job->source;
		answer_r->source.file = span_str(job->file);
	} else if (ask->type == MSG_PROPERTIES_GET) {
		answer_r->type = MSG_PROPERTIES;
		answer_r->properties.json = span_str(job->properties);
	} else {
		answer_r->type = MSG_KEYS;
		answer_r->keys.json = span_str(job->keys);
	}
	return true;
}

static void
answer_hello(struct local *local, unsigned context)
{
	static const uint8_t boot_id[16] = "a local host";
	struct message message = {.type = MSG_WELCOME};

	message.welcome.protocol = PROTOCOL_MAX;
	message.welcome.boot_id = span_of(boot_id, sizeof boot_id);
	message.welcome.heartbeat_ms = HEARTBEAT_MS;
	message.welcome.ack_after_ms = ACK_AFTER_MS;
	answer(local, context, &message);
}

static void
local_ask(void *owner, unsigned context, struct span bytes, int timeout_ms)
{
	struct local *local = owner;
	struct message reply = {.type = MSG_DONE};
	struct message ask;

	(void)timeout_ms;
	CHECK(message_decode(bytes, SENDER_ENGINE, &ask, NULL) == OK);
	if (ask.type == MSG_HELLO) {
		answer_hello(local, context);
		return;
	}
	if (ask.type == MSG_RESULT)
		take_result(local, &ask.result);
	if (ask.type == MSG_TICKET ||
	    (ask.type == MSG_RESULT && ask.result.ticket)) {
		local->has_ticket[context] = true;
		local_settle(local);
		return;
	}
	if (ask.type == MSG_SOURCE_GET || ask.type == MSG_PROPERTIES_GET ||
	    ask.type == MSG_KEYS_GET)
		CHECK(answer_material(local, &ask, &reply));
	answer(local, context, &reply);
	local_settle(local);
}

static void
local_cancel(void *owner, unsigned context)
{
	struct local *local = owner;

	if (!local->has_ticket[context])
		return;
	local->has_ticket[context] = false;
	inbox_answered(local->inbox, context, ERR_LOST, (struct span){NULL, 0});
}

enum err
local_open(struct local *local, struct front *front, struct asks *asks,
    struct inbox *inbox, struct err_detail *detail)
{
	struct loop *loop = &front->loop;

	local->front = front;
	local->inbox = inbox;
	asks->carrier = (struct ask_carrier){
	    .owner = local, .ask = local_ask, .cancel = local_cancel};
	local->in_source = (struct loop_source){
	    .fd = -1, .ready = local_readable, .owner = local};
	local->out_source = (struct loop_source){
	    .fd = -1, .ready = local_writable, .owner = local};
	timer_init(&local->pump, local_pump, local);
	/* Also while there is nothing to write: to learn that it broke. */
	if (loop_watch(loop, &local->out_source, local->out_fd, 0) != OK) {
		if (errno != EPERM)
			return err_set_errno(detail, ERR_IO, "outcomes");
		local->out_is_file = true;
	}
	if (loop_watch(loop, &local->in_source, local->in_fd, EPOLLIN) != OK) {
		if (errno != EPERM)
			return err_set_errno(detail, ERR_IO, "jobs");
		local->in_is_file = true;
	}
	local->is_reading = !local->in_is_file;
	watch_input(local);
	inbox_connected(inbox, true);
	return OK;
}

/* ---- hooks ---------------------------------------------------------------
 */

/* NULL in an engine that serves a gateway. */
static struct local_job *
job_of(const struct execution *execution)
{
	const struct local *local = execution->front->settings->local;

	return local == NULL ? NULL : given_job(local, execution->job.job);
}

void
local_fill_run(const struct execution *execution, struct msg_run *run)
{
	struct local_job *job = job_of(execution);

	if (job == NULL)
		return;
	if (job->has_seed)
		run->seed = span_of(job->seed, sizeof job->seed);
	if (job->clock.len > 0)
		run->clock = buf_span(&job->clock);
}

bool
local_now_secs(const struct execution *execution, int64_t *now_secs_r)
{
	const struct local_job *job = job_of(execution);

	if (job == NULL || !job->has_clock)
		return false;
	*now_secs_r = job->clock_us / 1000000;
	return true;
}

bool
local_answer(struct hostcall *call, const struct message *message)
{
	struct local_job *job = job_of(call->execution);

	return job != NULL && local_call_answer(job, call, message);
}

bool
local_answer_http(struct hostcall *call, const struct outbound_order *order)
{
	struct local_job *job = job_of(call->execution);

	return job != NULL && local_call_answer_http(job, call, order);
}

void
local_note(struct hostcall *call, const struct message *reply)
{
	struct local_job *job = job_of(call->execution);

	if (job != NULL)
		local_call_note(job, call, reply);
}

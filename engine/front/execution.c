/*
 * The state machine of one execution and the enforcement of its limits. Host
 * calls are hostcall's, delivery is slot's. Runs on the main thread.
 */
#include "engine/front/execution.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/encoding.h"
#include "common/log.h"
#include "common/random.h"
#include "engine/front/local.h"
#include "engine/front/obituary.h"
#include "engine/front/slot.h"
#include "engine/front/template_pool.h"
#include "engine/front/uplink.h"
#include "engine/front/worker.h"
#include "proto/frame.h"

/* messages.def: result.outcome and result.log. */
#define EXECUTION_OUTCOME_MAX 786432
#define EXECUTION_LOG_MAX     524288
#define EXECUTION_CALLS_MAX   8192
#define EXECUTION_SEED_BYTES  32

/* A call_made's frame is never longer. */
#define EXECUTION_CALL_BYTES 128

static void execution_deadline(void *owner);
static void execution_cpu_due(void *owner);
static void execution_ack_due(void *owner);
static void execution_acked(void *owner, enum err err, struct span bytes);

void
execution_init(
    struct execution *execution, struct front *front, struct slot *slot)
{
	*execution = (struct execution){.front = front, .slot = slot};
	buf_init(&execution->job_bytes, MESSAGE_MAX_BYTES);
	buf_init(&execution->log, EXECUTION_LOG_MAX);
	buf_init(&execution->calls, EXECUTION_CALLS_MAX);
	buf_init(&execution->outcome, EXECUTION_OUTCOME_MAX);
	recording_init(&execution->recording);
	timer_init(&execution->deadline, execution_deadline, execution);
	timer_init(&execution->cpu, execution_cpu_due, execution);
	timer_init(&execution->ack_due, execution_ack_due, execution);
	ask_init(&execution->ack, front->settings->slots + FRONT_CONTEXTS_CALLS,
	    FRONT_CONTEXTS_AUX, execution_acked, execution);
	hostcall_init(&execution->call, execution);
}

bool
execution_is_live(const struct execution *execution)
{
	return execution->state == EXECUTION_WAITING ||
	       execution->state == EXECUTION_RUNNING;
}

/* Whatever could still happen to it does not any more. */
static void
execution_release(struct execution *execution)
{
	struct timers *timers = &execution->front->loop.timers;

	timer_clear(timers, &execution->deadline);
	timer_clear(timers, &execution->cpu);
	timer_clear(timers, &execution->ack_due);
	ask_drop(&execution->ack);
	hostcall_drop(&execution->call);
	if (execution->state == EXECUTION_WAITING)
		template_pool_unwant(execution);
	if (execution->state != EXECUTION_RUNNING)
		return;
	execution->run_us = clock_mono_us() - execution->started_us;
	execution->cpu_us = worker_cpu_us(execution->worker);
	/* Also after an outcome: its word that it exits is not relied upon. */
	if (execution->outcome.len > 0 && execution->worker->stays)
		template_pool_rest(execution->worker);
	else
		worker_kill(execution->worker);
	execution->worker = NULL;
	template_pool_done(execution);
}

void
execution_clear(struct execution *execution)
{
	execution_release(execution);
	execution->state = EXECUTION_NONE;
	/* Arguments and results are personal data. */
	buf_wipe(&execution->job_bytes);
	buf_wipe(&execution->log);
	buf_reset(&execution->calls);
	buf_wipe(&execution->outcome);
	recording_clear(&execution->recording);
	replay_end(&execution->replay);
	execution->job = (struct msg_job){.job = 0};
	execution->started_us = 0;
	execution->host_calls = 0;
	execution->host_call_us = 0;
	execution->log_is_full = false;
	execution->code = SCRIPT_OK;
	execution->error[0] = '\0';
	execution->cold = false;
	execution->cpu_us = 0;
	execution->run_us = 0;
}

enum err
execution_begin(
    struct execution *execution, struct span job, struct err_detail *detail)
{
	struct front *front = execution->front;
	struct message message = {0};
	int64_t total_ms;
	enum err err;

	CHECK(execution->state == EXECUTION_NONE);
	buf_append_span(&execution->job_bytes, job);
	err = buf_status(&execution->job_bytes);
	if (err == OK)
		err = message_decode(buf_span(&execution->job_bytes),
		    SENDER_GATEWAY, &message, detail);
	if (err == OK && message.type != MSG_JOB)
		err = err_set(detail, ERR_INVALID, "%s instead of a job",
		    message_name(message.type));
	if (err != OK) {
		buf_reset(&execution->job_bytes);
		return err;
	}
	execution->job = message.job;
	execution->arrived_us = clock_mono_us();
	execution->state = EXECUTION_WAITING;
	total_ms = (int64_t)message.job.wall_ms + FRONT_START_ALLOWANCE_MS;
	loop_timer_in(&front->loop, &execution->deadline, total_ms);
	loop_timer_in(&front->loop, &execution->ack_due,
	    uplink_ack_after_ms(execution->slot->uplink));
	front->counters.jobs++;
	err = template_pool_want(front, execution);
	if (err == OK)
		return OK;
	/* Not in any entry's queue: nothing to leave. */
	execution->state = EXECUTION_NONE;
	execution_clear(execution);
	return err_set(detail, err, "no memory for a template");
}

/* How much CPU it may use until it is looked at: what it has before others,
 * then its limit. */
static int64_t
execution_cpu_mark_us(const struct execution *execution)
{
	int64_t limit_us = (int64_t)execution->job.cpu_ms * 1000;
	int64_t favoured_us = (int64_t)FRONT_FAVOURED_CPU_MS * 1000;

	return execution->worker->is_demoted || limit_us < favoured_us
		   ? limit_us
		   : favoured_us;
}

static void
execution_set_limits(struct execution *execution)
{
	struct timers *timers = &execution->front->loop.timers;
	int64_t wall_us = (int64_t)execution->job.wall_ms * 1000;
	int64_t end_us = execution->started_us + wall_us;
	int64_t last_us =
	    execution->arrived_us + wall_us + FRONT_START_ALLOWANCE_MS * 1000;

	timer_set(
	    timers, &execution->deadline, end_us < last_us ? end_us : last_us);
	/* One thread cannot use CPU faster than time passes. */
	timer_set(timers, &execution->cpu,
	    execution->started_us + execution_cpu_mark_us(execution));
}

/* Beneath the gateway's span. One that it does not speak of (a gateway of
 * before, a local run) is a trace that nobody collects. */
static void
execution_begin_trace(struct execution *execution)
{
	const struct msg_job *job = &execution->job;
	struct trace_context parent;

	trace_begin(&parent, span_str(NULL));
	parent.is_sampled = job->sampled;
	if (!span_present(job->trace) || !span_present(job->span)) {
		execution->trace = parent;
		return;
	}
	memcpy(parent.trace, job->trace.data, sizeof parent.trace);
	memcpy(parent.span, job->span.data, sizeof parent.span);
	trace_child(&parent, &execution->trace);
}

static void
execution_trace(const struct execution *execution)
{
	const struct msg_job *job = &execution->job;
	const struct trace_span span = {.context = &execution->trace,
	    .kind = TRACE_INTERNAL,
	    .name = "run",
	    .start_us = execution->started_us,
	    .end_us = clock_mono_us(),
	    .error = execution->code == SCRIPT_OK
			 ? NULL
			 : script_code_name(execution->code)};
	const struct trace_attribute attributes[] = {
	    TRACE_SPAN("postern.idp", job->idp),
	    TRACE_SPAN("postern.correlation_id", job->correlation_id),
	    TRACE_STR("postern.engine", execution->front->settings->name),
	    TRACE_INT("postern.cpu_us", execution->cpu_us),
	    TRACE_INT("postern.host_calls", execution->host_calls),
	    TRACE_INT("postern.host_call_us", execution->host_call_us),
	};

	trace_write(
	    &span, attributes, sizeof attributes / sizeof attributes[0]);
}

void
execution_start(struct execution *execution, struct worker *worker)
{
	const struct msg_job *job = &execution->job;
	struct message message = {.type = MSG_RUN};
	uint8_t seed[EXECUTION_SEED_BYTES];
	struct err_detail detail = {0};

	CHECK(execution->state == EXECUTION_WAITING);
	execution->state = EXECUTION_RUNNING;
	execution->worker = worker;
	execution->cold = execution->entry->is_cold;
	execution->started_us = clock_mono_us();
	random_bytes(seed, sizeof seed);
	execution_begin_trace(execution);
	recording_begin(&execution->recording, job->record, seed);
	if (replay_begin(&execution->replay, job->replay) != OK) {
		execution_end(execution, SCRIPT_LOST,
		    "the recording that came with the job cannot be used");
		return;
	}
	message.run.seed = span_of(seed, sizeof seed);
	local_fill_run(execution, &message.run);
	replay_fill_run(&execution->replay, &message.run);
	message.run.record = job->record != RECORDING_NONE;
	message.run.result_bytes = job->result_bytes;
	message.run.log_bytes = job->log_bytes;
	message.run.cache_value_bytes = job->cache_value_bytes;
	message.run.host_calls = job->host_calls;
	message.run.data = job->data;
	message.run.registration_data = job->registration_data;
	message.run.custom_params = job->custom_params;
	message.run.keep =
	    worker_will_stay(worker, job->executions_per_process);
	execution_set_limits(execution);
	if (worker_run(worker, execution, &message, &detail) != OK)
		execution_end(execution, SCRIPT_CRASHED, detail.text);
}

/* A glance at its code, only where a large recording depends on it. */
static bool
execution_failed(const struct execution *execution)
{
	struct message message;

	return execution->code != SCRIPT_OK ||
	       message_decode(buf_span(&execution->outcome), SENDER_CHILD,
		   &message, NULL) != OK ||
	       message.type != MSG_OUTCOME || message.outcome.code != 0;
}

static void
execution_finish(struct execution *execution)
{
	struct recording *recording = &execution->recording;

	execution_release(execution);
	recording_end(recording, recording->wanted == RECORDING_OF_FAILURE &&
				     execution_failed(execution));
	execution->state = EXECUTION_ENDED;
	if (trace_is_on(&execution->trace))
		execution_trace(execution);
	slot_ended(execution->slot);
}

/* A sentence of a template may have been cut inside a character, and the
 * result must encode. */
static void
execution_set_error(struct execution *execution, const char *sentence)
{
	char *text = execution->error;

	(void)snprintf(text, sizeof execution->error, "%s", sentence);
	for (size_t len = strlen(text); len > 0; len--) {
		text[len] = '\0';
		if (utf8_is_valid(span_of(text, len)))
			return;
	}
	text[0] = '\0';
}

void
execution_end(
    struct execution *execution, enum script_code code, const char *sentence)
{
	if (!execution_is_live(execution))
		return;
	execution->code = code;
	execution_set_error(execution, sentence);
	log_info("execution failed",
	    LOG_SPAN("correlation_id", execution->job.correlation_id),
	    LOG_SPAN("idp", execution->job.idp),
	    LOG_UINT("job", execution->job.job),
	    LOG_STR("code", script_code_name(code)),
	    LOG_STR("error", execution->error));
	execution_finish(execution);
}

void
execution_abandon(struct execution *execution)
{
	execution->front->counters.abandoned++;
	log_info("execution given up by the gateway",
	    LOG_SPAN("correlation_id", execution->job.correlation_id),
	    LOG_UINT("job", execution->job.job));
	execution_clear(execution);
	slot_freed(execution->slot);
}

static void
execution_kill(
    struct execution *execution, enum script_code code, const char *sentence)
{
	execution->front->counters.killed++;
	execution_end(execution, code, sentence);
}

static void
execution_deadline(void *owner)
{
	struct execution *execution = owner;

	if (execution->state == EXECUTION_WAITING)
		execution_end(execution, SCRIPT_TIMEOUT,
		    "the script's template did not get ready in time");
	else
		execution_kill(execution, SCRIPT_TIMEOUT,
		    "the script did not finish within its wall-clock limit");
}

static void
execution_cpu_due(void *owner)
{
	struct execution *execution = owner;
	int64_t used_us = worker_cpu_us(execution->worker);

	if (used_us >= (int64_t)execution->job.cpu_ms * 1000) {
		execution_kill(execution, SCRIPT_TIMEOUT,
		    "the script used up its CPU limit");
		return;
	}
	if (used_us >= execution_cpu_mark_us(execution))
		worker_demote(execution->worker);
	/* At least 1 ms on, so that clock granularity cannot spin us. */
	loop_timer_in(&execution->front->loop, &execution->cpu,
	    (execution_cpu_mark_us(execution) - used_us + 999) / 1000);
}

static void
execution_ack_due(void *owner)
{
	struct execution *execution = owner;
	struct message message = {.type = MSG_ACK};
	struct err_detail detail = {0};

	message.ack.job = execution->job.job;
	message.ack.attempt = execution->job.attempt;
	if (ask_send(uplink_asks(execution->slot->uplink), &execution->ack,
		&message, FRONT_AUX_TIMEOUT_MS, &detail) != OK)
		log_error("acknowledgement did not encode",
		    LOG_STR("error", detail.text));
}

static void
execution_acked(void *owner, enum err err, struct span bytes)
{
	struct execution *execution = owner;
	struct message message;

	/* After a lost connection the next hello lists this job. */
	if (err != OK ||
	    message_decode(bytes, SENDER_GATEWAY, &message, NULL) != OK ||
	    message.type != MSG_GO_AWAY)
		return;
	if (uplink_is_about_job(&message.go_away))
		execution_abandon(execution);
	else
		uplink_go_away(execution->slot->uplink, &message.go_away);
}

/* Beyond its room the log is cut, with a marker in place of what follows. */
static void
execution_log(struct execution *execution, struct span body)
{
	size_t room = execution->job.log_bytes + FRONT_LOG_OVERHEAD_BYTES;
	struct message cut = {.type = MSG_LOG_LINE};
	uint8_t header[FRAME_HEADER_BYTES];

	if (execution->log_is_full)
		return;
	/* The marker fits: it is a few bytes of what is kept free for it. */
	if (room > EXECUTION_LOG_MAX - 64)
		room = EXECUTION_LOG_MAX - 64;
	if (execution->log.len + sizeof header + body.len > room) {
		execution->log_is_full = true;
		cut.log_line.level = 3;
		cut.log_line.text = span_str("");
		cut.log_line.cut = true;
		(void)!frame_append(&execution->log, &cut, NULL);
		return;
	}
	header[0] = (uint8_t)(body.len >> 24);
	header[1] = (uint8_t)(body.len >> 16);
	header[2] = (uint8_t)(body.len >> 8);
	header[3] = (uint8_t)body.len;
	buf_append(&execution->log, header, sizeof header);
	buf_append_span(&execution->log, body);
}

static void
execution_clock_read(struct execution *execution, struct span body)
{
	struct message message;

	if (execution->recording.wanted == RECORDING_NONE ||
	    message_decode(body, SENDER_CHILD, &message, NULL) != OK) {
		execution->front->counters.spoke_out_of_turn++;
		execution_out_of_turn(execution, body);
		return;
	}
	recording_clock(&execution->recording, &message.clock_read);
}

static void
execution_outcome(struct execution *execution, struct span body)
{
	buf_append_span(&execution->outcome, body);
	if (buf_status(&execution->outcome) != OK) {
		buf_reset(&execution->outcome);
		execution_end(execution, SCRIPT_BAD_RESULT,
		    "the script's result is larger than any limit allows");
		return;
	}
	execution->code = SCRIPT_OK;
	execution_finish(execution);
}

void
execution_out_of_turn(struct execution *execution, struct span body)
{
	char sentence[128];

	(void)snprintf(sentence, sizeof sentence,
	    "the script's process spoke out of turn (%s)",
	    message_name(message_peek(body)));
	execution_end(execution, SCRIPT_CRASHED, sentence);
}

void
execution_frame(struct execution *execution, struct span body)
{
	enum message_type type = message_peek(body);

	/* The script is synchronous: nothing comes while it waits. */
	if (!hostcall_is_pending(&execution->call)) {
		if (type == MSG_LOG_LINE) {
			execution_log(execution, body);
			return;
		}
		if (type == MSG_OUTCOME) {
			execution_outcome(execution, body);
			return;
		}
		if (type == MSG_CLOCK_READ) {
			execution_clock_read(execution, body);
			return;
		}
		if (hostcall_is_one(type)) {
			hostcall_begin(&execution->call, body);
			return;
		}
	}
	execution->front->counters.spoke_out_of_turn++;
	execution_out_of_turn(execution, body);
}

void
execution_note_call(struct execution *execution, uint64_t call,
    int64_t duration_us, struct span error)
{
	struct message message = {.type = MSG_CALL_MADE};

	execution->host_call_us += duration_us;
	if (execution->calls.len + EXECUTION_CALL_BYTES > EXECUTION_CALLS_MAX)
		return;
	message.call_made.call = call;
	message.call_made.duration_us =
	    (uint64_t)(duration_us > 0 ? duration_us : 0);
	message.call_made.error = error;
	CHECK(frame_append(&execution->calls, &message, NULL) == OK);
}

void
execution_child_died(struct execution *execution, const int *status)
{
	char sentence[EXECUTION_ERROR_BYTES];
	enum script_code code =
	    obituary_code(status, sentence, sizeof sentence);

	execution_end(execution, code, sentence);
}

void
execution_result(const struct execution *execution, struct message *message_r)
{
	struct msg_result *result = &message_r->result;
	int64_t queue_us = execution->started_us - execution->arrived_us;

	*message_r = (struct message){.type = MSG_RESULT};
	result->job = execution->job.job;
	result->attempt = execution->job.attempt;
	result->code = execution->code;
	if (execution->outcome.len > 0)
		result->outcome = buf_span(&execution->outcome);
	if (execution->error[0] != '\0')
		result->error = span_str(execution->error);
	if (execution->log.len > 0)
		result->log = buf_span(&execution->log);
	if (execution->calls.len > 0)
		result->calls = buf_span(&execution->calls);
	if (execution->recording.frames.len > 0)
		result->recording = buf_span(&execution->recording.frames);
	result->cold = execution->cold;
	result->diverged = execution->replay.has_diverged;
	result->host_calls = execution->host_calls;
	result->host_call_us = (uint64_t)execution->host_call_us;
	if (execution->started_us == 0)
		return;
	result->queue_us = (uint64_t)queue_us;
	result->run_us = (uint64_t)execution->run_us;
	result->cpu_us =
	    (uint64_t)(execution->cpu_us > 0 ? execution->cpu_us : 0);
}

/*
 * One child process and its socket. What its messages mean to a job is
 * execution's; which worker serves whom is template_pool's.
 * Runs on the main thread.
 */
#include "engine/front/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "engine/front/execution.h"
#include "engine/front/template_pool.h"

/* The least there is: 1/70 of an ordinary process's share. */
#define WORKER_NICE_DEMOTED 19

static int64_t
worker_clock_us(clockid_t cpu_clock)
{
	struct timespec spent;

	if (clock_gettime(cpu_clock, &spent) != 0)
		return -1;
	return (int64_t)spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
}

int64_t
worker_cpu_us(struct worker *worker)
{
	if (worker->process.pid != 0) {
		int64_t now_us = worker_clock_us(worker->cpu_clock);

		if (now_us > worker->cpu_last_us)
			worker->cpu_last_us = now_us;
	}
	return worker->cpu_last_us - worker->cpu_base_us;
}

/*
 * Where the kernel shares the processors between sessions first (autogroup),
 * niceness only counts within one, and a template's session is its own: then
 * the session's share has to go down, of all children of this release until
 * the template is replaced. False: it cannot be set.
 */
static bool
worker_demote_session(const struct worker *worker)
{
	char path[40];
	int fd;
	ssize_t written;

	(void)snprintf(
	    path, sizeof path, "/proc/%d/autogroup", (int)worker->process.pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, "19", 2);
	close(fd);
	/* Asked too often: the next one asks again. */
	return written == 2 || errno == EAGAIN;
}

void
worker_demote(struct worker *worker)
{
	static bool has_warned;
	bool is_session_demoted;

	worker->is_demoted = true;
	/* Only we reap it: until then the pid is nobody else's. */
	if (worker->process.pid == 0)
		return;
	is_session_demoted = worker_demote_session(worker);
	/* A hardened unit's filter refuses it. */
	if (setpriority(PRIO_PROCESS, (id_t)worker->process.pid,
		WORKER_NICE_DEMOTED) == 0 ||
	    is_session_demoted || has_warned)
		return;
	has_warned = true;
	log_warn("scripts that compute for long cannot be put behind others: "
		 "neither setpriority nor autogroup is allowed",
	    LOG_STR("error", strerror(errno)));
}

static void
worker_signal_kill(struct worker *worker)
{
	/* By descriptor only: a pid could by now be somebody else's. */
	if (worker->pidfd >= 0 &&
	    pidfd_send_signal(worker->pidfd, SIGKILL, NULL, 0) != 0 &&
	    errno != ESRCH)
		log_error("child cannot be killed", LOG_INT("pid", worker->pid),
		    LOG_STR("error", strerror(errno)));
}

void
worker_kill(struct worker *worker)
{
	worker_signal_kill(worker);
	timer_clear(&worker->front->loop.timers, &worker->deadline);
	reaper_forget(&worker->process);
	conduit_close(&worker->conduit);
	if (worker->pidfd >= 0)
		close(worker->pidfd);
	worker->pidfd = -1;
	loop_bury(&worker->front->loop, worker);
}

/* Its end came without an outcome. One that rests may well exit: a script
 * that failed is not restored. `status` NULL: not reaped in time. */
static void
worker_ended(struct worker *worker, const int *status)
{
	struct execution *execution = worker->execution;

	if (worker->state == WORKER_RESTING) {
		template_pool_drop_resting(worker);
		return;
	}
	worker->front->counters.children_died++;
	if (execution != NULL)
		execution_child_died(execution, status);
	else
		template_pool_child_died(worker, status);
}

static void
worker_reaped(void *owner, int status, const struct rusage *usage)
{
	struct worker *worker = owner;

	worker->cpu_last_us =
	    ((int64_t)usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) *
		1000000 +
	    usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
	/* What it wrote before it ended may still be in the socket. It may
	 * well be the outcome, after which this worker is gone. */
	if (worker->state == WORKER_RUNNING) {
		conduit_read_all(&worker->conduit);
		if (!conduit_is_open(&worker->conduit))
			return;
	}
	worker_ended(worker, &status);
}

/* Forking or resting took too long, or the status of a dying one did not
 * come. */
static void
worker_deadline(void *owner)
{
	struct worker *worker = owner;

	if (worker->state == WORKER_FORKING)
		template_pool_fork_failed(worker, "no child within its time");
	else
		worker_ended(worker, NULL);
}

/* The socket is gone: the kernel says soon why. */
static void
worker_lost(void *owner, const char *why)
{
	struct worker *worker = owner;

	if (worker->state == WORKER_FORKING) {
		template_pool_fork_failed(worker, why);
		return;
	}
	if (worker->state == WORKER_RESTING) {
		template_pool_drop_resting(worker);
		return;
	}
	/* One that only closed its socket ends now; one that is dying already
	 * keeps the status it died of. */
	worker_signal_kill(worker);
	if (worker->state == WORKER_WARM)
		template_pool_remove_warm(worker);
	worker->state = WORKER_DYING;
	loop_timer_in(&worker->front->loop, &worker->deadline, FRONT_REAP_MS);
}

/* Believes a pid only if it is an unreaped child of ours that nobody holds. */
static bool
worker_adopt(struct worker *worker, pid_t pid)
{
	siginfo_t info;

	if (pid <= 0 || reaper_knows(&worker->front->reaper, pid))
		return false;
	worker->pidfd = pidfd_open(pid, 0);
	if (worker->pidfd < 0)
		return false;
	if (waitid(P_PIDFD, (id_t)worker->pidfd, &info,
		WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    clock_getcpuclockid(pid, &worker->cpu_clock) != 0) {
		/* Not ours to kill. */
		close(worker->pidfd);
		worker->pidfd = -1;
		return false;
	}
	worker->pid = pid;
	worker->process = (struct reaper_entry){
	    .pid = pid, .reaped = worker_reaped, .owner = worker};
	reaper_add(&worker->front->reaper, &worker->process);
	return true;
}

static void
worker_warm(struct worker *worker)
{
	worker->state = WORKER_WARM;
	worker->cpu_base_us = 0;
	worker->cpu_idle_us = worker_cpu_us(worker);
}

static void
worker_first_word(struct worker *worker, struct span body, pid_t pid)
{
	struct message message;

	if (message_decode(body, SENDER_CHILD, &message, NULL) != OK ||
	    message.type != MSG_CHILD_READY) {
		template_pool_fork_failed(worker, "no child_ready");
		return;
	}
	if (!worker_adopt(worker, pid)) {
		worker->front->counters.children_refused++;
		template_pool_fork_failed(worker, "not a child of its own");
		return;
	}
	timer_clear(&worker->front->loop.timers, &worker->deadline);
	worker_warm(worker);
	template_pool_child_ready(worker);
}

/* What the kernel says it holds beside files and shared memory; -1: unknown. */
static int64_t
worker_anonymous_bytes(const struct worker *worker)
{
	char path[64];
	char text[128] = {0};
	unsigned long resident, shared;
	char *at = text;
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/statm", (int)worker->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	got = read(fd, text, sizeof text - 1);
	close(fd);
	if (got <= 0)
		return -1;
	(void)strtoul(at, &at, 10); /* all it maps */
	resident = strtoul(at, &at, 10);
	shared = strtoul(at, &at, 10);
	if (resident < shared)
		return -1;
	return (int64_t)(resident - shared) * sysconf(_SC_PAGESIZE);
}

static bool
worker_is_bloated(struct worker *worker)
{
	int64_t bytes;

	if (worker->executions % FRONT_KEPT_MEMORY_EVERY != 0)
		return false;
	bytes = worker_anonymous_bytes(worker);
	/* Unknown where /proc shows nobody's processes (ProtectProc=): then
	 * it is kept no longer than until here. */
	if (bytes >= 0 && bytes <= FRONT_KEPT_MEMORY_BYTES)
		return false;
	worker->front->counters.children_bloated++;
	return true;
}

static void
worker_rested(struct worker *worker, struct span body)
{
	struct message message;

	if (message_decode(body, SENDER_CHILD, &message, NULL) != OK ||
	    message.type != MSG_CHILD_IDLE) {
		worker->front->counters.spoke_out_of_turn++;
		template_pool_drop_resting(worker);
		return;
	}
	if (worker->is_demoted || worker_is_bloated(worker)) {
		template_pool_drop_resting(worker);
		return;
	}
	timer_clear(&worker->front->loop.timers, &worker->deadline);
	worker_warm(worker);
	template_pool_child_idle(worker);
}

static void
worker_frame(void *owner, struct span body, pid_t pid)
{
	struct worker *worker = owner;

	if (worker->state == WORKER_FORKING) {
		worker_first_word(worker, body, pid);
		return;
	}
	/* Nobody but the child itself may write here, and only while it has
	 * a job. */
	if (worker->state == WORKER_RUNNING && pid == worker->pid) {
		execution_frame(worker->execution, body);
		return;
	}
	if (worker->state == WORKER_RESTING && pid == worker->pid) {
		worker_rested(worker, body);
		return;
	}
	worker->front->counters.spoke_out_of_turn++;
	if (worker->state == WORKER_RUNNING) {
		execution_out_of_turn(worker->execution, body);
		return;
	}
	log_warn(
	    "child spoke before it had a job", LOG_INT("pid", worker->pid));
	conduit_close(&worker->conduit);
	worker_lost(worker, "spoke before it had a job");
}

static const struct conduit_events worker_events = {
    .frame = worker_frame, .lost = worker_lost};

struct worker *
worker_new(struct front *front, struct template_entry *entry, int *theirs_r)
{
	struct worker *worker = calloc(1, sizeof *worker);
	int ours;
	int theirs;

	if (worker == NULL)
		return NULL;
	worker->front = front;
	worker->entry = entry;
	worker->generation = entry->generation;
	worker->state = WORKER_FORKING;
	worker->pidfd = -1;
	worker->conduit.fd = -1;
	timer_init(&worker->deadline, worker_deadline, worker);
	if (conduit_pair(true, &ours, &theirs) != OK) {
		free(worker);
		return NULL;
	}
	if (conduit_open(&worker->conduit, &front->loop, ours, true,
		&worker_events, worker) != OK) {
		close(theirs);
		free(worker);
		return NULL;
	}
	loop_timer_in(&front->loop, &worker->deadline, FRONT_FORK_MS);
	*theirs_r = theirs;
	return worker;
}

bool
worker_will_stay(struct worker *worker, uint64_t executions_max)
{
	worker->stays = worker->executions + 1 < executions_max &&
			!worker->entry->is_cold &&
			worker->generation == worker->entry->generation &&
			worker->cpu_idle_us < FRONT_KEPT_CPU_MS * 1000;
	return worker->stays;
}

void
worker_rest(struct worker *worker)
{
	CHECK(worker->state == WORKER_RUNNING && worker->stays);
	worker->state = WORKER_RESTING;
	worker->execution = NULL;
	loop_timer_in(&worker->front->loop, &worker->deadline, FRONT_REST_MS);
}

bool
worker_is_restless(struct worker *worker)
{
	CHECK(worker->state == WORKER_WARM);
	return worker_cpu_us(worker) - worker->cpu_idle_us >
	       FRONT_IDLE_CPU_MS * 1000;
}

enum err
worker_run(struct worker *worker, struct execution *execution,
    const struct message *run, struct err_detail *detail)
{
	CHECK(worker->state == WORKER_WARM);
	worker->state = WORKER_RUNNING;
	if (worker->executions++ > 0)
		worker->front->counters.reused++;
	worker->execution = execution;
	worker->cpu_base_us = 0;
	worker->cpu_base_us = worker_cpu_us(worker);
	return conduit_send(&worker->conduit, run, detail);
}

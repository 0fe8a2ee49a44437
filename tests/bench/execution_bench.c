/*
 * What one execution costs, by strength of isolation: prints the tables of
 * docs/EXECUTION-COST.md. It drives the real postern-runner as the engine's
 * front does, and for the parts the runner's own library in this process.
 * Threads: one. Ratios hold on a busy machine, single figures do not: all
 * rows of a table are measured in turns, and medians are shown.
 */
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>

#include "engine/runner/heap_image.h"
#include "tests/unit/runner_fixture.h"

#define ROUNDS        7
#define HEAP_BYTES    ((size_t)32 << 20)
#define BENCH_FD      60
#define SOURCE_BYTES  (2u << 20)
#define LIBRARY_BYTES 100000
#define DATA          "{\"custom_json_key\":\"custom json data\"}"

/* The shape of a customer's script: reads the request, makes a user. */
static const char small[] =
    "function execute(p) { var r = JSON.parse(p);"
    " return {status: 2000, user: {id: 'userId_' + Date.now(),"
    " amr: ['mfa', 'pwd'], firstName: 'John', lastName: 'Doe',"
    " email: 'j@x.io', k: r.custom_json_key}} }";

struct cost {
	double wall_us;
	double cpu_us; /* of the processes that run scripts; -1: not split */
};

struct subject {
	char *source;
	struct engine engine; /* the real runner, over sockets */
	struct heap *heap;    /* in this process */
	struct heap_image image;
	struct vm vm;
	struct vm pristine;
};

static double
now_us(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		fail_msg("no clock");
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* `small` behind about `bytes` of functions that it does not call. */
static char *
make_source(size_t bytes)
{
	char *source = malloc(SOURCE_BYTES);
	size_t len = 0;

	assert_non_null(source);
	for (int i = 0; len < bytes; i++)
		len += (size_t)snprintf(source + len, SOURCE_BYTES - len,
		    "function lib%d(a, b) { var s = 0; for (var i = 0; i <"
		    " a.length; i++) { s += a.charCodeAt(i) * %d; if (s > 1e9)"
		    " s %%= 1000003; } return b ? 'x' + s : {v: s, name:"
		    " 'lib%d'} }\n",
		    i, i + 3, i);
	(void)snprintf(source + len, SOURCE_BYTES - len, "%s", small);
	return source;
}

static void
load_here(struct subject *subject)
{
	const struct vm_script script = {
	    span_str("bench.js"), span_str(subject->source), {NULL, 0}};
	struct outcome failure;

	outcome_init(&failure);
	if (vm_load(&subject->vm, &script, &failure) != SCRIPT_OK ||
	    !vm_run_top_level(&subject->vm))
		fail_msg("%.*s", SPAN_ARG(buf_span(&failure.message)));
	outcome_fini(&failure);
}

static void
execute_here(struct subject *subject)
{
	struct msg_run run_message = default_run;
	struct outcome outcome;

	run_message.data = span_str(DATA);
	vm_execute(&subject->vm, &run_message, &outcome);
	assert_int_equal(outcome.code, SCRIPT_OK);
	outcome_fini(&outcome);
}

static void
seal_here(struct subject *subject, size_t copy_max_bytes)
{
	vm_settle(&subject->vm);
	assert_int_equal(heap_image_create(subject->heap, BENCH_FD), OK);
	assert_int_equal(heap_image_seal(&subject->image, subject->heap,
			     BENCH_FD, copy_max_bytes),
	    OK);
	subject->pristine = subject->vm;
}

static void
rewind_here(struct subject *subject)
{
	vm_rewind(&subject->vm, &subject->pristine);
	heap_image_restore(&subject->image);
}

static void
open_here(struct subject *subject)
{
	subject->heap = heap_open(HEAP_BYTES);
	assert_non_null(subject->heap);
	vm_init(&subject->vm, subject->heap, NULL, NULL);
}

static void
close_here(struct subject *subject)
{
	vm_fini(&subject->vm);
	heap_close(subject->heap);
}

/* ---- one row each: the mean of `count` executions ------------------------ */

static struct cost
measure(struct subject *subject, int count, void (*one)(struct subject *))
{
	double cpu = now_us(CLOCK_PROCESS_CPUTIME_ID);
	double wall = now_us(CLOCK_MONOTONIC);

	for (int i = 0; i < count; i++)
		one(subject);
	return (struct cost){(now_us(CLOCK_MONOTONIC) - wall) / count,
	    (now_us(CLOCK_PROCESS_CPUTIME_ID) - cpu) / count};
}

static struct cost
measure_warm_call(struct subject *subject)
{
	struct cost cost;

	open_here(subject);
	load_here(subject);
	vm_settle(&subject->vm);
	cost = measure(subject, 2000, execute_here);
	close_here(subject);
	return cost;
}

static void
rewind_and_execute(struct subject *subject)
{
	rewind_here(subject);
	execute_here(subject);
}

static struct cost
measure_image(struct subject *subject, size_t copy_max_bytes)
{
	struct cost cost;

	open_here(subject);
	load_here(subject);
	seal_here(subject, copy_max_bytes);
	(void)measure(subject, 20, rewind_and_execute);
	cost = measure(subject, 1000, rewind_and_execute);
	if (subject->image.pristine != NULL)
		(void)munmap((void *)(uintptr_t)subject->image.pristine,
		    subject->image.bytes);
	close_here(subject);
	return cost;
}

static struct cost
measure_copied(struct subject *subject)
{
	return measure_image(subject, HEAP_BYTES * 2);
}

static struct cost
measure_dropped(struct subject *subject)
{
	return measure_image(subject, 0);
}

static void
compile_and_execute(struct subject *subject)
{
	load_here(subject);
	execute_here(subject);
}

static struct cost
measure_new_heap(struct subject *subject)
{
	struct cost cost;

	open_here(subject);
	cost = measure(subject, 20, compile_and_execute);
	close_here(subject);
	return cost;
}

static void
execute_in_child(struct engine *engine, bool keep)
{
	struct message message = {.type = MSG_RUN};

	message.run = default_run;
	message.run.data = span_str(DATA);
	message.run.keep = keep;
	peer_send(&engine->child, &message, -1);
	expect(&engine->child, SENDER_CHILD, MSG_OUTCOME, &message);
	assert_int_equal(message.outcome.code, SCRIPT_OK);
	if (keep)
		expect(&engine->child, SENDER_CHILD, MSG_CHILD_IDLE, &message);
}

static double
cpu_us_of(pid_t pid)
{
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	return now_us(clock);
}

static struct cost
measure_kept_child(struct subject *subject)
{
	enum { COUNT = 1000 };
	struct engine *engine = &subject->engine;
	double cpu, wall;
	struct cost cost;

	fork_child(engine);
	for (int i = 0; i < 20; i++)
		execute_in_child(engine, true);
	cpu = cpu_us_of(engine->child.pid);
	wall = now_us(CLOCK_MONOTONIC);
	for (int i = 0; i < COUNT; i++)
		execute_in_child(engine, true);
	cost.wall_us = (now_us(CLOCK_MONOTONIC) - wall) / COUNT;
	cost.cpu_us = (cpu_us_of(engine->child.pid) - cpu) / COUNT;
	execute_in_child(engine, false);
	finish(engine);
	return cost;
}

static double
cpu_us_of_rusage(const struct rusage *usage)
{
	return ((double)usage->ru_utime.tv_sec +
		   (double)usage->ru_stime.tv_sec) *
		   1e6 +
	       (double)usage->ru_utime.tv_usec +
	       (double)usage->ru_stime.tv_usec;
}

/* Fork, run, exit, reap. With `prefork` the wall time starts at `run`: what a
 * request sees, while the CPU is all of it. */
static struct cost
measure_strict(struct subject *subject, bool prefork)
{
	enum { COUNT = 200 };
	struct engine *engine = &subject->engine;
	double template_cpu = cpu_us_of(engine->template_pid);
	struct cost cost = {0, 0};

	for (int i = 0; i < COUNT; i++) {
		double began = now_us(CLOCK_MONOTONIC);
		struct rusage usage;

		fork_child(engine);
		if (prefork)
			began = now_us(CLOCK_MONOTONIC);
		execute_in_child(engine, false);
		cost.wall_us += (now_us(CLOCK_MONOTONIC) - began) / COUNT;
		(void)reap(engine, &usage);
		cost.cpu_us += cpu_us_of_rusage(&usage) / COUNT;
	}
	cost.cpu_us += (cpu_us_of(engine->template_pid) - template_cpu) / COUNT;
	return cost;
}

static struct cost
measure_strict_forked(struct subject *subject)
{
	return measure_strict(subject, false);
}

static struct cost
measure_strict_preforked(struct subject *subject)
{
	return measure_strict(subject, true);
}

/* ---- tables ---------------------------------------------------------------
 */

static const struct row {
	const char *name;
	struct cost (*measure)(struct subject *subject);
} rows[] = {
    {"plain call in a warm heap, no isolation", measure_warm_call},
    {"heap restored by copying + call, same process", measure_copied},
    {"heap restored by dropping pages + call, same process", measure_dropped},
    {"**heap image**: a kept child, over its socket, restored",
	measure_kept_child},
    {"**strict**: a child that waits, over its socket, then gone",
	measure_strict_preforked},
    {"strict, fork included", measure_strict_forked},
    {"new heap + compile + call, same process", measure_new_heap},
};

#define ROWS     (sizeof rows / sizeof rows[0])
#define SUBJECTS 2

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *values, size_t count)
{
	qsort(values, count, sizeof values[0], compare);
	return values[count / 2];
}

static void
open_subject(struct subject *subject, size_t library_bytes)
{
	memset(subject, 0, sizeof *subject);
	subject->source = make_source(library_bytes);
	start(&subject->engine, subject->source);
}

static void
close_subject(struct subject *subject)
{
	stop(&subject->engine);
	free(subject->source);
}

static void
print_costs(void)
{
	static struct subject subjects[SUBJECTS];
	static double wall[ROWS][SUBJECTS][ROUNDS], cpu[ROWS][SUBJECTS][ROUNDS];

	open_subject(&subjects[0], 0);
	open_subject(&subjects[1], LIBRARY_BYTES);
	for (size_t round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ROWS; i++)
			for (size_t s = 0; s < SUBJECTS; s++) {
				struct cost cost =
				    rows[i].measure(&subjects[s]);

				wall[i][s][round] = cost.wall_us;
				cpu[i][s][round] = cost.cpu_us;
			}
	printf("| one execution | small script: wall us | CPU us |"
	       " with 100 kB of library: wall us | CPU us |\n"
	       "|---|---|---|---|---|\n");
	for (size_t i = 0; i < ROWS; i++) {
		printf("| %s |", rows[i].name);
		for (size_t s = 0; s < SUBJECTS; s++)
			printf(" %.0f | %.0f |", median(wall[i][s], ROUNDS),
			    median(cpu[i][s], ROUNDS));
		printf("\n");
	}
	close_subject(&subjects[0]);
	close_subject(&subjects[1]);
}

static void
print_threshold(void)
{
	static const size_t library_bytes[] = {
	    0, 50000, 100000, 200000, 400000, 800000};

	printf("\n| image KiB | copied + call us | dropped + call us |\n"
	       "|---|---|---|\n");
	for (size_t i = 0; i < sizeof library_bytes / sizeof library_bytes[0];
	     i++) {
		struct subject subject = {0};
		double copied[ROUNDS], dropped[ROUNDS];

		subject.source = make_source(library_bytes[i]);
		for (size_t round = 0; round < ROUNDS; round++) {
			copied[round] = measure_copied(&subject).wall_us;
			dropped[round] = measure_dropped(&subject).wall_us;
		}
		printf("| %zu | %.0f | %.0f |\n", subject.image.bytes / 1024,
		    median(copied, ROUNDS), median(dropped, ROUNDS));
		free(subject.source);
	}
}

static void
print_machine(void)
{
	struct utsname kernel;
	char line[256], model[256] = "unknown";
	char date[32];
	time_t now = time(NULL);
	FILE *info = fopen("/proc/cpuinfo", "re");

	while (info != NULL && fgets(line, sizeof line, info) != NULL)
		if (sscanf(line, "model name : %255[^\n]", model) == 1)
			break;
	if (info != NULL)
		(void)fclose(info);
	if (uname(&kernel) != 0)
		kernel.release[0] = '\0';
	(void)strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
	printf("%s, %ld CPUs, Linux %s, %s; medians of %d rounds.\n\n", model,
	    sysconf(_SC_NPROCESSORS_ONLN), kernel.release, date, ROUNDS);
}

static void
bench(void **state)
{
	(void)state;
	print_machine();
	print_costs();
	print_threshold();
	(void)fflush(stdout);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(bench)};

	/* As the engine's front starts it. */
	if (setenv("LD_BIND_NOW", "1", 1) != 0)
		return 1;

	default_run = (struct msg_run){
	    .seed = span_of("0123456789abcdef0123456789abcdef", 32),
	    .result_bytes = 65536,
	    .log_bytes = 16384,
	    .cache_value_bytes = 65536,
	    .host_calls = 20,
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

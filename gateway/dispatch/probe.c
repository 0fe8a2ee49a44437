/*
 * The gateway's test run; see probe.h. Not here: finding a slot
 * (dispatch_idle.c), what readiness makes of it (gateway/admin). One thread of
 * its own.
 */
#include "gateway/dispatch/probe.h"

#include <pthread.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "common/random.h"
#include "gateway/dispatch/dispatch_idle.h"
#include "gateway/dispatch/jobs.h"

/* How often it looks: fast while the gateway waits to be ready. */
#define LOOK_MS         1000
#define LOOK_UNREADY_MS 50

#define ARENA_BYTES ((size_t)64 * 1024)

/* Not an identifier that a realm can have. */
#define PROBE_IDP "=probe"

#define SOURCE                                          \
	"function execute() {\n"                        \
	"  var sum = 0, i;\n"                           \
	"  for (i = 1; i <= 10; i++) sum += i;\n"       \
	"  return {status: sum === 55 ? 2000 : 5000,\n" \
	"    user: {id: \"probe\"}};\n"                 \
	"}\n"

/* Everything an execution speaks of; as long as the process. */
struct probe {
	struct dispatch *dispatch;
	struct realm realm;
	struct realm_idp idp;
	struct release release;
	struct realm_script script;
	struct arena *arena;
	enum script_code last;
};

/* Small and short: whoever waits behind it hardly notices. */
static const struct script_limits limits = {.wall_ms = 2000,
    .cpu_ms = 1000,
    .heap_mib = 16,
    .executions_per_process = 1,
    .host_calls = 1,
    .source_kib = 4,
    .data_kib = 1,
    .result_kib = 4,
    .log_kib = 1,
    .http_body_kib = 1,
    .cache_value_kib = 1,
    .cache_entries = 1};

static void
probe_fill(struct probe *probe, struct dispatch *dispatch)
{
	probe->dispatch = dispatch;
	probe->script.file = PROBE_IDP "/complete.js";
	probe->script.source = span_str(SOURCE);
	digest_sha256(probe->script.source, probe->script.source_hash);
	probe->release.idp = PROBE_IDP;
	probe->release.scripts[SCRIPT_COMPLETE] = &probe->script;
	probe->release.limits = limits;
	digest_sha256(span_str(PROBE_IDP SOURCE), probe->release.hash);
	probe->idp.identifier = PROBE_IDP;
	probe->idp.name = PROBE_IDP;
	probe->idp.enabled = true;
	probe->idp.weight = 1;
	probe->idp.record_mode = RECORD_OFF;
	probe->idp.release = &probe->release;
	probe->idp.properties_json = "{}";
	probe->idp.keys_json = "{}";
	random_bytes(probe->idp.properties_version, DIGEST_BYTES);
	probe->realm.cache_ttl_secs = 1;
	probe->realm.idps = &probe->idp;
	probe->realm.idp_count = 1;
}

/* Told once, not every time. */
static void
tell(struct probe *probe, const struct execution_result *result)
{
	bool is_ok = result->code == SCRIPT_OK && result->status == 2000;
	enum script_code code = is_ok || result->code != SCRIPT_OK
				    ? result->code
				    : SCRIPT_BAD_RESULT;

	metric_count(M_PROBES, script_code_name(code), NULL);
	pthread_mutex_lock(&probe->dispatch->lock);
	probe->dispatch->probe = code;
	pthread_mutex_unlock(&probe->dispatch->lock);
	if (code == probe->last)
		return;
	probe->last = code;
	if (code == SCRIPT_OK)
		log_info("test run succeeds again");
	else
		log_warn("test run failed", LOG_STR("engine", result->engine),
		    LOG_STR("name", script_code_name(code)),
		    LOG_STR("message", result->message));
}

static void
run(struct probe *probe)
{
	struct execution execution = {.realm = &probe->realm,
	    .idp = &probe->idp,
	    .release = &probe->release,
	    .kind = SCRIPT_COMPLETE,
	    .correlation_id = "probe",
	    .is_probe = true};
	struct execution_result result;

	trace_begin(&execution.trace, span_str(NULL));
	execution.trace.is_sampled = false;
	if (dispatch_idle_run(
		probe->dispatch, &execution, probe->arena, &result) == OK)
		tell(probe, &result);
	arena_wipe(probe->arena);
}

/* Microseconds since an engine ran a script to its end; INT64_MAX: never. */
static int64_t
age_us(struct dispatch *d)
{
	int64_t last_us;

	pthread_mutex_lock(&d->lock);
	last_us = d->last_success_us;
	pthread_mutex_unlock(&d->lock);
	return last_us == 0 ? INT64_MAX : clock_mono_us() - last_us;
}

static _Noreturn void *
watch(void *argument)
{
	struct probe *probe = argument;

	for (;;) {
		int64_t age = age_us(probe->dispatch);
		int64_t rest_ms =
		    age < PROBE_READY_US ? LOOK_MS : LOOK_UNREADY_MS;
		const struct timespec rest = {
		    rest_ms / 1000, rest_ms % 1000 * 1000000};

		if (age >= PROBE_AFTER_US)
			run(probe);
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
	}
}

enum err
probe_start(struct dispatch *dispatch, struct err_detail *detail)
{
	static struct probe probe;
	pthread_t thread;

	probe_fill(&probe, dispatch);
	probe.arena = arena_new(ARENA_BYTES);
	if (probe.arena == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	if (pthread_create(&thread, NULL, watch, &probe) != 0 ||
	    pthread_detach(thread) != 0)
		return err_set(
		    detail, ERR_NOMEM, "the test run cannot be started");
	return OK;
}

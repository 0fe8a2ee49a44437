/*
 * Counts, and renders what was counted for Prometheus. Not the HTTP route.
 * Any thread: a series is published once and then only its atomics change.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/metric.h"

/* Longest label value; longer ones are counted under "other". */
#define METRIC_LABEL_BYTES 128

/* Where a series goes that would be one too many. */
#define METRIC_OTHER "other"

#define METRIC_LABELS_MAX 2

enum metric_kind { COUNTER, GAUGE, HISTOGRAM, SIZES };

struct metric_row {
	enum metric_kind kind;
	const char *name;
	const char *labels;
	const char *doc;
};

static const struct metric_row metric_rows[METRIC_COUNT] = {
#define METRIC(symbol, kind, name, labels, doc) {kind, name, labels, doc},
#include "common/metric.def"
#undef METRIC
};

/* Buckets of a histogram. */
#define BOUND_COUNT 16

struct bound {
	int64_t value;
	const char *le; /* the same as it is shown */
};

/* A cache hit takes 100 us, the longest request some 8 s. */
static const struct bound time_bounds[BOUND_COUNT] = {
    {100, "0.0001"},
    {250, "0.00025"},
    {500, "0.0005"},
    {1000, "0.001"},
    {2500, "0.0025"},
    {5000, "0.005"},
    {10000, "0.01"},
    {25000, "0.025"},
    {50000, "0.05"},
    {100000, "0.1"},
    {250000, "0.25"},
    {500000, "0.5"},
    {1000000, "1"},
    {2500000, "2.5"},
    {5000000, "5"},
    {10000000, "10"},
};

/* Up to the largest group of the store, and a way beyond. */
static const struct bound size_bounds[BOUND_COUNT] = {
    {1, "1"},
    {2, "2"},
    {3, "3"},
    {4, "4"},
    {6, "6"},
    {8, "8"},
    {12, "12"},
    {16, "16"},
    {24, "24"},
    {32, "32"},
    {64, "64"},
    {128, "128"},
    {256, "256"},
    {512, "512"},
    {1024, "1024"},
    {2048, "2048"},
};

/* The value of a gauge that is not shown. */
#define GAUGE_ABSENT INT64_MIN

/* Immutable once published, except for the atomics. Never freed. */
struct series {
	struct series *next;
	char values[METRIC_LABELS_MAX][METRIC_LABEL_BYTES];
	_Atomic int64_t value;  /* counter, gauge; histogram: sum */
	_Atomic uint64_t *hits; /* histogram: BOUND_COUNT + 1 of them */
};

/* The labels of one call, made fit for the row. */
struct labels {
	const char *values[METRIC_LABELS_MAX];
};

static struct {
	_Atomic(struct series *) newest; /* release: publishes a series */
	_Atomic unsigned count;
} metrics[METRIC_COUNT];

/* Held while a series is made, by nobody who only counts. */
static pthread_mutex_t make_lock = PTHREAD_MUTEX_INITIALIZER;

static bool
is_histogram(enum metric_kind kind)
{
	return kind == HISTOGRAM || kind == SIZES;
}

static const struct bound *
bounds_of(enum metric_kind kind)
{
	return kind == SIZES ? size_bounds : time_bounds;
}

static unsigned
label_count(const struct metric_row *row)
{
	if (row->labels[0] == '\0')
		return 0;
	return strchr(row->labels, ',') == NULL ? 1 : 2;
}

static const char *
label_value(const char *value, bool wanted)
{
	if (!wanted) {
		CHECK(value == NULL);
		return "";
	}
	if (value == NULL)
		return "none";
	return strnlen(value, METRIC_LABEL_BYTES) < METRIC_LABEL_BYTES
		   ? value
		   : METRIC_OTHER;
}

static struct labels
labels_of(enum metric metric, const char *first, const char *second)
{
	unsigned count = label_count(&metric_rows[metric]);

	return (struct labels){
	    {label_value(first, count > 0), label_value(second, count > 1)}};
}

static struct labels
labels_other(enum metric metric)
{
	unsigned count = label_count(&metric_rows[metric]);

	return (struct labels){
	    {count > 0 ? METRIC_OTHER : "", count > 1 ? METRIC_OTHER : ""}};
}

static struct series *
series_find(enum metric metric, struct labels labels)
{
	struct series *series =
	    atomic_load_explicit(&metrics[metric].newest, memory_order_acquire);

	while (series != NULL) {
		if (strcmp(series->values[0], labels.values[0]) == 0 &&
		    strcmp(series->values[1], labels.values[1]) == 0)
			return series;
		series = series->next;
	}
	return NULL;
}

static struct series *
series_new(enum metric metric, struct labels labels)
{
	struct series *series = calloc(1, sizeof *series);

	if (series == NULL)
		return NULL;
	if (is_histogram(metric_rows[metric].kind)) {
		series->hits = calloc(BOUND_COUNT + 1, sizeof *series->hits);
		if (series->hits == NULL) {
			free(series);
			return NULL;
		}
	}
	for (int i = 0; i < METRIC_LABELS_MAX; i++)
		memcpy(series->values[i], labels.values[i],
		    strlen(labels.values[i]) + 1);
	return series;
}

/* With make_lock held. NULL: out of memory. */
static struct series *
series_make(enum metric metric, struct labels labels)
{
	struct series *series = series_find(metric, labels);

	if (series != NULL)
		return series; /* another thread was first */
	series = series_new(metric, labels);
	if (series == NULL)
		return NULL;
	series->next =
	    atomic_load_explicit(&metrics[metric].newest, memory_order_relaxed);
	atomic_store_explicit(
	    &metrics[metric].newest, series, memory_order_release);
	atomic_fetch_add(&metrics[metric].count, 1);
	return series;
}

/* The last place is kept for "other". */
static bool
series_is_full(enum metric metric)
{
	return atomic_load(&metrics[metric].count) >= METRIC_SERIES_MAX - 1;
}

/* NULL when memory ran out: that count is lost, nothing else is. */
static struct series *
series_get(enum metric metric, const char *first, const char *second)
{
	struct labels labels = labels_of(metric, first, second);
	struct series *series = series_find(metric, labels);

	if (series == NULL && series_is_full(metric)) {
		labels = labels_other(metric);
		series = series_find(metric, labels);
	}
	if (series != NULL)
		return series;
	CHECK(pthread_mutex_lock(&make_lock) == 0);
	if (series_is_full(metric) && series_find(metric, labels) == NULL)
		labels = labels_other(metric);
	series = series_make(metric, labels);
	CHECK(pthread_mutex_unlock(&make_lock) == 0);
	return series;
}

void
metric_add(
    enum metric metric, const char *first, const char *second, uint64_t amount)
{
	struct series *series;

	CHECK(metric_rows[metric].kind == COUNTER);
	series = series_get(metric, first, second);
	if (series != NULL)
		atomic_fetch_add_explicit(
		    &series->value, (int64_t)amount, memory_order_relaxed);
}

void
metric_move(enum metric metric, const char *first, int64_t amount)
{
	struct series *series;

	CHECK(metric_rows[metric].kind == GAUGE);
	series = series_get(metric, first, NULL);
	if (series != NULL)
		atomic_fetch_add_explicit(
		    &series->value, amount, memory_order_relaxed);
}

void
metric_set(enum metric metric, const char *first, int64_t value)
{
	struct series *series;

	CHECK(metric_rows[metric].kind == GAUGE);
	series = series_get(metric, first, NULL);
	if (series != NULL)
		atomic_store_explicit(
		    &series->value, value, memory_order_relaxed);
}

void
metric_hide(enum metric metric)
{
	struct series *series;

	CHECK(metric_rows[metric].kind == GAUGE);
	series =
	    atomic_load_explicit(&metrics[metric].newest, memory_order_acquire);
	for (; series != NULL; series = series->next)
		atomic_store_explicit(
		    &series->value, GAUGE_ABSENT, memory_order_relaxed);
}

static void
observe(
    enum metric metric, const char *first, const char *second, int64_t value)
{
	const struct bound *bounds = bounds_of(metric_rows[metric].kind);
	struct series *series = series_get(metric, first, second);
	size_t bucket = 0;

	if (series == NULL)
		return;
	if (value < 0)
		value = 0;
	while (bucket < BOUND_COUNT && value > bounds[bucket].value)
		bucket++;
	atomic_fetch_add_explicit(
	    &series->hits[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&series->value, value, memory_order_relaxed);
}

void
metric_observe_us(
    enum metric metric, const char *first, const char *second, int64_t us)
{
	CHECK(metric_rows[metric].kind == HISTOGRAM);
	observe(metric, first, second, us);
}

void
metric_observe_size(enum metric metric, const char *first, int64_t size)
{
	CHECK(metric_rows[metric].kind == SIZES);
	observe(metric, first, NULL, size);
}

int64_t
metric_value(enum metric metric, const char *first, const char *second)
{
	const struct series *series =
	    series_find(metric, labels_of(metric, first, second));

	CHECK(!is_histogram(metric_rows[metric].kind));
	if (series == NULL)
		return 0;
	return atomic_load_explicit(&series->value, memory_order_relaxed);
}

/* Escapes as the text format 0.0.4 asks for in a label's value. */
static void
render_value(struct buf *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buf_append_str(out, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(out, "\\%c", *value);
		else
			buf_append_char(out, *value);
	}
}

/* {route="x",status="200",le="0.1"}, nothing where there is no label. */
static void
render_labels(struct buf *out, const struct metric_row *row,
    const struct series *series, const char *le)
{
	const char *name = row->labels;
	const char *separator = "{";

	for (unsigned i = 0; i < label_count(row); i++) {
		size_t len = strcspn(name, ",");

		buf_printf(out, "%s%.*s=\"", separator, (int)len, name);
		render_value(out, series->values[i]);
		buf_append_char(out, '"');
		name += len + (name[len] == ',');
		separator = ",";
	}
	if (le != NULL) {
		buf_printf(out, "%sle=\"%s\"", separator, le);
		separator = ",";
	}
	if (*separator == ',')
		buf_append_char(out, '}');
}

/* A time's sum is shown in seconds. */
static void
render_sum(struct buf *out, enum metric_kind kind, int64_t sum)
{
	if (kind == SIZES)
		buf_printf(out, " %" PRId64 "\n", sum);
	else
		buf_printf(out, " %" PRId64 ".%06" PRId64 "\n", sum / 1000000,
		    sum % 1000000);
}

static void
render_histogram(
    struct buf *out, const struct metric_row *row, const struct series *series)
{
	const struct bound *bounds = bounds_of(row->kind);
	int64_t sum =
	    atomic_load_explicit(&series->value, memory_order_relaxed);
	uint64_t total = 0;

	for (size_t i = 0; i <= BOUND_COUNT; i++) {
		total += atomic_load_explicit(
		    &series->hits[i], memory_order_relaxed);
		buf_printf(out, "%s_bucket", row->name);
		render_labels(
		    out, row, series, i < BOUND_COUNT ? bounds[i].le : "+Inf");
		buf_printf(out, " %" PRIu64 "\n", total);
	}
	buf_printf(out, "%s_sum", row->name);
	render_labels(out, row, series, NULL);
	render_sum(out, row->kind, sum);
	buf_printf(out, "%s_count", row->name);
	render_labels(out, row, series, NULL);
	buf_printf(out, " %" PRIu64 "\n", total);
}

static void
render_series(
    struct buf *out, const struct metric_row *row, const struct series *series)
{
	int64_t value;

	if (is_histogram(row->kind)) {
		render_histogram(out, row, series);
		return;
	}
	value = atomic_load_explicit(&series->value, memory_order_relaxed);
	if (value == GAUGE_ABSENT)
		return;
	buf_append_str(out, row->name);
	render_labels(out, row, series, NULL);
	buf_printf(out, " %" PRId64 "\n", value);
}

void
metric_render(struct buf *out)
{
	static const char *const kinds[] = {
	    "counter", "gauge", "histogram", "histogram"};

	for (int i = 0; i < METRIC_COUNT; i++) {
		const struct metric_row *row = &metric_rows[i];
		const struct series *series;

		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name,
		    row->doc, row->name, kinds[row->kind]);
		/* Without labels there is one series, and 0 is news too. */
		if (label_count(row) == 0)
			(void)series_get((enum metric)i, NULL, NULL);
		series = atomic_load_explicit(
		    &metrics[i].newest, memory_order_acquire);
		for (; series != NULL; series = series->next)
			render_series(out, row, series);
	}
}

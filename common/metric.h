/*
 * Counters, gauges and histograms, from the table in metric.def.
 *
 * A series is made at first use, from label values copied then; a metric has
 * at most METRIC_SERIES_MAX series, further ones are counted under the value
 * "other", so a hostile label cannot grow memory. Label values must be chosen
 * by us or by configuration, never by a client.
 *
 * Threads: any; counting takes no lock once a series exists.
 */
#ifndef POSTERN_METRIC_H
#define POSTERN_METRIC_H

#include <stdint.h>

#include "common/buf.h"

enum metric {
#define METRIC(symbol, kind, name, labels, doc) symbol,
#include "common/metric.def"
#undef METRIC
	METRIC_COUNT
};

#define METRIC_SERIES_MAX 512

/* `first` and `second` are the values of the row's labels; NULL beyond them.
 * A label whose value is NULL is counted as "none". */
void metric_add(
    enum metric metric, const char *first, const char *second, uint64_t amount);

#define metric_count(metric, first, second) \
	metric_add((metric), (first), (second), 1)

/* For gauges; moves by a signed amount. */
void metric_move(enum metric metric, const char *first, int64_t amount);

/* For gauges; sets it, and shows one that was hidden. */
void metric_set(enum metric metric, const char *first, int64_t value);

/* For gauges; shows no series of it until each is set again: what it spoke of
 * may be gone. */
void metric_hide(enum metric metric);

/* For histograms of times, and of sizes. */
void metric_observe_us(
    enum metric metric, const char *first, const char *second, int64_t us);
void metric_observe_size(enum metric metric, const char *first, int64_t size);

/* The value of one counter or gauge series, 0 if it was never used (tests). */
int64_t metric_value(enum metric metric, const char *first, const char *second);

/* Appends all series in the Prometheus text format 0.0.4. */
void metric_render(struct buf *out);

#endif

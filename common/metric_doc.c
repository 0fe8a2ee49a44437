/*
 * metric-doc: writes the metrics' documentation from their table. A tool of
 * the build, in no product.
 *
 *	metric-doc DIR           writes DIR/METRICS.md
 *	metric-doc --check DIR   changes nothing; exit 1 if it would
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"

#define FILE_MAX   1048576
#define PATH_BYTES 4096

static const struct row {
	const char *kind, *name, *labels, *doc;
} rows[] = {
#define METRIC(symbol, kind, name, labels, doc) {#kind, name, labels, doc},
#include "common/metric.def"
#undef METRIC
};

static const char *
kind_text(const char *kind)
{
	if (strcmp(kind, "COUNTER") == 0)
		return "counter";
	if (strcmp(kind, "GAUGE") == 0)
		return "gauge";
	return strcmp(kind, "SIZES") == 0 ? "histogram, numbers"
					  : "histogram, seconds";
}

static void
append_labels(struct buf *out, const char *labels)
{
	while (*labels != '\0') {
		size_t len = strcspn(labels, ",");

		buf_printf(out, "`%.*s`", (int)len, labels);
		labels += len;
		if (*labels == ',') {
			buf_append_str(out, ", ");
			labels++;
		}
	}
}

static void
append_page(struct buf *out)
{
	buf_append_str(out,
	    "# Metrics\n\nMade from `common/metric.def` by `metric-doc docs`; "
	    "do not edit.\n\n"
	    "`GET /metrics` of the admin listener, Prometheus text format. A "
	    "label's values are chosen by the realm or by\nPostern, never by "
	    "a client; a metric has at most 512 series, further ones are "
	    "counted as `other`. A counter\nwithout a series has not counted "
	    "yet. What to watch: `docs/OPERATING.md`; a dashboard for "
	    "Grafana:\n`docs/grafana-dashboard.json`.\n\n"
	    "| metric | kind | labels | |\n|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_printf(out, "| `%s` | %s | ", rows[i].name,
		    kind_text(rows[i].kind));
		append_labels(out, rows[i].labels);
		buf_printf(out, " | %s |\n", rows[i].doc);
	}
}

static int
write_page(const char *path, const struct buf *page)
{
	FILE *file = fopen(path, "w");
	bool is_written;

	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	is_written = fwrite(page->data, 1, page->len, file) == page->len;
	is_written = fclose(file) == 0 && is_written;
	return is_written ? 0 : 1;
}

static int
check_page(const char *path, const struct buf *page)
{
	static char have[FILE_MAX];
	FILE *file = fopen(path, "r");
	size_t len = 0;

	if (file != NULL) {
		len = fread(have, 1, sizeof have, file);
		(void)fclose(file);
	}
	if (len == page->len && memcmp(have, page->data, len) == 0)
		return 0;
	fprintf(
	    stderr, "%s is not what metric.def says: run metric-doc\n", path);
	return 1;
}

int
main(int argc, char **argv)
{
	bool is_check = argc == 3 && strcmp(argv[1], "--check") == 0;
	char path[PATH_BYTES];
	struct buf page;
	int status;

	if (argc != 2 && !is_check) {
		fprintf(stderr, "usage: metric-doc [--check] DIR\n");
		return 2;
	}
	(void)snprintf(path, sizeof path, "%s/METRICS.md", argv[argc - 1]);
	buf_init(&page, FILE_MAX);
	append_page(&page);
	if (buf_status(&page) != OK)
		return 1;
	status = is_check ? check_page(path, &page) : write_page(path, &page);
	buf_fini(&page);
	return status;
}

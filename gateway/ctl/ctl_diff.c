/*
 * Unified diffs; see ctl_diff.h. The shortest edit script is E. Myers's, "An
 * O(ND) Difference Algorithm and Its Variations" (1986), with every front
 * kept. Runs in `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_diff.h"

#include <stdlib.h>
#include <string.h>

#define CONTEXT 3

/*
 * Edits beyond which the texts count as having nothing in common between
 * their equal ends: each front is kept, so memory grows with the square
 * (2000: 8 MB).
 */
#define EDITS_MAX 2000

struct lines {
	struct span *line; /* each with its newline, if it has one */
	size_t count;
};

/* A stretch that differs: lines [a, a + a_count) become [b, b + b_count). */
struct change {
	size_t a, a_count, b, b_count;
};

struct diff {
	struct lines a, b;
	bool *removed; /* of a's lines */
	bool *added;   /* of b's lines */
};

/* ---- lines --------------------------------------------------------------- */

static enum err
lines_split(struct span text, struct lines *lines_r)
{
	size_t room = 1;

	for (size_t i = 0; i < text.len; i++)
		room += text.data[i] == '\n';
	lines_r->line = calloc(room, sizeof *lines_r->line);
	if (lines_r->line == NULL)
		return ERR_NOMEM;
	while (text.len > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.len);
		size_t len =
		    end == NULL ? text.len : (size_t)(end - text.data) + 1;

		lines_r->line[lines_r->count++] = span_of(text.data, len);
		text = span_of(text.data + len, text.len - len);
	}
	return OK;
}

static bool
is_same(const struct diff *diff, size_t a, size_t b)
{
	return span_equal(diff->a.line[a], diff->b.line[b]);
}

/* ---- the edit script ----------------------------------------------------- */

/* The middle that is left when equal ends are taken off. */
struct middle {
	size_t a, a_count, b, b_count;
};

static struct middle
trim(const struct diff *diff)
{
	struct middle m = {0, diff->a.count, 0, diff->b.count};

	while (m.a_count > 0 && m.b_count > 0 && is_same(diff, m.a, m.b)) {
		m.a++;
		m.b++;
		m.a_count--;
		m.b_count--;
	}
	while (m.a_count > 0 && m.b_count > 0 &&
	       is_same(diff, m.a + m.a_count - 1, m.b + m.b_count - 1)) {
		m.a_count--;
		m.b_count--;
	}
	return m;
}

/*
 * Front d holds, for the diagonals k = -d, -d + 2, .. d, how far into a one
 * gets with d edits: d + 1 numbers, which begin at d * (d + 1) / 2.
 */
static int *
front_at(int *fronts, int d)
{
	return fronts + (size_t)d * (size_t)(d + 1) / 2;
}

/* Whether the last step of the best way to diagonal k goes down (an added
 * line) rather than right (a removed one). */
static bool
goes_down(const int *previous, int d, int k)
{
	int i = (k + d) / 2; /* of diagonal k in front d; k - 1 is i - 1 in
				front d - 1, k + 1 is i */

	return i == 0 || (i != d && previous[i - 1] < previous[i]);
}

/* Edits needed, or -1 beyond `edits_max`; fills the fronts. */
static int
find_edits(
    const struct diff *diff, const struct middle *m, int *fronts, int edits_max)
{
	for (int d = 0; d <= edits_max; d++) {
		int *front = front_at(fronts, d);
		const int *previous = d == 0 ? NULL : front_at(fronts, d - 1);

		for (int k = -d; k <= d; k += 2) {
			int i = (k + d) / 2;
			int x = 0;
			int y;

			if (d > 0)
				x = goes_down(previous, d, k)
					? previous[i]
					: previous[i - 1] + 1;
			y = x - k;
			while (
			    x < (int)m->a_count && y < (int)m->b_count &&
			    x >= 0 && y >= 0 &&
			    is_same(diff, m->a + (size_t)x, m->b + (size_t)y)) {
				x++;
				y++;
			}
			front[i] = x;
			if (x >= (int)m->a_count && y >= (int)m->b_count)
				return d;
		}
	}
	return -1;
}

/* From the end back to the beginning along the fronts. */
static void
mark_edits(struct diff *diff, const struct middle *m, int *fronts, int edits)
{
	int k = (int)m->a_count - (int)m->b_count;

	for (int d = edits; d > 0; d--) {
		const int *previous = front_at(fronts, d - 1);
		int i = (k + d) / 2;

		if (goes_down(previous, d, k)) {
			k++;
			diff->added[m->b + (size_t)(previous[i] - k)] = true;
		} else {
			k--;
			diff->removed[m->a + (size_t)previous[i - 1]] = true;
		}
	}
}

static void
mark_all(struct diff *diff, const struct middle *m)
{
	for (size_t i = 0; i < m->a_count; i++)
		diff->removed[m->a + i] = true;
	for (size_t i = 0; i < m->b_count; i++)
		diff->added[m->b + i] = true;
}

static enum err
mark(struct diff *diff)
{
	struct middle m = trim(diff);
	size_t most = m.a_count + m.b_count;
	int edits_max = most > EDITS_MAX ? EDITS_MAX : (int)most;
	int *fronts;
	int edits;

	if (m.a_count == 0 || m.b_count == 0) {
		mark_all(diff, &m);
		return OK;
	}
	fronts = calloc((size_t)(edits_max + 1) * (size_t)(edits_max + 2) / 2,
	    sizeof *fronts);
	if (fronts == NULL)
		return ERR_NOMEM;
	edits = find_edits(diff, &m, fronts, edits_max);
	if (edits < 0)
		mark_all(diff, &m);
	else
		mark_edits(diff, &m, fronts, edits);
	free(fronts);
	return OK;
}

/* ---- writing ------------------------------------------------------------- */

/* The next stretch that differs at or after a and b; false: none. */
static bool
next_change(const struct diff *diff, size_t a, size_t b, struct change *c_r)
{
	while (a < diff->a.count && b < diff->b.count && !diff->removed[a] &&
	       !diff->added[b]) {
		a++;
		b++;
	}
	*c_r = (struct change){a, 0, b, 0};
	while (a < diff->a.count && diff->removed[a]) {
		a++;
		c_r->a_count++;
	}
	while (b < diff->b.count && diff->added[b]) {
		b++;
		c_r->b_count++;
	}
	return c_r->a_count + c_r->b_count > 0;
}

static void
append_line(struct buf *out, char mark_char, struct span line)
{
	buf_append_char(out, mark_char);
	buf_append_span(out, line);
	if (line.len == 0 || line.data[line.len - 1] != '\n')
		buf_append_str(out, "\n\\ No newline at end of file\n");
}

/* "12,3", where a stretch without lines names the line before it. */
static void
append_range(struct buf *out, char mark_char, size_t from, size_t count)
{
	buf_printf(out, "%c%zu", mark_char, count == 0 ? from : from + 1);
	if (count != 1)
		buf_printf(out, ",%zu", count);
}

/* Changes near enough to share their context are one hunk: [first, last]. */
static void
append_hunk(struct buf *out, const struct diff *diff, struct change first,
    struct change last)
{
	size_t before = first.a < CONTEXT ? first.a : CONTEXT;
	size_t a = first.a - before;
	size_t b = first.b - before;
	size_t a_end = last.a + last.a_count;
	size_t after = diff->a.count - a_end;
	size_t b_end = last.b + last.b_count;

	after = after < CONTEXT ? after : CONTEXT;
	buf_append_str(out, "@@ ");
	append_range(out, '-', a, a_end + after - a);
	buf_append_char(out, ' ');
	append_range(out, '+', b, b_end + after - b);
	buf_append_str(out, " @@\n");
	while (a < a_end + after || b < b_end) {
		if (a < a_end && diff->removed[a])
			append_line(out, '-', diff->a.line[a++]);
		else if (b < b_end && diff->added[b])
			append_line(out, '+', diff->b.line[b++]);
		else {
			append_line(out, ' ', diff->a.line[a++]);
			b++;
		}
	}
}

static void
append_hunks(struct buf *out, const struct diff *diff)
{
	struct change first, last, next;
	bool more = next_change(diff, 0, 0, &first);

	while (more) {
		last = first;
		for (;;) {
			size_t end = last.a + last.a_count;

			more = next_change(
			    diff, end, last.b + last.b_count, &next);
			if (!more || next.a - end > 2 * CONTEXT)
				break;
			last = next;
		}
		append_hunk(out, diff, first, last);
		first = next;
	}
}

static void
append_head(
    struct buf *out, const char *path, struct span before, struct span after)
{
	buf_printf(out, "diff --git a/%s b/%s\n", path, path);
	if (!span_present(before))
		buf_append_str(out, "new file\n--- /dev/null\n");
	else if (!span_present(after))
		buf_printf(out, "deleted file\n--- a/%s\n", path);
	else
		buf_printf(out, "--- a/%s\n", path);
	if (span_present(after))
		buf_printf(out, "+++ b/%s\n", path);
	else
		buf_append_str(out, "+++ /dev/null\n");
}

enum err
ctl_diff(
    struct buf *out, const char *path, struct span before, struct span after)
{
	struct diff diff = {0};
	enum err err;

	if (span_present(before) == span_present(after) &&
	    span_equal(before, after))
		return OK;
	err = lines_split(before, &diff.a);
	if (err == OK)
		err = lines_split(after, &diff.b);
	if (err == OK) {
		diff.removed = calloc(diff.a.count + 1, sizeof *diff.removed);
		diff.added = calloc(diff.b.count + 1, sizeof *diff.added);
		err = diff.removed == NULL || diff.added == NULL ? ERR_NOMEM
								 : mark(&diff);
	}
	if (err == OK) {
		append_head(out, path, before, after);
		append_hunks(out, &diff);
		err = buf_status(out);
	}
	free(diff.a.line);
	free(diff.b.line);
	free(diff.removed);
	free(diff.added);
	return err;
}

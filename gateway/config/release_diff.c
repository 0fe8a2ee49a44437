/*
 * Releases as texts that can be compared; see release_diff.h. Not here: the
 * comparing (common/text_diff.c).
 */
#include "gateway/config/release_diff.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/text_diff.h"
#include "gateway/realm/release.h"

/* Twelve lines. */
#define SETTINGS_BYTES 1024

/* "idps/" , an identifier of up to 64, "/backchannel.js". */
#define PATH_BYTES 128

static void
append_settings(const struct release *release, struct buf *out)
{
	buf_append_str(out, "script:\n");
	for (size_t i = 0; i < RELEASE_LIMITS; i++)
		buf_printf(out, "  %s: %" PRId64 "\n", release_limit_key(i),
		    release_limit(&release->limits, i));
}

static enum err
diff_settings(
    const struct release *from, const struct release *to, struct buf *out)
{
	char path[PATH_BYTES];
	struct buf before, after;
	enum err err;

	(void)snprintf(path, sizeof path, "idps/%s/idp.yaml", to->idp);
	buf_init(&before, SETTINGS_BYTES);
	buf_init(&after, SETTINGS_BYTES);
	append_settings(from, &before);
	append_settings(to, &after);
	err = buf_status(&before) != OK || buf_status(&after) != OK
		  ? ERR_NOMEM
		  : text_diff(out, path, buf_span(&before), buf_span(&after));
	buf_fini(&before);
	buf_fini(&after);
	return err;
}

static struct span
source_of(const struct release *release, size_t kind)
{
	const struct realm_script *script = release->scripts[kind];

	return script == NULL ? span_of(NULL, 0) : script->source;
}

enum err
release_diff(
    const struct release *from, const struct release *to, struct buf *out)
{
	char path[PATH_BYTES];
	enum err err = diff_settings(from, to, out);

	for (size_t kind = 0; kind < SCRIPT_KINDS && err == OK; kind++) {
		(void)snprintf(path, sizeof path, "idps/%s/%s.js", to->idp,
		    script_kind_name((enum script_kind)kind));
		err = text_diff(
		    out, path, source_of(from, kind), source_of(to, kind));
	}
	return err;
}

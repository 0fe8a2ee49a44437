/*
 * An identity provider's .js files into its release. Whether a script compiles
 * is asked of compile_check.c. Runs on the loader's thread.
 */
#include <string.h>

#include "common/encoding.h"
#include "gateway/realm/compile_check.h"
#include "gateway/realm/realm_draft.h"
#include "gateway/realm/release.h"

/* Which file of which IdP is being read. */
struct script_file {
	struct realm_draft *draft;
	struct draft_idp *idp;
	enum script_kind kind;
	const char *path; /* relative to the realm directory, in scratch */
};

static void
script_problem(
    const struct script_file *file, unsigned line, const char *sentence)
{
	realm_problem_add(&file->draft->problems,
	    (struct realm_place){file->path, (int)line, NULL}, "%s", sentence);
}

static void
script_check_compiles(
    const struct script_file *file, const struct realm_script *script)
{
	const char *runner_path = file->draft->sources->runner_path;
	struct err_detail detail = {0};
	unsigned line = 0;
	enum err err;

	if (runner_path == NULL)
		return;
	err = compile_check_run(runner_path, script, &line, &detail);
	if (err == OK)
		return;
	if (err != ERR_SYNTAX)
		(void)err_prefix(&detail, err, "could not be checked");
	script_problem(file, line, err_text(&detail, err));
}

static bool
script_fill(const struct script_file *file, struct span source)
{
	struct draft_idp *idp = file->idp;
	struct arena *kept = file->draft->kept;
	struct realm_script *script = arena_alloc(kept, sizeof *script);

	if (script == NULL)
		return false;
	if (!utf8_is_valid(source)) {
		script_problem(file, 0, "is not UTF-8 text");
		return true;
	}
	script->file = arena_printf(kept, "%s/%s.js", idp->idp.identifier,
	    script_kind_name(file->kind));
	script->source =
	    source.len == 0 ? span_str("") : arena_copy(kept, source);
	if (script->file == NULL || !span_present(script->source))
		return false;
	digest_sha256(script->source, script->source_hash);
	idp->release.scripts[file->kind] = script;
	script_check_compiles(file, script);
	return true;
}

/* What a missing script means depends on its kind and the IdP's type. */
static void
script_note_missing(const struct script_file *file)
{
	if (file->kind == SCRIPT_COMPLETE)
		script_problem(file, 0, "is required");
	if (file->kind == SCRIPT_INIT && file->idp->idp.two_step)
		realm_problem_warn(&file->draft->problems,
		    (struct realm_place){file->path, 0, NULL},
		    "is missing; init of this identity provider answers 3000");
}

static bool
script_take(const struct script_file *file)
{
	struct err_detail detail = {0};
	struct buf source;
	enum err err;
	bool fine = true;

	buf_init(&source, (size_t)file->idp->release.limits.source_kib * 1024);
	err = realm_dir_read(
	    file->draft->dir, file->path, &source, NULL, &detail);
	if (err == OK)
		realm_draft_see(file->draft, file->path, buf_span(&source));
	if (err == OK)
		fine = script_fill(file, buf_span(&source));
	else if (err == ERR_NOT_FOUND)
		script_note_missing(file);
	else
		script_problem(file, 0, err_text(&detail, err));
	buf_fini(&source);
	if (err == OK && file->kind == SCRIPT_INIT && !file->idp->idp.two_step)
		realm_problem_warn(&file->draft->problems,
		    (struct realm_place){file->path, 0, NULL},
		    "is never run: the identity provider is one_step");
	return fine;
}

static bool
script_hash_release(struct release *release)
{
	struct buf content;
	bool fine;

	buf_init(&content, RELEASE_CONTENT_BYTES);
	release_encode(release, &content);
	fine = !content.failed;
	if (fine)
		digest_sha256(buf_span(&content), release->hash);
	buf_fini(&content);
	return fine;
}

bool
realm_script_take(struct realm_draft *draft, struct draft_idp *draft_idp)
{
	struct realm_idp *idp = &draft_idp->idp;
	struct release *release;

	for (size_t kind = 0; kind < SCRIPT_KINDS; kind++) {
		struct script_file file = {
		    draft, draft_idp, (enum script_kind)kind, NULL};

		file.path = arena_printf(draft->scratch, "idps/%s/%s.js",
		    idp->identifier, script_kind_name(file.kind));
		if (file.path == NULL || !script_take(&file))
			return false;
	}
	draft_idp->release.idp = idp->identifier;
	release = arena_alloc(draft->kept, sizeof *release);
	if (release == NULL || !script_hash_release(&draft_idp->release))
		return false;
	*release = draft_idp->release;
	idp->release = release;
	return true;
}

/*
 * Runs the realm's loader over files and remembers what it says. Not what is
 * right in a realm: realm/. Runs on the thread that opens, reloads or changes.
 */
#include "gateway/config/config_load.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/config/config_secrets.h"
#include "gateway/store/store_config.h"

/* Doubles a list in an arena. NULL: full; the list is as it was. */
static void *
load_grow(struct arena *arena, const void *items, size_t count, size_t room,
    size_t bytes)
{
	void *more = arena_alloc(arena, room * bytes);

	if (more != NULL && count > 0)
		memcpy(more, items, count * bytes);
	return more;
}

/* ---- what the loader asks ------------------------------------------------ */

static enum err
load_secret_get(void *user, const char *kind, const char *client_id,
    uint8_t digest_r[DIGEST_BYTES])
{
	const struct config_load *load = user;

	return config_secrets_digest(
	    load->config, load->secrets, kind, client_id, digest_r);
}

static enum err
load_secret_put(void *user, const char *kind, const char *client_id,
    const uint8_t digest[DIGEST_BYTES])
{
	const struct config_load *load = user;

	return store_client_secret_put(
	    load->config->options.store, kind, client_id, digest);
}

static enum err
load_phc_get(
    void *user, const char *kind, const char *client_id, struct buf *phc)
{
	const struct config_load *load = user;

	return config_secrets_phc(
	    load->config, load->secrets, kind, client_id, phc);
}

static enum err
load_property_get(void *user, const char *id, bool is_key, struct buf *value)
{
	const struct config_load *load = user;

	return config_secrets_value(
	    load->config, load->secrets, id, is_key, value);
}

static enum err
load_release_put(void *user, const uint8_t hash[DIGEST_BYTES], const char *idp,
    struct span content)
{
	struct config_load *load = user;
	struct config_release *release;

	if (load->keep)
		return store_release_put(
		    load->config->options.store, hash, idp, content);
	release = arena_alloc(load->arena, sizeof *release);
	if (release == NULL)
		return ERR_NOMEM;
	memcpy(release->hash, hash, DIGEST_BYTES);
	release->idp = arena_strdup(load->arena, idp);
	release->content = arena_copy(load->arena, content);
	release->next = load->releases;
	load->releases = release;
	return release->idp != NULL && span_present(release->content)
		   ? OK
		   : ERR_NOMEM;
}

/* ---- what the loader tells ----------------------------------------------- */

/* Two http.ca may name one file; no other is seen twice. */
static bool
load_has(const struct config_load *load, const char *path)
{
	if (config_canon_kind(path) != CONFIG_KINDS)
		return false;
	for (size_t i = 0; i < load->count; i++) {
		if (strcmp(load->files[i].path, path) == 0)
			return true;
	}
	return false;
}

static void
load_seen(void *user, const char *path, struct span bytes)
{
	struct config_load *load = user;
	struct config_file *file;

	if (load_has(load, path))
		return;
	if (load->count == load->room) {
		size_t room = load->room * 2 + 64;
		void *more = load_grow(load->arena, load->files, load->count,
		    room, sizeof *load->files);

		load->full = load->full || more == NULL;
		if (more == NULL)
			return;
		load->files = more;
		load->room = room;
	}
	file = &load->files[load->count];
	file->path = arena_strdup(load->arena, path);
	file->text =
	    bytes.len == 0 ? span_str("") : arena_copy(load->arena, bytes);
	if (file->path == NULL || !span_present(file->text))
		load->full = true;
	else
		load->count++;
}

static const char *
load_copy(struct config_load *load, const char *text)
{
	const char *copy =
	    arena_strdup(load->telling, text == NULL ? "" : text);

	load->full = load->full || copy == NULL;
	return copy == NULL ? "" : copy;
}

static void
load_problem(void *user, const struct realm_problem *problem)
{
	struct config_load *load = user;

	if (load->problem_count == load->problem_room) {
		size_t room = load->problem_room * 2 + 16;
		void *more = load_grow(load->telling, load->problems,
		    load->problem_count, room, sizeof *load->problems);

		load->full = load->full || more == NULL;
		if (more == NULL)
			return;
		load->problems = more;
		load->problem_room = room;
	}
	load->problems[load->problem_count++] = (struct config_problem){
	    .warning = problem->warning,
	    .file = load_copy(load, problem->place.file),
	    .line = problem->place.line,
	    .key = load_copy(load, problem->place.key),
	    .message = load_copy(load, problem->message),
	};
}

struct config_problems
config_load_told(const struct config_load *load)
{
	return (struct config_problems){
	    load->problems, load->problem_count, load->mistakes};
}

/* ---- one load ------------------------------------------------------------ */

enum err
config_load_run(struct config_load *load, const struct realm_dir *dir,
    const struct realm **realm_r)
{
	const struct config_options *options = &load->config->options;
	const struct realm_sources sources = {
	    .vault = options->vault,
	    .runner_path = options->runner_path,
	    .secrets_dir = options->secrets_dir,
	    .check_only = load->check_only,
	    .confined = load->confined,
	    .values_dir = options->values_dir,
	    .user = load,
	    .secret_get = load_secret_get,
	    .secret_put = load_secret_put,
	    .phc_get = load_phc_get,
	    .property_get = load_property_get,
	    .seen = load_seen,
	    .release_put = load_release_put,
	};
	struct realm_problems problems = {.each = load_problem, .user = load};
	const struct realm *realm = NULL;
	enum err err = realm_load_from(dir, &sources, &realm, &problems);

	load->mistakes = problems.mistakes;
	if (err == OK && load->full) {
		realm_release(realm);
		return ERR_NOMEM;
	}
	if (err == OK)
		*realm_r = realm;
	return err;
}

enum err
config_load_files(struct config_load *load, const struct config_file *files,
    size_t count, const struct realm **realm_r)
{
	struct realm_dir_file *set =
	    arena_alloc(load->arena, (count + 1) * sizeof *set);
	struct realm_dir *dir;
	enum err err;

	if (set == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		set[i] = (struct realm_dir_file){files[i].path, files[i].text};
	err = realm_dir_of_files(set, count, &dir, NULL);
	if (err != OK)
		return err;
	err = config_load_run(load, dir, realm_r);
	realm_dir_close(dir);
	return err;
}

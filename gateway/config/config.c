/*
 * The configuration in force: opened, reloaded, lent to readers. Its changes:
 * config_change.c; its first client: config_credential.c. Opening and
 * reloading on the main thread, reading on any.
 */
#include "gateway/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "gateway/config/config_canon.h"
#include "gateway/config/config_commit.h"
#include "gateway/config/config_load.h"
#include "gateway/config/config_state.h"
#include "gateway/config/config_view.h"
#include "gateway/realm/realm_draft.h"
#include "gateway/store/store_document.h"

/* A realm's files, as they are read and canonical. */
#define OPEN_BYTES (4 * REALM_BYTES_MAX)

/* A hundred problems. */
#define PROBLEM_BYTES ((size_t)1 << 20)

const char *
config_kind_name(enum config_kind kind)
{
	static const char *const names[CONFIG_KINDS] = {
	    "realm", "scope", "property", "client", "api-client", "idp"};

	return names[kind];
}

const char *
config_action_name(enum config_action action)
{
	static const char *const names[] = {"add", "change", "remove"};

	return names[action];
}

/* ---- in force ------------------------------------------------------------ */

void
config_publish(struct config *config, const struct realm *realm,
    const struct config_view *view)
{
	const struct config_view *before;

	realm_publish(config->options.realms, realm);
	(void)pthread_mutex_lock(&config->viewing);
	before = config->view;
	config->view = view;
	(void)pthread_mutex_unlock(&config->viewing);
	config_view_release(before);
}

const struct config_view *
config_view_acquire(struct config *config)
{
	const struct config_view *view;

	(void)pthread_mutex_lock(&config->viewing);
	view = config->view;
	config_view_hold(view);
	(void)pthread_mutex_unlock(&config->viewing);
	return view;
}

bool
config_is_read_only(const struct config *config)
{
	return config->options.realm_dir != NULL;
}

const struct realm_api_client *
config_first_client(const struct config *config)
{
	return &config->first_client;
}

/* ---- what is stored ------------------------------------------------------ */

struct reading {
	const struct config *config;
	struct arena *arena;
	struct config_file *files;
	size_t count;
	size_t room;
};

static enum err
config_read_more(struct reading *reading)
{
	size_t room = reading->room * 2 + 64;
	struct config_file *more =
	    arena_alloc(reading->arena, room * sizeof *more);

	if (more == NULL)
		return ERR_NOMEM;
	if (reading->count > 0)
		memcpy(more, reading->files, reading->count * sizeof *more);
	reading->files = more;
	reading->room = room;
	return OK;
}

static enum err
config_read_one(void *user, const char *path, struct span sealed)
{
	struct reading *reading = user;
	struct config_file *file;
	struct buf text;
	enum err err = OK;

	if (reading->count == reading->room)
		err = config_read_more(reading);
	if (err != OK)
		return err;
	buf_init(&text, CONFIG_SET_BYTES);
	err = config_commit_unseal(reading->config, path, sealed, &text);
	file = &reading->files[reading->count];
	if (err == OK) {
		file->path = arena_strdup(reading->arena, path);
		file->text = text.len == 0
				 ? span_str("")
				 : arena_copy(reading->arena, buf_span(&text));
		reading->count++;
	}
	buf_fini(&text);
	if (err != OK)
		return err;
	return file->path == NULL || !span_present(file->text) ? ERR_NOMEM : OK;
}

static enum err
config_read_store(struct config_load *load, const struct realm **realm_r,
    struct err_detail *detail)
{
	struct reading reading = {load->config, load->arena, NULL, 0, 0};
	enum err err = store_document_each(
	    load->config->options.store, config_read_one, &reading);

	if (err != OK)
		return err_set(detail, err,
		    "the realm in the store cannot be read: %s (is this the "
		    "master key the store was made with?)",
		    err_sentence(err));
	load->confined = true;
	err = config_load_files(load, reading.files, reading.count, realm_r);
	if (err != OK)
		return err_set(detail, err,
		    "the realm in the store was refused; its mistakes are "
		    "listed");
	return OK;
}

/* ---- a directory --------------------------------------------------------- */

static enum err
config_read_dir(struct config_load *load, const struct realm **realm_r,
    struct err_detail *detail)
{
	const char *path = load->config->options.realm_dir;
	struct realm_dir *dir;
	enum err err = realm_dir_open(path, &dir, detail);

	if (err != OK)
		return err_prefix(detail, err, "realm: %s", path);
	err = config_load_run(load, dir, realm_r);
	realm_dir_close(dir);
	if (err != OK)
		return err_set(detail, err,
		    "realm: %s was refused; its mistakes are listed", path);
	return OK;
}

/* ---- loading ------------------------------------------------------------- */

static enum err
config_make_view(const struct config_load *load,
    const struct config_view **view_r, struct err_detail *detail)
{
	struct config_canon canon = {.arena = load->arena};

	for (size_t i = 0; i < load->count; i++) {
		if (!config_canon_add(&canon, load->files[i].path,
			load->files[i].text, detail))
			return ERR_LIMIT;
	}
	config_canon_finish(&canon);
	return config_view_new(canon.files, canon.count, view_r, detail);
}

static enum err
config_load_all(
    struct config *config, struct config_load *load, struct err_detail *detail)
{
	const struct realm *before = NULL;
	const struct realm *realm = NULL;
	const struct config_view *view;
	enum err err = config_is_read_only(config)
			   ? config_read_dir(load, &realm, detail)
			   : config_read_store(load, &realm, detail);

	config->load_problems = config_load_told(load);
	if (err != OK)
		return err;
	err = config_make_view(load, &view, detail);
	if (err != OK) {
		realm_release(realm);
		return err;
	}
	before = realm_acquire(config->options.realms);
	err = config_commit_tell(config, before, realm);
	realm_release(before);
	if (err == OK) {
		config_publish(config, realm, view);
		return OK;
	}
	realm_release(realm);
	config_view_release(view);
	return err_set(
	    detail, err, "the store does not take the realm's releases");
}

static enum err
config_load_again(struct config *config, struct err_detail *detail)
{
	struct config_load load = {.config = config, .keep = true};
	enum err err = ERR_NOMEM;

	arena_free(config->load_arena);
	config->load_problems = (struct config_problems){NULL, 0, 0};
	config->load_arena = arena_new(PROBLEM_BYTES);
	load.telling = config->load_arena;
	load.arena = arena_new(OPEN_BYTES);
	if (load.telling != NULL && load.arena != NULL)
		err = config_load_all(config, &load, detail);
	if (load.arena != NULL)
		arena_wipe(load.arena); /* plain secrets of a directory */
	arena_free(load.arena);
	return err;
}

enum err
config_reload(struct config *config, struct err_detail *detail)
{
	enum err err;

	if (!config_is_read_only(config))
		return err_set(detail, ERR_STATE,
		    "the realm is in the store and is changed over the "
		    "configuration API; there is nothing to read anew");
	(void)pthread_mutex_lock(&config->changing);
	err = config_load_again(config, detail);
	(void)pthread_mutex_unlock(&config->changing);
	return err;
}

const struct config_problems *
config_load_problems(const struct config *config)
{
	return &config->load_problems;
}

/* ---- opening ------------------------------------------------------------- */

enum err
config_open(const struct config_options *options, struct config **config_r,
    struct err_detail *detail)
{
	struct config *config = calloc(1, sizeof *config);
	enum err err;

	if (config == NULL)
		return ERR_NOMEM;
	config->options = *options;
	if (pthread_mutex_init(&config->changing, NULL) != 0 ||
	    pthread_mutex_init(&config->viewing, NULL) != 0) {
		free(config);
		return ERR_NOMEM;
	}
	*config_r = config;
	err = config_credential_open(config, detail);
	return err == OK ? config_load_again(config, detail) : err;
}

void
config_close(struct config *config)
{
	if (config == NULL)
		return;
	config_view_release(config->view);
	arena_free(config->load_arena);
	(void)pthread_mutex_destroy(&config->changing);
	(void)pthread_mutex_destroy(&config->viewing);
	free(config);
}

enum err
config_on_commit(struct config *config,
    enum err (*run)(struct store_writer *writer, void *user,
	const struct config_commit *commit),
    void *user)
{
	const struct realm *realm = realm_acquire(config->options.realms);
	enum err err;

	(void)pthread_mutex_lock(&config->changing);
	config->commit = run;
	config->commit_user = user;
	err = config_commit_tell(config, NULL, realm);
	(void)pthread_mutex_unlock(&config->changing);
	realm_release(realm);
	return err;
}

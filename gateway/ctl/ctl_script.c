/*
 * From a script's path to a job; see ctl_script.h. Runs in `postern`, which
 * has one thread.
 */
#include "gateway/ctl/ctl_script.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/script_code.h"
#include "gateway/ctl/ctl_file.h"
#include "gateway/realm/realm_local.h"

/* Larger than the largest source_kib: the engine says which limit it is. */
#define SOURCE_BYTES ((size_t)1 << 20)
#define REALM_BYTES  ((size_t)64 << 20)
#define IDP_BYTES    65

/* What a path says. */
struct place {
	char realm[PATH_MAX]; /* "": none */
	char idp[IDP_BYTES];
	char file[IDP_BYTES + 64]; /* as a gateway calls it */
	const char *kind;
};

static bool
exists(const char *folder, const char *name)
{
	char path[PATH_MAX];

	return (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) <
		   sizeof path &&
	       access(path, F_OK) == 0;
}

/* Cuts the last part off; NULL: there is none. */
static char *
cut(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

/* `absolute` is overwritten. */
static void
find_realm(char *absolute, struct place *place)
{
	const char *name = cut(absolute);
	const char *idp = name == NULL ? NULL : cut(absolute);
	const char *idps = idp == NULL ? NULL : cut(absolute);

	if (idps == NULL || strcmp(idps, "idps") != 0 ||
	    strlen(idp) >= sizeof place->idp ||
	    !(exists(absolute, "realm.yaml") ||
		exists(absolute, "properties.yaml")))
		return;
	(void)snprintf(place->idp, sizeof place->idp, "%s", idp);
	(void)snprintf(place->realm, sizeof place->realm, "%s", absolute);
}

static const char *
kind_of(const char *name, const char *wanted)
{
	for (int kind = 0; kind < SCRIPT_KINDS; kind++) {
		const char *known = script_kind_name((enum script_kind)kind);
		size_t len = strlen(known);

		if (wanted == NULL && strncmp(name, known, len) == 0 &&
		    strcmp(name + len, ".js") == 0)
			return known;
		if (wanted != NULL && strcmp(wanted, known) == 0)
			return known;
	}
	return "complete";
}

static enum err
find_place(const char *path, const char *kind, struct place *place_r,
    struct err_detail *detail)
{
	char *absolute = realpath(path, NULL);
	const char *name;

	if (absolute == NULL)
		return err_set_errno(detail, ERR_NOT_FOUND, "%s", path);
	*place_r = (struct place){.idp = "local"};
	name = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
	find_realm(absolute, place_r);
	free(absolute);
	place_r->kind = kind_of(name, kind);
	if (place_r->realm[0] == '\0')
		(void)snprintf(
		    place_r->file, sizeof place_r->file, "%.100s", name);
	else
		(void)snprintf(place_r->file, sizeof place_r->file, "%s/%.60s",
		    place_r->idp, name);
	return OK;
}

/* ---- the realm's part ----------------------------------------------------
 */

static json_t *
limits_json(const struct script_limits *limits)
{
#define LIMIT(name) #name, (json_int_t)limits->name
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
	    LIMIT(wall_ms), LIMIT(cpu_ms), LIMIT(heap_mib), LIMIT(host_calls),
	    LIMIT(source_kib), LIMIT(data_kib), LIMIT(result_kib),
	    LIMIT(log_kib), LIMIT(http_body_kib), LIMIT(cache_value_kib),
	    LIMIT(cache_entries));
#undef LIMIT
}

static void
add_properties(json_t *job, const struct realm_local *realm)
{
	json_t *properties = json_object_get(job, "properties");
	json_t *keys = json_object_get(job, "keys");
	json_t *sensitive = json_object_get(job, "sensitive");

	for (size_t i = 0; i < realm->property_count; i++) {
		const struct realm_local_property *p = &realm->properties[i];

		(void)json_object_set_new(p->is_key ? keys : properties, p->id,
		    json_string(p->value));
		if (p->is_sensitive)
			(void)json_array_append_new(
			    sensitive, json_string(p->id));
	}
}

static enum err
add_realm(json_t *job, const struct place *place, struct buf *problems,
    struct err_detail *detail)
{
	struct realm_problems list = {.out = problems};
	struct arena *arena = arena_new(REALM_BYTES);
	struct realm_local realm;
	json_t *allow = json_array();
	enum err err = ERR_NOMEM;

	if (arena != NULL)
		err = realm_local_read(
		    place->realm, place->idp, arena, &list, &realm, detail);
	if (err == OK) {
		(void)json_object_set_new(
		    job, "limits", limits_json(&realm.limits));
		(void)json_object_set_new(
		    job, "cache_ttl_secs", json_integer(realm.cache_ttl_secs));
		add_properties(job, &realm);
		for (size_t i = 0; i < realm.http_allow.count; i++)
			(void)json_array_append_new(
			    allow, json_string(realm.http_allow.items[i]));
		(void)json_object_set(job, "http_allow", allow);
	}
	json_decref(allow);
	arena_free(arena);
	return err;
}

enum err
ctl_script_job(const char *path, const char *kind, struct buf *problems,
    json_t **job_r, struct err_detail *detail)
{
	struct place place = {.kind = "complete"};
	struct buf source;
	json_t *job;
	enum err err = find_place(path, kind, &place, detail);

	if (err != OK)
		return err;
	buf_init(&source, SOURCE_BYTES);
	err = ctl_file_read(AT_FDCWD, path, &source, detail);
	if (err != OK) {
		buf_fini(&source);
		return err_prefix(detail, err, "%s", path);
	}
	job = json_pack("{s:s,s:s,s:s,s:s%,s:{},s:{},s:[]}", "idp", place.idp,
	    "script", place.kind, "file", place.file, "source",
	    source.data == NULL ? "" : (const char *)source.data, source.len,
	    "properties", "keys", "sensitive");
	buf_fini(&source);
	if (job == NULL)
		return err_set(
		    detail, ERR_INVALID, "%s: the script is not UTF-8", path);
	if (place.realm[0] != '\0')
		err = add_realm(job, &place, problems, detail);
	if (err != OK) {
		json_decref(job);
		return err;
	}
	*job_r = job;
	return OK;
}

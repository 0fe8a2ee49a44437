/*
 * Putting the gateway together; see gateway.h. Not here: what any part does.
 */
#include "gateway/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/metric.h"
#include "common/notify.h"
#include "common/trace.h"
#include "gateway/admin/admin.h"
#include "gateway/config/config.h"
#include "gateway/config/config_release.h"
#include "gateway/dispatch/dispatch.h"
#include "gateway/dispatch/probe.h"
#include "gateway/dispatch/record.h"
#include "gateway/housekeeping.h"
#include "gateway/http/http.h"
#include "gateway/keys/keyring.h"
#include "gateway/keys/vault.h"
#include "gateway/oauth/attempt_limit.h"
#include "gateway/oauth/auth_throttle.h"
#include "gateway/oauth/event.h"
#include "gateway/oauth/oauth.h"
#include "gateway/oauth/secret_checker.h"
#include "gateway/realm/realm_load.h"
#include "gateway/store/store.h"
#include "gateway/store/store_config.h"
#include "gateway/watchdog.h"

#define PATH_BYTES 512

/* A realm with a hundred mistakes, each with its sentence. */
#define PROBLEMS_BYTES (64 * 1024)

/* One of them: a path, a key and a sentence. */
#define PROBLEM_BYTES ((size_t)2048)

/* Health checks, a scraper or two, people and their tools, and as many who
 * watch the log as may; kept-alive connections hold one each. */
#define ADMIN_THREADS 24

/* What is in flight when the gateway is told to stop has its request time; the
 * margin is for answering. */
#define DRAIN_MARGIN_MS 1000

struct gateway {
	struct gateway_conf conf;
	struct vault *vault;
	struct store *store;
	struct keyring *keyring;
	struct realm_holder *realms;
	struct config *config;
	struct dispatch *dispatch;
	char issuer[PATH_BYTES];
	char secrets_dir[PATH_BYTES];
	char runner[PATH_BYTES];
	struct event_log *events;
	struct secret_checker *secrets;
	struct oauth oauth;
	struct admin_context admin;
	struct housekeeping housekeeping;
	struct watchdog watchdog;
	struct http_server *public_server;
	struct http_server *admin_server;
};

/* ---- the store's side of keys and realm -------------------------------------
 */

/* Hands stored keys on to the ring. */
struct shelf_reading {
	enum err (*each)(void *ring, const struct keyring_key *key);
	void *ring;
};

static enum err
shelf_load_one(void *user, const struct store_signing_key *stored)
{
	const struct shelf_reading *reading = user;
	const struct keyring_key key = {stored->kid, stored->alg,
	    (enum key_slot)stored->slot, stored->since, stored->sealed_private};

	/* Before it is an enum: what is stored may be anything. */
	if (stored->slot < 0 || stored->slot >= KEY_SLOTS)
		return ERR_CORRUPT;
	return reading->each(reading->ring, &key);
}

static enum err
shelf_load(void *store,
    enum err (*each)(void *ring, const struct keyring_key *key), void *ring,
    struct err_detail *detail)
{
	struct shelf_reading reading = {each, ring};
	enum err err = store_signing_key_each(store, shelf_load_one, &reading);

	if (err != OK)
		return err_set(detail, err,
		    "the signing keys cannot be loaded: %s (is this the "
		    "master key the store was made with?)",
		    err_sentence(err));
	return OK;
}

static struct store_signing_key
shelf_row(const struct keyring_key *key)
{
	return (struct store_signing_key){
	    key->kid, key->alg, key->slot, key->since, key->sealed_private};
}

static enum err
shelf_save(
    void *store, const struct keyring_key *key, struct err_detail *detail)
{
	const struct store_signing_key row = shelf_row(key);
	enum err err = store_signing_key_put(store, &row);

	if (err != OK)
		return err_set(detail, err, "a signing key cannot be stored");
	return OK;
}

static enum err
shelf_rotate(void *store, const struct keyring_key *keys, unsigned count,
    int64_t now, struct err_detail *detail)
{
	struct store_signing_key rows[ALG_COUNT];
	enum err err;

	CHECK(count <= ALG_COUNT);
	for (unsigned i = 0; i < count; i++)
		rows[i] = shelf_row(&keys[i]);
	err = store_signing_keys_rotate(store, rows, count, now);
	if (err != OK)
		return err_set(
		    detail, err, "the new signing keys cannot be stored");
	return OK;
}

/* ---- the realm
 * ---------------------------------------------------------------- */

/* "FILE:LINE: KEY: sentence", without what does not apply. */
static void
log_problem(const struct config_problem *problem, bool refused)
{
	struct buf line;

	buf_init(&line, PROBLEM_BYTES);
	if (problem->file[0] != '\0')
		buf_append_str(&line, problem->file);
	if (problem->line > 0)
		buf_printf(&line, ":%d", problem->line);
	if (problem->file[0] != '\0')
		buf_append_str(&line, ": ");
	if (problem->key[0] != '\0')
		buf_printf(&line, "%s: ", problem->key);
	buf_append_str(&line, problem->message);
	log_at(problem->warning || !refused ? LOG_WARN : LOG_ERROR, "realm",
	    LOG_SPAN("problem", buf_span(&line)));
	buf_fini(&line);
}

static void
log_problems(const struct config_problems *problems, bool refused)
{
	for (size_t i = 0; i < problems->count; i++)
		log_problem(&problems->items[i], refused);
}

static void
record_load(struct gateway *gateway, enum err err)
{
	const struct event event = {
	    .type = err == OK ? EVENT_REALM_LOADED : EVENT_REALM_REFUSED};

	event_record(gateway->events, &event);
}

static const char *
realm_source(const struct gateway *gateway)
{
	return gateway->conf.realm == NULL ? "the store" : gateway->conf.realm;
}

/* What became of a load: told to those who watch. */
static void
tell_load(struct gateway *gateway, enum err err)
{
	const struct realm *realm = realm_acquire(gateway->realms);

	if (gateway->config != NULL)
		log_problems(config_load_problems(gateway->config), err != OK);
	metric_count(M_REALM_LOADS, err == OK ? "loaded" : "refused", NULL);
	record_load(gateway, err);
	if (err == OK && realm != NULL)
		log_info("realm loaded",
		    LOG_STR("directory", realm_source(gateway)),
		    LOG_UINT("clients", realm->client_count),
		    LOG_UINT("api_clients", realm->api_client_count),
		    LOG_UINT("idps", realm->idp_count));
	realm_release(realm);
}

static void
reload_realm(struct gateway *gateway)
{
	struct err_detail detail = {0};
	enum err err;

	if (config_is_read_only(gateway->config)) {
		err = config_reload(gateway->config, &detail);
		tell_load(gateway, err);
		if (err != OK)
			log_error("realm refused: the old one stays in force",
			    LOG_STR("directory", gateway->conf.realm),
			    LOG_STR("error", err_text(&detail, err)));
		return;
	}
	log_info("realm not read anew: the store rules, and its realm is in "
		 "force");
}

static void
reload_engines(struct gateway *gateway)
{
	struct err_detail detail = {0};
	enum err err = dispatch_reload(gateway->dispatch, &detail);

	if (err != OK)
		log_error("engines' keys and certificates: old ones stay",
		    LOG_STR("error", err_text(&detail, err)));
}

void
gateway_reload(struct gateway *gateway)
{
	notify_reloading();
	reload_engines(gateway);
	reload_realm(gateway);
	notify_ready("serving");
}

void
gateway_rotate_keys(struct gateway *gateway, bool forced)
{
	housekeeping_rotate_keys(
	    &gateway->housekeeping, forced ? "forced" : "asked for", forced);
}

/* ---- opening
 * ------------------------------------------------------------------ */

static enum err
path_in(char out_r[PATH_BYTES], const char *dir, const char *name,
    struct err_detail *detail)
{
	int len = snprintf(out_r, PATH_BYTES, "%s/%s", dir, name);

	if (len < 0 || len >= PATH_BYTES)
		return err_set(detail, ERR_LIMIT,
		    "data_dir: the path is longer than %d bytes", PATH_BYTES);
	return OK;
}

static enum err
make_dir(const char *path, struct err_detail *detail)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_set_errno(
		    detail, ERR_IO, "data_dir: cannot make %s", path);
	return OK;
}

static enum err
open_vault(struct gateway *gateway, struct err_detail *detail)
{
	char path[PATH_BYTES];
	enum err err;

	if (gateway->conf.master_key != NULL)
		return vault_open(
		    gateway->conf.master_key, false, &gateway->vault, detail);
	err = path_in(path, gateway->conf.data_dir, "master.key", detail);
	if (err != OK)
		return err;
	return vault_open(path, true, &gateway->vault, detail);
}

static enum err
open_store(struct gateway *gateway, struct err_detail *detail)
{
	struct keyring_shelf shelf = {
	    .load = shelf_load, .save = shelf_save, .rotate = shelf_rotate};
	char path[PATH_BYTES];
	enum err err;

	err = path_in(path, gateway->conf.data_dir, "postern.db", detail);
	if (err == OK)
		err = store_open(path, &gateway->store, detail);
	shelf.user = gateway->store;
	if (err == OK)
		err = keyring_open(
		    gateway->vault, &shelf, &gateway->keyring, detail);
	return err;
}

static enum err
open_realm(struct gateway *gateway, struct err_detail *detail)
{
	const struct config_options options = {
	    .vault = gateway->vault,
	    .store = gateway->store,
	    .realms = gateway->realms,
	    .realm_dir = gateway->conf.realm,
	    .runner_path = gateway->runner,
	    .data_dir = gateway->conf.data_dir,
	    .secrets_dir = gateway->secrets_dir,
	    .values_dir = gateway->conf.value_files_dir,
	    .admin_credential = gateway->conf.admin_credential,
	};
	enum err err = config_open(&options, &gateway->config, detail);

	tell_load(gateway, err);
	if (err == OK && config_release_open(gateway->config) != OK)
		err = err_set(
		    detail, ERR_IO, "the history of releases cannot be stored");
	return err;
}

static enum err
open_dispatch(struct gateway *gateway, struct err_detail *detail)
{
	const struct dispatch_config config = {
	    .engines_listen = gateway->conf.engines_listen,
	    .tls = {.ca = gateway->conf.tls_ca,
		.cert = gateway->conf.tls_cert,
		.key = gateway->conf.tls_key},
	    .engines_keys = gateway->conf.engines_keys,
	    .queue_max = (unsigned)gateway->conf.queue_max,
	    .queue_ms = gateway->conf.queue_ms,
	    .workers = (unsigned)gateway->conf.threads,
	    .engines_return = true,
	    .store = gateway->store,
	    .vault = gateway->vault,
	    .realms = gateway->realms,
	};
	enum err err;

	err = dispatch_open(&config, &gateway->dispatch, detail);
	if (err != OK)
		return err;
	return record_store_persist(
	    dispatch_records(gateway->dispatch), gateway->store, detail);
}

static enum err
rotate_keys(void *keeping, const struct event *event, bool forced,
    struct err_detail *detail)
{
	return housekeeping_rotate(keeping, event, forced, detail);
}

static void
fill_contexts(struct gateway *gateway, struct attempt_limit *attempts,
    struct auth_throttle *throttle)
{
	snprintf(gateway->issuer, sizeof gateway->issuer, "%s/oauth",
	    gateway->conf.public_url);
	gateway->oauth = (struct oauth){
	    .default_issuer = gateway->issuer,
	    .realms = gateway->realms,
	    .store = gateway->store,
	    .vault = gateway->vault,
	    .keyring = gateway->keyring,
	    .dispatch = gateway->dispatch,
	    .attempts = attempts,
	    .throttle = throttle,
	    .events = gateway->events,
	    .secrets = gateway->secrets,
	    .jwks_max_age_secs = gateway->conf.jwks_max_age_secs,
	};
	gateway->housekeeping = (struct housekeeping){
	    .conf = &gateway->conf,
	    .store = gateway->store,
	    .keyring = gateway->keyring,
	    .realms = gateway->realms,
	    .events = gateway->events,
	};
	gateway->admin = (struct admin_context){
	    .config = gateway->config,
	    .dispatch = gateway->dispatch,
	    .oauth = &gateway->oauth,
	    .store = gateway->store,
	    .listen = gateway->conf.listen_admin,
	    .started_at = clock_wall_secs(),
	    .rotate_keys = rotate_keys,
	    .user = &gateway->housekeeping,
	};
}

static enum err
open_parts(struct gateway *gateway, struct err_detail *detail)
{
	struct attempt_limit *attempts = attempt_limit_new();
	struct auth_throttle *throttle = auth_throttle_new();
	enum err err;

	if (attempts == NULL || throttle == NULL)
		return ERR_NOMEM;
	err = trace_open("postern-gateway", gateway->conf.trace_file, detail);
	if (err == OK)
		err = gateway_conf_runner(&gateway->conf, gateway->runner,
		    sizeof gateway->runner, detail);
	if (err == OK)
		err = make_dir(gateway->conf.data_dir, detail);
	if (err == OK)
		err = path_in(gateway->secrets_dir, gateway->conf.data_dir,
		    "secrets", detail);
	if (err == OK)
		err = open_vault(gateway, detail);
	if (err == OK)
		err = open_store(gateway, detail);
	if (err == OK)
		err = event_log_open(gateway->store, &gateway->events, detail);
	if (err == OK)
		err = secret_checker_open(
		    gateway->vault, &gateway->secrets, detail);
	gateway->realms = realm_holder_new();
	if (err == OK && gateway->realms == NULL)
		err = ERR_NOMEM;
	if (err == OK)
		err = open_realm(gateway, detail);
	if (err == OK)
		err = open_dispatch(gateway, detail);
	if (err == OK)
		fill_contexts(gateway, attempts, throttle);
	return err;
}

enum err
gateway_open(const struct gateway_conf *conf, struct gateway **gateway_r,
    struct err_detail *detail)
{
	static struct gateway gateway; /* as long as the process */
	enum err err;

	gateway.conf = *conf;
	err = open_parts(&gateway, detail);
	/* On failure the process ends: nothing is taken apart. */
	if (err == OK)
		*gateway_r = &gateway;
	return err;
}

/* ---- serving
 * ------------------------------------------------------------------ */

static enum err
open_public(struct gateway *gateway, struct err_detail *detail)
{
	struct http_config config = {
	    .name = "public",
	    .listen = gateway->conf.listen_public,
	    .trusted_proxy = gateway->conf.trusted_proxy,
	    .threads = (unsigned)gateway->conf.threads,
	    .request_ms = gateway->conf.request_ms,
	    .body_max_bytes = (size_t)gateway->conf.body_max_bytes,
	    .context = &gateway->oauth,
	    .worker_begins = vault_thread_begin,
	};

	config.routes = oauth_routes(&config.route_count);
	return http_open(&config, &gateway->public_server, detail);
}

static enum err
open_admin(struct gateway *gateway, struct err_detail *detail)
{
	struct http_config config = {
	    .name = "admin",
	    .listen = gateway->conf.listen_admin,
	    .trusted_proxy = "",
	    .threads = ADMIN_THREADS,
	    .request_ms = gateway->conf.request_ms,
	    .worker_begins = vault_thread_begin,
	};

	admin_fill(&config, &gateway->admin);
	return http_open(&config, &gateway->admin_server, detail);
}

static enum err
start_watchdog(struct gateway *gateway, struct err_detail *detail)
{
	gateway->watchdog = (struct watchdog){
	    .listeners = {{gateway->public_server, gateway->conf.listen_public,
			      "/oauth/v1/keys"},
		{gateway->admin_server, gateway->conf.listen_admin,
		    "/health/live"}},
	    .dispatch = gateway->dispatch,
	};
	return watchdog_start(&gateway->watchdog, detail);
}

enum err
gateway_serve(struct gateway *gateway, struct err_detail *detail)
{
	enum err err;

	/* First: /health/ready must not be heard before what it speaks of. */
	err = open_public(gateway, detail);
	if (err == OK)
		err = open_admin(gateway, detail);
	if (err == OK)
		err = housekeeping_start(&gateway->housekeeping, detail);
	if (err == OK)
		err = probe_start(gateway->dispatch, detail);
	if (err == OK)
		err = start_watchdog(gateway, detail);
	if (err != OK)
		return err;
	log_info("gateway ready",
	    LOG_STR("public", gateway->conf.listen_public),
	    LOG_UINT("public_port", http_port(gateway->public_server)),
	    LOG_STR("admin", gateway->conf.listen_admin),
	    LOG_UINT("admin_port", http_port(gateway->admin_server)),
	    LOG_STR("engines", gateway->conf.engines_listen));
	return OK;
}

void
gateway_drain(struct gateway *gateway)
{
	int64_t grace_ms = gateway->conf.request_ms + DRAIN_MARGIN_MS;

	(void)http_drain(gateway->public_server, grace_ms);
	dispatch_drain(gateway->dispatch, grace_ms);
	admin_stop(&gateway->admin);
	(void)http_drain(gateway->admin_server, DRAIN_MARGIN_MS);
	housekeeping_stop(&gateway->housekeeping);
	record_store_stop(dispatch_records(gateway->dispatch));
	event_log_stop(gateway->events);
	store_close(gateway->store);
}

/* ---- --check
 * ------------------------------------------------------------------ */

enum err
gateway_check(const struct gateway_conf *conf, struct err_detail *detail)
{
	char runner[PATH_BYTES];
	struct realm_sources sources = {
	    .runner_path = runner, .check_only = true};
	const struct realm *realm = NULL;
	struct buf problems;
	enum err err;

	if (conf->realm == NULL)
		return OK;
	err = gateway_conf_runner(conf, runner, sizeof runner, detail);
	if (err == OK)
		err = vault_open_passing(&sources.vault, detail);
	if (err != OK)
		return err;
	buf_init(&problems, PROBLEMS_BYTES);
	err = realm_load(conf->realm, &sources, &realm, &problems);
	fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&problems)));
	buf_fini(&problems);
	realm_release(realm);
	vault_close(sources.vault);
	if (err != OK)
		return err_set(
		    detail, err, "realm: %s has mistakes", conf->realm);
	return OK;
}

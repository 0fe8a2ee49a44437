/*
 * The settings of postern-engine, made from engine_conf.def.
 *
 * Threads: loaded before any thread starts, read-only afterwards.
 */
#ifndef POSTERN_ENGINE_CONF_H
#define POSTERN_ENGINE_CONF_H

#include "common/conf.h"
#include "common/err.h"
#include "engine/front/front.h"

struct engine_conf {
#define CONF(kind, name, default_text, min, max, doc) CONF_TYPE_##kind name;
#include "engine/engine_conf.def"
#undef CONF
};

/* Reads flags, environment and file (conf_load()). */
enum err engine_conf_load(int argc, char **argv, struct engine_conf *settings_r,
    struct conf **conf_r, enum conf_action *action_r,
    struct err_detail *detail) MUST_USE;

/*
 * What the front needs of them, with the defaults that depend on the host: its
 * name, its cores, where this executable lies. Strings are borrowed from
 * `settings` or static. sandbox_missing is left empty.
 */
enum err engine_conf_front(const struct engine_conf *settings,
    struct front_settings *front_r, struct err_detail *detail) MUST_USE;

#endif

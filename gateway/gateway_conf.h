/*
 * The settings of postern-gateway, made from gateway_conf.def.
 *
 * Threads: loaded before any thread starts, read-only afterwards.
 */
#ifndef POSTERN_GATEWAY_CONF_H
#define POSTERN_GATEWAY_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/conf.h"

struct gateway_conf {
#define CONF(section, kind, name, default_text, min, max, doc) \
	CONF_TYPE_##kind name;
#include "gateway/gateway_conf.def"
#undef CONF
};

/* For conf_load(), with a struct gateway_conf as settings. */
extern const struct conf_table gateway_conf_table;

/* Where postern-runner is: the setting, else beside this executable. Writes a
 * terminated path of at most `bytes`; ERR_LIMIT, ERR_IO. */
enum err gateway_conf_runner(const struct gateway_conf *conf, char *path_r,
    size_t bytes, struct err_detail *detail) MUST_USE;

#endif

/*
 * The sandbox of the script's processes. A template puts itself under all
 * layers of sandbox_layers.def before it compiles a line; a child inherits
 * them and adds the last one, after which it can compute, read and write one
 * descriptor, and exit. Threads: one.
 */
#ifndef POSTERN_SANDBOX_H
#define POSTERN_SANDBOX_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/err.h"

/* Filled by the mode; the rest by sandbox_enter_template(). */
struct sandbox {
	int64_t uid;        /* to become; -1: stay who we are */
	bool allow_missing; /* go on without a mandatory layer */
	bool is_compile;    /* --compile: stdin, stdout, stderr instead of 3 */
	bool has_image;     /* RUNNER_IMAGE_FD is open, and stays so */
	size_t heap_bytes;  /* of the mapping that exists already */
	pid_t engine;       /* our parent when we started */
	struct sock_fprog own_filter;
	struct sock_fprog child_filter;
};

/*
 * Applies every layer of the table in its order. Fails with the layer's name
 * in `detail` at the first mandatory one that cannot be applied.
 */
enum err sandbox_enter_template(
    struct sandbox *sandbox, struct err_detail *detail) MUST_USE;

/* What a fresh child still needs. Allocates nothing, opens nothing. */
enum err sandbox_enter_child(
    const struct sandbox *sandbox, struct err_detail *detail) MUST_USE;

/* Applies and tests each layer in a process of its own; a line each. True if
 * all are on. */
bool sandbox_report(const struct sandbox *sandbox, FILE *out);

/* One layer, for sandbox_report(). */
struct sandbox_layer {
	const char *name;
	const char *doc;
	bool is_mandatory;
	enum err (*apply)(struct sandbox *sandbox, struct err_detail *detail);
};

enum sandbox_layer_index {
#define SANDBOX_LAYER(symbol, name, need, doc) LAYER_##symbol,
#include "engine/runner/sandbox_layers.def"
#undef SANDBOX_LAYER
	SANDBOX_LAYERS
};

extern const struct sandbox_layer sandbox_layers[SANDBOX_LAYERS];

/* The kernel's Landlock ABI; 0: none. */
int sandbox_landlock_abi(void);

#endif

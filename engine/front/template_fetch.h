/*
 * What a template is made of: the script's text and the IdP's properties,
 * asked of the gateway once and kept in memory only.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_TEMPLATE_FETCH_H
#define POSTERN_TEMPLATE_FETCH_H

#include <stdbool.h>

struct template_entry;

void template_fetch_init(struct template_entry *entry);

/* Frees the texts; properties are overwritten first. */
void template_fetch_fini(struct template_entry *entry);

/* True when both are here; else sees to it that they come, in the name of the
 * first execution that waits, and serves the entry then. */
bool template_fetch_ready(struct template_entry *entry);

#endif

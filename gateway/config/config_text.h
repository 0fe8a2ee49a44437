/*
 * A tree as text: YAML in block style, and JSON. The same tree gives the same
 * bytes, and YAML that is parsed again gives the same tree. Private to
 * config/.
 *
 * A scalar is written as it is where it is plain and a number, true or false;
 * all else is text, quoted where it must be. Threads: any.
 */
#ifndef POSTERN_CONFIG_TEXT_H
#define POSTERN_CONFIG_TEXT_H

#include "common/buf.h"
#include "gateway/realm/realm_yaml.h"

void config_text_yaml(const struct yaml_node *root, struct buf *out);

/* On one line. */
void config_text_json(const struct yaml_node *root, struct buf *out);

#endif

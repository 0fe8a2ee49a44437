/*
 * Help as text, from the table of commands.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_HELP_H
#define POSTERN_CTL_HELP_H

#include "common/buf.h"
#include "gateway/ctl/ctl_command.h"

/* All commands with their summaries; those of `group` where it is not NULL. */
void ctl_help_overview(struct buf *out, const char *group);

/* Usage, meaning and options of one. */
void ctl_help_command(struct buf *out, const struct ctl_command *command);

/* "postern plan DIR [OPTION...]" */
void ctl_help_usage(struct buf *out, const struct ctl_command *command);

/* Prints what fits the line: of its command, its group, all. */
enum ctl_exit ctl_help_print(const struct ctl_call *call);

#endif

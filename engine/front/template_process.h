/*
 * A template's process: started, watched, restarted.
 *
 *	ABSENT --start--> STARTING --template_ready--> READY
 *	   ^                 | too slow, failed, died    | died
 *	   +---- reaped -- DYING <-----------------------+
 *
 * Each way to DYING has its counter and its obituary. Executions that wait
 * stay with the entry until the template failed for good.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_TEMPLATE_PROCESS_H
#define POSTERN_TEMPLATE_PROCESS_H

#include "common/err.h"

struct template_entry;

void template_process_init(struct template_entry *entry);

/* Spawns it and sends template_load; the entry is ABSENT and has its texts. */
void template_process_start(struct template_entry *entry);

/* Asks a READY one for a child that gets `fd` (which stays the caller's).
 * ERR_FULL: the entry is served again when it can be asked. */
enum err template_process_fork(struct template_entry *entry, int fd) MUST_USE;

/* Serves the entry again only after a delay that doubles. */
void template_process_back_off(struct template_entry *entry);

/* Kills it without an obituary, in any state; it is ABSENT afterwards. */
void template_process_drop(struct template_entry *entry);

#endif

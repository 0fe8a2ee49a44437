/*
 * Log lines of a template's top level (see api_log.c). Threads: one.
 */
#ifndef POSTERN_API_LOG_H
#define POSTERN_API_LOG_H

struct vm;

/* Sends them as the first lines of the execution that starts. */
void api_log_send_kept(struct vm *vm);

#endif

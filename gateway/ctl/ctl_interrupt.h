/*
 * SIGINT and SIGTERM: noticed, so that what is under way ends tidily (no
 * temporary file, no silent terminal), then left to do what they do.
 *
 * Threads: `postern` has one.
 */
#ifndef POSTERN_CTL_INTERRUPT_H
#define POSTERN_CTL_INTERRUPT_H

#include <stdbool.h>

/* From here on they are noticed; system calls end with EINTR. */
void ctl_interrupt_setup(void);

bool ctl_interrupt_came(void);

/* Dies by the signal that came, as a shell expects; returns if none did. */
void ctl_interrupt_obey(void);

#endif

/*
 * How much memory this process has. Threads: any.
 */
#ifndef POSTERN_RESIDENT_H
#define POSTERN_RESIDENT_H

#include <stdint.h>

/* Bytes resident, from /proc; 0: unknown. Costs some microseconds. */
uint64_t resident_bytes(void);

#endif

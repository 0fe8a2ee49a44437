/*
 * Time. Deadlines are monotonic milliseconds or microseconds; what is stored
 * or put in a token is wall-clock seconds.
 * Threads: any.
 */
#ifndef POSTERN_CLOCK_H
#define POSTERN_CLOCK_H

#include <stdint.h>
#include <time.h>

int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);
int64_t clock_wall_secs(void);

/* For pthread_cond_timedwait on a CLOCK_MONOTONIC condition. */
struct timespec clock_timespec_of_us(int64_t mono_us);

/* "2026-11-22T14:17:17.123Z" into 25 bytes. */
#define CLOCK_ISO_BYTES 25
void clock_iso_now(char out_r[CLOCK_ISO_BYTES]);

#endif

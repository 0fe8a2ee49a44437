/*
 * Reads the clocks. Not a timer: nothing here waits. Any process, any thread.
 */
#include "common/check.h"
#include "common/clock.h"

#define USECS_PER_SEC  1000000
#define NSECS_PER_USEC 1000
#define NSECS_PER_MSEC 1000000

static struct timespec
clock_read(clockid_t clock)
{
	struct timespec now;

	CHECK(clock_gettime(clock, &now) == 0);
	return now;
}

int64_t
clock_mono_us(void)
{
	struct timespec now = clock_read(CLOCK_MONOTONIC);

	return (int64_t)now.tv_sec * USECS_PER_SEC +
	       now.tv_nsec / NSECS_PER_USEC;
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

int64_t
clock_wall_secs(void)
{
	return clock_read(CLOCK_REALTIME).tv_sec;
}

struct timespec
clock_timespec_of_us(int64_t mono_us)
{
	if (mono_us < 0)
		mono_us = 0; /* long past, and a negative tv_nsec is EINVAL */
	return (struct timespec){
	    .tv_sec = mono_us / USECS_PER_SEC,
	    .tv_nsec = mono_us % USECS_PER_SEC * NSECS_PER_USEC,
	};
}

/* `width` digits of value, with leading zeros, and a separator behind. */
static char *
put_digits(char *at, long value, int width, char separator)
{
	for (int i = width - 1; i >= 0; i--) {
		at[i] = (char)('0' + value % 10);
		value /= 10;
	}
	at[width] = separator;
	return at + width + 1;
}

void
clock_iso_now(char out_r[CLOCK_ISO_BYTES])
{
	struct timespec now = clock_read(CLOCK_REALTIME);
	struct tm tm;
	char *at = out_r;

	CHECK(gmtime_r(&now.tv_sec, &tm) != NULL);
	at = put_digits(at, tm.tm_year + 1900L, 4, '-');
	at = put_digits(at, tm.tm_mon + 1L, 2, '-');
	at = put_digits(at, tm.tm_mday, 2, 'T');
	at = put_digits(at, tm.tm_hour, 2, ':');
	at = put_digits(at, tm.tm_min, 2, ':');
	at = put_digits(at, tm.tm_sec, 2, '.');
	at = put_digits(at, now.tv_nsec / NSECS_PER_MSEC, 3, 'Z');
	*at = '\0';
}

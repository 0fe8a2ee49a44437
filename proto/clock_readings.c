/*
 * The readings' run lengths; see clock_readings.h. Not the clock itself: the
 * runner reads that (api_clock.c).
 * Runs in runner, front and gateway, on any thread.
 */
#include "proto/clock_readings.h"

/* LEB128 of 64 bits. */
#define NUMBER_MAX_BYTES 10

/* 2^53: what a script's number can hold, and sums of it stay within 64 bits. */
#define READING_MAX_MS ((int64_t)1 << 53)

static uint64_t
zigzag(int64_t value)
{
	return value < 0 ? ((uint64_t) - (value + 1) << 1) | 1
			 : (uint64_t)value << 1;
}

static int64_t
unzigzag(uint64_t value)
{
	return (value & 1) != 0 ? -(int64_t)(value >> 1) - 1
				: (int64_t)(value >> 1);
}

static void
append_number(struct buf *out, uint64_t value)
{
	uint8_t bytes[NUMBER_MAX_BYTES];
	size_t len = 0;

	do {
		bytes[len] = (uint8_t)(value & 0x7F);
		value >>= 7;
		if (value != 0)
			bytes[len] |= 0x80;
		len++;
	} while (value != 0);
	buf_append(out, bytes, len);
}

void
clock_writer_flush(struct clock_writer *writer, struct buf *out)
{
	if (writer->run_count == 0)
		return;
	append_number(out, zigzag(writer->run_ms - writer->last_ms));
	append_number(out, writer->run_count);
	writer->last_ms = writer->run_ms;
	writer->run_count = 0;
}

void
clock_writer_add(struct clock_writer *writer, int64_t now_ms, struct buf *out)
{
	if (writer->run_count > 0 && writer->run_ms != now_ms)
		clock_writer_flush(writer, out);
	writer->run_ms = now_ms;
	writer->run_count++;
}

/* ---- reading --------------------------------------------------------------
 */

void
clock_reader_init(struct clock_reader *reader, struct span readings)
{
	*reader = (struct clock_reader){.rest = readings};
}

static enum err
take_number(struct span *rest, uint64_t *value_r)
{
	uint64_t value = 0;
	size_t len = 0;

	do {
		if (len >= rest->len || len >= NUMBER_MAX_BYTES)
			return ERR_SYNTAX;
		if (len == NUMBER_MAX_BYTES - 1 && rest->data[len] > 1)
			return ERR_SYNTAX;
		value |= (uint64_t)(rest->data[len] & 0x7F) << (7 * len);
	} while ((rest->data[len++] & 0x80) != 0);
	rest->data += len;
	rest->len -= len;
	*value_r = value;
	return OK;
}

enum err
clock_reader_run(struct clock_reader *reader, int64_t *ms_r, uint64_t *count_r)
{
	uint64_t step, count;
	int64_t by_ms;

	if (reader->rest.len == 0)
		return ERR_NOT_FOUND;
	if (take_number(&reader->rest, &step) != OK ||
	    take_number(&reader->rest, &count) != OK || count == 0)
		return ERR_SYNTAX;
	by_ms = unzigzag(step);
	if (by_ms > 2 * READING_MAX_MS || by_ms < -2 * READING_MAX_MS)
		return ERR_SYNTAX;
	by_ms += reader->run_ms;
	if (by_ms > READING_MAX_MS || by_ms < -READING_MAX_MS)
		return ERR_SYNTAX;
	reader->run_ms = by_ms;
	*ms_r = by_ms;
	*count_r = count;
	return OK;
}

bool
clock_reader_next(struct clock_reader *reader, int64_t *ms_r)
{
	int64_t run_ms;

	*ms_r = reader->run_ms;
	if (reader->left == 0 &&
	    clock_reader_run(reader, &run_ms, &reader->left) != OK) {
		reader->rest.len = 0;
		return false;
	}
	reader->left--;
	*ms_r = reader->run_ms;
	return true;
}

/*
 * A request's head cut up as civetweb 1.15 does it, so that the guard can be
 * tested and fuzzed without a server. Lenient in the same places: bare LF,
 * spaces before a colon, a line that ends the list. test_http_server checks
 * over a real connection that civetweb's cuts are these.
 *
 * Header only, for test_http_guard and fuzz_http_guard.
 */
#ifndef POSTERN_HTTP_HEAD_SAMPLE_H
#define POSTERN_HTTP_HEAD_SAMPLE_H

#include <stdlib.h>
#include <string.h>

#include "gateway/http/http_guard.h"

#define HEAD_SAMPLE_FIELDS 64 /* civetweb's MG_MAX_HEADERS */

struct head_sample {
	char *bytes; /* owned */
	struct http_head_field fields[HEAD_SAMPLE_FIELDS];
	struct http_head head;
};

/* Bytes of the head with its empty line; 0: not complete or not ASCII text. */
static size_t
head_sample_len(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c != '\r' && c != '\n' && c < 128 && (c < 32 || c == 127))
			return 0;
		if (c == '\n' && i > 0 && text[i - 1] == '\n')
			return i + 1;
		if (i >= 3 && memcmp(text + i - 3, "\r\n\r\n", 4) == 0)
			return i + 1;
	}
	return 0;
}

/* Ends the word at the next space and returns what follows; NULL: no space. */
static char *
head_sample_word(char *text)
{
	char *space = strpbrk(text, " \r\n");

	if (space == NULL || *space != ' ')
		return NULL;
	while (*space == ' ')
		*space++ = '\0';
	return space;
}

/* Ends the line (CR LF, LF, and any blank that follows the request line). */
static char *
head_sample_first_line_end(char *text)
{
	char *end = strpbrk(text, "\r\n");

	if (end == NULL)
		return NULL;
	while (*end == '\r' || *end == '\n' || *end == ' ')
		*end++ = '\0';
	return end;
}

/* One header; the start of the next line, NULL at the end of the list. */
static char *
head_sample_field(char *line, struct http_head_field *field_r)
{
	char *p = line;

	while (*p > ' ' && *p < 127 && *p != ':')
		p++;
	if (p == line)
		return NULL;
	while (*p == ' ')
		*p++ = '\0';
	if (*p != ':')
		return NULL;
	*p++ = '\0';
	while (*p == ' ')
		p++;
	field_r->name = line;
	field_r->value = p;
	p += strcspn(p, "\r\n");
	if (*p == '\r')
		*p++ = '\0';
	if (*p == '\n')
		*p++ = '\0';
	return p;
}

static void
head_sample_free(struct head_sample *sample)
{
	free(sample->bytes);
	sample->bytes = NULL;
}

/* False where civetweb would answer by itself. Frees nothing it kept: always
 * call head_sample_free(). */
static int
head_sample_cut(const void *text, size_t len, struct head_sample *sample)
{
	char *line, *target, *version;
	size_t head_len;

	memset(sample, 0, sizeof *sample);
	/* Two more: see http_guard.h; zeroed like a buffer's rest. */
	sample->bytes = calloc(1, len + 2);
	if (sample->bytes == NULL)
		return 0;
	if (len > 0)
		memcpy(sample->bytes, text, len);
	head_len = head_sample_len(sample->bytes, len);
	if (head_len == 0)
		return 0;
	sample->bytes[head_len - 1] = '\0';
	target = head_sample_word(sample->bytes);
	version = target == NULL ? NULL : head_sample_word(target);
	if (version == NULL || strncmp(version, "HTTP/", 5) != 0)
		return 0;
	line = head_sample_first_line_end(version);
	sample->head.method = sample->bytes;
	sample->head.path = target;
	sample->head.version = version + 5;
	if (strchr(target, '?') != NULL) {
		char *query = strchr(target, '?');

		*query = '\0';
		sample->head.query = query + 1;
	}
	sample->head.fields = sample->fields;
	for (unsigned i = 0; i < HEAD_SAMPLE_FIELDS && line != NULL; i++) {
		line = head_sample_field(line, &sample->fields[i]);
		if (line == NULL)
			break;
		sample->head.field_count = i + 1;
		if (*line == '\r' || *line == '\n' || *line == '\0')
			break;
	}
	return 1;
}

#endif

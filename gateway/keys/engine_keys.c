/*
 * Reading engines' identity keys and computing under them; see engine_keys.h.
 * Not what is proven with them (gateway/dispatch). Runs on any thread.
 */
#include "gateway/keys/engine_keys.h"

#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "gateway/keys/evp_context.h"

/* messages.def: hello.engine and hello.labels, terminated. */
#define NAME_BYTES   65
#define LABELS_BYTES 513

#define FILE_BYTES (ENGINE_KEYS_MAX * 1024)

struct engine_key {
	char name[NAME_BYTES];
	char labels[LABELS_BYTES]; /* comma-separated */
	bool has_labels;
	uint8_t key[ENGINE_KEY_BYTES];
};

struct engine_keys {
	unsigned count;
	struct engine_key items[ENGINE_KEYS_MAX];
};

static const struct engine_key *
find(const struct engine_keys *keys, struct span name)
{
	for (unsigned i = 0; i < keys->count; i++)
		if (span_is(name, keys->items[i].name))
			return &keys->items[i];
	return NULL;
}

/* ---- reading --------------------------------------------------------------
 */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next line off `text`, without its end. */
static struct span
next_line(struct span *text)
{
	const uint8_t *end = memchr(text->data, '\n', text->len);
	size_t len = end == NULL ? text->len : (size_t)(end - text->data);
	struct span line = span_of(text->data, len);

	len += end != NULL;
	text->data += len;
	text->len -= len;
	return line;
}

/* Takes the next word off `line`; absent at its end. */
static struct span
next_word(struct span *line)
{
	struct span word = {NULL, 0};

	while (line->len > 0 && is_blank(line->data[0])) {
		line->data++;
		line->len--;
	}
	if (line->len == 0)
		return word;
	word.data = line->data;
	while (line->len > 0 && !is_blank(line->data[0])) {
		line->data++;
		line->len--;
		word.len++;
	}
	return word;
}

static bool
is_text_of(struct span word, const char *extra, size_t bytes)
{
	if (word.len == 0 || word.len >= bytes)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.data[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') ||
			(c != '\0' && strchr(extra, c) != NULL)))
			return false;
	}
	return true;
}

/* What is wrong with the line, or NULL. */
static const char *
parse_line(struct engine_keys *keys, struct span line)
{
	struct engine_key *item = &keys->items[keys->count];
	struct span name = next_word(&line);
	struct span key = next_word(&line);
	struct span labels = next_word(&line);

	if (!span_present(name) || name.data[0] == '#')
		return NULL;
	if (keys->count == ENGINE_KEYS_MAX)
		return "one engine too many";
	if (!is_text_of(name, "._-", NAME_BYTES))
		return "a name has 1 to 64 of A-Z a-z 0-9 . _ -";
	if (find(keys, name) != NULL)
		return "this name has a line already";
	*item = (struct engine_key){.has_labels = span_present(labels)};
	if (hex_decode(key, item->key, sizeof item->key) != OK)
		return "the key is not 64 hexadecimal digits";
	if (item->has_labels &&
	    !is_text_of(labels, "._-,:/", sizeof item->labels))
		return "labels are comma-separated, without blanks";
	if (span_present(next_word(&line)))
		return "there is something behind the labels";
	memcpy(item->name, name.data, name.len);
	if (labels.len > 0)
		memcpy(item->labels, labels.data, labels.len);
	keys->count++;
	return NULL;
}

enum err
engine_keys_parse(
    struct span text, struct engine_keys **keys_r, struct err_detail *detail)
{
	struct engine_keys *keys = calloc(1, sizeof *keys);
	const char *problem;
	unsigned number = 0;

	if (keys == NULL)
		return ERR_NOMEM;
	while (text.len > 0) {
		number++;
		problem = parse_line(keys, next_line(&text));
		if (problem == NULL)
			continue;
		engine_keys_free(keys);
		return err_set(
		    detail, ERR_INVALID, "line %u: %s", number, problem);
	}
	*keys_r = keys;
	return OK;
}

enum err
engine_keys_load(
    const char *path, struct engine_keys **keys_r, struct err_detail *detail)
{
	struct secret *file = NULL;
	enum err err;

	err = secret_read_file(path, FILE_BYTES, &file, detail);
	if (err != OK)
		return err;
	err = engine_keys_parse(secret_bytes(file), keys_r, detail);
	secret_free(file);
	return err == OK ? OK : err_prefix(detail, err, "%s", path);
}

void
engine_keys_free(struct engine_keys *keys)
{
	if (keys == NULL)
		return;
	secret_wipe(keys, sizeof *keys);
	free(keys);
}

/* ---- asking ---------------------------------------------------------------
 */

bool
engine_keys_has(const struct engine_keys *keys, struct span name)
{
	return find(keys, name) != NULL;
}

bool
engine_keys_agree(
    const struct engine_keys *a, const struct engine_keys *b, struct span name)
{
	const struct engine_key *in_a = find(a, name);
	const struct engine_key *in_b = find(b, name);

	return in_a != NULL && in_b != NULL &&
	       secret_equal(span_of(in_a->key, ENGINE_KEY_BYTES),
		   span_of(in_b->key, ENGINE_KEY_BYTES)) &&
	       in_a->has_labels == in_b->has_labels &&
	       strcmp(in_a->labels, in_b->labels) == 0;
}

/* Takes the next of comma-separated labels off `labels`, without blanks. */
static struct span
next_label(struct span *labels)
{
	const uint8_t *comma = memchr(labels->data, ',', labels->len);
	size_t len =
	    comma == NULL ? labels->len : (size_t)(comma - labels->data);
	struct span label = span_of(labels->data, len);

	len += comma != NULL;
	labels->data += len;
	labels->len -= len;
	while (label.len > 0 && is_blank(label.data[0])) {
		label.data++;
		label.len--;
	}
	while (label.len > 0 && is_blank(label.data[label.len - 1]))
		label.len--;
	return label;
}

static bool
has_label(struct span labels, struct span wanted)
{
	while (labels.len > 0)
		if (span_equal(next_label(&labels), wanted))
			return true;
	return false;
}

bool
engine_keys_allow(
    const struct engine_keys *keys, struct span name, struct span labels)
{
	const struct engine_key *item = find(keys, name);
	struct span label;

	if (item == NULL)
		return false;
	if (!item->has_labels)
		return true;
	while (labels.len > 0) {
		label = next_label(&labels);
		if (label.len > 0 && !has_label(span_str(item->labels), label))
			return false;
	}
	return true;
}

enum err
engine_keys_prove(const struct engine_keys *keys, struct span name,
    struct span bytes, uint8_t proof_r[ENGINE_PROOF_BYTES])
{
	const struct engine_key *item = find(keys, name);
	struct evp_context *evp = evp_context_get();
	size_t len = 0;

	if (item == NULL)
		return ERR_NOT_FOUND;
	if (evp == NULL ||
	    EVP_MAC_init(evp->hmac, item->key, sizeof item->key, NULL) != 1 ||
	    EVP_MAC_update(evp->hmac, bytes.data, bytes.len) != 1 ||
	    EVP_MAC_final(evp->hmac, proof_r, &len, ENGINE_PROOF_BYTES) != 1 ||
	    len != ENGINE_PROOF_BYTES)
		return ERR_CRYPTO;
	return OK;
}

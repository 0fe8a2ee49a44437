/*
 * The file of http.ca into the draft (see realm_ca.h). It is looked at as
 * text: whether a certificate is any good is found out by the engine, whose
 * TLS library uses it. Runs on the loader's thread.
 */
#include "gateway/realm/realm_ca.h"

#include <string.h>

#include "common/encoding.h"
#include "gateway/realm/realm_syntax.h"
#include "gateway/realm/realm_value.h"

#define PEM_BEGIN "-----BEGIN "
#define PEM_FIRST "-----BEGIN CERTIFICATE-----"
#define PEM_LAST  "-----END CERTIFICATE-----"

/* X.690: a SEQUENCE, which every certificate is. */
#define DER_SEQUENCE 0x30

static const uint8_t *
ca_find(struct span text, const char *what)
{
	return memmem(text.data, text.len, what, strlen(what));
}

/* What follows `at` in the text. */
static struct span
ca_from(struct span text, const uint8_t *at)
{
	return span_of(at, (size_t)(text.data + text.len - at));
}

/* The lines between the first and the last one of a block. */
static bool
ca_is_certificate(struct span lines)
{
	struct buf base64, der;
	bool fine;

	buf_init(&base64, REALM_CA_BYTES);
	buf_init(&der, REALM_CA_BYTES);
	for (size_t i = 0; i < lines.len; i++)
		if (strchr(" \t\r\n", lines.data[i]) == NULL)
			buf_append_char(&base64, (char)lines.data[i]);
	fine = base64_decode(buf_span(&base64), &der) == OK && der.len > 1 &&
	       der.data[0] == DER_SEQUENCE;
	buf_fini(&base64);
	buf_fini(&der);
	return fine;
}

/* NULL: certificates, one or more, and perhaps words between them. */
static const char *
ca_mistake(struct span text)
{
	const uint8_t *begin = ca_find(text, PEM_BEGIN);

	if (!realm_syntax_is_lines(text))
		return "the file is not text";
	if (begin == NULL)
		return "the file has no certificate in PEM";
	for (; begin != NULL; begin = ca_find(text, PEM_BEGIN)) {
		const uint8_t *end;

		text = ca_from(text, begin);
		if (ca_find(text, PEM_FIRST) != begin)
			return "the file has something else than certificates";
		text = ca_from(text, begin + sizeof PEM_FIRST - 1);
		end = ca_find(text, PEM_LAST);
		if (end == NULL || !ca_is_certificate(span_of(
				       text.data, (size_t)(end - text.data))))
			return "the file has a certificate that is malformed";
		text = ca_from(text, end + sizeof PEM_LAST - 1);
	}
	return NULL;
}

/* And not one that lies elsewhere and is only named. */
static bool
ca_is_of_realm(const struct realm_draft *draft, const char *path)
{
	return realm_dir_path_is_good(span_str(path)) &&
	       (!realm_dir_is_set(draft->dir) ||
		   realm_dir_has(draft->dir, path));
}

bool
realm_ca_take(struct realm_draft *draft, const struct yaml_source *source,
    const struct setting *setting, const char **pem_r)
{
	struct err_detail detail = {0};
	const char *mistake = NULL;
	struct buf text;
	enum err err;

	*pem_r = NULL;
	if (!setting->given || draft->dir == NULL)
		return true;
	buf_init(&text, REALM_CA_BYTES);
	err = realm_value_read(draft, setting->text, &text, &detail);
	if (err != OK)
		mistake = err_text(&detail, err);
	else
		mistake = ca_mistake(buf_span(&text));
	if (mistake == NULL && ca_is_of_realm(draft, setting->text))
		realm_draft_see(draft, setting->text, buf_span(&text));
	if (mistake != NULL)
		realm_problem_add(&draft->problems,
		    (struct realm_place){
			source->file, setting->line, "http.ca"},
		    "%s", mistake);
	else
		*pem_r = arena_copy_str(draft->kept, buf_span(&text));
	buf_fini(&text);
	return mistake != NULL || *pem_r != NULL;
}

static bool
ca_is_at(const char *file, const char *path)
{
	size_t len = strlen(path);

	return file != NULL && strncmp(file, path, len) == 0 &&
	       (file[len] == '\0' || file[len] == '/');
}

bool
realm_ca_is_named(const struct realm_draft *draft, const char *path)
{
	if (ca_is_at(draft->http_ca_file, path))
		return true;
	for (const struct draft_idp *idp = draft->idps; idp != NULL;
	     idp = idp->next)
		if (ca_is_at(idp->http.ca.text, path))
			return true;
	return false;
}

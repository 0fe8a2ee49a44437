/*
 * Writes trees as YAML and as JSON. Our own writer, since libfyaml's keeps the
 * style of what it read. Any thread.
 */
#include "gateway/config/config_text.h"

#include <string.h>

#include "common/encoding.h"
#include "common/json_text.h"
#include "gateway/config/config_tree.h"

#define INDENT "  "

/* ---- scalars ------------------------------------------------------------- */

/* JSON's numbers, but only the whole ones: there are no others in a realm. */
static bool
text_is_number(const char *text)
{
	size_t len;

	if (*text == '-')
		text++;
	len = strspn(text, "0123456789");
	return len > 0 && text[len] == '\0' && (text[0] != '0' || len == 1);
}

static bool
text_is_literal(const struct yaml_node *node)
{
	return node->plain && (strcmp(node->text, "true") == 0 ||
				  strcmp(node->text, "false") == 0 ||
				  text_is_number(node->text));
}

/* Words that some reader of YAML takes for something else. */
static bool
text_is_reserved(const char *text)
{
	static const char *const words[] = {
	    "true", "false", "null", "yes", "no", "on", "off", "y", "n"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcasecmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

static bool
text_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* May stand without quotes, as a key too: far less than YAML allows. */
static bool
text_is_plain(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 ||
	    (!text_is_letter(text[0]) && text[0] != '/' && text[0] != '_'))
		return false;
	for (size_t i = 0; i < len; i++) {
		char next = text[i + 1];

		if (!text_is_letter(text[i]) &&
		    strchr("0123456789 _./@:+~,;()=-", text[i]) == NULL)
			return false;
		if ((text[i] == ':' || text[i] == ' ') &&
		    (next == ' ' || next == '\0'))
			return false;
	}
	return !text_is_reserved(text);
}

static void
text_append_escape(struct buf *out, uint32_t code_point)
{
	switch (code_point) {
	case '"':
		buf_append_str(out, "\\\"");
		return;
	case '\\':
		buf_append_str(out, "\\\\");
		return;
	case '\n':
		buf_append_str(out, "\\n");
		return;
	case '\t':
		buf_append_str(out, "\\t");
		return;
	default:
		buf_printf(out, "\\u%04x", (unsigned)code_point);
	}
}

/* What a reader may not see, or may take for the end of a line. */
static bool
text_must_escape(uint32_t code_point)
{
	return code_point < 0x20 || code_point == '"' || code_point == '\\' ||
	       (code_point >= 0x7f && code_point <= 0xa0) ||
	       code_point == 0x2028 || code_point == 0x2029 ||
	       code_point == 0xfeff || code_point == 0xfffe ||
	       code_point == 0xffff;
}

static void
text_append_quoted(struct buf *out, struct span text)
{
	buf_append_char(out, '"');
	while (text.len > 0) {
		uint32_t code_point = 0;
		size_t len = utf8_next(text, &code_point);

		if (len == 0) /* the parser lets none through */
			len = 1;
		else if (text_must_escape(code_point))
			text_append_escape(out, code_point);
		else
			buf_append(out, text.data, len);
		text = span_of(text.data + len, text.len - len);
	}
	buf_append_char(out, '"');
}

/* Lines of printable ASCII, such as a key in PEM: readable as they are. */
static bool
text_is_block(const char *text)
{
	size_t len = strlen(text);

	if (strchr(text, '\n') == NULL || text[0] == ' ' || text[0] == '\n')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' &&
		    (text[i + 1] == '\n' || text[i + 1] == ' '))
			return false;
		if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
			return false;
	}
	return true;
}

static void
text_append_indent(struct buf *out, size_t depth)
{
	for (size_t i = 0; i < depth; i++)
		buf_append_str(out, INDENT);
}

/* The last line end is there ("|") or not ("|-"). */
static void
text_append_block(struct buf *out, const char *text, size_t depth)
{
	size_t len = strlen(text);
	bool ended = text[len - 1] == '\n';
	const char *line = text;

	buf_append_str(out, ended ? "|\n" : "|-\n");
	while (*line != '\0') {
		size_t bytes = strcspn(line, "\n");

		text_append_indent(out, depth);
		buf_append(out, line, bytes);
		buf_append_char(out, '\n');
		line += bytes + (line[bytes] == '\n');
	}
}

/* With the end of the line. `depth` is that of what lies below the key. */
static void
text_append_scalar(struct buf *out, const struct yaml_node *node, size_t depth)
{
	const char *text = node->text;

	if (text_is_block(text)) {
		text_append_block(out, text, depth);
		return;
	}
	if (text_is_literal(node) || text_is_plain(text))
		buf_append_str(out, text);
	else if (!node->plain || text[0] != '\0') /* no value stays none */
		text_append_quoted(out, span_str(text));
	buf_append_char(out, '\n');
}

/* ---- YAML ---------------------------------------------------------------- */

/* The first member of what is itself an item goes on behind its "- ". */
static bool
yaml_goes_on(const struct yaml_node *node)
{
	const struct yaml_node *parent = node->parent;

	return parent->first == node && parent->parent != NULL &&
	       parent->parent->kind == YAML_LIST;
}

/* "key:" or "-", and how it goes on. */
static void
yaml_append_head(struct buf *out, const struct yaml_node *node, size_t depth)
{
	const struct yaml_node *parent = node->parent;
	bool opens = node->first != NULL;

	if (!yaml_goes_on(node))
		text_append_indent(out, depth - 1);
	if (parent->kind == YAML_LIST) {
		buf_append_str(out, "- ");
		return;
	}
	if (text_is_plain(node->key))
		buf_append_str(out, node->key);
	else
		text_append_quoted(out, span_str(node->key));
	buf_append_str(out, opens ? ":\n" : ": ");
}

void
config_text_yaml(const struct yaml_node *root, struct buf *out)
{
	size_t depth = 0;

	for (const struct yaml_node *node = root; node != NULL && !out->failed;
	     node = config_tree_next(root, node, &depth)) {
		if (node != root)
			yaml_append_head(out, node, depth);
		if (node->kind == YAML_SCALAR)
			text_append_scalar(out, node, depth);
		else if (node->first == NULL)
			buf_append_str(
			    out, node->kind == YAML_MAP ? "{}\n" : "[]\n");
	}
}

/* ---- JSON ---------------------------------------------------------------- */

/* What comes before a value. */
static void
json_append_head(struct buf *out, const struct yaml_node *node)
{
	if (node->parent->first != node)
		buf_append_char(out, ',');
	if (node->parent->kind != YAML_MAP)
		return;
	json_append_string(out, span_str(node->key));
	buf_append_char(out, ':');
}

static void
json_append_value(struct buf *out, const struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR)
		buf_append_char(out, node->kind == YAML_MAP ? '{' : '[');
	else if (text_is_literal(node))
		buf_append_str(out, node->text);
	else
		json_append_string(out, span_str(node->text));
}

/* Closes what ends with `node`: all that it is the last of. */
static void
json_append_ends(
    struct buf *out, const struct yaml_node *root, const struct yaml_node *node)
{
	if (node->first != NULL)
		return;
	if (node->kind != YAML_SCALAR)
		buf_append_char(out, node->kind == YAML_MAP ? '}' : ']');
	while (node != root && node->next == NULL) {
		node = node->parent;
		buf_append_char(out, node->kind == YAML_MAP ? '}' : ']');
	}
}

void
config_text_json(const struct yaml_node *root, struct buf *out)
{
	size_t depth = 0;

	for (const struct yaml_node *node = root; node != NULL && !out->failed;
	     node = config_tree_next(root, node, &depth)) {
		if (node != root)
			json_append_head(out, node);
		json_append_value(out, node);
		json_append_ends(out, root, node);
	}
}

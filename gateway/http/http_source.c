/*
 * Source address and correlation id of a request, see http_source.h. Not
 * throttling by source (gateway/oauth). Runs on civetweb's workers; the
 * parsing of the list before they start.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/conf.h"
#include "common/random.h"
#include "gateway/http/http.h"
#include "gateway/http/http_source.h"

#define CORRELATION_RANDOM_BYTES 16

static bool
parse_address(struct span text, struct http_address *address_r)
{
	char copy[INET6_ADDRSTRLEN];
	struct http_address address = {.bytes = {[10] = 0xff, [11] = 0xff}};

	if (text.len == 0 || text.len >= sizeof copy ||
	    memchr(text.data, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, address.bytes + 12) != 1 &&
	    inet_pton(AF_INET6, copy, address.bytes) != 1)
		return false;
	*address_r = address;
	return true;
}

static char *
address_text(const struct http_address *address, struct arena *arena)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];
	bool is_v4 = memcmp(address->bytes, mapped, sizeof mapped) == 0;

	if (inet_ntop(is_v4 ? AF_INET : AF_INET6,
		address->bytes + (is_v4 ? sizeof mapped : 0), text,
		sizeof text) == NULL)
		return NULL;
	return arena_strdup(arena, text);
}

static enum err
add_proxy(
    struct http_proxies *proxies, const char *item, struct err_detail *detail)
{
	struct http_address *items;
	struct http_address address;

	if (!parse_address(span_str(item), &address))
		return err_set(
		    detail, ERR_INVALID, "\"%s\" is not an IP address", item);
	items = realloc(proxies->items, (proxies->count + 1) * sizeof *items);
	if (items == NULL)
		return ERR_NOMEM;
	proxies->items = items;
	items[proxies->count++] = address;
	return OK;
}

enum err
http_proxies_parse(
    const char *list, struct http_proxies *proxies_r, struct err_detail *detail)
{
	struct http_proxies proxies = {NULL, 0};
	char item[CONF_ITEM_BYTES];
	enum err err = OK;

	while (err == OK && list != NULL &&
	       conf_list_next(&list, item, sizeof item))
		err = add_proxy(&proxies, item, detail);
	if (err == OK)
		*proxies_r = proxies;
	else
		http_proxies_fini(&proxies);
	return err;
}

enum err
http_proxy_list_check(const char *list, struct err_detail *detail)
{
	struct http_proxies proxies;
	enum err err = http_proxies_parse(list, &proxies, detail);

	if (err == OK)
		http_proxies_fini(&proxies);
	return err;
}

void
http_proxies_fini(struct http_proxies *proxies)
{
	free(proxies->items);
	*proxies = (struct http_proxies){NULL, 0};
}

static bool
is_trusted(const struct http_proxies *proxies, const struct http_address *who)
{
	for (size_t i = 0; i < proxies->count; i++)
		if (memcmp(proxies->items[i].bytes, who->bytes,
			sizeof who->bytes) == 0)
			return true;
	return false;
}

bool
http_proxies_trust(const struct http_proxies *proxies, const char *peer)
{
	struct http_address address;

	return parse_address(span_str(peer), &address) &&
	       is_trusted(proxies, &address);
}

/* Cuts the last entry off a comma-separated list; the list is absent when
 * nothing is left of it. */
static struct span
take_last_entry(struct span *list)
{
	const uint8_t *data = list->data;
	size_t start = list->len, end = list->len;

	while (start > 0 && data[start - 1] != ',')
		start--;
	*list = start == 0 ? (struct span){NULL, 0} : span_of(data, start - 1);
	while (end > start && data[end - 1] == ' ')
		end--;
	while (start < end && data[start] == ' ')
		start++;
	return span_of(data + start, end - start);
}

/*
 * Walks one header from the right for as long as the entries are trusted
 * addresses, keeping the last one that parsed. True: the search is over.
 */
static bool
walk_forwarded(const struct http_proxies *proxies, const char *value,
    struct http_address *source)
{
	struct span list = span_str(value);
	struct http_address address;

	while (span_present(list)) {
		if (!parse_address(take_last_entry(&list), &address))
			return true;
		*source = address;
		if (!is_trusted(proxies, &address))
			return true;
	}
	return false;
}

const char *
http_source_find(const struct http_proxies *proxies, const char *peer,
    const struct http_head *head, struct arena *arena)
{
	struct http_address source;

	if (!parse_address(span_str(peer), &source))
		return arena_strdup(arena, peer);
	if (!is_trusted(proxies, &source))
		return address_text(&source, arena);
	/* RFC 9110 section 5.3: several headers are one list, in order. */
	for (unsigned i = head == NULL ? 0 : head->field_count; i > 0; i--) {
		const struct http_head_field *field = &head->fields[i - 1];

		if (strcasecmp(field->name, "X-Forwarded-For") == 0 &&
		    walk_forwarded(proxies, field->value, &source))
			break;
	}
	return address_text(&source, arena);
}

static bool
is_correlation_id(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= HTTP_CORRELATION_ID_MAX &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz"
			    "0123456789._-") == len;
}

/* NULL also where it is there twice: which one would be a guess. */
static const char *
only_field(const struct http_head *head, const char *name)
{
	const char *value = NULL;

	for (unsigned i = 0; i < head->field_count; i++) {
		if (strcasecmp(head->fields[i].name, name) != 0)
			continue;
		if (value != NULL)
			return NULL;
		value = head->fields[i].value;
	}
	return value;
}

static const char *
given_correlation_id(const struct http_head *head)
{
	const char *id = only_field(head, "X-Correlation-Id");

	return id != NULL && is_correlation_id(id) ? id : NULL;
}

static char *
random_correlation_id(struct arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[CORRELATION_RANDOM_BYTES];
	char *id = arena_alloc(arena, 2 * sizeof bytes + 1);

	if (id == NULL)
		return NULL;
	random_bytes(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	return id;
}

const char *
http_correlation_find(const struct http_proxies *proxies, const char *peer,
    const struct http_head *head, struct arena *arena)
{
	const char *id = NULL;

	if (head != NULL && http_proxies_trust(proxies, peer))
		id = given_correlation_id(head);
	return id != NULL ? arena_strdup(arena, id)
			  : random_correlation_id(arena);
}

void
http_trace_find(const struct http_proxies *proxies, const char *peer,
    const struct http_head *head, const char *correlation_id,
    struct trace_context *trace_r)
{
	const char *given = NULL;

	if (head != NULL && http_proxies_trust(proxies, peer))
		given = only_field(head, "traceparent");
	if (given == NULL || trace_parse(span_str(given), trace_r) != OK)
		trace_begin(trace_r, span_str(correlation_id));
}

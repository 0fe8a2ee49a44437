/*
 * Bytes as allow-list, and as a URL judged by it: first line the URL, the rest
 * the list. Whatever is accepted must hold together.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "engine/front/allow_list.h"
#include "engine/front/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
	size_t len = end == NULL ? size : (size_t)(end - data);
	struct span list = {NULL, 0};
	struct address address;
	struct target target, again;

	if (end != NULL && len + 1 < size)
		list = span_of(end + 1, size - len - 1);
	if (target_parse(span_of(data, len), &target, NULL) != OK)
		return 0;
	CHECK(target.port != 0 && target.host[0] != '\0');
	/* What libcurl will be given leads to the same place. */
	CHECK(target_parse(span_str(target.url), &again, NULL) == OK);
	CHECK(target_is_same_origin(&target, &again));
	if (!allow_list_has_host(list, target.host, target.port))
		return 0;
	if (address_of_text(target.host, &address)) {
		address.port = target.port;
		CHECK(allow_list_has_address(list, &address));
	}
	return 0;
}

/*
 * The special-purpose ranges (see address_judge.h). Judges bytes; nothing is
 * resolved or parsed as a URL here. Any thread.
 */
#include "engine/front/address_judge.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct block {
	uint8_t prefix[ADDRESS_V6_BYTES];
	unsigned bits;
};

/* IANA IPv4 Special-Purpose Address Registry, and what is no unicast. */
static const struct block blocks_v4[] = {
    {{0}, 8},                 /* this network, RFC 791 */
    {{10}, 8},                /* private, RFC 1918 */
    {{100, 64}, 10},          /* shared, RFC 6598; a cloud's metadata */
    {{127}, 8},               /* loopback */
    {{168, 63, 129, 16}, 32}, /* a cloud's host, public by its number */
    {{169, 254}, 16},         /* link-local, RFC 3927; metadata */
    {{172, 16}, 12},          /* private */
    {{192, 0, 0}, 24},        /* IETF protocol assignments */
    {{192, 0, 2}, 24},        /* documentation */
    {{192, 31, 196}, 24},     /* AS112 */
    {{192, 52, 193}, 24},     /* AMT */
    {{192, 88, 99}, 24},      /* 6to4 relays, RFC 7526 */
    {{192, 168}, 16},         /* private */
    {{192, 175, 48}, 24},     /* AS112 */
    {{198, 18}, 15},          /* benchmarks */
    {{198, 51, 100}, 24},     /* documentation */
    {{203, 0, 113}, 24},      /* documentation */
    {{224}, 4},               /* multicast */
    {{240}, 4},               /* reserved, broadcast */
};

/* Global unicast is 2000::/3 only; of that, what IANA took out again. */
static const struct block global_v6 = {{0x20}, 3};
static const struct block blocks_v6[] = {
    {{0x20, 0x01}, 23},                /* Teredo, ORCHID, benchmarks ... */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},    /* documentation */
    {{0x20, 0x02}, 16},                /* 6to4: any IPv4 address inside */
    {{0x26, 0x20, 0, 0x4f, 0x80}, 48}, /* AS112 */
    {{0x3f, 0xff}, 20},                /* documentation, RFC 9637 */
};

static const uint8_t prefix_mapped[12] = {
    [10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */
static const uint8_t prefix_nat64[12] = {0x00, 0x64, 0xff, 0x9b}; /* RFC 6052 */

static void
address_from_v6(const uint8_t bytes[ADDRESS_V6_BYTES], struct address *out_r)
{
	if (memcmp(bytes, prefix_mapped, sizeof prefix_mapped) == 0 ||
	    memcmp(bytes, prefix_nat64, sizeof prefix_nat64) == 0) {
		out_r->len = ADDRESS_V4_BYTES;
		memcpy(out_r->bytes, bytes + sizeof prefix_nat64,
		    ADDRESS_V4_BYTES);
		return;
	}
	out_r->len = ADDRESS_V6_BYTES;
	memcpy(out_r->bytes, bytes, ADDRESS_V6_BYTES);
}

bool
address_of_sockaddr(
    const struct sockaddr *sockaddr, socklen_t len, struct address *address_r)
{
	struct address address = {.len = 0};
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (sockaddr->sa_family == AF_INET && len >= sizeof v4) {
		memcpy(&v4, sockaddr, sizeof v4);
		address.len = ADDRESS_V4_BYTES;
		memcpy(address.bytes, &v4.sin_addr, ADDRESS_V4_BYTES);
		address.port = ntohs(v4.sin_port);
	} else if (sockaddr->sa_family == AF_INET6 && len >= sizeof v6) {
		memcpy(&v6, sockaddr, sizeof v6);
		address_from_v6(v6.sin6_addr.s6_addr, &address);
		address.port = ntohs(v6.sin6_port);
	} else {
		return false;
	}
	*address_r = address;
	return true;
}

bool
address_of_text(const char *text, struct address *address_r)
{
	struct address address = {.len = ADDRESS_V4_BYTES};
	uint8_t v6[ADDRESS_V6_BYTES];

	if (inet_pton(AF_INET, text, address.bytes) != 1) {
		if (inet_pton(AF_INET6, text, v6) != 1)
			return false;
		address_from_v6(v6, &address);
	}
	*address_r = address;
	return true;
}

bool
address_in_block(
    const struct address *address, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned rest = bits % 8;

	if (bits > address->len * 8 ||
	    memcmp(address->bytes, prefix, whole) != 0)
		return false;
	return rest == 0 ||
	       (address->bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

bool
address_is_special(const struct address *address)
{
	const struct block *blocks = blocks_v4;
	size_t count = sizeof blocks_v4 / sizeof blocks_v4[0];

	if (address->len == ADDRESS_V6_BYTES) {
		if (!address_in_block(
			address, global_v6.prefix, global_v6.bits))
			return true;
		blocks = blocks_v6;
		count = sizeof blocks_v6 / sizeof blocks_v6[0];
	}
	for (size_t i = 0; i < count; i++)
		if (address_in_block(address, blocks[i].prefix, blocks[i].bits))
			return true;
	return false;
}

/*
 * URLs by libcurl's own parser (see target.h), which also turns decimal, octal
 * and hexadecimal IPv4 forms into dotted ones. Not whether the target is
 * allowed: allow_list.c. Any thread.
 */
#include "engine/front/target.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/front/address_judge.h"

static enum err
target_bad(struct err_detail *detail, const char *what)
{
	return err_set(detail, ERR_INVALID, "the URL %s", what);
}

/* A part as a malloc'd string for curl_free(); NULL: there is none. */
static char *
target_part(CURLU *handle, CURLUPart what, unsigned flags)
{
	char *text = NULL;

	return curl_url_get(handle, what, &text, flags) == CURLUE_OK ? text
								     : NULL;
}

static bool
target_is_name(const char *host)
{
	size_t len = strlen(host);

	return len > 0 && host[len - 1] != '.' &&
	       strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789.-_") == len;
}

static enum err
target_take_host(
    CURLU *handle, struct target *target, struct err_detail *detail)
{
	char *host = target_part(handle, CURLUPART_HOST, 0);
	size_t len = host == NULL ? 0 : strlen(host);
	struct address address;
	enum err err = OK;

	if (len == 0 || len >= sizeof target->host) {
		err = target_bad(detail, "has no usable host");
	} else if (host[0] == '[') {
		(void)snprintf(target->host, sizeof target->host, "%.*s",
		    (int)len - 2, host + 1);
		if (!address_of_text(target->host, &address))
			err = target_bad(detail, "has no usable host");
	} else {
		(void)snprintf(target->host, sizeof target->host, "%s", host);
		if (!target_is_name(host))
			err = target_bad(detail,
			    "has a host that is no ASCII name or address");
	}
	curl_free(host);
	return err;
}

static enum err
target_take_scheme(
    CURLU *handle, struct target *target, struct err_detail *detail)
{
	char *scheme = target_part(handle, CURLUPART_SCHEME, 0);
	enum err err = OK;

	target->is_https = scheme != NULL && strcmp(scheme, "https") == 0;
	if (scheme == NULL ||
	    (!target->is_https && strcmp(scheme, "http") != 0))
		err = target_bad(detail, "is neither http nor https");
	curl_free(scheme);
	return err;
}

static enum err
target_take_rest(
    CURLU *handle, struct target *target, struct err_detail *detail)
{
	char *user = target_part(handle, CURLUPART_USER, 0);
	char *password = target_part(handle, CURLUPART_PASSWORD, 0);
	char *port = target_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	char *url = NULL;
	enum err err = OK;

	/* Credentials in a URL end up in logs; "a@b" also hides a host. */
	if (user != NULL || password != NULL)
		err = target_bad(detail, "has a user or password in it");
	(void)curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
	url = target_part(handle, CURLUPART_URL, 0);
	if (err == OK && (url == NULL || strlen(url) >= sizeof target->url))
		err = target_bad(detail, "is too long");
	target->port = port == NULL ? 0 : (uint16_t)strtoul(port, NULL, 10);
	if (err == OK && target->port == 0)
		err = target_bad(detail, "has no usable port");
	if (err == OK)
		(void)snprintf(target->url, sizeof target->url, "%s", url);
	curl_free(user);
	curl_free(password);
	curl_free(port);
	curl_free(url);
	return err;
}

/* Control bytes and spaces are refused before libcurl sees them; it also
 * takes bytes over 127, which no URL has (RFC 3986). */
static bool
target_is_plain(struct span url)
{
	for (size_t i = 0; i < url.len; i++)
		if (url.data[i] <= 0x20 || url.data[i] >= 0x7f)
			return false;
	return url.len > 0 && url.len < TARGET_URL_BYTES;
}

static enum err
target_parse_once(
    struct span url, struct target *target_r, struct err_detail *detail)
{
	struct target target = {.port = 0};
	char text[TARGET_URL_BYTES];
	CURLU *handle;
	enum err err = OK;

	if (!target_is_plain(url))
		return target_bad(detail,
		    "is empty, too long or has bytes that must be escaped");
	memcpy(text, url.data, url.len);
	text[url.len] = '\0';
	handle = curl_url();
	if (handle == NULL)
		return ERR_NOMEM;
	if (curl_url_set(handle, CURLUPART_URL, text,
		CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		err = target_bad(detail, "cannot be parsed");
	if (err == OK)
		err = target_take_scheme(handle, &target, detail);
	if (err == OK)
		err = target_take_host(handle, &target, detail);
	if (err == OK)
		err = target_take_rest(handle, &target, detail);
	curl_url_cleanup(handle);
	if (err == OK)
		*target_r = target;
	return err;
}

enum err
target_parse(
    struct span url, struct target *target_r, struct err_detail *detail)
{
	struct target target = {.port = 0}, again = {.port = 0};
	enum err err = target_parse_once(url, &target, detail);

	/* libcurl decodes escapes in a host once per parsing, and the result
	 * may be a number that it takes for an address: what is judged and
	 * what is asked must be one host. */
	if (err == OK)
		err = target_parse_once(span_str(target.url), &again, detail);
	if (err == OK && !target_is_same_origin(&target, &again))
		err = target_bad(detail, "has a host with two meanings");
	if (err == OK)
		*target_r = target;
	return err;
}

bool
target_is_same_origin(const struct target *a, const struct target *b)
{
	return a->is_https == b->is_https && a->port == b->port &&
	       strcasecmp(a->host, b->host) == 0;
}

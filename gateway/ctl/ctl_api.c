/*
 * Calls of the configuration API; see ctl_api.h. Knows no resource. Runs in
 * `postern`, which has one thread.
 */
#include "gateway/ctl/ctl_api.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "gateway/ctl/ctl_json.h"
#include "gateway/ctl/ctl_out.h"

/* Every script of a realm is compiled in a process of its own. */
#define TIMEOUT_SECS      60
#define TIMEOUT_LONG_SECS 600
#define TIMEOUT_SECS_MAX  3600

/* Whole path, with identifiers of up to 128 bytes each encoded in three. */
#define PATH_BYTES_MAX 4096

/* The longest list there is; more pages than it has are an endless loop. */
#define LIST_ITEMS_MAX 200000

#define PAGE_ITEMS "200"

struct ctl_api {
	struct ctl_http *http;
	struct ctl_profile profile;
	const struct ctl_call *call;
	int64_t timeout_secs; /* 0: the defaults */
};

bool
ctl_api_wants_json(const struct ctl_call *call)
{
	return ctl_command_option(call, OPT_JSON) != NULL;
}

/* ---- life ---------------------------------------------------------------- */

enum ctl_exit
ctl_api_open_profile(const struct ctl_call *call, struct ctl_profile *profile,
    struct ctl_api **api_r)
{
	struct ctl_api *api = calloc(1, sizeof *api);
	struct err_detail detail = {0};
	enum err err;

	CHECK(api != NULL);
	api->profile = *profile;
	*profile = (struct ctl_profile){0};
	api->call = call;
	err = ctl_command_number(call, OPT_TIMEOUT, 1, TIMEOUT_SECS_MAX, 0,
	    &api->timeout_secs, &detail);
	if (err == OK)
		err = ctl_http_open(&api->profile,
		    ctl_command_option(call, OPT_INSECURE_HTTP) != NULL,
		    &api->http, &detail);
	if (err != OK) {
		ctl_api_close(api);
		return ctl_out_error(CTL_USAGE, "%s", detail.text);
	}
	*api_r = api;
	return CTL_OK;
}

enum ctl_exit
ctl_api_open(const struct ctl_call *call, struct ctl_api **api_r)
{
	struct ctl_profile profile = {0};
	struct err_detail detail = {0};
	const char *ca = ctl_command_option(call, OPT_CA);

	if (ctl_profile_load(
		ctl_command_option(call, OPT_PROFILE), &profile, &detail) != OK)
		return ctl_out_error(CTL_USAGE, "%s", detail.text);
	if (ca != NULL) {
		free(profile.ca);
		profile.ca = strdup(ca);
	}
	return ctl_api_open_profile(call, &profile, api_r);
}

void
ctl_api_close(struct ctl_api *api)
{
	if (api == NULL)
		return;
	ctl_http_close(api->http);
	ctl_profile_fini(&api->profile);
	free(api);
}

const struct ctl_profile *
ctl_api_profile(const struct ctl_api *api)
{
	return &api->profile;
}

/* ---- paths --------------------------------------------------------------- */

static void
append_encoded(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		/* RFC 3986 section 2.3 */
		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c) != NULL)
			buf_append_char(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

char *
ctl_api_path(const char *pattern, ...)
{
	struct buf path;
	va_list texts;
	char *copy;

	buf_init(&path, PATH_BYTES_MAX);
	buf_append_str(&path, CTL_API_BASE "/");
	va_start(texts, pattern);
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '*')
			append_encoded(&path, va_arg(texts, const char *));
		else
			buf_append_char(&path, *pattern);
	}
	va_end(texts);
	/* Too long for any resource: there is none of that name. */
	copy = strdup(path.failed ? CTL_API_BASE "/-" : buf_cstr(&path));
	CHECK(copy != NULL);
	buf_fini(&path);
	return copy;
}

/* ---- what goes wrong ----------------------------------------------------- */

static enum ctl_exit
exit_of_status(long status)
{
	switch (status) {
	case 400:
	case 413:
	case 415:
	case 422:
		return CTL_INVALID;
	case 401:
	case 403:
		return CTL_DENIED;
	case 404:
		return CTL_NOT_FOUND;
	case 409:
	case 412:
		return CTL_CONFLICT;
	case 429:
	case 503:
		return CTL_UNREACHABLE;
	default:
		return CTL_FAILED;
	}
}

/* What to do next, where the status tells; else "". */
static const char *
advice(const struct ctl_api *api, long status)
{
	switch (status) {
	case 401:
		return "; log in again with: postern login URL";
	case 403:
		return api->call->command->scope == SCOPE_ADMIN
			   ? "; this needs an API client with the scope admin"
			   : "; this needs an API client with the scope "
			     "config, for secrets admin";
	case 412:
		return "; look at what changed and do it again";
	case 429:
	case 503:
		return "; try again in a moment";
	default:
		return "";
	}
}

static const char *
without_full_stop(const char *sentence, size_t *len_r)
{
	*len_r = strlen(sentence);
	if (*len_r > 0 && sentence[*len_r - 1] == '.')
		--*len_r;
	return sentence;
}

static void
say_place(const json_t *place)
{
	const char *file = ctl_json_text(place, "file");
	const char *key = ctl_json_text(place, "key");
	const char *message = ctl_json_text(place, "message");
	json_int_t line = ctl_json_number(place, "line", 0);
	char number[32] = "";

	if (line > 0)
		(void)snprintf(number, sizeof number, ":%lld", (long long)line);
	ctl_out_error_line("%s%s%s%s%s%s", file == NULL ? "" : file, number,
	    file == NULL ? "" : ": ", key == NULL ? "" : key,
	    key == NULL ? "" : ": ", message == NULL ? "" : message);
}

/* The API's errors have code and message, others of the gateway error and
 * error_description. */
static enum ctl_exit
say_refusal(const struct ctl_api *api, long status, const json_t *document)
{
	const char *code = ctl_json_text(document, "code");
	const char *message = ctl_json_text(document, "message");
	const json_t *place;
	size_t index, len;

	if (code == NULL)
		code = ctl_json_text(document, "error");
	if (message == NULL)
		message = ctl_json_text(document, "error_description");
	if (message == NULL)
		message = "the gateway refuses it without saying why";
	message = without_full_stop(message, &len);
	(void)ctl_out_error(CTL_FAILED, "%.*s (%s)%s", (int)len, message,
	    code == NULL ? "no code" : code, advice(api, status));
	json_array_foreach (json_object_get(document, "details"), index, place)
		say_place(place);
	return exit_of_status(status);
}

static enum ctl_exit
say_failure(const struct ctl_request *request, enum err err,
    const struct err_detail *detail)
{
	/* A change that got no answer may have been made. */
	bool is_unknown =
	    strcmp(request->method, "GET") != 0 && err != ERR_LOST;

	switch ((int)err) {
	case ERR_DENIED:
		return ctl_out_error(CTL_DENIED, "%s", detail->text);
	case ERR_STATE:
		if (is_unknown)
			ctl_out_note("interrupted; whether the gateway did it "
				     "is not known");
		return CTL_INTERRUPTED;
	default:
		return ctl_out_error(CTL_UNREACHABLE, "%s%s",
		    err_text(detail, err),
		    is_unknown ? "; whether it was done is not known: look "
				 "before doing it again"
			       : "");
	}
}

/* ---- calls --------------------------------------------------------------- */

static int64_t
timeout_of(const struct ctl_api *api, const struct ctl_api_call *with)
{
	if (with->timeout_ms > 0)
		return with->timeout_ms;
	if (api->timeout_secs > 0)
		return api->timeout_secs * 1000;
	return (with->activity != NULL ? TIMEOUT_LONG_SECS : TIMEOUT_SECS) *
	       INT64_C(1000);
}

/* Judges an answer that came whole. */
static enum ctl_exit
take_answer(const struct ctl_api *api, const struct ctl_api_call *with,
    const struct ctl_answer *answer, json_t **document_r)
{
	struct err_detail detail = {0};
	json_t *document = NULL;
	enum ctl_exit exit = CTL_OK;

	if (answer->status == 204 ||
	    (answer->status == 200 && with->file != NULL))
		return CTL_OK;
	if (answer->status == 404 && with->absent_is_fine)
		return CTL_NOT_FOUND;
	if (!answer->is_json)
		return ctl_out_error(CTL_UNREACHABLE,
		    "%s does not answer as a gateway's admin listener does "
		    "(status %ld, no JSON); is the URL right?",
		    api->profile.url, answer->status);
	if (ctl_json_read(buf_span(&answer->body), &document, &detail) != OK)
		return ctl_out_error(CTL_UNREACHABLE, "the answer of %s %s",
		    api->profile.url, detail.text);
	if (answer->status < 200 || answer->status > 299)
		exit = say_refusal(api, answer->status, document);
	if (exit == CTL_OK && document_r != NULL)
		*document_r = document;
	else
		json_decref(document);
	return exit;
}

static enum ctl_exit
send_request(struct ctl_api *api, struct ctl_request *request,
    const struct ctl_api_call *with, json_t **document_r, char *etag_r)
{
	struct err_detail detail = {0};
	struct ctl_answer answer = {0};
	enum ctl_exit exit;
	enum err err = ctl_http_send(api->http, request, &answer, &detail);

	if (with->lost_is_fine &&
	    (err == ERR_LOST || err == ERR_TIMEOUT || err == ERR_UNKNOWN_FATE))
		exit = CTL_UNREACHABLE;
	else if (err != OK)
		exit = say_failure(request, err, &detail);
	else
		exit = take_answer(api, with, &answer, document_r);
	if (exit == CTL_OK && etag_r != NULL)
		memcpy(etag_r, answer.etag, sizeof answer.etag);
	ctl_answer_fini(&answer);
	return exit;
}

enum ctl_exit
ctl_api_call(struct ctl_api *api, const char *method, char *path,
    const struct ctl_api_call *with, json_t **document_r,
    char etag_r[CTL_HTTP_ETAG_BYTES])
{
	struct ctl_request request = {.method = method,
	    .path = path,
	    .if_match = with->if_match,
	    .file = with->file,
	    .activity = with->activity,
	    .timeout_ms = timeout_of(api, with),
	    .answer_max_bytes = with->answer_max_bytes == 0
				    ? CTL_API_ANSWER_MAX
				    : with->answer_max_bytes};
	enum ctl_exit exit = CTL_OK;
	struct buf body;

	buf_init(&body, CTL_API_REALM_MAX);
	if (document_r != NULL)
		*document_r = NULL;
	if (with->body != NULL) {
		if (ctl_json_dump(with->body, &body) != OK)
			exit = ctl_out_error(CTL_FAILED, "out of memory");
		request.body = buf_span(&body);
	}
	if (exit == CTL_OK)
		exit = send_request(api, &request, with, document_r, etag_r);
	buf_wipe(&body);
	free(path);
	return exit;
}

enum ctl_exit
ctl_api_get(struct ctl_api *api, char *path, json_t **document_r)
{
	const struct ctl_api_call plain = {0};
	enum ctl_exit exit =
	    ctl_api_call(api, "GET", path, &plain, document_r, NULL);

	if (exit == CTL_OK && *document_r == NULL)
		return ctl_out_error(
		    CTL_UNREACHABLE, "the gateway answered without a document");
	return exit;
}

/* ---- lists --------------------------------------------------------------- */

/* Moves the items of a page over; false: it is none. */
static bool
take_items(json_t *page, size_t max, json_t *items)
{
	json_t *found =
	    json_is_array(page) ? page : json_object_get(page, "items");
	json_t *item;
	size_t index;

	if (!json_is_array(found))
		return false;
	json_array_foreach (found, index, item) {
		if (max != 0 && json_array_size(items) == max)
			break;
		(void)json_array_append(items, item);
	}
	return true;
}

static char *
path_of_page(const char *path, const char *after)
{
	char *page;
	char separator = strchr(path, '?') == NULL ? '?' : '&';
	struct buf encoded;
	int len;

	buf_init(&encoded, PATH_BYTES_MAX);
	append_encoded(&encoded, after == NULL ? "" : after);
	len = asprintf(&page, "%s%climit=" PAGE_ITEMS "%s%s", path, separator,
	    after == NULL ? "" : "&after=",
	    buf_cstr(&encoded) == NULL ? "" : buf_cstr(&encoded));
	CHECK(len > 0);
	buf_fini(&encoded);
	return page;
}

/* The next page onto `items`; *after_r is where the one after it begins. */
static enum ctl_exit
list_page(struct ctl_api *api, const char *path, size_t max, json_t *items,
    char **after_r)
{
	size_t had = json_array_size(items);
	json_t *page = NULL;
	const char *next;
	enum ctl_exit exit =
	    ctl_api_get(api, path_of_page(path, *after_r), &page);

	free(*after_r);
	*after_r = NULL;
	if (exit != CTL_OK)
		return exit;
	next = ctl_json_text(page, "next_after");
	if (!take_items(page, max, items))
		exit = ctl_out_error(
		    CTL_UNREACHABLE, "the gateway answered no list");
	else if (next != NULL && json_array_size(items) > had)
		*after_r = strdup(next);
	json_decref(page);
	return exit;
}

enum ctl_exit
ctl_api_list(struct ctl_api *api, char *path, size_t max, json_t **items_r)
{
	json_t *items = json_array();
	size_t most = max == 0 ? LIST_ITEMS_MAX : max;
	char *after = NULL;
	enum ctl_exit exit = CTL_OK;

	CHECK(items != NULL);
	do {
		exit = list_page(api, path, most, items, &after);
	} while (
	    exit == CTL_OK && after != NULL && json_array_size(items) < most);
	free(after);
	free(path);
	if (exit == CTL_OK)
		*items_r = items;
	else
		json_decref(items);
	return exit;
}

/*
 * Sets of libcurl state, one an identity provider (see outbound_set.h), and
 * libcurl's sockets in the front's loop. Not what is requested. Main thread.
 *
 * libcurl's sockets live in an epoll instance of their own, which the loop
 * watches as one descriptor: libcurl may close a socket without a word, and
 * here that takes it out of the set by itself.
 */
#include "engine/front/outbound_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "engine/front/front.h"
#include "engine/front/front_limits.h"
#include "engine/front/openssl_headers.h"

#define SET_DIGEST_BYTES 32
#define SET_BATCH        64

struct outbound_set {
	struct outbound_sets *sets;
	uint8_t name[SET_DIGEST_BYTES]; /* of what it belongs to */
	CURLM *multi;                   /* NULL: this place is free */
	CURLSH *share;
	struct timer timer; /* libcurl's */
	unsigned users;     /* calls that name it */
	int64_t used_us;
};

struct outbound_sets {
	struct front *front;
	int epoll_fd;
	struct loop_source source;
	void (*ended)(struct outbound_call *call, CURLcode code);
	struct outbound_set all[FRONT_HTTP_SETS_MAX];
};

_Static_assert(FRONT_HTTP_SETS_MAX > FRONT_SLOTS_MAX, "one is always idle");

/* ---- libcurl tells -------------------------------------------------------
 */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *unused)
{
	struct outbound_set *set = owner;
	struct outbound_sets *sets = set->sets;
	struct epoll_event event = {.events = 0};

	(void)easy;
	(void)unused;
	event.data.u64 = (uint64_t)(set - sets->all) << 32 | (uint32_t)fd;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(sets->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		event.events |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(sets->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
		return 0;
	return epoll_ctl(sets->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0
									 : -1;
}

/* The timer is never served from inside libcurl: 0 means the next turn. */
static int
on_timer(CURLM *multi, long ms, void *owner)
{
	struct outbound_set *set = owner;
	struct loop *loop = &set->sets->front->loop;

	(void)multi;
	if (ms < 0)
		timer_clear(&loop->timers, &set->timer);
	else
		loop_timer_in(loop, &set->timer, ms);
	return 0;
}

/* ---- and is told ----------------------------------------------------------
 */

static void
set_collect(struct outbound_set *set)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(set->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		CURL *easy = message->easy_handle;
		char *call = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
		CHECK(call != NULL);
		set->sets->ended((struct outbound_call *)(void *)call, code);
	}
}

static void
set_act(struct outbound_set *set, curl_socket_t fd, int what)
{
	int running;

	if (set->multi == NULL)
		return;
	(void)curl_multi_socket_action(set->multi, fd, what, &running);
	set_collect(set);
}

static void
set_timer_due(void *owner)
{
	set_act(owner, CURL_SOCKET_TIMEOUT, 0);
}

static void
sets_ready(void *owner, uint32_t unused)
{
	struct outbound_sets *sets = owner;
	struct epoll_event batch[SET_BATCH];
	int count = epoll_wait(sets->epoll_fd, batch, SET_BATCH, 0);

	(void)unused;
	/* An event of a socket that went meanwhile: libcurl knows none such
	 * and does nothing. */
	for (int i = 0; i < count; i++) {
		uint64_t place = batch[i].data.u64 >> 32;
		int fd = (int)(uint32_t)batch[i].data.u64;
		int what = 0;

		if ((batch[i].events & EPOLLIN) != 0)
			what |= CURL_CSELECT_IN;
		if ((batch[i].events & EPOLLOUT) != 0)
			what |= CURL_CSELECT_OUT;
		if ((batch[i].events & (EPOLLERR | EPOLLHUP)) != 0)
			what |= CURL_CSELECT_ERR;
		set_act(&sets->all[place], fd, what);
	}
}

/* ---- sets -----------------------------------------------------------------
 */

enum err
outbound_sets_open(struct front *front,
    void (*ended)(struct outbound_call *call, CURLcode code),
    struct outbound_sets **sets_r, struct err_detail *detail)
{
	struct outbound_sets *sets = calloc(1, sizeof *sets);

	if (sets == NULL)
		return err_set(detail, ERR_NOMEM, "out of memory");
	sets->front = front;
	sets->ended = ended;
	for (size_t i = 0; i < FRONT_HTTP_SETS_MAX; i++) {
		sets->all[i].sets = sets;
		timer_init(&sets->all[i].timer, set_timer_due, &sets->all[i]);
	}
	sets->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sets->source =
	    (struct loop_source){.fd = -1, .ready = sets_ready, .owner = sets};
	if (sets->epoll_fd < 0 || loop_watch(&front->loop, &sets->source,
				      sets->epoll_fd, EPOLLIN) != OK) {
		free(sets);
		return err_set_errno(detail, ERR_IO, "epoll for HTTP");
	}
	*sets_r = sets;
	return OK;
}

static void
set_close(struct outbound_set *set)
{
	CHECK(set->users == 0);
	timer_clear(&set->sets->front->loop.timers, &set->timer);
	if (set->multi != NULL)
		(void)curl_multi_cleanup(set->multi);
	if (set->share != NULL)
		(void)curl_share_cleanup(set->share);
	/* Cleaning up may have set the timer once more. */
	timer_clear(&set->sets->front->loop.timers, &set->timer);
	set->multi = NULL;
	set->share = NULL;
}

static bool
set_make(struct outbound_set *set, const uint8_t name[SET_DIGEST_BYTES])
{
	set->multi = curl_multi_init();
	set->share = curl_share_init();
	if (set->multi == NULL || set->share == NULL) {
		set_close(set);
		return false;
	}
	memcpy(set->name, name, SET_DIGEST_BYTES);
	(void)curl_multi_setopt(set->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl_multi_setopt(set->multi, CURLMOPT_SOCKETDATA, set);
	(void)curl_multi_setopt(set->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)curl_multi_setopt(set->multi, CURLMOPT_TIMERDATA, set);
	(void)curl_multi_setopt(
	    set->multi, CURLMOPT_MAXCONNECTS, (long)FRONT_HTTP_IDLE_MAX);
	(void)curl_multi_setopt(
	    set->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	(void)curl_share_setopt(
	    set->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return true;
}

/* The name of a set; nothing can be mistaken for a part of what stands before
 * it: an identifier has no line feed, and no text has a NUL. */
static bool
set_name(struct span idp, struct span ca_pem, struct span allow,
    uint8_t name_r[SET_DIGEST_BYTES])
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool fine = digest != NULL &&
		    EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(digest, idp.data, idp.len) == 1 &&
		    EVP_DigestUpdate(digest, "\n", 1) == 1 &&
		    EVP_DigestUpdate(digest, ca_pem.data, ca_pem.len) == 1 &&
		    EVP_DigestUpdate(digest, "", 1) == 1 &&
		    EVP_DigestUpdate(digest, allow.data, allow.len) == 1 &&
		    EVP_DigestFinal_ex(digest, name_r, NULL) == 1;

	EVP_MD_CTX_free(digest);
	return fine;
}

struct outbound_set *
outbound_sets_get(struct outbound_sets *sets, struct span idp,
    struct span ca_pem, struct span allow)
{
	uint8_t name[SET_DIGEST_BYTES];
	struct outbound_set *oldest = NULL;

	if (!set_name(idp, ca_pem, allow, name))
		return NULL;
	for (size_t i = 0; i < FRONT_HTTP_SETS_MAX; i++) {
		struct outbound_set *set = &sets->all[i];

		if (set->multi != NULL &&
		    memcmp(set->name, name, sizeof name) == 0) {
			set->used_us = clock_mono_us();
			return set;
		}
		if (set->users == 0 &&
		    (oldest == NULL || set->used_us < oldest->used_us))
			oldest = set;
	}
	CHECK(oldest != NULL);
	set_close(oldest);
	if (!set_make(oldest, name))
		return NULL;
	oldest->used_us = clock_mono_us();
	return oldest;
}

void
outbound_set_enter(struct outbound_set *set)
{
	set->users++;
}

void
outbound_set_leave(struct outbound_set *set)
{
	CHECK(set->users > 0);
	set->users--;
}

CURLSH *
outbound_set_share(struct outbound_set *set)
{
	return set->share;
}

enum err
outbound_set_start(struct outbound_set *set, CURL *easy)
{
	return curl_multi_add_handle(set->multi, easy) == CURLM_OK ? OK
								   : ERR_NOMEM;
}

void
outbound_set_stop(struct outbound_set *set, CURL *easy)
{
	(void)curl_multi_remove_handle(set->multi, easy);
}

/*
 * The engine's end of the link: a REQ socket, its contexts and its dialer; see
 * link_client.h. Not what is asked (engine/front).
 * Runs on nng's threads and on those that ask.
 */
#include "proto/link_client.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <nng/transport/tls/tls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "proto/link_options.h"

/* An engine is back this soon after its gateway is. */
#define REDIAL_MIN_MS 10
#define REDIAL_MAX_MS 200

/* The longest DNS name, and its end. */
#define HOST_BYTES 254

/* How long a question that there is no memory for is on its way. */
#define NO_MEMORY_MS 20

enum context_state {
	CONTEXT_IDLE,
	CONTEXT_SENDING, /* also while there is no connection */
	CONTEXT_WAITING,
	CONTEXT_FAILING /* there was no memory for the question */
};

struct link_context {
	struct link_client *client;
	unsigned index;
	nng_ctx ctx;
	nng_aio *aio;

	/* Also held while the aio is handed to nng, so that link_cancel()
	 * finds it either not yet started or cancellable. nng never calls back
	 * on the thread that starts or cancels an operation. */
	pthread_mutex_t lock;
	enum context_state state;
	bool is_cancelled;
	int64_t deadline_ms; /* 0: none */
};

/* Lives as long as the process. */
struct link_client {
	struct link_client_handlers handlers;
	char *url;
	nng_socket socket;
	struct link_tls tls; /* with server_name set, if has_tls */
	bool has_tls;
	char host[HOST_BYTES];

	pthread_mutex_t dial_lock;
	nng_dialer dialer;      /* under dial_lock */
	nng_tls_config *config; /* NULL: no TLS; under dial_lock */

	/* Held while `connected` is called, so that up and down come in order:
	 * after a redial the old pipe may leave behind the new one's arrival.
	 */
	pthread_mutex_t pipe_lock;
	int pipe; /* the one that is up, 0: none; under pipe_lock */

	unsigned context_count;
	struct link_context contexts[];
};

/* ---- questions ---------------------------------------------------------- */

static enum err
err_of(int rv)
{
	return rv == 0 ? OK : rv == NNG_ETIMEDOUT ? ERR_TIMEOUT : ERR_LOST;
}

/* Milliseconds for the operation that starts now, as nng wants them. */
static nng_duration
time_left(const struct link_context *context)
{
	int64_t left_ms;

	if (context->deadline_ms == 0)
		return NNG_DURATION_INFINITE;
	left_ms = context->deadline_ms - clock_mono_ms();
	return left_ms < 1 ? 1 : (nng_duration)left_ms;
}

/* A send or a receive of the context ended. True: it was the send, and the
 * receive is on its way. */
static bool
go_on_waiting(struct link_context *context, int rv)
{
	if (context->state != CONTEXT_SENDING || rv != 0 ||
	    context->is_cancelled)
		return false;
	context->state = CONTEXT_WAITING;
	nng_aio_set_timeout(context->aio, time_left(context));
	nng_ctx_recv(context->ctx, context->aio);
	return true;
}

static void
context_done(void *user)
{
	struct link_context *context = user;
	struct link_client_handlers *handlers = &context->client->handlers;
	struct span bytes = {NULL, 0};
	nng_msg *message = NULL;
	bool was_sending;
	int rv;

	pthread_mutex_lock(&context->lock);
	rv = nng_aio_result(context->aio);
	if (go_on_waiting(context, rv)) {
		pthread_mutex_unlock(&context->lock);
		return;
	}
	if (context->state == CONTEXT_FAILING)
		rv = NNG_ENOMEM;
	was_sending = context->state == CONTEXT_SENDING;
	/* The question that could not be sent, or the answer. */
	if (was_sending ? rv != 0 : rv == 0)
		message = nng_aio_get_msg(context->aio);
	if (was_sending && rv == 0)
		rv = NNG_ECANCELED;
	context->state = CONTEXT_IDLE;
	pthread_mutex_unlock(&context->lock);

	if (rv == 0)
		bytes = span_of(nng_msg_body(message), nng_msg_len(message));
	handlers->answered(handlers->user, context->index, err_of(rv), bytes);
	nng_msg_free(message);
}

/* As if the question had been lost, a little later: who asks again at once
 * would find no more memory. */
static void
fail_later(struct link_context *context)
{
	context->state = CONTEXT_FAILING;
	nng_aio_set_timeout(context->aio, NNG_DURATION_INFINITE);
	nng_sleep_aio(NO_MEMORY_MS, context->aio);
}

void
link_ask(struct link_client *client, unsigned index, struct span bytes,
    int timeout_ms)
{
	struct link_context *context = &client->contexts[index];
	nng_msg *message;
	int rv;

	CHECK(index < client->context_count);
	rv = nng_msg_alloc(&message, bytes.len);
	if (rv == 0 && bytes.len > 0)
		memcpy(nng_msg_body(message), bytes.data, bytes.len);

	pthread_mutex_lock(&context->lock);
	CHECK(context->state == CONTEXT_IDLE);
	context->is_cancelled = false;
	if (rv != 0) {
		fail_later(context);
		pthread_mutex_unlock(&context->lock);
		return;
	}
	context->state = CONTEXT_SENDING;
	context->deadline_ms =
	    timeout_ms > 0 ? clock_mono_ms() + timeout_ms : 0;
	nng_aio_set_msg(context->aio, message);
	nng_aio_set_timeout(context->aio, time_left(context));
	nng_ctx_send(context->ctx, context->aio);
	pthread_mutex_unlock(&context->lock);
}

void
link_cancel(struct link_client *client, unsigned index)
{
	struct link_context *context = &client->contexts[index];

	CHECK(index < client->context_count);
	pthread_mutex_lock(&context->lock);
	if (context->state != CONTEXT_IDLE) {
		context->is_cancelled = true;
		nng_aio_cancel(context->aio);
	}
	pthread_mutex_unlock(&context->lock);
}

/* ---- the connection ----------------------------------------------------- */

static void
pipe_arrived(nng_pipe pipe, nng_pipe_ev event, void *user)
{
	struct link_client *client = user;

	(void)event;
	pthread_mutex_lock(&client->pipe_lock);
	if (client->pipe != 0)
		client->handlers.connected(client->handlers.user, false);
	client->pipe = nng_pipe_id(pipe);
	client->handlers.connected(client->handlers.user, true);
	pthread_mutex_unlock(&client->pipe_lock);
}

static void
pipe_left(nng_pipe pipe, nng_pipe_ev event, void *user)
{
	struct link_client *client = user;

	(void)event;
	pthread_mutex_lock(&client->pipe_lock);
	if (client->pipe == nng_pipe_id(pipe)) {
		client->pipe = 0;
		client->handlers.connected(client->handlers.user, false);
	}
	pthread_mutex_unlock(&client->pipe_lock);
}

/* With dial_lock held, or before anybody else knows the client. */
static enum err
dial(struct link_client *client, struct err_detail *detail)
{
	size_t max_bytes = 0;
	nng_dialer dialer;
	int rv;

	rv = nng_dialer_create(&dialer, client->socket, client->url);
	if (rv != 0)
		return err_set(
		    detail, ERR_IO, "%s: %s", client->url, nng_strerror(rv));
	rv = nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, REDIAL_MIN_MS);
	if (rv == 0 && client->config != NULL)
		rv = nng_dialer_set_ptr(
		    dialer, NNG_OPT_TLS_CONFIG, client->config);
	if (rv == 0 && client->config != NULL)
		rv = nng_dialer_set_bool(dialer, NNG_OPT_TCP_KEEPALIVE, true);
	if (rv == 0)
		rv = nng_dialer_set_ms(
		    dialer, NNG_OPT_RECONNMAXT, REDIAL_MAX_MS);
	if (rv == 0)
		rv = nng_dialer_get_size(dialer, NNG_OPT_RECVMAXSZ, &max_bytes);
	CHECK(rv != 0 || max_bytes == LINK_RECEIVE_MAX_BYTES);
	if (rv == 0)
		rv = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
	if (rv != 0) {
		nng_dialer_close(dialer);
		return err_set(
		    detail, ERR_IO, "%s: %s", client->url, nng_strerror(rv));
	}
	client->dialer = dialer;
	return OK;
}

/* With dial_lock held, or before anybody else knows the client. */
static enum err
read_config(struct link_client *client, struct err_detail *detail)
{
	nng_tls_config *config;
	enum err err;

	err = link_tls_config(
	    &client->tls, client->tls.server_name, &config, detail);
	if (err != OK)
		return err;
	if (client->config != NULL)
		nng_tls_config_free(client->config); /* the dialer holds it */
	client->config = config;
	return OK;
}

enum err
link_client_reload(struct link_client *client, struct err_detail *detail)
{
	enum err err;
	int rv;

	if (!client->has_tls)
		return OK;
	pthread_mutex_lock(&client->dial_lock);
	err = read_config(client, detail);
	if (err == OK && nng_dialer_id(client->dialer) > 0) {
		rv = nng_dialer_set_ptr(
		    client->dialer, NNG_OPT_TLS_CONFIG, client->config);
		if (rv != 0)
			err = err_set(detail, ERR_IO, "%s: %s", client->url,
			    nng_strerror(rv));
	}
	pthread_mutex_unlock(&client->dial_lock);
	return err;
}

enum err
link_client_redial(struct link_client *client, struct err_detail *detail)
{
	enum err err;

	pthread_mutex_lock(&client->dial_lock);
	/* First, so that no question leaves by the old connection any more. */
	if (nng_dialer_id(client->dialer) > 0)
		nng_dialer_close(client->dialer);
	client->dialer = (nng_dialer)NNG_DIALER_INITIALIZER;
	err = dial(client, detail);
	pthread_mutex_unlock(&client->dial_lock);
	return err;
}

/* ---- opening ------------------------------------------------------------ */

static int
open_context(struct link_client *client, unsigned index)
{
	struct link_context *context = &client->contexts[index];
	nng_duration resend_ms = 0;
	int rv;

	context->client = client;
	context->index = index;
	pthread_mutex_init(&context->lock, NULL);
	rv = nng_ctx_open(&context->ctx, client->socket);
	if (rv == 0)
		rv = nng_ctx_set_ms(context->ctx, NNG_OPT_REQ_RESENDTIME,
		    NNG_DURATION_INFINITE);
	if (rv == 0)
		rv = nng_ctx_get_ms(
		    context->ctx, NNG_OPT_REQ_RESENDTIME, &resend_ms);
	CHECK(rv != 0 || resend_ms == NNG_DURATION_INFINITE);
	if (rv == 0)
		rv = nng_aio_alloc(&context->aio, context_done, context);
	return rv;
}

static int
open_socket(struct link_client *client)
{
	int rv = nng_req0_open(&client->socket);

	if (rv == 0)
		rv = nng_socket_set_size(
		    client->socket, NNG_OPT_RECVMAXSZ, LINK_RECEIVE_MAX_BYTES);
	if (rv == 0)
		rv = nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME,
		    NNG_DURATION_INFINITE);
	if (rv == 0)
		rv = nng_pipe_notify(
		    client->socket, NNG_PIPE_EV_ADD_POST, pipe_arrived, client);
	if (rv == 0)
		rv = nng_pipe_notify(
		    client->socket, NNG_PIPE_EV_REM_POST, pipe_left, client);
	for (unsigned i = 0; rv == 0 && i < client->context_count; i++)
		rv = open_context(client, i);
	return rv;
}

/* Certificates, where the URL needs them. */
static enum err
set_up_tls(struct link_client *client, const struct link_tls *tls,
    struct err_detail *detail)
{
	enum err err;

	if (strncmp(client->url, "ipc://", strlen("ipc://")) == 0)
		return OK;
	err = link_tls_host(
	    client->url, client->host, sizeof client->host, detail);
	if (err != OK)
		return err;
	if (tls == NULL)
		return err_set(
		    detail, ERR_INVALID, "%s: needs certificates", client->url);
	client->has_tls = true;
	client->tls = *tls;
	if (client->tls.server_name == NULL)
		client->tls.server_name = client->host;
	if (!link_tls_is_dns_name(client->tls.server_name))
		return err_set(detail, ERR_INVALID,
		    "%s: the name in the gateway's certificate must be given, "
		    "since an address is not compared",
		    client->url);
	return read_config(client, detail);
}

static struct link_client *
client_new(const char *url, unsigned contexts,
    const struct link_client_handlers *handlers)
{
	struct link_client *client;

	client =
	    calloc(1, sizeof *client + contexts * sizeof client->contexts[0]);
	if (client == NULL)
		return NULL;
	client->url = strdup(url);
	if (client->url == NULL) {
		free(client);
		return NULL;
	}
	client->handlers = *handlers;
	client->context_count = contexts;
	pthread_mutex_init(&client->dial_lock, NULL);
	pthread_mutex_init(&client->pipe_lock, NULL);
	return client;
}

/* Failing here ends the process (it is not ready yet), so what was opened is
 * left to it: nng_close is not safe. */
enum err
link_client_open(const char *url, const struct link_tls *tls, unsigned contexts,
    const struct link_client_handlers *handlers, struct link_client **client_r,
    struct err_detail *detail)
{
	struct link_client *client;
	enum err err;
	int rv;

	CHECK(contexts > 0);
	client = client_new(url, contexts, handlers);
	if (client == NULL)
		return ERR_NOMEM;
	err = set_up_tls(client, tls, detail);
	if (err != OK)
		return err;
	rv = open_socket(client);
	if (rv != 0)
		return err_set(detail, ERR_IO, "%s: %s", url, nng_strerror(rv));
	err = dial(client, detail);
	if (err != OK)
		return err;
	*client_r = client;
	return OK;
}

/*
 * Access to the admin listener; see admin_auth.h. Failures are throttled and
 * leave events as on the public listener (auth_guard.c). Runs on the admin
 * server's workers.
 */
#include "gateway/admin/admin_auth.h"

#include "gateway/admin/admin.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/oauth/client_auth.h"

/*
 * A web page can make a browser on this host send requests here under a name
 * of its own (DNS rebinding), but not under ours. Who sends no Host (HTTP/1.0)
 * is no browser. And whoever sends a cookie is one, whose user did not ask for
 * this: nothing here ever sets any.
 */
static bool
is_no_web_page(const struct admin_context *admin,
    const struct http_request *request, struct http_response *response)
{
	if (span_present(request->host) &&
	    !http_host_is_loopback(request->host) &&
	    !http_host_is_listen(request->host, admin->listen)) {
		admin_problem(response, ADMIN_MISDIRECTED, NULL);
		return false;
	}
	if (request->has_cookie) {
		admin_problem(
		    response, ADMIN_INVALID, "This listener takes no cookies.");
		return false;
	}
	return true;
}

/* NULL: the arena is full. */
static const struct admin_caller *
caller_of(const struct realm_api_client *client, struct arena *arena)
{
	struct admin_caller *caller = arena_alloc(arena, sizeof *caller);

	if (caller == NULL)
		return NULL;
	/* The realm it is from may go while the request runs. */
	caller->client_id = arena_strdup(arena, client->client_id);
	caller->is_admin = (client->scopes & API_ADMIN) != 0;
	return caller->client_id == NULL ? NULL : caller;
}

static enum err
check(const struct admin_context *admin, struct http_request *request,
    unsigned *scopes_r, struct err_detail *detail)
{
	const struct span nothing = {NULL, 0};
	const struct realm_api_client *client = NULL;
	struct credentials credentials;
	const struct realm *realm;
	enum err err;

	err = credentials_collect(
	    request, nothing, nothing, &credentials, detail);
	if (err != OK)
		return err == ERR_INVALID || err == ERR_NOMEM ? err
							      : ERR_DENIED;
	realm = realm_acquire(admin->oauth->realms);
	if (realm == NULL)
		return ERR_UNAVAILABLE;
	err = api_client_check_first(admin->oauth, realm,
	    config_first_client(admin->config), &credentials, &client);
	if (err == OK) {
		*scopes_r = client->scopes;
		request->caller = caller_of(client, request->arena);
		err = request->caller != NULL ? OK : ERR_NOMEM;
	}
	realm_release(realm);
	return err;
}

bool
admin_auth_admit(void *context, const struct http_route *route,
    struct http_request *request, struct http_response *response)
{
	unsigned needed = route->access == ADMIN_ACCESS_ADMIN
			      ? API_ADMIN
			      : API_ADMIN | API_CONFIG;
	struct err_detail detail = {0};
	unsigned scopes = 0;
	enum err err;

	if (!is_no_web_page(context, request, response))
		return false;
	if (route->access == ADMIN_ACCESS_OPEN)
		return true;
	err = check(context, request, &scopes, &detail);
	if (err == OK)
		response->client = admin_caller(request)->client_id;
	if (err == OK && (scopes & needed) != 0)
		return true;
	if (err == OK)
		admin_problem(response, ADMIN_FORBIDDEN,
		    needed == API_ADMIN ? "This needs the scope admin."
					: "This needs the scope config.");
	else if (err == ERR_DENIED)
		admin_problem(response, ADMIN_UNAUTHENTICATED, NULL);
	else
		admin_problem_err(response, err, &detail);
	return false;
}

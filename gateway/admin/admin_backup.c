/*
 * GET backup: a copy of the store. Leaves an event before it answers; without
 * that nothing is given. Not how one is made: gateway/store/store_backup.c.
 * Runs on the admin server's workers.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/admin/admin.h"
#include "gateway/admin/admin_problem.h"
#include "gateway/oauth/oauth.h"
#include "gateway/store/store.h"

/* The event first, so that the copy has it too. */
static enum err
take(const struct admin_context *admin, const struct http_request *request,
    int *file_r, struct err_detail *detail)
{
	struct event event = admin_event_of(request, EVENT_BACKUP_TAKEN);
	enum err err = event_record_now(admin->oauth->events, &event);

	return err == OK ? store_backup(admin->store, file_r, detail) : err;
}

void
admin_backup_handle(void *context, const struct http_request *request,
    struct http_response *response)
{
	struct err_detail detail = {0};
	struct stat status;
	int file = -1;
	enum err err = take(context, request, &file, &detail);

	if (err == OK && fstat(file, &status) != 0) {
		(void)close(file);
		err = err_set_errno(&detail, ERR_IO, "cannot read the backup");
	}
	if (err != OK) {
		admin_problem_err(response, err, &detail);
		return;
	}
	response->content_type = "application/vnd.sqlite3";
	response->is_file = true;
	response->file = file;
	response->file_bytes = (uint64_t)status.st_size;
}

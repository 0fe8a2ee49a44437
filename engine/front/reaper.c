/*
 * The only waiter for child processes. Runs on the main thread.
 */
#include "engine/front/reaper.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/check.h"

void
reaper_init(struct reaper *reaper)
{
	for (unsigned i = 0; i < REAPER_BUCKETS; i++)
		LIST_INIT(&reaper->buckets[i]);
}

static struct reaper_entry *
reaper_find(const struct reaper *reaper, pid_t pid)
{
	struct reaper_entry *entry;

	LIST_FOREACH (
	    entry, &reaper->buckets[(unsigned)pid % REAPER_BUCKETS], link) {
		if (entry->pid == pid)
			return entry;
	}
	return NULL;
}

void
reaper_add(struct reaper *reaper, struct reaper_entry *entry)
{
	CHECK(entry->pid > 0 && !reaper_knows(reaper, entry->pid));
	LIST_INSERT_HEAD(
	    &reaper->buckets[(unsigned)entry->pid % REAPER_BUCKETS], entry,
	    link);
}

void
reaper_forget(struct reaper_entry *entry)
{
	if (entry->pid == 0)
		return;
	LIST_REMOVE(entry, link);
	entry->pid = 0;
}

bool
reaper_knows(const struct reaper *reaper, pid_t pid)
{
	return reaper_find(reaper, pid) != NULL;
}

void
reaper_collect(struct reaper *reaper)
{
	struct rusage usage;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		struct reaper_entry *entry = reaper_find(reaper, pid);

		if (entry == NULL)
			continue;
		/* Forgotten first: the number is free for the next process. */
		reaper_forget(entry);
		entry->reaped(entry->owner, status, &usage);
	}
}

const char *
reaper_describe(int status, char text_r[REAPER_TEXT_BYTES])
{
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));

		(void)snprintf(text_r, REAPER_TEXT_BYTES, "killed by SIG%s",
		    name == NULL ? "?" : name);
	} else {
		(void)snprintf(text_r, REAPER_TEXT_BYTES, "exit %d",
		    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	}
	return text_r;
}

/*
 * Whose process a pid is, and the collection of those that ended.
 *
 * Children are cloned by templates with CLONE_PARENT, so every runner process
 * is a child of the engine, and only this file waits for them.
 *
 * Threads: the main one.
 */
#ifndef POSTERN_REAPER_H
#define POSTERN_REAPER_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/types.h>

/* A process somebody owns; embedded in the owner, who forgets it before going.
 */
struct reaper_entry {
	LIST_ENTRY(reaper_entry) link;
	pid_t pid; /* 0: none */
	void (*reaped)(void *owner, int status, const struct rusage *usage);
	void *owner;
};

LIST_HEAD(reaper_bucket, reaper_entry);

/* Runners: at most a few a slot and template; a power of two. */
#define REAPER_BUCKETS 256

struct reaper {
	struct reaper_bucket buckets[REAPER_BUCKETS];
};

void reaper_init(struct reaper *reaper);
void reaper_add(struct reaper *reaper, struct reaper_entry *entry);
void reaper_forget(struct reaper_entry *entry);
bool reaper_knows(const struct reaper *reaper, pid_t pid);

/* Collects all that ended; owners are told, others only collected. */
void reaper_collect(struct reaper *reaper);

/* "exit 3", "killed by SIGSEGV": what an obituary says. Static or `text_r`. */
#define REAPER_TEXT_BYTES 48
const char *reaper_describe(int status, char text_r[REAPER_TEXT_BYTES]);

#endif

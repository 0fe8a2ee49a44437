/*
 * CHECK(): for what only a bug of ours can cause; on in every build. Never on
 * bytes from a client, a script, an engine, a file or the database.
 */
#ifndef POSTERN_CHECK_H
#define POSTERN_CHECK_H

#define CHECK(condition)                                              \
	do {                                                          \
		if (__builtin_expect(!(condition), 0))                \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)

/* Writes one line to stderr and aborts. Async-signal-safe. */
_Noreturn void check_failed(const char *condition, const char *file, int line);

#endif

/*
 * Running a piece of a test on a stack like that of civetweb's workers.
 */
#ifndef POSTERN_SMALL_STACK_H
#define POSTERN_SMALL_STACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

/* As civetweb gives its workers; a sanitizer's frames are several times as
 * large, and it is not in production. */
#ifdef POSTERN_SANITIZED
#define SMALL_STACK_BYTES (1024 * 1024)
#else
#define SMALL_STACK_BYTES (100 * 1024)
#endif

static inline void
small_stack_run(void *(*run)(void *), void *user)
{
	pthread_attr_t attributes;
	pthread_t thread;

	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(
	    pthread_attr_setstacksize(&attributes, SMALL_STACK_BYTES), 0);
	assert_int_equal(pthread_create(&thread, &attributes, run, user), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
}

#endif

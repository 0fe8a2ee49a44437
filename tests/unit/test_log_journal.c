/* Entries for the journal, at a socket of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"
#include "common/log_journal.h"

static void
none_there(void **state)
{
	char path[512];

	(void)state;
	assert_false(log_journal_open("/nonexistent/journal"));
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	assert_false(log_journal_open(path));
	assert_false(log_journal_send("A=b\n", 4));
}

static void
an_entry_is_a_datagram(void **state)
{
	char dir[] = "/tmp/postern-journal-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[64];

	(void)state;
	assert_true(fd >= 0);
	assert_non_null(mkdtemp(dir));
	(void)snprintf(
	    address.sun_path, sizeof address.sun_path, "%s/socket", dir);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_true(log_journal_open(address.sun_path));
	assert_true(log_journal_send("MESSAGE=x\nA=b\n", 14));
	assert_int_equal(recv(fd, got, sizeof got, 0), 14);
	assert_memory_equal(got, "MESSAGE=x\nA=b\n", 14);
	(void)close(fd);
	/* It is gone: the caller has another way. */
	assert_false(log_journal_send("A=b\n", 4));
	(void)unlink(address.sun_path);
	(void)rmdir(dir);
}

/* What journald would get for it; values stay on their line. */
static void
lines_have_fields(void **state)
{
	static const char expected[] =
	    "PRIORITY=4\nSYSLOG_IDENTIFIER=postern-test\n"
	    "MESSAGE=it happened client=\"a\\u000aPRIORITY=0\" n=-3 none=-\n"
	    "POSTERN_EVENT=it happened\n"
	    "POSTERN_CLIENT=a\\u000aPRIORITY=0\n"
	    "POSTERN_N=-3\n";
	char dir[] = "/tmp/postern-journal-XXXXXX";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	static char got[2 * LOG_LINE_BYTES], huge[LOG_LINE_BYTES];
	ssize_t len;

	(void)state;
	assert_true(fd >= 0);
	assert_non_null(mkdtemp(dir));
	(void)snprintf(
	    address.sun_path, sizeof address.sun_path, "%s/socket", dir);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	log_setup("test", LOG_TEXT, LOG_INFO);
	assert_true(log_use_journal(address.sun_path));
	log_warn("it happened", LOG_STR("client", "a\nPRIORITY=0"),
	    LOG_INT("n", -3), LOG_STR("none", NULL));
	len = recv(fd, got, sizeof got - 1, 0);
	assert_int_equal(len, sizeof expected - 1);
	assert_memory_equal(got, expected, sizeof expected - 1);
	/* Too long: the message is cut, and no field is halved. */
	memset(huge, 'x', sizeof huge - 1);
	log_info("long", LOG_STR("text", huge), LOG_INT("n", 1));
	len = recv(fd, got, sizeof got - 1, 0);
	assert_in_range(len, 1, LOG_LINE_BYTES);
	got[len] = '\0';
	assert_int_equal(got[len - 1], '\n');
	assert_null(strstr(got, "POSTERN_TEXT="));
	assert_non_null(strstr(got, "MESSAGE=long"));
	(void)close(fd);
	(void)unlink(address.sun_path);
	(void)rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(none_there),
	    cmocka_unit_test(an_entry_is_a_datagram),
	    cmocka_unit_test(lines_have_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

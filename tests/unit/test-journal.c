/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/journal.h"

#include "tests/unit/test.h"

#define FIELD(text)                                                                                \
        { (void *) (text), sizeof(text) - 1 }

static struct sockaddr_un where;

/* A journald that reads when it is told to. */
static int journald_new(void) {
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        where = (struct sockaddr_un){ .sun_family = AF_UNIX };
        snprintf(where.sun_path, sizeof(where.sun_path), "test-journal-%d.socket", (int) getpid());
        unlink(where.sun_path);
        assert_int_equal(bind(fd, (struct sockaddr *) &where, sizeof(where)), 0);
        return fd;
}

static void a_line_arrives_with_its_fields(void **state) {
        static const struct iovec fields[] = { FIELD("PRIORITY=4"), FIELD("MESSAGE=one\ntwo"),
                                               FIELD("SRIOVD_JOB=7") };
        char wanted[] = "PRIORITY=4\nMESSAGE\n12345678one\ntwo\nSRIOVD_JOB=7\n", got[256];
        uint64_t length = htole64(strlen("one\ntwo"));
        int journald = journald_new(), fd = journal_open();

        (void) state;
        memcpy(strchr(wanted, '1'), &length, sizeof(length));
        assert_int_equal(journal_send(fd, where.sun_path, fields, ELEMENTSOF(fields)), 0);
        assert_int_equal(recv(journald, got, sizeof(got), MSG_DONTWAIT), sizeof(wanted) - 1);
        assert_memory_equal(got, wanted, sizeof(wanted) - 1);
        close(fd);
        close(journald);
        unlink(where.sun_path);
}

/* A call that blocks here would block for ever: meson ends the test. */
static void a_journald_that_does_not_read_is_not_waited_for(void **state) {
        static const struct iovec fields[] = { FIELD("MESSAGE=nobody reads this") };
        int journald = journald_new(), fd = journal_open(), r = 0;

        (void) state;
        for (size_t i = 0; i < 100000 && r == 0; i++)
                r = journal_send(fd, where.sun_path, fields, ELEMENTSOF(fields));
        assert_int_equal(r, -EAGAIN);
        close(fd);
        close(journald);
        unlink(where.sun_path);
}

static void no_journald_is_a_failure(void **state) {
        static const struct iovec fields[] = { FIELD("MESSAGE=nobody is there") };
        int fd = journal_open();

        (void) state;
        assert_int_equal(journal_send(fd, "no-such.socket", fields, ELEMENTSOF(fields)), -ENOENT);
        close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_arrives_with_its_fields),
                cmocka_unit_test(a_journald_that_does_not_read_is_not_waited_for),
                cmocka_unit_test(no_journald_is_a_failure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

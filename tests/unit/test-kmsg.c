/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kmsg: which of the kernel's lines are a job's matter
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/kmsg.h"

static const Bdf fns[] = { BDF(1, 0, 0), BDF(1, 16, 2) };

static const KmsgFilter filter = { fns, ELEMENTSOF(fns), "igb", 4711 };

static void lines_that_name_the_device_its_driver_or_the_child_are_told(void **state) {
        static const struct {
                const char *record;
                bool wanted;
        } lines[] = {
                { "6,1,2,-;igb 0000:01:00.0: 2 VFs allocated\n", true },
                { "6,1,2,-;igb 0000:01:00.0 eth0: link is up\n", true },
                { "6,1,2,-;pci 0000:01:10.2: [8086:10ca] type 00 class 0x020000\n", true },
                { "6,1,2,-;AER: error received: 01:10.2\n", true },
                { "6,1,2,-;pcieport: 0000:01:00.0:pcie004 and others\n", true },
                { "6,1,2,-;(0000:01:00.0)\n", true },
                { "4,1,2,-;WARNING: at drivers/pci/iov.c\n SUBSYSTEM=pci\n "
                  "DEVICE=+pci:0000:01:00.0\n",
                  true },
                { "6,1,2,-;igb 0000:07:00.0: another card of that driver\n", true },
                { "3,1,2,-;INFO: task sriovd-worker:4711 blocked for more than 120 seconds.\n",
                  true },
                { "6,1,2,-;task:sriovd-worker   state:D stack:0     pid:4711  ppid:1\n", true },
                { "6,1,2,-;CPU: 0 PID: 4711 Comm: sriovd-worker\n", true },
                { "6,1,2,-;igb: Intel(R) Gigabit Ethernet Network Driver\n", false },
                { "6,1,2,-;igbvf 0000:07:10.0: another driver\n", false },
                { "6,1,2,-;e1000e 0000:00:19.0 eth1: link is up\n", false },
                { "6,1,2,-;pci 0001:01:00.0: another domain\n", false },
                { "6,1,2,-;pci 0000:01:00.1: another function\n", false },
                { "6,1,2,-;pci 0000:01:00.00: no address\n", false },
                { "3,1,2,-;INFO: task sriovd-worker:47110 blocked for more than 120 seconds.\n",
                  false },
                { "3,1,2,-;INFO: task jbd2/sda:4711 blocked\n", false },
                { "6,1,2,-;clocksource: 12:34:56.7 ff:ff:ff:ff:ff:ff\n", false },
                { "6,1,2,-;\n", false },
                { "igb 0000:01:00.0: not as the kernel writes it\n", false },
                { "", false },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                if (kmsg_matches(lines[i].record, &filter) != lines[i].wanted)
                        fail_msg("%s", lines[i].record);
}

static void a_filter_of_nothing_lets_nothing_through(void **state) {
        (void) state;
        assert_false(
                kmsg_matches("6,1,2,-;igb 0000:01:00.0: hello\n", &(KmsgFilter){ .driver = "" }));
        assert_false(kmsg_matches("6,1,2,-;task sriovd-worker:0\n", &(KmsgFilter){}));
}

/* A socket that keeps messages apart reads like /dev/kmsg: one record each, and then no more for now. */
typedef struct Log {
        int reader, writer;
} Log;

static Log open_log(void) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
        return (Log){ pair[0], pair[1] };
}

static void say(Log *l, const char *text, size_t times) {
        for (size_t i = 0; i < times; i++)
                assert_int_equal(write(l->writer, text, strlen(text)), strlen(text));
}

static void close_log(Log *l) {
        close(l->reader);
        close(l->writer);
}

static void lines_come_with_their_time_and_only_once(void **state) {
        Log l = open_log();
        char *text;

        (void) state;
        say(&l, "6,10,12345678,-;igb 0000:01:00.0: one\n DEVICE=+pci:0000:01:00.0\n", 1);
        say(&l, "6,11,12345679,-;usb 1-1: nothing to us\n", 1);
        say(&l, "3,12,99000001,-;INFO: task sriovd-worker:4711 blocked\n", 1);
        text = kmsg_read(l.reader, &filter);
        assert_string_equal(text, "[   12.345678] igb 0000:01:00.0: one\n"
                                  "[   99.000001] INFO: task sriovd-worker:4711 blocked");
        free(text);
        assert_null(kmsg_read(l.reader, &filter));
        close_log(&l);
}

static void a_flood_is_cut_and_counted(void **state) {
        Log l = open_log();
        size_t lines = 1;
        char *text;

        (void) state;
        say(&l, "6,1,2,-;igb 0000:01:00.0: again\n", KMSG_LINES_MAX + 7);
        text = kmsg_read(l.reader, &filter);
        assert_non_null(text);
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                lines++;
        assert_int_equal(lines, KMSG_LINES_MAX + 1);
        assert_non_null(strstr(text, "\nand 7 more"));
        free(text);
        close_log(&l);
}

static void long_lines_do_not_add_up_to_more_than_there_is_room_for(void **state) {
        char record[1200] = "6,1,2,-;igb 0000:01:00.0: ";
        Log l = open_log();
        char *text;

        (void) state;
        memset(record + strlen(record), 'x', 1000);
        say(&l, record, 10);
        text = kmsg_read(l.reader, &filter);
        assert_non_null(text);
        assert_true(strlen(text) <= KMSG_TEXT_MAX);
        assert_non_null(strstr(text, "and 7 more"));
        free(text);
        close_log(&l);
}

static void no_log_is_no_lines(void **state) {
        (void) state;
        assert_null(kmsg_read(-EBADF, &filter));
}

/* Where we may read it: what was there before is not ours, and nothing is waited for. */
static void the_kernels_own_log_is_read_from_its_end(void **state) {
        int fd = kmsg_open();
        char buf[8192];

        (void) state;
        if (fd < 0)
                skip();
        free(kmsg_read(fd, &filter));
        assert_int_equal(read(fd, buf, sizeof(buf)), -1);
        assert_int_equal(errno, EAGAIN);
        close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lines_that_name_the_device_its_driver_or_the_child_are_told),
                cmocka_unit_test(a_filter_of_nothing_lets_nothing_through),
                cmocka_unit_test(lines_come_with_their_time_and_only_once),
                cmocka_unit_test(a_flood_is_cut_and_counted),
                cmocka_unit_test(long_lines_do_not_add_up_to_more_than_there_is_room_for),
                cmocka_unit_test(no_log_is_no_lines),
                cmocka_unit_test(the_kernels_own_log_is_read_from_its_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

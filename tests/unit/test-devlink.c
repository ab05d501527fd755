/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devlink: its messages to the byte, as linux/devlink.h and linux/genetlink.h number them, and a kernel's answers
 *
 * No emulated card has an eswitch, so that no kernel here can be asked to change one.
 */
#include "kernel/devlink.h"

#include "tests/unit/netlink-bytes.h"

static const Bdf card = { 0, 0x3b01 };

/* Bus "pci" and device "0000:3b:00.1". */
#define DEVICE                                                                                     \
        "08 00 01 00 70 63 69 00 | 11 00 02 00 30 30 30 30 3a 33 62 3a 30 30 2e 31 00 00 00 00"

static void the_family_is_asked_for_by_name(void **state) {
        NetlinkRequest buf = {};

        (void) state;
        assert_bytes(devlink_put_family(&buf),
                     "20 00 00 00 10 00 01 00 01 00 00 00 00 00 00 00 | 03 01 00 00 | "
                     "0c 00 02 00 64 65 76 6c 69 6e 6b 00");
}

static void the_mode_is_asked_for_and_set_by_address(void **state) {
        NetlinkRequest buf = {}, other = {}, third = {};

        (void) state;
        assert_bytes(devlink_put_get(&buf, 0x15, card),
                     "30 00 00 00 15 00 01 00 01 00 00 00 00 00 00 00 | 1d 01 00 00 | " DEVICE);
        assert_bytes(devlink_put_set(&other, 0x15, card, ESWITCH_SWITCHDEV),
                     "38 00 00 00 15 00 05 00 01 00 00 00 00 00 00 00 | 1e 01 00 00 | " DEVICE
                     " | 06 00 19 00 01 00 00 00");
        assert_bytes(devlink_put_set(&third, 0x15, card, ESWITCH_LEGACY),
                     "38 00 00 00 15 00 05 00 01 00 00 00 00 00 00 00 | 1e 01 00 00 | " DEVICE
                     " | 06 00 19 00 00 00 00 00");
}

/* The family's answer has more, in front and behind. */
static void the_familys_number_is_taken(void **state) {
        uint16_t family = 0;
        Received r;

        (void) state;
        assert_true(devlink_parse_family(
                received(&r, "30 00 00 00 10 00 00 00 01 00 00 00 00 00 00 00 | 01 02 00 00 | "
                             "0c 00 02 00 64 65 76 6c 69 6e 6b 00 | 06 00 01 00 15 00 00 00 | "
                             "08 00 03 00 01 00 00 00"),
                &family));
        assert_int_equal(family, 0x15);
        assert_false(devlink_parse_family(
                received(&r, "14 00 00 00 10 00 00 00 01 00 00 00 00 00 00 00 | 01 02 00 00"),
                &family));
        assert_false(devlink_parse_family(
                received(&r, "12 00 00 00 10 00 00 00 01 00 00 00 00 00 00 00 | 01 02"), &family));
}

/* As devlink_nl_eswitch_fill() makes it: the device, the mode, the inline mode and the encapsulation. */
#define ANSWER(mode)                                                                               \
        "48 00 00 00 15 00 00 00 01 00 00 00 00 00 00 00 | 1d 01 00 00 | " DEVICE                  \
        " | 06 00 19 00 " mode " 00 00 | 05 00 1a 00 01 00 00 00 | 05 00 3e 00 01 00 00 00"

static void the_mode_is_told(void **state) {
        Eswitch mode = ESWITCH_KEEP;
        Received r;

        (void) state;
        assert_true(devlink_parse_mode(received(&r, ANSWER("00 00")), 0x15, &mode));
        assert_int_equal(mode, ESWITCH_LEGACY);
        assert_true(devlink_parse_mode(received(&r, ANSWER("01 00")), 0x15, &mode));
        assert_int_equal(mode, ESWITCH_SWITCHDEV);
        /* One that came later. */
        assert_true(devlink_parse_mode(received(&r, ANSWER("02 00")), 0x15, &mode));
        assert_int_equal(mode, ESWITCH_KEEP);
        assert_false(devlink_parse_mode(received(&r, ANSWER("00 00")), 0x16, &mode));
        assert_false(devlink_parse_mode(
                received(&r, "30 00 00 00 15 00 00 00 01 00 00 00 00 00 00 00 | 1d 01 00 00 "
                             "| " DEVICE),
                0x15, &mode));
}

/* With devlink or without: it knows nothing of a device that is not there, and neither does it of one without an eswitch. */
static void a_device_without_devlink_cannot(void **state) {
        Eswitch mode;

        (void) state;
        assert_int_equal(devlink_eswitch_get((Bdf){ 0xffff, 0xffff }, &mode), -EOPNOTSUPP);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_family_is_asked_for_by_name),
                cmocka_unit_test(the_mode_is_asked_for_and_set_by_address),
                cmocka_unit_test(the_familys_number_is_taken),
                cmocka_unit_test(the_mode_is_told),
                cmocka_unit_test(a_device_without_devlink_cannot),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

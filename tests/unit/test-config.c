/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config: serial numbers and tables of vectors out of configuration space, broken ones among them
 */
#include "kernel/config.h"

#include "tests/unit/test.h"

static void put(uint8_t *c, size_t at, uint32_t v, unsigned bytes) {
        for (unsigned i = 0; i < bytes; i++)
                c[at + i] = (uint8_t) (v >> 8 * i);
}

/* MSI-X at 70h behind another capability, the serial number at 140h behind another. */
static void put_card(uint8_t *c) {
        memset(c, 0, CONFIG_SIZE);
        put(c, 0x00, 0x10c98086, 4);
        put(c, 0x06, 0x0010, 2); /* there is a list */
        c[0x34] = 0x40;
        put(c, 0x40, 0x7001, 2);
        put(c, 0x70, 0x0011, 2);
        put(c, 0x72, 0x8009, 2); /* enabled, ten vectors */
        put(c, 0x100, 0x14020001, 4);
        put(c, 0x140, 0x00010003, 4);
        put(c, 0x144, 0xffc0ffee, 4);
        put(c, 0x148, 0x001b21ff, 4);
}

static void a_serial_number_is_written_as_lspci_does(void **state) {
        char serial[CONFIG_SERIAL_MAX];
        uint8_t c[CONFIG_SIZE];

        (void) state;
        put_card(c);
        assert_int_equal(config_parse_serial(c, sizeof(c), serial), 0);
        assert_string_equal(serial, "00-1b-21-ff-ff-c0-ff-ee");
}

static void vectors_are_counted_by_their_table(void **state) {
        uint8_t c[CONFIG_SIZE];
        uint32_t n = 0;

        (void) state;
        put_card(c);
        assert_int_equal(config_parse_msix(c, sizeof(c), &n), 0);
        assert_int_equal(n, 10);
        put(c, 0x72, 0x07ff, 2);
        assert_int_equal(config_parse_msix(c, sizeof(c), &n), 0);
        assert_int_equal(n, 2048);
}

static void what_is_not_there_is_not_found(void **state) {
        char serial[CONFIG_SERIAL_MAX];
        uint8_t c[CONFIG_SIZE];
        uint32_t n;

        (void) state;
        put_card(c);
        /* No list of capabilities; no list of extended ones; what a reader without rights gets; a conventional device. */
        put(c, 0x06, 0, 2);
        assert_int_equal(config_parse_msix(c, sizeof(c), &n), -ENOENT);
        put(c, 0x100, 0, 4);
        assert_int_equal(config_parse_serial(c, sizeof(c), serial), -ENOENT);
        put_card(c);
        assert_int_equal(config_parse_msix(c, 64, &n), -ENOENT);
        assert_int_equal(config_parse_serial(c, 256, serial), -ENOENT);
        assert_int_equal(config_parse_msix(c, 0, &n), -ENOENT);
        assert_int_equal(config_parse_serial(c, 0, serial), -ENOENT);
}

/* One that fell off its bus reads as ones; a list may lead in a circle, or out of the space. */
static void a_broken_list_ends(void **state) {
        char serial[CONFIG_SERIAL_MAX];
        uint8_t c[CONFIG_SIZE];
        uint32_t n;

        (void) state;
        memset(c, 0xff, sizeof(c));
        assert_int_equal(config_parse_msix(c, sizeof(c), &n), -ENOENT);
        assert_int_equal(config_parse_serial(c, sizeof(c), serial), -ENOENT);
        put_card(c);
        put(c, 0x40, 0x4001, 2);
        put(c, 0x100, 0x10020001, 4);
        assert_int_equal(config_parse_msix(c, sizeof(c), &n), -ENOENT);
        assert_int_equal(config_parse_serial(c, sizeof(c), serial), -ENOENT);
        put_card(c);
        put(c, 0x40, 0xfc01, 2);
        put(c, 0xfc, 0x0011, 2);
        put(c, 0x100, 0xffc20001, 4);
        put(c, 0xffc, 0x00010003, 4);
        assert_int_equal(config_parse_msix(c, 0xfe, &n), -ENOENT);
        assert_int_equal(config_parse_serial(c, sizeof(c), serial), -ENOENT);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_serial_number_is_written_as_lspci_does),
                cmocka_unit_test(vectors_are_counted_by_their_table),
                cmocka_unit_test(what_is_not_there_is_not_found),
                cmocka_unit_test(a_broken_list_ends),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

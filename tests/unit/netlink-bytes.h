/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of netlink as bytes: what the kernel's ABI says is compared to the letter (numbers in the order of a little-endian host)
 */
#pragma once

#include "kernel/netlink.h"

#include "tests/unit/test.h"

/* "13 00 05 00", blanks and "|" between them for the eye. */
static inline size_t bytes_of(const char *text, uint8_t *buf, size_t size) {
        size_t n = 0;

        for (const char *p = text + strspn(text, " |"); *p; p += 2 + strspn(p + 2, " |")) {
                char pair[3] = { p[0], p[1], '\0' };

                assert_true(n < size);
                buf[n++] = (uint8_t) strtoul(pair, NULL, 16);
        }
        return n;
}

static inline void assert_bytes(const struct nlmsghdr *m, const char *text) {
        uint8_t expected[512];
        size_t n = bytes_of(text, expected, sizeof(expected));

        assert_non_null(m);
        for (size_t i = 0; i < MIN2(n, (size_t) m->nlmsg_len); i++)
                if (((const uint8_t *) m)[i] != expected[i])
                        fail_msg("byte %zu is %02x and not %02x", i, ((const uint8_t *) m)[i],
                                 expected[i]);
        assert_int_equal(m->nlmsg_len, n);
}

typedef union Received {
        struct nlmsghdr header;
        uint8_t room[1024];
} Received;

/* A message out of bytes. */
static inline const struct nlmsghdr *received(Received *r, const char *text) {
        size_t n;

        memset(r, 0, sizeof(*r));
        n = bytes_of(text, r->room, sizeof(r->room));
        assert_int_equal(n, r->header.nlmsg_len);
        return &r->header;
}

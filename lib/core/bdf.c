/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bdf
 *
 * Reading and writing of addresses. Strict: what sysfs would not print is no address.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/bdf.h"

int bdf_compare(Bdf a, Bdf b) {
        if (a.domain != b.domain)
                return a.domain < b.domain ? -1 : 1;
        return (int) a.rid - (int) b.rid;
}

bool bdf_same_device(Bdf a, Bdf b) {
        return a.domain == b.domain && (a.rid >> 3) == (b.rid >> 3);
}

/* Reads between min and max hex digits up to the character `end`, and steps over that too. */
static int parse_hex(const char **s, unsigned min, unsigned max, char end, uint32_t *ret) {
        uint32_t n = 0;
        unsigned i;

        for (i = 0; isxdigit((unsigned char) (*s)[i]); i++) {
                int c = tolower((unsigned char) (*s)[i]);

                if (i == max)
                        return -EINVAL;
                n = n << 4 | (uint32_t) (c <= '9' ? c - '0' : c - 'a' + 10);
        }
        if (i < min || (*s)[i] != end)
                return -EINVAL;
        *s += i + (end != '\0');
        *ret = n;
        return 0;
}

int bdf_parse(const char *s, Bdf *ret) {
        uint32_t domain = 0, bus, device, function;
        const char *colon = strchr(s, ':');

        if (colon && strchr(colon + 1, ':') && parse_hex(&s, 4, 8, ':', &domain) < 0)
                return -EINVAL;
        if (parse_hex(&s, 2, 2, ':', &bus) < 0 || parse_hex(&s, 2, 2, '.', &device) < 0 ||
            parse_hex(&s, 1, 1, '\0', &function) < 0)
                return -EINVAL;
        if (device > 0x1f || function > 7)
                return -EINVAL;
        *ret = (Bdf){ domain, (uint16_t) (bus << 8 | device << 3 | function) };
        return 0;
}

const char *bdf_format(Bdf b, char buf[static BDF_MAX]) {
        snprintf(buf, BDF_MAX, "%04x:%02x:%02x.%x", b.domain, bdf_bus(b), (b.rid >> 3) & 0x1fu,
                 bdf_function(b));
        return buf;
}

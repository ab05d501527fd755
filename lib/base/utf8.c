/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTF-8, as RFC 3629 has it
 */
#include <string.h>

#include "base/utf8.h"

/* How many bytes the character at p has; 0: it is none. */
static size_t length_of(const unsigned char *p) {
        size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
        /* No longer form than needed, no half of a UTF-16 pair, nothing above U+10FFFF. */
        unsigned char low = *p == 0xe0   ? 0xa0
                            : *p == 0xf0 ? 0x90
                                         : 0x80,
                      high = *p == 0xed   ? 0x9f
                             : *p == 0xf4 ? 0x8f
                                          : 0xbf;

        if ((*p >= 0x80 && *p < 0xc2) || *p > 0xf4)
                return 0;
        for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
                if (p[i] < low || p[i] > high)
                        return 0;
        return n;
}

bool utf8_is_valid(const char *s) {
        while (*s) {
                size_t n = length_of((const unsigned char *) s);

                if (n == 0)
                        return false;
                s += n;
        }
        return true;
}

const char *utf8_copy(char *buf, size_t size, const char *s) {
        size_t at = 0;

        while (*s) {
                size_t n = length_of((const unsigned char *) s), take = n > 0 ? n : 1;

                if (at + take >= size)
                        break;
                memcpy(buf + at, n > 0 ? s : "?", take);
                at += take;
                s += take;
        }
        buf[at] = '\0';
        return buf;
}

void utf8_clean(char *s) {
        while (*s) {
                size_t n = length_of((const unsigned char *) s);

                if (n == 0 || (unsigned char) *s < ' ' || *s == 127)
                        *s = '?';
                s += n > 0 ? n : 1;
        }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/text.h"

void text_put(FILE *f, const char *word) {
        fputc(' ', f);
        if (word[0] == '\0') {
                fputc('-', f);
                return;
        }
        if (streq(word, "-")) {
                fputs("\\x2d", f);
                return;
        }
        for (; *word; word++) {
                unsigned char c = (unsigned char) *word;

                if (c <= ' ' || c == '\\' || c >= 0x7f)
                        fprintf(f, "\\x%02x", c);
                else
                        fputc(c, f);
        }
}

void text_put_bdf(FILE *f, Bdf b) {
        text_put(f, bdf_is_none(b) ? "" : BDF_STR(b));
}

void text_put_number(FILE *f, uint64_t n) {
        fprintf(f, " %llu", (unsigned long long) n);
}

static int unhex(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes the escapes in place: the result is never longer. */
static int unescape(char *word) {
        char *to = word;

        for (const char *p = word; *p; p++) {
                int high, low;

                if (*p != '\\') {
                        *to++ = *p;
                        continue;
                }
                if (p[1] != 'x' || (high = unhex(p[2])) < 0 || (low = unhex(p[3])) < 0)
                        return -EBADMSG;
                *to++ = (char) (high << 4 | low);
                p += 3;
        }
        *to = '\0';
        return 0;
}

static int next_word(char **line, char **ret) {
        char *word = *line + strspn(*line, " ");
        size_t n = strcspn(word, " ");

        if (n == 0)
                return -EBADMSG;
        *line = word[n] == '\0' ? word + n : word + n + 1;
        word[n] = '\0';
        *ret = word;
        if (streq(word, "-")) {
                word[0] = '\0';
                return 0;
        }
        return unescape(word);
}

int text_get(char **line, char *buf, size_t size) {
        char *word;
        int r;

        r = next_word(line, &word);
        if (r < 0)
                return r;
        return str_copy(buf, size, word) < 0 ? -EBADMSG : 0;
}

int text_get_string(char **line, char **ret) {
        char *word, *copy;
        int r;

        r = next_word(line, &word);
        if (r < 0)
                return r;
        copy = strdup(word);
        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

int text_get_bdf(char **line, Bdf *ret) {
        char *word;
        int r;

        r = next_word(line, &word);
        if (r < 0)
                return r;
        if (word[0] == '\0') {
                *ret = BDF_NONE;
                return 0;
        }
        return bdf_parse(word, ret) < 0 ? -EBADMSG : 0;
}

int text_get_number(char **line, uint64_t max, uint64_t *ret) {
        char *word;
        int r;

        r = next_word(line, &word);
        if (r < 0)
                return r;
        return parse_u64(word, max, ret) < 0 ? -EBADMSG : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lint
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/lint.h"

/* Far more than any file of ours needs; the parser and whoever frees what it made go down as deep. */
#define DEPTH_MAX 16

typedef struct Reader {
        const char *p;
        unsigned line;
        unsigned depth;
} Reader;

static void step(Reader *r) {
        if (*r->p == '\n')
                r->line++;
        r->p++;
}

static void skip_to_end_of_line(Reader *r) {
        while (*r->p != '\0' && *r->p != '\n')
                r->p++;
}

static const char *skip_comment(Reader *r) {
        for (r->p += 2; *r->p != '\0'; step(r))
                if (r->p[0] == '*' && r->p[1] == '/') {
                        r->p += 2;
                        return NULL;
                }
        return "this comment has no end";
}

static const char *skip_string(Reader *r) {
        for (r->p++; *r->p != '\0' && *r->p != '"'; step(r))
                if (*r->p == '\\' && r->p[1] != '\0')
                        step(r);
        if (*r->p == '\0')
                return "this string has no end";
        r->p++;
        return NULL;
}

static bool is_word(char c) {
        return isalnum((unsigned char) c) || c == '_' || c == '.' || c == '-' || c == '*' ||
               c == '+';
}

static const char *skip_digits(const char *p) {
        while (isdigit((unsigned char) *p))
                p++;
        return p;
}

/*
 * "1.5", "2e10", whole: behind one that ends too early libconfig sees the next name, and `vfs = 4294967300eswitch = ...` is
 * two settings to it.
 */
static bool is_fraction(const char *word, const char *end) {
        const char *p = skip_digits(word), *exponent;

        if (*p == '.')
                p = skip_digits(p + 1);
        if (*p == 'e' || *p == 'E') {
                p += p[1] == '-' || p[1] == '+' ? 2 : 1;
                exponent = p;
                p = skip_digits(p);
                if (p == exponent)
                        return false;
        }
        return p == end;
}

/* "12", "12L", "0x1f"; libconfig knows fractions by itself. */
static const char *check_number(const char *word, size_t n) {
        bool negative = word[0] == '-', wide = word[n - 1] == 'L';
        const char *digits = word + (word[0] == '-' || word[0] == '+');
        bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
        unsigned long long v, max = wide ? INT64_MAX : INT32_MAX;
        char *end;

        if (!hex && digits[0] == '0' && isdigit((unsigned char) digits[1]))
                return "this number begins with 0; write it without, or with 0x";
        if (hex && digits != word)
                return "a number with 0x has no sign";
        errno = 0;
        v = strtoull(digits, &end, hex ? 16 : 10);
        end += strspn(end, "L") <= 2 ? strspn(end, "L") : 0;
        if (end != word + n)
                return !hex && is_fraction(digits, word + n) ? NULL : "this is no number";
        return errno == ERANGE || v > max + negative ? "this number is out of range" : NULL;
}

static const char *check_word(Reader *r) {
        const char *start = r->p;
        bool number = isdigit((unsigned char) *start) ||
                      ((*start == '-' || *start == '+') && isdigit((unsigned char) start[1]));

        while (is_word(*r->p))
                r->p++;
        return number ? check_number(start, (size_t) (r->p - start)) : NULL;
}

static const char *check_bracket(Reader *r) {
        if (strchr("{[(", *r->p) && ++r->depth > DEPTH_MAX)
                return "this is nested too deep";
        if (strchr("}])", *r->p) && r->depth > 0)
                r->depth--;
        step(r);
        return NULL;
}

static const char *check_next(Reader *r) {
        if (*r->p == '#' || (r->p[0] == '/' && r->p[1] == '/'))
                skip_to_end_of_line(r);
        else if (r->p[0] == '/' && r->p[1] == '*')
                return skip_comment(r);
        else if (*r->p == '"')
                return skip_string(r);
        else if (*r->p == '@')
                return "directives like @include are not allowed here";
        else if (is_word(*r->p))
                return check_word(r);
        else
                return check_bracket(r);
        return NULL;
}

unsigned lint(const char *text, const char **ret_why) {
        Reader r = { text, 1, 0 };

        while (*r.p != '\0') {
                unsigned line = r.line;
                const char *why = check_next(&r);

                if (why) {
                        *ret_why = why;
                        return line;
                }
        }
        return 0;
}

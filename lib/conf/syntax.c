/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syntax
 *
 * settings: { name ("=" | ":") value [";" | ","] }
 * value: true, false, a number, "strings", { settings }, ( values ), [ simple values of one kind ]
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/syntax.h"

typedef enum Kind {
        END,
        NAME,
        BOOL,
        INT,
        INT64,
        FLOAT,
        STRING,
        SIGN, /* one letter that stands for itself */
} Kind;

typedef struct Word {
        const char *p;
        size_t n;
} Word;

/* Of the groups that are open, the outermost first. */
typedef struct Names {
        Word *items;
        size_t n, n_allocated;
        bool failed; /* no memory */
} Names;

typedef struct Reader {
        Names *names; /* NULL: it is all the same how often one stands there */
        const char *p; /* the token that is looked at */
        const char *end; /* of it */
        unsigned line;
        Kind kind;
        const char *why;
} Reader;

static const char *skip_comment(const char *p) {
        if (*p == '#' || (p[0] == '/' && p[1] == '/'))
                return p + strcspn(p, "\n");
        if (p[0] == '/' && p[1] == '*')
                return strstr(p + 2, "*/") + 2; /* lint() saw its end */
        return p;
}

static const char *string_end(const char *p) {
        for (p++; *p != '"'; p++)
                if (*p == '\\')
                        p++;
        return p + 1;
}

static Kind number_kind(const char *p, const char *end) {
        size_t n = (size_t) (end - p);
        bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');

        if (!hex && (memchr(p, '.', n) || memchr(p, 'e', n) || memchr(p, 'E', n)))
                return FLOAT;
        return end[-1] == 'L' ? INT64 : INT;
}

static bool is_word(const char *p, const char *end, const char *word) {
        return (size_t) (end - p) == strlen(word) && strncasecmp(p, word, strlen(word)) == 0;
}

/* What begins at r->p, which is no blank and no comment. */
static void look(Reader *r) {
        const char *p = r->p, *end = p;

        while (isalnum((unsigned char) *end) || (*end != '\0' && strchr("_-*+.", *end)))
                end++;
        r->kind = SIGN;
        r->end = p + 1;
        if (*p == '\0') {
                r->kind = END;
                r->end = p;
        } else if (*p == '"') {
                r->kind = STRING;
                r->end = string_end(p);
        } else if (isalpha((unsigned char) *p) || *p == '*') {
                end = p +
                      strspn(p,
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-*");
                r->kind = is_word(p, end, "true") || is_word(p, end, "false") ? BOOL : NAME;
                r->end = end;
        } else if (isdigit((unsigned char) p[*p == '-' || *p == '+'])) {
                r->kind = number_kind(p, end);
                r->end = end;
        }
}

static void next(Reader *r) {
        const char *p = r->end, *behind;

        for (;;) {
                p += strspn(p, " \t\n\r\f");
                behind = skip_comment(p);
                if (behind == p)
                        break;
                p = behind;
        }
        for (const char *c = r->p; c < p; c++)
                r->line += *c == '\n';
        r->p = p;
        look(r);
}

static bool is(const Reader *r, char sign) {
        return r->kind == SIGN && *r->p == sign;
}

static bool fail(Reader *r, const char *why) {
        r->why = why;
        return false;
}

static bool take_value(Reader *r);

/* True if a name of this group, whose first one is that, stands there already. */
static bool is_twice(const Names *all, size_t first, const Word *name) {
        for (size_t i = first; i < all->n; i++)
                if (all->items[i].n == name->n && memcmp(all->items[i].p, name->p, name->n) == 0)
                        return true;
        return false;
}

static bool add_name(Names *all, const Word *name) {
        Word *more;

        if (all->n == all->n_allocated) {
                more = reallocarray(all->items, all->n * 2 + 16, sizeof(Word));
                if (!more)
                        return false;
                all->items = more;
                all->n_allocated = all->n * 2 + 16;
        }
        all->items[all->n++] = *name;
        return true;
}

static bool take_name(Reader *r, size_t first) {
        const Word name = { r->p, (size_t) (r->end - r->p) };

        if (!r->names)
                return true;
        if (is_twice(r->names, first, &name))
                return fail(r, "twice");
        r->names->failed = !add_name(r->names, &name);
        return !r->names->failed;
}

/* Up to the bracket, or the end of the text. */
static bool take_settings(Reader *r, bool group) {
        size_t first = r->names ? r->names->n : 0;

        while (!(group ? is(r, '}') : r->kind == END)) {
                if (r->kind == END)
                        return fail(r, "syntax error: a '}' is missing before the end");
                if (r->kind != NAME)
                        return fail(r,
                                    "syntax error: here should stand a name, as in name = value");
                if (!take_name(r, first))
                        return false;
                next(r);
                if (!is(r, '=') && !is(r, ':'))
                        return fail(r, "syntax error: here should stand '=', as in name = value");
                next(r);
                if (!take_value(r))
                        return false;
                if (is(r, ';') || is(r, ','))
                        next(r);
        }
        if (r->names)
                r->names->n = first;
        return true;
}

/* Behind a value in brackets: true if there is another one. */
static bool take_comma(Reader *r, char closing) {
        if (is(r, closing))
                return false;
        if (!is(r, ','))
                return fail(r, r->kind == END ? "syntax error: a bracket is missing before the end"
                                              : "syntax error: here should stand ',' or a bracket");
        next(r);
        return true;
}

static bool take_list(Reader *r) {
        bool more = !is(r, ')');

        while (more) {
                if (!take_value(r))
                        return false;
                more = take_comma(r, ')');
        }
        return !r->why;
}

static bool take_array(Reader *r) {
        bool more = !is(r, ']');
        Kind first = r->kind;

        while (more) {
                if (is(r, '{') || is(r, '(') || is(r, '['))
                        return fail(r, "syntax error: an array has simple values; ( ) has any");
                if (r->kind != first)
                        return fail(r,
                                    "syntax error: an array has values of one kind; ( ) has any");
                if (!take_value(r))
                        return false;
                more = take_comma(r, ']');
        }
        return !r->why;
}

static bool take_brackets(Reader *r) {
        char opening = *r->p;

        next(r);
        if (opening == '{'   ? !take_settings(r, true)
            : opening == '(' ? !take_list(r)
                             : !take_array(r))
                return false;
        next(r);
        return true;
}

static bool take_value(Reader *r) {
        if (is(r, '{') || is(r, '(') || is(r, '['))
                return take_brackets(r);
        if (r->kind == NAME)
                return fail(r, "syntax error: a word stands in quotes, but for true and false");
        if (r->kind == END || r->kind == SIGN)
                return fail(r, "syntax error: here should stand a value");
        /* One behind the other, strings are one. */
        if (r->kind == STRING)
                for (; r->kind == STRING; next(r))
                        ;
        else
                next(r);
        return true;
}

unsigned syntax(const char *text, const char **ret_why) {
        Reader r = { .p = text, .end = text, .line = 1 };

        next(&r);
        if (take_settings(&r, false))
                return 0;
        *ret_why = r.why;
        return r.line;
}

unsigned syntax_twice(const char *text, char *ret_name, size_t size) {
        Names names = {};
        Reader r = { .names = &names, .p = text, .end = text, .line = 1 };
        bool found;

        next(&r);
        found = !take_settings(&r, false) && !names.failed;
        free(names.items);
        if (!found)
                return 0;
        snprintf(ret_name, size, "%.*s", (int) (r.end - r.p), r.p);
        return r.line;
}

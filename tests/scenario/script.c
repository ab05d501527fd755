/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Script: a scenario file as lines of words
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/scenario/scenario.h"

/* The next word, with "double quotes" taken off. NULL: no more. Cuts the line into pieces. */
static char *next_word(char **at) {
        char *p = *at + strspn(*at, " \t"), *start;

        if (*p == '\0' || *p == '#')
                return NULL;
        if (*p == '"') {
                start = ++p;
                p += strcspn(p, "\"");
        } else {
                start = p;
                p += strcspn(p, " \t");
        }
        *at = *p ? p + 1 : p;
        *p = '\0';
        return start;
}

/* "sim ..." and "vm ..." are lines for one kind of kernel; the word is taken off. Words of a line for the other are freed. */
static bool is_for_the_other(Line *line) {
        bool sim = streq(line->words[0], "sim");

        if (!sim && !streq(line->words[0], "vm"))
                return false;
        if (sim != stage_is_sim) {
                for (size_t w = 0; w < line->n; w++)
                        free(line->words[w]);
                return true;
        }
        free(line->words[0]);
        memmove(line->words, line->words + 1, --line->n * sizeof(line->words[0]));
        return line->n == 0;
}

static int read_line(Script *s, char *text, unsigned number) {
        Line line = { .number = number }, *more;
        char *w;

        text[strcspn(text, "\n")] = '\0';
        while (line.n < WORDS_MAX - 1 && (w = next_word(&text))) {
                line.words[line.n] = strdup(w);
                if (!line.words[line.n++])
                        return -ENOMEM;
        }
        if (line.n == 0 || is_for_the_other(&line))
                return 0;
        more = reallocarray(s->lines, s->n_lines + 1, sizeof(*more));
        if (!more)
                return -ENOMEM;
        s->lines = more;
        s->lines[s->n_lines++] = line;
        return 0;
}

static int check(const Script *s, const char *path) {
        for (size_t i = 0; i < s->n_lines; i++)
                if (!directive_exists(s->lines[i].words[0])) {
                        fprintf(stderr, "%s:%u: no such directive: %s\n", path, s->lines[i].number,
                                s->lines[i].words[0]);
                        return -EINVAL;
                }
        if (s->n_lines == 0 || !streq(s->lines[0].words[0], "title")) {
                fprintf(stderr, "%s: does not begin with a title\n", path);
                return -EINVAL;
        }
        return 0;
}

int script_read(const char *path, Script **ret) {
        _cleanup_(script_freep) Script *s = calloc(1, sizeof(*s));
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        _cleanup_free_ char *text = NULL;
        const char *base = strrchr(path, '/');
        size_t size = 0;
        int r;

        if (!s || !f) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                return -errno;
        }
        s->name = strdup(base ? base + 1 : path);
        if (!s->name)
                return -ENOMEM;
        s->name[strcspn(s->name, ".")] = '\0';
        for (unsigned number = 1; getline(&text, &size, f) >= 0; number++) {
                r = read_line(s, text, number);
                if (r < 0)
                        return r;
        }
        r = check(s, path);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Script *script_free(Script *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_lines; i++)
                for (size_t j = 0; j < s->lines[i].n; j++)
                        free(s->lines[i].words[j]);
        free(s->lines);
        free(s->name);
        free(s);
        return NULL;
}

const Line *script_next_is(const Script *s, size_t i, const char *name) {
        return i + 1 < s->n_lines && streq(s->lines[i + 1].words[0], name) ? &s->lines[i + 1]
                                                                           : NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

#include "conf/mistakes.h"

void mistakes_done(Mistakes *all) {
        free(all->items);
        *all = (Mistakes){};
}

/* Of "FILE:LINE: why" or "FILE: why". */
static size_t file_length_of(const char *text) {
        size_t n = (size_t) (strstr(text, ": ") ? strstr(text, ": ") - text : 0), digits = n;

        while (digits > 0 && isdigit((unsigned char) text[digits - 1]))
                digits--;
        return digits > 0 && digits < n && text[digits - 1] == ':' ? digits - 1 : n;
}

void mistakes_add(Mistakes *all, const char *path, const SettingsError *e) {
        Mistake m = { .error = *e, .file_length = file_length_of(e->text) }, *more;

        if (path)
                m.file_length = MIN2(strlen(path), strlen(e->text));
        all->n_all++;
        if (all->n == MISTAKES_MAX)
                return;
        more = reallocarray(all->items, all->n + 1, sizeof(Mistake));
        if (!more)
                return;
        if (m.error.text[m.file_length] == ':')
                m.line = (unsigned) strtoul(m.error.text + m.file_length + 1, NULL, 10);
        all->items = more;
        more[all->n++] = m;
}

void mistakes_sort(Mistakes *all, size_t first) {
        for (size_t i = first; i < all->n; i++) {
                Mistake m = all->items[i];
                size_t at = i;

                for (; at > first && all->items[at - 1].line > m.line; at--)
                        all->items[at] = all->items[at - 1];
                all->items[at] = m;
        }
}

const char *mistake_why(const Mistake *m) {
        const char *why = strstr(m->error.text + m->file_length, ": ");

        return why ? why + 2 : m->error.text;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Suggest
 */
#include "base/str.h"

#include "cli/suggest.h"

#define WORD_MAX 32

static size_t min3(size_t a, size_t b, size_t c) {
        return MIN2(MIN2(a, b), c);
}

/* Letters to put in, leave out, replace or swap with the next. Both at most WORD_MAX long. */
static size_t distance(const char *a, const char *b) {
        size_t n = strlen(a), m = strlen(b), d[WORD_MAX + 1][WORD_MAX + 1];

        for (size_t i = 0; i <= n; i++)
                d[i][0] = i;
        for (size_t j = 0; j <= m; j++)
                d[0][j] = j;
        for (size_t i = 1; i <= n; i++)
                for (size_t j = 1; j <= m; j++) {
                        d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
                                       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                d[i][j] = MIN2(d[i][j], d[i - 2][j - 2] + 1);
                }
        return d[n][m];
}

const char *suggest(const char *typed, const char *const *words, size_t n) {
        size_t length = strlen(typed), best = (length + 1) / 3 + 1;
        const char *found = NULL;

        if (length < 2 || length > WORD_MAX)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                size_t d = strlen(words[i]) > WORD_MAX ? best + 1 : distance(typed, words[i]);

                if (startswith(words[i], typed) && !found)
                        d = 0;
                if (d < best) {
                        best = d;
                        found = words[i];
                }
        }
        return found;
}

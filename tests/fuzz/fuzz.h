/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz: a promise that holds for any text
 *
 * Each target is libFuzzer's entry, and so that of replay.c where there is no clang.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PROMISE(x)                                                                                 \
        do {                                                                                       \
                if (!(x)) {                                                                        \
                        fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #x);            \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)

/* What a file's reader would have of it: up to the first NUL, and its last line has an end. The caller's to free. */
static inline char *text_of(const uint8_t *data, size_t size) {
        char *text = malloc(size + 2);

        PROMISE(text);
        memcpy(text, data, size);
        text[size] = '\0';
        strcat(text, "\n");
        return text;
}

static inline unsigned lines_of(const char *text) {
        unsigned n = 1;

        for (; *text; text++)
                n += *text == '\n';
        return n;
}

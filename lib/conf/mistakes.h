/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes: all that is wrong in some files, so that nobody has to mend them one run after the other
 */
#pragma once

#include <stddef.h>

#include "conf/settings.h"

typedef struct Mistake {
        SettingsError error; /* "FILE:LINE: why", or "FILE: why" of one that cannot be read */
        size_t file_length; /* of FILE in it */
        unsigned line; /* 0: it is about the file as a whole */
} Mistake;

/* Of very many, the first ones. */
#define MISTAKES_MAX 256

typedef struct Mistakes {
        Mistake *items; /* owned */
        size_t n;
        size_t n_all; /* those that had no room or no memory counted as well */
} Mistakes;

void mistakes_done(Mistakes *all);
/* What a reader of that file said; path NULL: of the one that it names. */
void mistakes_add(Mistakes *all, const char *path, const SettingsError *e);
/* Those from the first one on in the order of their lines. */
void mistakes_sort(Mistakes *all, size_t first);
const char *mistake_why(const Mistake *m);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text: words on a line, whatever is in them
 *
 * The files of the ledger are read by people in trouble and by the next version of the daemon: one line a
 * fact, words with blanks between. A byte that would break that stands as \xHH, an empty word as "-".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/bdf.h"

void text_put(FILE *f, const char *word); /* a blank and the word */
void text_put_bdf(FILE *f, Bdf b);
void text_put_number(FILE *f, uint64_t n);

/* Each takes the next word off *line. 0, or -EBADMSG if there is none or it is not of that kind. */
int text_get(char **line, char *buf, size_t size);
int text_get_string(char **line, char **ret); /* the caller's; also -ENOMEM */
int text_get_bdf(char **line, Bdf *ret);
int text_get_number(char **line, uint64_t max, uint64_t *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger-format: a job in words
 *
 * Enums go by their names, so that a daemon of another version reads what it knows. Only ledger*.c and recover.c
 * include this.
 */
#pragma once

#include <stdio.h>

#include "daemon/ledger.h"

void format_head(FILE *f, const Record *r);
void format_acts(FILE *f, const Record *r);
void format_holders(FILE *f, const Holders *holders);
void format_step(FILE *f, const Step *step, StepState state);
void format_whole(FILE *f); /* the line without which a file does not count */
void format_outcome(FILE *f, const Outcome *outcome); /* "end INDEX ..." with its newline */

/* One line without its newline, which is torn in the parsing. 0, -EBADMSG, -ENOMEM. Unknown keys are skipped. */
int parse_line(Record *r, char *line);
int parse_outcome(char *words, Outcome *ret);

/* For the two halves of these: 0 or the place in a list, -EBADMSG, -ENOMEM. */
int parse_head(Record *r, const char *key, char *words);
int parse_number(char **words, uint32_t *ret);
int parse_rung(char **words, Rung *ret);
int find_name(const char *const *names, size_t n, const char *name);

/* Notes in an unfinished record what came of a step. 0, -EBADMSG (no such step), -ENOMEM. */
int apply_outcome(Record *r, const Outcome *outcome);

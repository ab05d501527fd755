/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options: one table of all, and which verbs have them
 */
#pragma once

#include "cli/cli.h"

/* What a verb has beyond the options that all have. */
typedef enum OptionGroup {
        OPTION_CHANGE = 1 << 0, /* all that make a job */
        OPTION_FORCE = 1 << 1,
        OPTION_SET = 1 << 2,
        OPTION_REMOVE = 1 << 3,
        OPTION_WAIT = 1 << 4,
        OPTION_TABLE = 1 << 5,
        OPTION_VFS = 1 << 6,
        OPTION_ALL = 1 << 7,
        OPTION_HISTORY = 1 << 8,
        OPTION_HOLD = 1 << 9,
        OPTION_APPLY = 1 << 10,
        OPTION_ADOPT = 1 << 11,
        OPTION_METRICS = 1 << 12,
} OptionGroup;

/* Which options were typed, for options_check(). */
typedef struct Options {
        uint64_t seen;
        bool help, version;
} Options;

/*
 * Reads them all, in any place of the line before "--". argv then has the words alone, the verb being
 * the first of *ret_words; those behind "--" are c->command as well, and not looked at.
 */
int options_parse(Cli *c, Options *o, int argc, char **argv, int *ret_words);

/* An option that the verb does not have is an error, and never ignored. */
int options_check(const Cli *c, const Options *o, const char *verb, uint32_t groups);

/* Prints those that verbs of these groups have; 0: those that all have. */
void options_print(uint32_t groups);

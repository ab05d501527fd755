/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lint: what libconfig would take without a word
 *
 * libconfig 1.5 reads 4294967300 as 4 and 010 as 10, and `@include` of a folder makes it end the process. So the text is
 * read once before: numbers that are out of range or not what they look like, and directives, are found here.
 */
#pragma once

#include <stddef.h>

/* 0, or the number (from 1 on) of the line at fault, and *ret_why, a constant. */
unsigned lint(const char *text, const char **ret_why);

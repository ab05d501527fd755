/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syntax: where a text is none in libconfig's format
 *
 * libconfig 1.5 says nothing but "syntax error", and does not free what it had read so far of a text that has one. So it
 * gets none: a daemon that is told to reload a broken file each minute stays as large as it is.
 */
#pragma once

#include <stddef.h>

/*
 * Of a text in which lint() found nothing. 0, or the number (from 1 on) of the line at fault, and *ret_why, a constant. What is said
 * twice, and what a name may have for a value, is not looked at.
 */
unsigned syntax(const char *text, const char **ret_why);

/*
 * Of a text in which that found nothing: the first name that stands twice in one group, to which libconfig says no more than that there is
 * one. The number of its second line, and *ret_name, up to size; 0: none does, or there is no memory to tell.
 */
unsigned syntax_twice(const char *text, char *ret_name, size_t size);

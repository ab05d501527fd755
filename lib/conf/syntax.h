/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Syntax: where a text is none in libconfig's format
 *
 * libconfig 1.5 says nothing but "syntax error", and does not free what it had read so far of a text that has one. So it
 * gets none: a daemon that is told to reload a broken file each minute stays as large as it is.
 */
#pragma once

/*
 * Of a text in which lint() found nothing. 0, or the number (from 1 on) of the line at fault, and *ret_why, a constant. What is said
 * twice, and what a name may have for a value, is not looked at.
 */
unsigned syntax(const char *text, const char **ret_why);

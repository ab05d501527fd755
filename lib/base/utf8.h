/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTF-8: no bus and no JSON has room for anything else
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool utf8_is_valid(const char *s);

/* As much of s as has room, whole characters only; bytes that are none become '?'. Returns buf. */
const char *utf8_copy(char *buf, size_t size, const char *s);

/* In its place: what is no character, or one that moves the cursor, becomes '?'. */
void utf8_clean(char *s);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings: comparing, lists of them, and numbers out of them
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/macro.h"

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

static inline bool isempty(const char *s) {
        return !s || s[0] == '\0';
}

/* The rest of s behind the prefix, or NULL. */
const char *startswith(const char *s, const char *prefix);

/* A decimal number without sign, blanks or leading zeros, at most max. 0, -EINVAL, -ERANGE. */
int parse_u32(const char *s, uint32_t max, uint32_t *ret);
int parse_u64(const char *s, uint64_t max, uint64_t *ret);

/* Copies s whole or not at all. 0, or -ENAMETOOLONG with the buffer left as it was. */
int str_copy(char *buf, size_t size, const char *s);

/* True for names that may stand in a path as one component: letters, digits and "._-+:@", not "." or "..". */
bool name_is_valid(const char *s);

/* A NULL-terminated list of strings; the list owns them. */
void strv_free(char **list);
size_t strv_length(char *const *list);
int strv_push(char ***list, const char *s); /* 0, -ENOMEM */
void strv_sort(char **list);
static inline void strv_freep(char ***list) {
        strv_free(*list);
}

#define STRV_FOREACH(s, list) for (char *const *s = (list); s && *s; s++)
#define _cleanup_strv_ _cleanup_(strv_freep)

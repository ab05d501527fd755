/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings
 *
 * Nothing here knows what the strings mean.
 */
#include <ctype.h>
#include <errno.h>

#include "base/str.h"

const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

int parse_u64(const char *s, uint64_t max, uint64_t *ret) {
        uint64_t n = 0;

        if (isempty(s) || (s[0] == '0' && s[1] != '\0'))
                return -EINVAL;
        for (const char *p = s; *p; p++)
                if (!isdigit((unsigned char) *p))
                        return -EINVAL;
        for (; *s; s++)
                if (__builtin_mul_overflow(n, 10, &n) ||
                    __builtin_add_overflow(n, (uint64_t) (*s - '0'), &n) || n > max)
                        return -ERANGE;
        *ret = n;
        return 0;
}

int parse_u32(const char *s, uint32_t max, uint32_t *ret) {
        uint64_t n;
        int r;

        r = parse_u64(s, max, &n);
        if (r < 0)
                return r;
        *ret = (uint32_t) n;
        return 0;
}

int str_copy(char *buf, size_t size, const char *s) {
        size_t n = strlen(s);

        if (n >= size)
                return -ENAMETOOLONG;
        memcpy(buf, s, n + 1);
        return 0;
}

bool name_is_valid(const char *s) {
        if (isempty(s) || streq(s, ".") || streq(s, ".."))
                return false;
        for (; *s; s++)
                if (!isalnum((unsigned char) *s) && !strchr("._-+:@", *s))
                        return false;
        return true;
}

void strv_free(char **list) {
        STRV_FOREACH (s, list)
                free(*s);
        free(list);
}

size_t strv_length(char *const *list) {
        size_t n = 0;

        STRV_FOREACH (s, list)
                n++;
        return n;
}

int strv_push(char ***list, const char *s) {
        size_t n = strv_length(*list);
        char **more, *copy;

        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        /* Grows at powers of two, so that a directory of thousands is not copied for each name. */
        if (n == 0 || ((n + 1) & n) == 0) {
                more = reallocarray(*list, n == 0 ? 2 : (n + 1) * 2, sizeof(char *));
                if (!more) {
                        free(copy);
                        return -ENOMEM;
                }
                *list = more;
        }
        (*list)[n] = copy;
        (*list)[n + 1] = NULL;
        return 0;
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

void strv_sort(char **list) {
        if (list)
                qsort(list, strv_length(list), sizeof(char *), compare_strings);
}

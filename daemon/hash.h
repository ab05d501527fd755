/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hash: 64-bit FNV-1a, to tell whether something is still the same
 *
 * Not for anybody who wants to be deceived.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash_bytes(uint64_t h, const void *data, size_t n) {
        for (const unsigned char *p = data; n > 0; n--)
                h = (h ^ *p++) * UINT64_C(0x100000001b3);
        return h;
}

/* With its NUL, so that "a", "bc" is not "ab", "c". */
static inline uint64_t hash_string(uint64_t h, const char *s) {
        return hash_bytes(h, s, strlen(s) + 1);
}

static inline uint64_t hash_number(uint64_t h, uint64_t n) {
        return hash_bytes(h, &n, sizeof(n));
}

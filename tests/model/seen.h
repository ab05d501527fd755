/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seen: the states that the walk was in, each as one number
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/queue.h"

#define MIX_START UINT64_C(0xcbf29ce484222325)

uint64_t mix(uint64_t h, const void *p, size_t n);
uint64_t mix_number(uint64_t h, uint64_t n);
uint64_t mix_job(uint64_t h, const Job *j); /* what of it decides its future */

bool seen_add(uint64_t h); /* true: it is new */
size_t seen_count(void);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When: times and spans as people read and type them
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WHEN_USEC_PER_SEC UINT64_C(1000000)
#define WHEN_STR_MAX 64

uint64_t when_now(void); /* CLOCK_REALTIME, µs */
uint64_t when_monotonic(void); /* CLOCK_MONOTONIC, µs */

/* "2026-01-31 12:00:00", local time. Returns buf. */
const char *when_format(uint64_t usec, char *buf, size_t size);
/* "1.250s", "2min 5s". Returns buf. */
const char *when_format_span(uint64_t usec, char *buf, size_t size);

/*
 * Seconds, up to six digits behind the point, and "ms", "s", "min" or "h" behind that. 0, -EINVAL,
 * -ERANGE.
 */
int when_parse_span(const char *s, uint64_t *ret);
/*
 * "2026-01-31", "2026-01-31 12:00[:00]", "today", "yesterday", or "-" and a span. 0, -EINVAL,
 * -ERANGE.
 */
int when_parse(const char *s, uint64_t *ret);

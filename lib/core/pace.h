/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pace: how long a kernel write may take
 *
 * A deadline is base + n per VF, by driver and rung: from the ladder's own table, overridden by rows out of a data
 * file, stretched by what was seen on this host. Times seen only ever stretch: a daemon that cries stuck too early is
 * worse than one that does so late. Pure: files and clocks are others' business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ladder.h"

#define PACE_MAX_SEC 3600 /* no deadline is longer */
#define PACE_ROWS_MAX 256
#define PACE_SEEN_MAX 128

/* Out of the data file. The last row that fits holds; a row that names the driver comes before one that names all. */
typedef struct PaceRow {
        char driver[NAME_MAX_LENGTH]; /* "*": all */
        Rung rung; /* _RUNG_MAX: all */
        uint32_t base_sec, per_vf_sec; /* base 1 to 3600, per VF 0 to 600 */
} PaceRow;

/* The longest that was seen, in percent of what the tables give. */
typedef struct PaceSeen {
        char driver[NAME_MAX_LENGTH];
        Rung rung;
        uint32_t percent;
} PaceSeen;

typedef struct Pace {
        PaceRow rows[PACE_ROWS_MAX];
        size_t n_rows;
        PaceSeen seen[PACE_SEEN_MAX];
        size_t n_seen;
        uint32_t factor; /* sriovd.conf's deadline_factor, 1 to 100; 0 counts as 1 */
} Pace;

/* The driver whose time it is: the one that goes (step->was), or the one that comes (step->name). "" = none. */
const char *pace_driver(const Step *step) __attribute__((pure));

/* Seconds, 1 to PACE_MAX_SEC: (base + n per VF) times factor, and at least twice what was seen. */
uint32_t pace_deadline_sec(const Pace *p, const Step *step) __attribute__((pure));

/* A step that ended took so long. True if that is news: worth keeping. */
bool pace_learn(Pace *p, const Step *step, uint64_t usec);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deadline: sriovd on the simulator calls a write overdue as soon as the simulator's time allows
 *
 * Linked with --wrap=pace_deadline_sec: a scenario in which a write gets stuck need not wait for minutes. One in which a
 * write only takes its time says SRIOVD_SIM_DEADLINE, for on a crowded host all takes longer.
 */
#include <stdlib.h>

#include "core/pace.h"

/* 300 s of the simulator's time, and enough for a slow machine to start a child. */
#define DEADLINE_SEC 3

uint32_t __wrap_pace_deadline_sec(const Pace *p, const Step *step);

uint32_t __wrap_pace_deadline_sec(const Pace *p, const Step *step) {
        const char *given = getenv("SRIOVD_SIM_DEADLINE");
        unsigned long own = given ? strtoul(given, NULL, 10) : 0;

        (void) p;
        (void) step;
        return own > 0 ? (uint32_t) own : DEADLINE_SEC;
}

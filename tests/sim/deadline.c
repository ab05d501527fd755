/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deadline: sriovd on the simulator calls a write overdue as soon as the simulator's time allows
 *
 * Linked with --wrap=pace_deadline_sec: a scenario in which a write gets stuck need not wait for minutes.
 */
#include "core/pace.h"

/* 300 s of the simulator's time, and enough for a slow machine to start a child. */
#define DEADLINE_SEC 3

uint32_t __wrap_pace_deadline_sec(const Pace *p, const Step *step);

uint32_t __wrap_pace_deadline_sec(const Pace *p, const Step *step) {
        (void) p;
        (void) step;
        return DEADLINE_SEC;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trail
 */
#include <stdio.h>

#include "tests/model/trail.h"

#define STEPS_MAX 256

static char steps[STEPS_MAX][160];
static size_t n_steps;

void trail_push(const char *what, uint32_t job, const Step *step, const char *how) {
        char line[STEP_STR_MAX] = "";

        if (step)
                step_format(step, line, sizeof(line));
        if (n_steps < STEPS_MAX)
                snprintf(steps[n_steps], sizeof(steps[0]), "%s job %u %.90s %s", what, job, line,
                         how);
        n_steps++;
}

void trail_pop(void) {
        n_steps--;
}

void trail_print(void) {
        for (size_t i = 0; i < n_steps && i < STEPS_MAX; i++)
                printf("  %2zu %s\n", i + 1, steps[i]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnose: what is wrong with this host, as far as it concerns us
 *
 * Asked by Diagnose() and made in a child, for some of it waits. It writes nothing anywhere.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/kernel.h"

typedef enum FindingState {
        FINDING_OK,
        FINDING_WARN,
        FINDING_BAD,
        _FINDING_STATE_MAX,
} FindingState;

typedef struct Finding {
        FindingState state;
        char check[32]; /* "stuck-tasks"; the same whatever came of it */
        char subject[64]; /* a function, a process, a file; "" = the host */
        char text[512]; /* one line: what is so, and what to do */
} Finding;

/* A list that grows; zero is an empty one. */
typedef struct Findings {
        Finding *items;
        size_t n;
} Findings;

int findings_add(Findings *all, const Finding *f); /* a copy; 0, -ENOMEM */
void findings_done(Findings *all);
const char *finding_state_to_string(FindingState s)
        __attribute__((const)); /* "ok", "warn", "bad" */

/*
 * Adds one finding for each check at least. busy: jobs are at work, whose functions may be parked and locked by our own
 * children. 0, -ENOMEM: what cannot be told is a finding too.
 */
int diagnose(Kernel *k, bool busy, Findings *ret);

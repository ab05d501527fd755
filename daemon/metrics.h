/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics: what is counted since the daemon started
 *
 * Whoever ends something notes it here in one line. All has its place from the start: labels come out of enums, or out of
 * tables with an end, so that no host and no client makes it grow.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/ladder.h"
#include "core/op.h"
#include "core/queue.h"

typedef struct Manager Manager;
typedef struct Record Record;

/* Drivers that are told apart; any more of them are "other". */
#define METRICS_DRIVERS_MAX 32
#define METRICS_OTHER_DRIVER "other"

typedef struct Span {
        uint64_t n, usec;
} Span;

typedef struct Metrics {
        uint64_t started; /* microseconds of CLOCK_REALTIME */
        uint64_t jobs[_OP_MAX][_RESULT_MAX];
        char drivers[METRICS_DRIVERS_MAX][NAME_MAX_LENGTH];
        size_t n_drivers;
        Span steps[_RUNG_MAX][METRICS_DRIVERS_MAX + 1]; /* by driver, the last: other */
        uint64_t n_held; /* opens that had to wait at the gate */
        Span waits; /* of these, those that are over */
        uint64_t n_events_lost; /* times that the kernel's events were too many */
} Metrics;

void metrics_start(Manager *m);
void metrics_job_ended(Manager *m, const Record *r);
void metrics_step_over(Manager *m, const Step *step, uint64_t usec);
/* An open begins to wait at the gate: returns when, for metrics_wait_over(). */
uint64_t metrics_wait_begins(Manager *m);
void metrics_wait_over(Manager *m, uint64_t since); /* since 0: it never waited */

/* The families of what is counted here; the others are bus-metrics.c's. */
void metrics_write(const Metrics *all, FILE *f);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics
 */
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "base/utf8.h"

#include "core/pace.h"

#include "daemon/manager.h"
#include "daemon/metrics.h"
#include "daemon/openmetrics.h"

#define USEC_PER_SEC UINT64_C(1000000)

static uint64_t now_usec(clockid_t clock) {
        struct timespec t;

        clock_gettime(clock, &t);
        return (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
}

void metrics_start(Manager *m) {
        m->metrics.started = now_usec(CLOCK_REALTIME);
}

void metrics_job_ended(Manager *m, const Record *r) {
        if (r->op.kind >= 0 && r->op.kind < _OP_MAX && r->result < _RESULT_MAX)
                m->metrics.jobs[r->op.kind][r->result]++;
}

/*
 * Its column in the table; METRICS_DRIVERS_MAX: the one of all the others, where one that is called so belongs as well. Names
 * are told apart as they are written, so that none is written twice.
 */
static size_t driver_index(Metrics *all, const char *driver) {
        char name[NAME_MAX_LENGTH];
        size_t i = 0;

        utf8_copy(name, sizeof(name), driver);
        if (streq(name, METRICS_OTHER_DRIVER))
                return METRICS_DRIVERS_MAX;
        while (i < all->n_drivers && !streq(all->drivers[i], name))
                i++;
        if (i == all->n_drivers && i < METRICS_DRIVERS_MAX)
                memcpy(all->drivers[all->n_drivers++], name, sizeof(name));
        return i;
}

void metrics_step_over(Manager *m, const Step *step, uint64_t usec) {
        Span *s;

        if (step->rung >= _RUNG_MAX)
                return;
        s = &m->metrics.steps[step->rung][driver_index(&m->metrics, pace_driver(step))];
        s->n++;
        s->usec += usec;
}

uint64_t metrics_wait_begins(Manager *m) {
        m->metrics.n_held++;
        return now_usec(CLOCK_MONOTONIC);
}

void metrics_wait_over(Manager *m, uint64_t since) {
        if (since == 0)
                return;
        m->metrics.waits.n++;
        m->metrics.waits.usec += now_usec(CLOCK_MONOTONIC) - since;
}

/* All of them from the start, for the first failure of a kind must be a step up from 0 and not a new line. */
static void write_jobs(const Metrics *all, FILE *f) {
        om_family(f, "jobs", OM_COUNTER, "Jobs that have ended, by operation and result.");
        for (OpKind kind = 0; kind < _OP_MAX; kind++)
                for (JobResult r = RESULT_NONE + 1; r < _RESULT_MAX; r++)
                        om_number(f, "jobs", "_total",
                                  OM_LABELS({ "operation", op_kind_to_string(kind) },
                                            { "result", job_result_to_string(r) }),
                                  all->jobs[kind][r]);
}

static void write_steps(const Metrics *all, FILE *f) {
        om_family(f, "step_seconds", OM_SUMMARY,
                  "Time that steps of jobs took, by rung of the ladder and driver.");
        for (Rung rung = 0; rung < _RUNG_MAX; rung++)
                for (size_t i = 0; i <= METRICS_DRIVERS_MAX; i++) {
                        const Span *s = &all->steps[rung][i];
                        const OmLabel labels[] = { { "rung", rung_to_string(rung) },
                                                   { "driver", i < METRICS_DRIVERS_MAX
                                                                       ? all->drivers[i]
                                                                       : METRICS_OTHER_DRIVER },
                                                   {} };

                        if (s->n == 0)
                                continue;
                        om_number(f, "step_seconds", "_count", labels, s->n);
                        om_seconds(f, "step_seconds", "_sum", labels, s->usec);
                }
}

void metrics_write(const Metrics *all, FILE *f) {
        om_family(f, "start_time_seconds", OM_GAUGE,
                  "When the daemon started, in seconds since the epoch.");
        om_seconds(f, "start_time_seconds", "", OM_NO_LABELS, all->started);
        write_jobs(all, f);
        write_steps(all, f);
        om_family(f, "gate_held", OM_COUNTER, "Opens to write that had to wait at the gate.");
        om_number(f, "gate_held", "_total", OM_NO_LABELS, all->n_held);
        om_family(f, "gate_wait_seconds", OM_SUMMARY,
                  "Time that opens waited at the gate, those that wait now left out.");
        om_number(f, "gate_wait_seconds", "_count", OM_NO_LABELS, all->waits.n);
        om_seconds(f, "gate_wait_seconds", "_sum", OM_NO_LABELS, all->waits.usec);
        om_family(f, "events_lost", OM_COUNTER,
                  "Times that the kernel's events were more than could be taken in.");
        om_number(f, "events_lost", "_total", OM_NO_LABELS, all->n_events_lost);
}

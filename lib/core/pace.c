/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pace
 */
#include <stdbool.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/pace.h"

#define USEC_PER_SEC UINT64_C(1000000)

const char *pace_driver(const Step *step) {
        switch (step->rung) {
        case RUNG_BIND:
        case RUNG_BIND_VF:
        case RUNG_UNPARK_VF:
        case RUNG_LOAD_DRIVER:
        case RUNG_UNLOAD:
        case RUNG_ADMIT: /* the driver whose file it is */
                return step->name;
        case RUNG_STUB_PF:
        case RUNG_UNSTUB_PF:
                return STUB_DRIVER;
        default:
                return step->was;
        }
}

/* 0: the row is not about this. Else the more it says, the more. */
static int fit(const PaceRow *row, const char *driver, Rung rung) {
        bool all_drivers = streq(row->driver, "*"), all_rungs = row->rung == _RUNG_MAX;

        if (!(all_drivers || streq(row->driver, driver)) || !(all_rungs || row->rung == rung))
                return 0;
        return 1 + (all_rungs ? 0 : 1) + (all_drivers ? 0 : 2);
}

static const PaceRow *find_row(const Pace *p, const char *driver, Rung rung) {
        const PaceRow *best = NULL;
        int best_fit = 1;

        for (const PaceRow *row = p->rows; row < p->rows + p->n_rows; row++) {
                int f = fit(row, driver, rung);

                if (f >= best_fit) {
                        best = row;
                        best_fit = f;
                }
        }
        return best;
}

static const PaceSeen *find_seen(const Pace *p, const char *driver, Rung rung) {
        for (const PaceSeen *seen = p->seen; seen < p->seen + p->n_seen; seen++)
                if (seen->rung == rung && streq(seen->driver, driver))
                        return seen;
        return NULL;
}

/* Only these two have a number of VFs in n; elsewhere it is an index. */
static uint32_t n_vfs(const Step *step) {
        return step->rung == RUNG_VFS_ON || step->rung == RUNG_VFS_OFF ? step->n : 0;
}

static uint64_t table_sec(const Pace *p, const Step *step) {
        const PaceRow *row = find_row(p, pace_driver(step), step->rung);
        uint64_t base = row ? row->base_sec : rung_base_sec(step->rung),
                 per_vf = row ? row->per_vf_sec : rung_per_vf_sec(step->rung);

        return MAX2(base + per_vf * n_vfs(step), UINT64_C(1));
}

uint32_t pace_deadline_sec(const Pace *p, const Step *step) {
        const PaceSeen *seen = find_seen(p, pace_driver(step), step->rung);
        uint64_t table = table_sec(p, step), sec = table * MAX2(p->factor, 1u);

        if (seen)
                sec = MAX2(sec, (table * seen->percent * 2 + 99) / 100);
        return (uint32_t) MIN2(sec, (uint64_t) PACE_MAX_SEC);
}

bool pace_learn(Pace *p, const Step *step, uint64_t usec) {
        uint64_t percent = usec * 100 / (table_sec(p, step) * USEC_PER_SEC);
        const char *driver = pace_driver(step);
        PaceSeen *seen = (PaceSeen *) find_seen(p, driver, step->rung);

        /* What took less than half of its time has nothing to teach. */
        if (percent <= 50 || (seen && percent <= seen->percent))
                return false;
        if (!seen) {
                if (p->n_seen == PACE_SEEN_MAX)
                        return false;
                seen = p->seen + p->n_seen++;
                *seen = (PaceSeen){ .rung = step->rung };
                memcpy(seen->driver, driver, strlen(driver) + 1);
        }
        seen->percent = (uint32_t) MIN2(percent, (uint64_t) PACE_MAX_SEC * 100);
        return true;
}

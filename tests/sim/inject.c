/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inject: faults on request, and how often each attribute was written
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static const char *last_part(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static void count(Sim *sim, const char *attr) {
        SimCount *c;

        sim->n_writes++;
        for (c = sim->counts; c; c = c->next)
                if (streq(c->attr, attr)) {
                        c->n++;
                        return;
                }
        c = calloc(1, sizeof(*c));
        if (!c)
                abort();
        snprintf(c->attr, sizeof(c->attr), "%s", attr);
        c->n = 1;
        c->next = sim->counts;
        sim->counts = c;
}

unsigned sim_writes(const Sim *sim, const char *attr) {
        if (!attr)
                return sim->n_writes;
        for (const SimCount *c = sim->counts; c; c = c->next)
                if (streq(c->attr, attr))
                        return c->n;
        return 0;
}

int sim_fault(Sim *sim, const char *path, SimFaultKind kind, int error, unsigned number,
              unsigned ms, unsigned nth) {
        SimFault *f = calloc(1, sizeof(*f));

        if (!f)
                return -ENOMEM;
        *f = (SimFault){ .kind = kind,
                         .error = error,
                         .number = number,
                         .ms = ms,
                         .nth = nth,
                         .next = sim->faults };
        snprintf(f->path, sizeof(f->path), "%s", path);
        sim->faults = f;
        if (kind == SIM_FAULT_BLOCK)
                sim->go = false;
        return 0;
}

/* Writes in the kernel may still look at theirs: they are put out of reach, and freed at the end. */
void sim_clear_faults(Sim *sim) {
        for (SimFault *f = sim->faults; f; f = f->next)
                f->path[0] = '\0';
}

static SimFault *match(Sim *sim, const char *path) {
        for (SimFault *f = sim->faults; f; f = f->next) {
                if (!streq(f->path, "*") && !streq(f->path, path) &&
                    !streq(f->path, last_part(path)))
                        continue;
                f->seen++;
                if (f->nth == 0 || f->seen == f->nth)
                        return f;
        }
        return NULL;
}

static SimFault *mine(const Sim *sim) {
        const SimTask *t = sim->sched.current;

        return t && t->op ? t->op->fault : NULL;
}

int inject_before(Sim *sim, const char *path) {
        SimFault *f;

        count(sim, last_part(path));
        f = match(sim, path);
        if (sim->sched.current && sim->sched.current->op)
                sim->sched.current->op->fault = f;
        return f && f->kind == SIM_FAULT_ERRNO ? -f->error : 0;
}

int inject_lie(Sim *sim, unsigned *ret) {
        const SimFault *f = mine(sim);

        if (!f || f->kind != SIM_FAULT_LIE)
                return 0;
        if (!ret || f->number == UINT_MAX)
                return 1;
        *ret = f->number;
        return 2;
}

void inject_inside(Sim *sim) {
        const SimFault *f = mine(sim);

        if (f && f->kind == SIM_FAULT_BLOCK)
                sim_wait_until(SCHED(sim), &sim->go);
        if (f && f->kind == SIM_FAULT_DELAY)
                sim_sleep(SCHED(sim), f->ms);
}

void sim_go(Sim *sim) {
        sim->go = true;
        sim_wake(SCHED(sim), &sim->go);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sim: making one, and what it has seen
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static int sim_init(Sim *sim) {
        SimTask *boot;

        sched_init(&sim->sched);
        sim->sched.apart = tasks_apart;
        sim->kernel = calls_kernel();
        sim->event_fd = -1;
        sim->events_end = &sim->events;
        sim->udev_end = &sim->udev;
        sim->hw_end = &sim->hw;
        sim->fns_end = &sim->fns;
        sim->n_hash = sim->config.topology && startswith(sim->config.topology, "functions:") ? 65536
                                                                                             : 256;
        sim->hash = calloc(sim->n_hash, sizeof(*sim->hash));
        sim->drivers = calloc(driver_table_length, sizeof(*sim->drivers));
        if (!sim->hash || !sim->drivers)
                return -ENOMEM;
        sim->n_drivers = driver_table_length;
        for (size_t i = 0; i < sim->n_drivers; i++) {
                SimDriver *d = &sim->drivers[i];

                d->info = &driver_table[i];
                d->loaded = d->info->flags & DRIVER_LOADED;
                sim_lock_init(&d->bind, SIM_KA, "KA(%s/bind)", d->info->name);
                sim_lock_init(&d->unbind, SIM_KA, "KA(%s/unbind)", d->info->name);
        }
        sim_lock_init(&sim->rr, SIM_RR, "RR");
        sim->rr.reentrant = sim->config.variant == SIM_VARIANT_R;
        sim_lock_init(&sim->bs, SIM_BS, "BS");
        sim_lock_init(&sim->rescan, SIM_KA, "KA(bus/pci/rescan)");
        sim_lock_init(&sim->services, SIM_KA, "KA(pciehp/unbind)");
        boot = calls_boot(sim);
        if (!sched_run_task(&sim->sched, boot))
                return -EDEADLK;
        sim->sched.now = 0;
        return boot->result;
}

Sim *sim_new(const SimConfig *config) {
        Sim *sim = calloc(1, sizeof(*sim));

        if (!sim)
                return NULL;
        sim->config = *config;
        return sim_init(sim) < 0 ? sim_free(sim) : sim;
}

static void fns_free(Sim *sim) {
        for (SimFn *f = sim->fns, *next; f; f = next) {
                next = f->next;
                for (SimLock *l = f->files, *after; l; l = after) {
                        after = l->next;
                        sim_lock_done(l);
                        free(l);
                }
                sim_lock_done(&f->dl);
                sim_lock_done(&f->user);
                free(f->vfs);
                free(f->override);
                free(f);
        }
}

static void hw_free(Sim *sim) {
        for (SimHw *h = sim->hw, *next; h; h = next) {
                next = h->next;
                sim_lock_done(&h->power);
                sim_lock_done(&h->irq);
                sim_lock_done(&h->service_dl);
                sim_lock_done(&h->bus_rescan);
                free(h);
        }
}

#define FREE_LIST(type, head)                                                                      \
        for (type *_p = (head), *_next; _p; _p = _next) {                                          \
                _next = _p->next;                                                                  \
                free(_p);                                                                          \
        }

Sim *sim_free(Sim *sim) {
        if (!sim)
                return NULL;
        sched_done(&sim->sched);
        users_free(sim);
        fns_free(sim);
        hw_free(sim);
        for (size_t i = 0; i < sim->n_drivers; i++) {
                sim_lock_done(&sim->drivers[i].bind);
                sim_lock_done(&sim->drivers[i].unbind);
        }
        sim_lock_done(&sim->rr);
        sim_lock_done(&sim->bs);
        sim_lock_done(&sim->rescan);
        sim_lock_done(&sim->services);
        FREE_LIST(SimFault, sim->faults);
        FREE_LIST(SimCount, sim->counts);
        FREE_LIST(SimEvent, sim->events);
        FREE_LIST(SimEvent, sim->udev);
        close_fd(sim->event_fd);
        free(sim->drivers);
        free(sim->hash);
        free(sim);
        return NULL;
}

Kernel *sim_kernel(Sim *sim) {
        return &sim->kernel;
}

Sched *sim_sched(Sim *sim) {
        return &sim->sched;
}

uint64_t sim_now(const Sim *sim) {
        return sim->sched.now;
}

SimVariant sim_variant(const Sim *sim) {
        return sim->config.variant;
}

const char *sim_variant_to_string(SimVariant v) {
        return (const char *const[]){ "O", "A", "C", "R" }[v];
}

bool sim_returned(const SimTask *t) {
        return t->state == SIM_TASK_ENDED;
}

void sim_pass(Sim *sim, uint64_t ms) {
        sched_run(&sim->sched, sim->sched.now + ms);
}

void sim_settle(Sim *sim) {
        sched_run(&sim->sched, UINT64_MAX);
}

int sim_set_link(Sim *sim, Bdf bdf, bool up) {
        SimFn *fn = world_find(sim, bdf);

        if (!fn)
                return -ENOENT;
        fn->net_up = up;
        return 0;
}

void sim_on_write(Sim *sim, void (*f)(Sim *, const char *, const char *, int, void *), void *arg) {
        sim->on_write = f;
        sim->on_write_arg = arg;
}

void sim_on_event(Sim *sim, void (*f)(Sim *, const KernelEvent *, void *), void *arg) {
        sim->on_event = f;
        sim->on_event_arg = arg;
}

size_t sim_reports(const Sim *sim, SimReportKind kind) {
        size_t n = 0;

        for (int k = 0; k < _SIM_REPORT_MAX; k++)
                if (kind == _SIM_REPORT_MAX || kind == (SimReportKind) k)
                        n += sim->sched.n_reports[k];
        return n;
}

const SimReport *sim_first_report(const Sim *sim, SimReportKind kind) {
        for (const SimReport *r = sim->sched.reports; r; r = r->next)
                if (kind == _SIM_REPORT_MAX || r->kind == kind)
                        return r;
        return NULL;
}

void sim_print_reports(const Sim *sim, FILE *f) {
        for (const SimReport *r = sim->sched.reports; r; r = r->next)
                fprintf(f, "%6" PRIu64 " ms  %s: %s\n", r->ms, sim_report_kind_to_string(r->kind),
                        r->text);
}

void sim_forget_reports(Sim *sim) {
        FREE_LIST(SimReport, sim->sched.reports);
        sim->sched.reports = NULL;
        sim->sched.reports_end = &sim->sched.reports;
        memset(sim->sched.n_reports, 0, sizeof(sim->sched.n_reports));
}

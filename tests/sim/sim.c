/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sim: making one, its Kernel, raw writes, and what it has seen
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/str.h"
#include "tests/sim/world.h"

static Sim *sim_of(Kernel *k) {
        return (Sim *) ((char *) k - offsetof(Sim, kernel));
}

/* A call from outside every task: a task is made for it, and the simulation runs until it has its answer. */
typedef struct Call {
        Sim *sim;
        enum {
                CALL_READ,
                CALL_WRITE,
                CALL_LOAD,
                CALL_UNLOAD,
                CALL_PAUSE,
                CALL_BOOT
        } kind;
        char *path, *value;
        char *buf;
        size_t size;
        char own[128];
} Call;

static int module_call(Sim *sim, const char *name, bool load) {
        SimOpClass class = SIM_OP_TOPOLOGY;
        char what[128];
        int r;

        snprintf(what, sizeof(what), "%s %.100s", load ? "modprobe" : "rmmod", name);
        /* A driver without ids takes nothing by being loaded. */
        if (load && (streq(name, "vfio-pci") || streq(name, "vfio_pci") || strstr(name, "stub")))
                class = SIM_OP_HARMLESS;
        if (sim->on_write)
                sim->on_write(sim, load ? "modprobe" : "rmmod", name, 1, sim->on_write_arg);
        sim_op_begin(SCHED(sim), class, BDF_NONE, what);
        r = inject_before(sim, load ? "modprobe" : "rmmod");
        if (r == 0)
                r = load ? module_load(sim, name) : module_unload(sim, name);
        sim_op_end(SCHED(sim));
        return r;
}

static int call_run(void *arg) {
        const Call *c = arg;
        Sim *sim = c->sim;
        int r;

        switch (c->kind) {
        case CALL_READ:
                sim_op_begin(SCHED(sim), SIM_OP_HARMLESS, BDF_NONE, c->path);
                r = files_read(sim, c->path, c->buf, c->size);
                sim_op_end(SCHED(sim));
                return r;
        case CALL_WRITE:
                return files_write(sim, c->path, c->value);
        case CALL_LOAD:
        case CALL_UNLOAD:
                return module_call(sim, c->path, c->kind == CALL_LOAD);
        case CALL_PAUSE:
                sim_sleep(SCHED(sim), c->size);
                return 0;
        case CALL_BOOT:
                return topology_read(sim, sim->config.topology);
        }
        return -EINVAL;
}

static int call_main(SimTask *t, void *arg) {
        Call *c = arg;
        int r = sim_guard(t->sched, call_run, c);

        free(c->path);
        free(c->value);
        free(c);
        return r;
}

static SimTask *call_start(Sim *sim, const Call *call) {
        Call *c = malloc(sizeof(*c));
        SimTask *t;

        if (!c)
                abort();
        *c = *call;
        c->sim = sim;
        c->path = c->path ? strdup(c->path) : NULL;
        c->value = c->value ? strdup(c->value) : NULL;
        if (!c->buf) {
                c->buf = c->own;
                c->size = sizeof(c->own);
        }
        t = sched_spawn(SCHED(sim), call_main, c, NULL);
        if (!t)
                abort();
        return t;
}

static int call(Sim *sim, Call *c) {
        SimTask *t;

        c->sim = sim;
        if (sim->sched.dying)
                return -EINTR;
        if (sim->sched.current)
                return sim_guard(SCHED(sim), call_run, c);
        t = call_start(sim, c);
        return sched_run_task(SCHED(sim), t) ? t->result : -EDEADLK;
}

static int k_list(Kernel *k, const char *path, char ***ret) {
        if (sim_of(k)->sched.dying)
                return -EINTR;
        return files_list(sim_of(k), path, ret);
}

static int k_read(Kernel *k, const char *path, char *buf, size_t size) {
        Sim *sim = sim_of(k);

        if (!files_read_blocks(sim, path))
                return files_read(sim, path, buf, size);
        return call(sim,
                    &(Call){ .kind = CALL_READ, .path = (char *) path, .buf = buf, .size = size });
}

static int k_write(Kernel *k, const char *path, const char *value) {
        return call(sim_of(k),
                    &(Call){ .kind = CALL_WRITE, .path = (char *) path, .value = (char *) value });
}

static int k_link(Kernel *k, const char *path, char *buf, size_t size) {
        return files_link(sim_of(k), path, buf, size);
}

static int k_path(Kernel *k, const char *path, char *buf, size_t size) {
        return files_path(sim_of(k), path, buf, size);
}

static int k_identity(Kernel *k, const char *path, uint64_t *ret) {
        return files_identity(sim_of(k), path, ret);
}

static int k_open_group(Kernel *k, int group, int *ret_fd) {
        const Sim *sim = sim_of(k);

        for (const SimFn *f = sim->fns; f; f = f->next) {
                if (f->gone || f->group != group || !f->driver ||
                    !(f->driver->info->flags & DRIVER_VFIO))
                        continue;
                if (f->user.holds)
                        return -EBUSY;
                *ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
                return *ret_fd < 0 ? -errno : 0;
        }
        return -ENOENT;
}

static int k_load(Kernel *k, const char *name) {
        return call(sim_of(k), &(Call){ .kind = CALL_LOAD, .path = (char *) name });
}

static int k_unload(Kernel *k, const char *name) {
        return call(sim_of(k), &(Call){ .kind = CALL_UNLOAD, .path = (char *) name });
}

static void put_event(Sim *sim, const KernelEvent *event) {
        SimEvent *e;

        if (sim->on_event)
                sim->on_event(sim, event, sim->on_event_arg);
        if (sim->event_fd < 0)
                return;
        e = calloc(1, sizeof(*e));
        if (!e)
                return;
        e->event = *event;
        *sim->events_end = e;
        sim->events_end = &e->next;
        eventfd_write(sim->event_fd, 1);
}

void world_event(Sim *sim, Bdf bdf, const char *action) {
        KernelEvent e = { .kind = KERNEL_EVENT_CHANGED, .bdf = bdf };

        snprintf(e.action, sizeof(e.action), "%s", action);
        put_event(sim, &e);
}

void world_event_other(Sim *sim) {
        put_event(sim, &(KernelEvent){
                               .kind = KERNEL_EVENT_OTHER, .bdf = BDF_NONE, .action = "change" });
}

static int k_watch(Kernel *k, int *ret_fd) {
        Sim *sim = sim_of(k);

        if (sim->event_fd < 0)
                sim->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (sim->event_fd < 0)
                return -errno;
        *ret_fd = sim->event_fd;
        return 0;
}

static int k_next_event(Kernel *k, KernelEvent *ret) {
        Sim *sim = sim_of(k);
        SimEvent *e = sim->events;
        eventfd_t v;

        if (!e) {
                eventfd_read(sim->event_fd, &v);
                return 0;
        }
        *ret = e->event;
        sim->events = e->next;
        if (!sim->events)
                sim->events_end = &sim->events;
        free(e);
        return 1;
}

static void k_pause(Kernel *k, unsigned ms) {
        Sim *sim = sim_of(k);

        if (sim->sched.dying)
                return;
        if (sim->sched.current)
                call(sim, &(Call){ .kind = CALL_PAUSE, .size = ms });
        else
                sim_pass(sim, ms);
}

static Kernel *k_free(Kernel *k) {
        (void) k;
        return NULL;
}

static int sim_init(Sim *sim) {
        SimTask *boot;

        sched_init(&sim->sched);
        sim->kernel = (Kernel){ k_list,       k_read,       k_write, k_link,   k_path,
                                k_identity,   k_open_group, k_load,  k_unload, k_watch,
                                k_next_event, k_pause,      k_free };
        sim->event_fd = -1;
        sim->events_end = &sim->events;
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
        boot = call_start(sim, &(Call){ .kind = CALL_BOOT });
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

SimTask *sim_start_write(Sim *sim, const char *path, const char *value) {
        return call_start(
                sim, &(Call){ .kind = CALL_WRITE, .path = (char *) path, .value = (char *) value });
}

SimTask *sim_start_read(Sim *sim, const char *path) {
        return call_start(sim, &(Call){ .kind = CALL_READ, .path = (char *) path });
}

SimTask *sim_start_unload(Sim *sim, const char *module) {
        return call_start(sim, &(Call){ .kind = CALL_UNLOAD, .path = (char *) module });
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

int sim_hold(Sim *sim, Bdf bdf, bool on) {
        SimFn *fn = world_find(sim, bdf);

        if (!fn)
                return -ENOENT;
        if (on)
                sim_user_lock(&sim->sched, &fn->user);
        else
                sim_user_unlock(&sim->sched, &fn->user);
        return 0;
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

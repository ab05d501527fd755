/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls: the Kernel of a Sim, and raw calls in tasks of their own
 */
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
                CALL_BOOT,
                CALL_VF_ATTRS,
                CALL_VF_SET,
                CALL_ESWITCH_GET,
                CALL_ESWITCH_SET,
                CALL_UP,
                CALL_FACTS
        } kind;
        Bdf fn;
        uint32_t first, n; /* VFs */
        VfAttr attr;
        VfAttrs attrs;
        Eswitch mode;
        void *out;
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
        case CALL_VF_ATTRS:
                return given_attrs(sim, c->fn, c->first, c->n, c->out);
        case CALL_VF_SET:
                return given_set(sim, c->fn, c->first, c->attr, &c->attrs);
        case CALL_ESWITCH_GET:
                return given_eswitch(sim, c->fn, c->out);
        case CALL_ESWITCH_SET:
                return given_set_eswitch(sim, c->fn, c->mode);
        case CALL_UP:
                return given_up(sim, c->fn);
        case CALL_FACTS:
                return given_facts(sim, c->fn, c->out);
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
        return guard_open(sim_of(k), group, ret_fd);
}

static int k_users(Kernel *k, const Bdf *fns, size_t n, UsersMode mode, Holders *ret) {
        return users_of(sim_of(k), fns, n, mode, ret);
}

static int k_tasks(Kernel *k, Tasks *ret) {
        Sim *sim = sim_of(k);
        const SimTask *t = sim->sched.current;

        return sim_tasks(sim, t ? t->pid : 0, t ? t->ppid : 0, ret);
}

static int k_vf_attrs(Kernel *k, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret) {
        return call(sim_of(k),
                    &(Call){ .kind = CALL_VF_ATTRS, .fn = pf, .first = first, .n = n, .out = ret });
}

static int k_vf_set(Kernel *k, Bdf pf, uint32_t index, VfAttr attr, const VfAttrs *attrs) {
        return call(sim_of(k), &(Call){ .kind = CALL_VF_SET,
                                        .fn = pf,
                                        .first = index,
                                        .attr = attr,
                                        .attrs = *attrs });
}

static int k_eswitch_get(Kernel *k, Bdf pf, Eswitch *ret) {
        return call(sim_of(k), &(Call){ .kind = CALL_ESWITCH_GET, .fn = pf, .out = ret });
}

static int k_eswitch_set(Kernel *k, Bdf pf, Eswitch mode) {
        return call(sim_of(k), &(Call){ .kind = CALL_ESWITCH_SET, .fn = pf, .mode = mode });
}

static int k_up(Kernel *k, Bdf fn) {
        return call(sim_of(k), &(Call){ .kind = CALL_UP, .fn = fn });
}

static int k_facts(Kernel *k, Bdf pf, PfFacts *ret) {
        return call(sim_of(k), &(Call){ .kind = CALL_FACTS, .fn = pf, .out = ret });
}

static int k_load(Kernel *k, const char *name) {
        return call(sim_of(k), &(Call){ .kind = CALL_LOAD, .path = (char *) name });
}

static int k_unload(Kernel *k, const char *name) {
        return call(sim_of(k), &(Call){ .kind = CALL_UNLOAD, .path = (char *) name });
}

void world_put_event(Sim *sim, const KernelEvent *event) {
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
        KernelEvent e = {
                .kind = KERNEL_EVENT_CHANGED, .bdf = bdf, .own = true, .seq = ++sim->last_seq
        };

        snprintf(e.action, sizeof(e.action), "%s", action);
        world_put_event(sim, &e);
        udev_hear(sim, &e);
}

void world_event_other(Sim *sim) {
        world_put_event(
                sim,
                &(KernelEvent){ .kind = KERNEL_EVENT_OTHER, .bdf = BDF_NONE, .action = "change" });
}

static int k_initialized(Kernel *k, Bdf fn) {
        return udev_knows(sim_of(k), fn);
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

Kernel calls_kernel(void) {
        return (Kernel){
                .list = k_list,
                .read = k_read,
                .write = k_write,
                .link = k_link,
                .path = k_path,
                .identity = k_identity,
                .open_group = k_open_group,
                .users = k_users,
                .tasks = k_tasks,
                .vf_attrs = k_vf_attrs,
                .vf_set = k_vf_set,
                .eswitch_get = k_eswitch_get,
                .eswitch_set = k_eswitch_set,
                .up = k_up,
                .facts = k_facts,
                .load_module = k_load,
                .unload_module = k_unload,
                .initialized = k_initialized,
                .watch = k_watch,
                .next_event = k_next_event,
                .pause = k_pause,
                .free = k_free,
        };
}

SimTask *calls_boot(Sim *sim) {
        return call_start(sim, &(Call){ .kind = CALL_BOOT });
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

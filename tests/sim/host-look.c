/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host, looking: what a plan is made with
 *
 * A scan for any job; for one that gives something also what only a child can see, as daemon/sight.c has it. That look is a task,
 * which waits where a child would, and is given up on after as long: then the job is planned without.
 */
#include "base/str.h"
#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/look.h"
#include "kernel/scan.h"
#include "tests/sim/host.h"

#define PATIENCE_MS 10000 /* as daemon/sight.c */
#define VFS_MAX 16 /* more than a card of the topologies has */

/* As drivers.conf has it. */
static const Quirks quirks = {
        .items = { { "igbvf", QUIRK_RESET_NEEDS_UP },
                   { "bnxt_en", QUIRK_VFS_NEED_UP | QUIRK_ESWITCH_AFTER_VFS },
                   { "mlx5_core", QUIRK_ESWITCH_UNBINDS_VFS },
                   { "ice", QUIRK_ESWITCH_WITHOUT_VFS } },
        .n = 4,
};

static Snapshot *scan(Kernel *k) {
        Snapshot *s;

        if (scan_all(k, &s) < 0)
                abort();
        return s;
}

/* Of a VF that goes meanwhile nothing is told. */
static void see_vfs(Kernel *k, Bdf pf, Snapshot *s) {
        VfAttrs attrs[VFS_MAX] = {};
        char override[NAME_MAX_LENGTH];
        uint64_t identity;
        uint32_t n = 0;
        Bdf vf;

        if (look_count_vfs(k, pf, &n) < 0 || n == 0 || n > VFS_MAX ||
            k->vf_attrs(k, pf, 0, n, attrs) < 0)
                return;
        for (uint32_t i = 0; i < n; i++)
                if (look_vf(k, pf, i, &vf) >= 0 &&
                    k->identity(k, ATTR_FN(ATTR_DIRECTORY, vf), &identity) >= 0 &&
                    override_read(k, vf, override) >= 0) {
                        snapshot_tell(s, vf, identity, attrs + i, ESWITCH_KEEP);
                        snapshot_tell_override(s, vf, identity, override[0] != '\0');
                }
}

static void see(Kernel *k, Bdf pf, Snapshot *s) {
        static const VfAttrs none;
        Eswitch mode = ESWITCH_KEEP;
        uint64_t identity;

        if (k->identity(k, ATTR_FN(ATTR_DIRECTORY, pf), &identity) < 0)
                return;
        if (k->eswitch_get(k, pf, &mode) < 0)
                mode = ESWITCH_KEEP;
        snapshot_tell(s, pf, identity, &none, mode);
        see_vfs(k, pf, s);
}

Snapshot *host_see(Kernel *k, Bdf pf) {
        Snapshot *s = scan(k);

        see(k, pf, s);
        return s;
}

static void plan(Host *h, uint32_t job, const Snapshot *seen) {
        _cleanup_(snapshot_freep) Snapshot *s = scan(sim_kernel(h->sim));
        Quirks all = quirks;

        if (h->quirk.driver[0] != '\0')
                all.items[all.n++] = h->quirk;
        for (size_t i = 0; seen && i < s->n_fns; i++)
                snapshot_inherit(s->fns + i, snapshot_find(seen, s->fns[i].bdf));
        s->quirks = &all;
        s->wanted = &h->wanted;
        (void) queue_planned(&h->queue, job, s);
}

static int look_main(SimTask *t, void *arg) {
        HostLook *l = arg;

        (void) t;
        l->seen = host_see(l->kernel, l->pf);
        return 0;
}

static void look_ended(SimTask *t, void *arg) {
        HostLook *l = arg;
        Host *h = l->host;

        l->host = NULL;
        if (h) {
                h->look = NULL;
                plan(h, l->job, l->seen);
                host_pump(h);
        }
        /* One that died comes here again with the simulator's end. */
        if (t->state == SIM_TASK_DEAD)
                return;
        snapshot_free(l->seen);
        free(l);
}

static bool wants_sight(const Host *h, const Op *op) {
        const Wanted *w = wanteds_find(&h->wanted, op->fn);

        return op->kind == OP_SET_VF || op->kind == OP_ESWITCH ||
               (op->kind == OP_APPLY && w && wanted_needs_sight(w));
}

void host_look(Host *h, const Job *job) {
        HostLook *l;

        if (!wants_sight(h, &job->op)) {
                plan(h, job->id, NULL);
                return;
        }
        l = calloc(1, sizeof(*l));
        if (!l)
                abort();
        *l = (HostLook){ .host = h,
                         .kernel = sim_kernel(h->sim),
                         .job = job->id,
                         .pf = job->op.fn,
                         .deadline = sim_now(h->sim) + PATIENCE_MS };
        h->look = l;
        if (!sched_spawn(sim_sched(h->sim), look_main, l, look_ended))
                abort();
}

void host_look_late(Host *h) {
        HostLook *l = h->look;

        if (!l || l->deadline > sim_now(h->sim))
                return;
        l->host = NULL;
        h->look = NULL;
        plan(h, l->job, NULL);
}

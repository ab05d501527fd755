/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriov_numvfs and what it makes: drivers/pci/iov.c in four variants
 *
 *   O  DL(PF) -> driver
 *   A  DL(PF) -> driver -> RR around add and del of VFs, even if the caller has RR
 *   C  DL(PF) -> RR -> driver
 *   R  as A, with an RR that its owner may take again
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

#define CFG_ENABLE_MS 100
#define CFG_DISABLE_MS 1000

static bool lock_is_in_add(const Sim *sim) {
        return sim->config.variant == SIM_VARIANT_A || sim->config.variant == SIM_VARIANT_R;
}

int sriov_create_vf(Sim *sim, SimFn *pf, unsigned index, SimFn **ret) {
        SimFn *vf;

        vf = world_add(sim, NULL, pf, index);
        if (!vf)
                return -ENOMEM;
        vf->parent = pf->parent;
        pf->vfs[index] = vf;
        world_event(sim, vf->bdf, "add");
        world_event(sim, vf->bdf, "change");
        *ret = vf;
        return 0;
}

static int add_vf(Sim *sim, SimFn *pf, unsigned index) {
        SimFn *vf;
        int r;

        if (world_find(sim, world_vf_bdf(pf, index))) {
                if (!sim->config.old)
                        sim_die(SCHED(sim), "NULL pointer in device_del: the VF is there already");
                sim_report(SCHED(sim), SIM_WARN, "%s: a VF is there already",
                           BDF_STR(world_vf_bdf(pf, index)));
                return -ENOENT;
        }
        sim_lock(SCHED(sim), &sim->bs);
        r = sriov_create_vf(sim, pf, index, &vf);
        sim_unlock(SCHED(sim), &sim->bs);
        if (r < 0)
                return r;
        sim_sleep(SCHED(sim), pf->driver ? pf->driver->info->on_vf_ms : 1);
        sim_lock(SCHED(sim), &vf->dl);
        driver_attach_any(sim, vf);
        sim_unlock(SCHED(sim), &vf->dl);
        return 0;
}

static void del_vf(Sim *sim, SimFn *vf) {
        driver_release(sim, vf);
        vf->removing = true;
        world_drain(sim, vf);
        sim_lock(SCHED(sim), &sim->bs);
        world_drop(sim, vf);
        sim_unlock(SCHED(sim), &sim->bs);
        world_event(sim, vf->bdf, "remove");
}

static void del_vfs(Sim *sim, SimFn *pf) {
        for (unsigned i = 0; i < pf->n_vfs; i++)
                if (pf->vfs[i])
                        del_vf(sim, pf->vfs[i]);
        free(pf->vfs);
        pf->vfs = NULL;
        pf->n_vfs = 0;
        pf->foreign_vfs = false;
        if (pf->hw)
                pf->hw->vf_enable = false;
}

static int add_vfs(Sim *sim, SimFn *pf, unsigned n) {
        int r = 0;

        pf->vfs = calloc(n, sizeof(*pf->vfs));
        if (!pf->vfs)
                return -ENOMEM;
        pf->n_vfs = n;
        for (unsigned i = 0; i < n && r == 0; i++)
                r = add_vf(sim, pf, i);
        if (r < 0)
                del_vfs(sim, pf);
        return r;
}

static int sriov_enable(Sim *sim, SimFn *pf, unsigned n) {
        SimEdit edit = { .kind = EDIT_BUS, .domain = pf->bdf.domain, .bus = bdf_bus(pf->bdf) };
        int r;

        sim_sleep(SCHED(sim), CFG_ENABLE_MS);
        if (lock_is_in_add(sim))
                sim_lock(SCHED(sim), &sim->rr);
        edit_begin(sim, &edit);
        r = add_vfs(sim, pf, n);
        edit_end(sim, &edit);
        if (lock_is_in_add(sim))
                sim_unlock(SCHED(sim), &sim->rr);
        if (r < 0) {
                sim_sleep(SCHED(sim), CFG_DISABLE_MS);
                return r;
        }
        world_event(sim, pf->bdf, "change");
        return 0;
}

void sriov_disable(Sim *sim, SimFn *pf) {
        SimEdit edit = { .kind = EDIT_BUS, .domain = pf->bdf.domain, .bus = bdf_bus(pf->bdf) };

        if (pf->n_vfs == 0)
                return;
        if (lock_is_in_add(sim))
                sim_lock(SCHED(sim), &sim->rr);
        edit_begin(sim, &edit);
        del_vfs(sim, pf);
        edit_end(sim, &edit);
        if (lock_is_in_add(sim))
                sim_unlock(SCHED(sim), &sim->rr);
        sim_sleep(SCHED(sim), CFG_DISABLE_MS);
}

static int configure(Sim *sim, SimFn *pf, unsigned n) {
        const SimDriverInfo *d = pf->driver->info;
        int r;

        if (n == 0) {
                if ((d->flags & DRIVER_KEEPS_FOREIGN) && pf->foreign_vfs)
                        return 0;
                sriov_disable(sim, pf);
                sim_sleep(SCHED(sim), d->off_ms);
                return 0;
        }
        if (d->flags & DRIVER_NEEDS_UP && !pf->net_up)
                return 0;
        r = sriov_enable(sim, pf, n);
        sim_sleep(SCHED(sim), d->on_ms);
        return r;
}

/* A driver that takes the count and does something else, KERNEL.md 2.3. One that keeps VFs leaves them to others. */
static int pretend(Sim *sim, SimFn *pf, unsigned n, unsigned instead) {
        if (n == 0)
                pf->foreign_vfs = true;
        return n == 0 || instead == n || instead == 0 ? 0 : configure(sim, pf, instead);
}

static int store_locked(Sim *sim, SimFn *pf, unsigned n) {
        bool global = sim->config.variant == SIM_VARIANT_C;
        unsigned instead = n;
        int r;

        if (n == pf->n_vfs)
                return 0;
        if (!pf->driver || !(pf->driver->info->flags & DRIVER_SRIOV))
                return -ENOENT;
        if (n > 0 && pf->n_vfs > 0)
                return -EBUSY;
        if (global)
                sim_lock(SCHED(sim), &sim->rr);
        inject_inside(sim);
        if (inject_lie(sim, &instead))
                r = pretend(sim, pf, n, instead);
        else
                r = configure(sim, pf, n);
        if (global)
                sim_unlock(SCHED(sim), &sim->rr);
        return r;
}

/* kstrtou16() with base 0: one newline at the end is allowed. */
static int parse_count(const char *value, unsigned *ret) {
        char buf[32], *end;
        unsigned long n;

        if (str_copy(buf, sizeof(buf), value) < 0)
                return -EINVAL;
        buf[strcspn(buf, "\n")] = '\0';
        if (value[strlen(buf)] != '\0' && value[strlen(buf) + 1] != '\0')
                return -EINVAL;
        if (buf[0] < '0' || buf[0] > '9')
                return -EINVAL;
        n = strtoul(buf, &end, 0);
        if (*end != '\0' || n > UINT16_MAX)
                return -EINVAL;
        *ret = n;
        return 0;
}

int sriov_numvfs_store(Sim *sim, SimFn *pf, const char *value) {
        unsigned n;
        int r;

        if (parse_count(value, &n) < 0)
                return -EINVAL;
        if (n > pf->kind->total_vfs)
                return -ERANGE;
        sim_lock(SCHED(sim), &pf->dl);
        r = store_locked(sim, pf, n);
        sim_unlock(SCHED(sim), &pf->dl);
        return r;
}

/* The caller is in a file of the VF, and wants the lock of its PF: KERNEL.md 3.2. */
int sriov_msix_store(Sim *sim, SimFn *vf, const char *value) {
        SimFn *pf = vf->pf;
        unsigned n;
        int r;

        if (parse_count(value, &n) < 0)
                return -EINVAL;
        if (!pf)
                return -ENODEV;
        sim_lock(SCHED(sim), &pf->dl);
        sim_lock(SCHED(sim), &vf->dl);
        inject_inside(sim);
        r = inject_lie(sim, NULL) ? 0 : given_msix(pf, vf, n);
        sim_unlock(SCHED(sim), &vf->dl);
        sim_unlock(SCHED(sim), &pf->dl);
        return r;
}

int sim_inherit(Sim *sim, Bdf bdf, unsigned n) {
        SimFn *pf = world_find(sim, bdf), *vf;

        if (!pf || !pf->hw || pf->n_vfs > 0)
                return -ENOENT;
        if (n > pf->kind->total_vfs)
                return -ERANGE;
        pf->vfs = calloc(n, sizeof(*pf->vfs));
        if (!pf->vfs)
                return -ENOMEM;
        pf->n_vfs = n;
        pf->foreign_vfs = true;
        for (unsigned i = 0; i < n; i++) {
                int r = sriov_create_vf(sim, pf, i, &vf);

                if (r < 0)
                        return r;
        }
        world_event(sim, bdf, "change");
        return 0;
}

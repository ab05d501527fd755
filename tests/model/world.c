/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * World
 *
 * What each rung does to two PFs, in the fewest words. The full kernel, with locks, is in tests/sim.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/wanted.h"

#include "tests/model/world.h"

World world_new(void) {
        return (World){ .pfs = {
                                { .here = 1, .driver = DRIVER_OWN, .autoprobe = 1 },
                                { .here = 1, .driver = DRIVER_UNBOUND, .n_vfs = 1, .autoprobe = 1 },
                        } };
}

Bdf world_pf(unsigned i) {
        return (Bdf){ 0, (uint16_t) ((i + 1) << 8) };
}

Bdf world_port(unsigned i) {
        return (Bdf){ 0, (uint16_t) ((i + 1) << 3) };
}

static const char *driver_name(uint8_t d, bool vf) {
        return d == DRIVER_OWN    ? (vf ? "ownvf" : "own")
               : d == DRIVER_STUB ? STUB_DRIVER
               : d == DRIVER_VFIO ? "vfio-pci"
                                  : "";
}

static void put(Snapshot *s, Fn fn, const char *driver) {
        str_copy(fn.driver, sizeof(fn.driver), driver);
        fn.identity = 1;
        fn.iommu_group = fn.numa_node = -1;
        if (snapshot_append(s, &fn) < 0)
                abort();
}

static Bdf vf_bdf(unsigned pf, unsigned i) {
        return (Bdf){ 0, (uint16_t) (world_pf(pf).rid + 0x80 + i) };
}

/* Of the first PF: two VFs, one with vfio-pci that is given what it must be unbound for, and the other mode. */
static const Wanteds *wanted(void) {
        static VfWish vfs[WORLD_VFS] = {
                { .has_driver = true, .driver = "vfio-pci", .attrs = { .has = 1u << VFKEY_TRUST } },
                { .attrs = { .has = 1u << VFKEY_MSIX } },
        };
        static Wanted items[] = { { .pf = { 0, 0x100 },
                                    .has_count = true,
                                    .count = WORLD_VFS,
                                    .eswitch = ESWITCH_SWITCHDEV,
                                    .vfs = vfs,
                                    .n_vfs = WORLD_VFS } };
        static const Wanteds all = { items, 1 };

        vfs[0].attrs.value[VFKEY_TRUST] = 1;
        vfs[1].attrs.value[VFKEY_MSIX] = 8;
        return &all;
}

static VfAttrs attrs_of(const WorldVf *vf) {
        VfAttrs a = { .has = 1u << VFKEY_TRUST | 1u << VFKEY_MSIX };

        a.value[VFKEY_TRUST] = (vf->given & 1) != 0;
        a.value[VFKEY_MSIX] = vf->given & 2 ? 8 : 4;
        return a;
}

Snapshot *world_look(const World *w) {
        static const char *const drivers[] = { "own", "ownvf", "vfio-pci", STUB_DRIVER };
        static const Quirks early = { .items = { { "ownvf", QUIRK_RESET_NEEDS_UP },
                                                 { "own", QUIRK_VFS_NEED_UP |
                                                                  QUIRK_ESWITCH_UNBINDS_VFS } },
                                      .n = 2 },
                            late = { .items = { { "ownvf", QUIRK_RESET_NEEDS_UP },
                                                { "own", QUIRK_ESWITCH_AFTER_VFS |
                                                                 QUIRK_KEEP_AUTOPROBE } },
                                     .n = 2 };
        Snapshot *s = snapshot_new();

        s->quirks = w->late ? &late : &early;
        s->wanted = wanted();
        for (unsigned i = 0; i < WORLD_PFS; i++) {
                const WorldPf *p = w->pfs + i;

                put(s,
                    (Fn){ .bdf = world_port(i),
                          .parent = BDF_NONE,
                          .pf = BDF_NONE,
                          .flags = FN_BRIDGE },
                    "pcieport");
                if (!p->here)
                        continue;
                put(s,
                    (Fn){ .bdf = world_pf(i),
                          .parent = world_port(i),
                          .pf = BDF_NONE,
                          .total_vfs = WORLD_VFS,
                          .n_vfs = p->n_vfs,
                          .eswitch = p->switchdev ? ESWITCH_SWITCHDEV : ESWITCH_LEGACY,
                          .flags = FN_PF | FN_RESET | (p->autoprobe ? FN_AUTOPROBE : 0u) },
                    driver_name(p->driver, false));
                for (unsigned v = 0; v < p->n_vfs; v++)
                        put(s,
                            (Fn){ .bdf = vf_bdf(i, v),
                                  .parent = world_port(i),
                                  .pf = world_pf(i),
                                  .vf_index = (uint16_t) v,
                                  .attrs = attrs_of(p->vfs + v),
                                  .flags = FN_VF | FN_RESET },
                            driver_name(p->vfs[v].driver, true));
        }
        for (size_t i = 0; i < ELEMENTSOF(drivers); i++)
                if (strv_push(&s->drivers, drivers[i]) < 0)
                        abort();
        if (!w->quiet && snapshot_add_service(s, &(Service){ .name = "0000:00:01.0:pcie004",
                                                             .port = world_port(0) }) < 0)
                abort();
        if (snapshot_add_slot(s, &(Slot){ .name = "1", .bus = 1 }) < 0)
                abort();
        snapshot_seal(s);
        return s;
}

static WorldPf *find_pf(const World *w, Bdf fn, WorldVf **ret_vf) {
        *ret_vf = NULL;
        for (unsigned i = 0; i < WORLD_PFS; i++) {
                WorldPf *p = (WorldPf *) w->pfs + i;

                if (bdf_equal(fn, world_pf(i)))
                        return p;
                for (unsigned v = 0; v < WORLD_VFS; v++)
                        if (bdf_equal(fn, vf_bdf(i, v))) {
                                *ret_vf = p->vfs + v;
                                return p;
                        }
        }
        return NULL;
}

static bool below(const Step *step, unsigned i) {
        return bdf_equal(step->fn, world_port(i)) || bdf_equal(step->fn, world_pf(i));
}

/* What a program takes away was taken down before. */
static bool is_ready_to_go(const World *w, const Op *op) {
        const WorldPf *p = w->pfs;

        return op->door != DOOR_REMOVE || !p->here ||
               (p->n_vfs == 0 && p->driver == DRIVER_UNBOUND);
}

bool world_allows(const World *w, const Op *op, const Step *step) {
        WorldVf *vf;
        const WorldPf *p = find_pf(w, step->fn, &vf);

        if (step->rung == RUNG_ADMIT)
                return is_ready_to_go(w, op);
        if (step->rung == RUNG_UNBIND_KEEPER)
                return p && p->keeps;
        if (step->rung == RUNG_CONFIGURE_VF && p && step->n < WORLD_VFS &&
            startswith(step->name, "msix"))
                /* A new one may have kept the kernel's choice, if unbind-vf failed: the rung itself looks. */
                return p->vfs[step->n].driver == DRIVER_UNBOUND || bdf_is_none(step->vf);
        if (step->rung == RUNG_UNBIND && p && !vf)
                return p->n_vfs == 0;
        if (step->rung == RUNG_VFS_OFF && p)
                for (unsigned v = 0; v < p->n_vfs; v++)
                        if (p->vfs[v].driver != DRIVER_UNBOUND)
                                return false; /* somebody could be waited for inside the global lock */
        if (step->rung == RUNG_SLOT_OFF)
                return w->pfs[0].n_vfs == 0 && w->pfs[0].driver == DRIVER_UNBOUND;
        if (step->rung == RUNG_REMOVE)
                for (unsigned i = 0; i < WORLD_PFS; i++)
                        if (below(step, i) && w->pfs[i].here &&
                            (w->pfs[i].n_vfs > 0 || w->pfs[i].driver != DRIVER_UNBOUND))
                                return false;
        if (step->rung == RUNG_RESET && p && !vf)
                return p->n_vfs == 0;
        return true;
}

static uint8_t driver_of(const char *name, bool choose) {
        if (streq(name, "vfio-pci"))
                return DRIVER_VFIO;
        return name[0] != '\0' || choose ? DRIVER_OWN : DRIVER_UNBOUND;
}

static void take_away(World *w, const Step *step) {
        for (unsigned i = 0; i < WORLD_PFS; i++)
                if (below(step, i) || (step->rung == RUNG_SLOT_OFF && i == 0))
                        w->pfs[i] = (WorldPf){};
}

static void bring_back(World *w) {
        for (unsigned i = 0; i < WORLD_PFS; i++)
                if (!w->pfs[i].here)
                        w->pfs[i] = (WorldPf){ .here = 1, .driver = DRIVER_OWN, .autoprobe = 1 };
        w->quiet = 0;
}

static StepAnswer vfs_off(WorldPf *p, StepResult *ret) {
        if (p->keeps && p->driver == DRIVER_OWN) {
                ret->n = p->n_vfs;
                return STEP_KEPT;
        }
        p->n_vfs = 0;
        memset(p->vfs, 0, sizeof(p->vfs));
        return STEP_DONE;
}

static StepAnswer park(WorldVf *vf, StepResult *ret) {
        str_copy(ret->override, sizeof(ret->override),
                 vf->override == 1   ? PARK_OVERRIDE
                 : vf->override == 2 ? "vfio-pci"
                                     : "");
        *vf = (WorldVf){ .override = 1, .given = vf->given };
        return STEP_DONE;
}

static StepAnswer do_vf(WorldVf *vf, const Step *step, StepResult *ret) {
        switch (step->rung) {
        case RUNG_PARK_VF:
                return park(vf, ret);
        case RUNG_UNPARK_VF:
                vf->driver = driver_of(step->name, false);
                vf->override = step->override[0] != '\0' ? 2 : 0;
                return STEP_DONE;
        case RUNG_OVERRIDE_VF:
                vf->override = step->name[0] != '\0' ? 2 : 0;
                return STEP_DONE;
        case RUNG_UNBIND_VF:
                vf->driver = DRIVER_UNBOUND;
                return STEP_DONE;
        case RUNG_CONFIGURE_VF:
                if (startswith(step->name, "msix") && vf->driver != DRIVER_UNBOUND)
                        return STEP_FAILED;
                vf->given |= startswith(step->name, "msix") ? 2 : 1;
                return STEP_DONE;
        default:
                vf->driver = driver_of(step->name, true);
                return STEP_DONE;
        }
}

/* A PF's own, or of a function that is named by its address. */
static StepAnswer do_fn(WorldPf *p, WorldVf *vf, const Step *step, StepResult *ret) {
        uint8_t *driver = vf ? &vf->driver : &p->driver;

        switch (step->rung) {
        case RUNG_UNBIND:
        case RUNG_UNBIND_KEEPER:
        case RUNG_UNSTUB_PF:
                *driver = DRIVER_UNBOUND;
                return STEP_DONE;
        case RUNG_STUB_PF:
                p->driver = DRIVER_STUB;
                return STEP_DONE;
        case RUNG_BIND:
                *driver = driver_of(step->name, true);
                return STEP_DONE;
        case RUNG_VFS_OFF:
                return vfs_off(p, ret);
        case RUNG_VFS_ON:
                /* They are new devices, whatever was done to those before. */
                memset(p->vfs, 0, sizeof(p->vfs));
                p->n_vfs = (uint8_t) step->n;
                for (unsigned v = 0; p->autoprobe && v < p->n_vfs; v++)
                        p->vfs[v].driver = DRIVER_OWN;
                return STEP_DONE;
        case RUNG_HOLD_PROBE:
        case RUNG_FREE_PROBE:
                p->autoprobe = step->rung == RUNG_FREE_PROBE;
                return STEP_DONE;
        case RUNG_ESWITCH:
        case RUNG_ESWITCH_VFS:
                p->switchdev = streq(step->name, "switchdev");
                return STEP_DONE;
        default:
                return STEP_DONE;
        }
}

static StepAnswer do_host(World *w, const Step *step) {
        if (step->rung == RUNG_QUIET_PORT)
                w->quiet = 1;
        if (step->rung == RUNG_REMOVE || step->rung == RUNG_SLOT_OFF)
                take_away(w, step);
        if (step->rung == RUNG_RESCAN || step->rung == RUNG_SLOT_ON)
                bring_back(w);
        return STEP_DONE;
}

StepAnswer world_do(World *w, const Step *step, StepResult *ret) {
        WorldVf *vf;
        WorldPf *p = find_pf(w, step->fn, &vf);

        if (p && !p->here)
                return STEP_GONE;
        switch (step->rung) {
        case RUNG_PARK_VF:
        case RUNG_UNPARK_VF:
        case RUNG_OVERRIDE_VF:
        case RUNG_UNBIND_VF:
        case RUNG_CONFIGURE_VF:
        case RUNG_BIND_VF:
                return do_vf(p->vfs + step->n, step, ret);
        case RUNG_QUIET_PORT:
        case RUNG_REMOVE:
        case RUNG_SLOT_OFF:
        case RUNG_RESCAN:
        case RUNG_SLOT_ON:
                return do_host(w, step);
        default:
                return do_fn(p, vf, step, ret);
        }
}

static void unbind_own(WorldPf *p) {
        if (!p->here || p->driver != DRIVER_OWN)
                return;
        p->driver = DRIVER_UNBOUND;
        if (p->keeps)
                return;
        p->n_vfs = 0;
        memset(p->vfs, 0, sizeof(p->vfs));
}

static void turn_vfs(WorldPf *p) {
        if (!p->here || p->driver == DRIVER_UNBOUND || p->keeps)
                return;
        memset(p->vfs, 0, sizeof(p->vfs));
        p->n_vfs = p->n_vfs == 0;
        p->vfs[0].driver = p->n_vfs > 0 && p->autoprobe ? DRIVER_OWN : DRIVER_UNBOUND;
}

StepAnswer world_be_written(World *w, const Op *op) {
        switch (op->door) {
        case DOOR_REMOVE:
                w->pfs[0] = (WorldPf){};
                break;
        case DOOR_UNBIND:
                unbind_own(w->pfs);
                unbind_own(w->pfs + 1);
                break;
        default:
                turn_vfs(w->pfs);
                break;
        }
        return STEP_DONE;
}

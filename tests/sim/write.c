/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Write: who a file belongs to, what kind of operation writing it is, and off it goes
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

/* "0", "1", "y", "n", "on", "off": kstrtobool(). */
static int autoprobe_store(Sim *sim, SimFn *fn, const char *value) {
        bool on;

        if (strchr("1yYtT", value[0]) || startswith(value, "on"))
                on = true;
        else if (strchr("0nNfF", value[0]) || startswith(value, "of"))
                on = false;
        else
                return -EINVAL;
        inject_inside(sim);
        if (inject_lie(sim, NULL) == 0)
                fn->autoprobe = on;
        return 0;
}

static int msix_store(Sim *sim, SimFn *fn, const char *value) {
        return sriov_msix_store(sim, fn, value);
}

static int device_rescan_store(Sim *sim, SimFn *fn, const char *value) {
        return rescan_store(sim, world_file(fn, "rescan"), value);
}

static int method_store(Sim *sim, SimFn *fn, const char *value) {
        (void) fn;
        inject_inside(sim);
        return startswith(value, "flr") || streq(value, "\n") ? 0 : -EINVAL;
}

static const struct FnFile {
        const char *name;
        int (*store)(Sim *sim, SimFn *fn, const char *value);
        SimOpClass class;
        bool enters; /* the writer is in the file while it works; `remove` takes itself away first */
} fn_files[] = {
        { "sriov_numvfs", sriov_numvfs_store, SIM_OP_TOPOLOGY, true },
        { "sriov_drivers_autoprobe", autoprobe_store, SIM_OP_HARMLESS, true },
        { "sriov_vf_msix_count", msix_store, SIM_OP_TOPOLOGY, true },
        { "driver_override", override_store, SIM_OP_HARMLESS, true },
        { "remove", remove_store, SIM_OP_TOPOLOGY, false },
        { "rescan", device_rescan_store, SIM_OP_TOPOLOGY, false },
        { "reset", reset_store, SIM_OP_TOPOLOGY, true },
        { "reset_method", method_store, SIM_OP_HARMLESS, true },
};

static const struct FnFile *fn_file(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(fn_files); i++)
                if (streq(fn_files[i].name, name))
                        return &fn_files[i];
        return NULL;
}

/* Whose driver a write to bind, unbind or drivers_probe changes. */
static const SimFn *target_of(const Sim *sim, const char *value) {
        char name[BDF_MAX + 1];
        Bdf bdf;

        if (str_copy(name, sizeof(name), value) < 0)
                return NULL;
        name[strcspn(name, "\n")] = '\0';
        return bdf_parse(name, &bdf) < 0 ? NULL : world_find(sim, bdf);
}

static SimOpClass class_of(const Sim *sim, const SimPath *p, const char *value, Bdf *ret_fn) {
        const SimFn *target = p->fn;

        if (p->kind == PATH_DRIVER_ATTR ||
            (p->kind == PATH_BUS_ATTR && !streq(p->attr, "rescan"))) {
                target = target_of(sim, value);
                *ret_fn = target ? target->bdf : BDF_NONE;
                if (!target)
                        return SIM_OP_HARMLESS;
                return target->hw ? SIM_OP_TOPOLOGY : SIM_OP_VF_DRIVER;
        }
        *ret_fn = target ? target->bdf : p->kind == PATH_SLOT_ATTR ? p->port->bdf : BDF_NONE;
        if (p->kind == PATH_FN_ATTR && fn_file(p->attr))
                return fn_file(p->attr)->class;
        return SIM_OP_TOPOLOGY;
}

static int store_fn(Sim *sim, const SimPath *p, const char *value) {
        const struct FnFile *file = fn_file(p->attr);
        SimLock *ka;
        int r;

        if (!file || !fn_has_attr(p->fn, p->attr))
                return -ENOENT;
        if (!file->enters)
                return file->store(sim, p->fn, value);
        ka = world_file(p->fn, p->attr);
        sim_lock_shared(SCHED(sim), ka);
        r = file->store(sim, p->fn, value);
        sim_unlock(SCHED(sim), ka);
        return r;
}

static int store(Sim *sim, const SimPath *p, const char *value) {
        switch (p->kind) {
        case PATH_FN_ATTR:
                return store_fn(sim, p, value);
        case PATH_DRIVER_ATTR:
                if (streq(p->attr, "bind"))
                        return bind_store(sim, p->driver, value);
                return streq(p->attr, "unbind") ? unbind_store(sim, p->driver, value) : -ENOENT;
        case PATH_BUS_ATTR:
                if (streq(p->attr, "rescan"))
                        return rescan_store(sim, &sim->rescan, value);
                return drivers_probe_store(sim, value);
        case PATH_SLOT_ATTR:
                return streq(p->attr, "power") ? slot_power_store(sim, p->port, value) : -EACCES;
        case PATH_SERVICE_ATTR:
                return streq(p->attr, "unbind") ? service_unbind_store(sim, value) : -EACCES;
        case PATH_BUS_RESCAN:
                return rescan_store(sim, &p->port->bus_rescan, value);
        case PATH_NONE:
                return -ENOENT;
        default:
                return -EISDIR;
        }
}

/* "bus/pci/devices/0000:01:00.0/remove" is long; people know it as "0000:01:00.0/remove". */
static const char *short_path(const char *path) {
        const char *s = startswith(path, "bus/pci/");

        if (s && startswith(s, "devices/"))
                s = startswith(s, "devices/");
        return s ? s : path;
}

int files_write(Sim *sim, const char *path, const char *value) {
        SimPath p = path_parse(sim, path);
        char what[128];
        SimOpClass class;
        Bdf fn;
        int r;

        if (p.kind == PATH_NONE)
                return -ENOENT;
        /* A write of nothing never reaches the kernel's handler. */
        if (value[0] == '\0')
                return 0;
        class = class_of(sim, &p, value, &fn);
        snprintf(what, sizeof(what), "%.*s > %.100s", (int) MIN2(strcspn(value, "\n"), 24U), value,
                 short_path(path));
        if (sim->on_write)
                sim->on_write(sim, path, value, 1, sim->on_write_arg);
        sim_op_begin(SCHED(sim), class, fn, what);
        r = inject_before(sim, path);
        if (r == 0)
                r = store(sim, &p, value);
        sim_op_end(SCHED(sim));
        if (sim->on_write)
                sim->on_write(sim, path, value, r, sim->on_write_arg);
        return r;
}

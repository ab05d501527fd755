/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bind, unbind, probe, override, reset, and modules: the files of drivers/base
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static SimFn *fn_named(const Sim *sim, const char *value) {
        char name[BDF_MAX + 1];
        Bdf bdf;
        SimFn *fn;

        if (str_copy(name, sizeof(name), value) < 0)
                return NULL;
        name[strcspn(name, "\n")] = '\0';
        if (bdf_parse(name, &bdf) < 0)
                return NULL;
        fn = world_find(sim, bdf);
        return fn && !fn->gone ? fn : NULL;
}

static int bind_locked(Sim *sim, SimDriver *d, SimFn *fn) {
        inject_inside(sim);
        if (inject_lie(sim, NULL))
                return 0;
        if (fn->driver)
                return -EBUSY;
        if (fn->gone || fn->dead)
                return -ENODEV;
        return driver_probe(sim, d, fn);
}

int bind_store(Sim *sim, SimDriver *d, const char *value) {
        SimFn *fn;
        int r;

        sim_lock_shared(SCHED(sim), &d->bind);
        fn = fn_named(sim, value);
        if (!fn || !driver_matches(d, fn)) {
                r = -ENODEV;
        } else {
                sim_lock(SCHED(sim), &fn->dl);
                r = bind_locked(sim, d, fn);
                sim_unlock(SCHED(sim), &fn->dl);
        }
        sim_unlock(SCHED(sim), &d->bind);
        return r;
}

int unbind_store(Sim *sim, SimDriver *d, const char *value) {
        SimFn *fn;
        int r = 0;

        sim_lock_shared(SCHED(sim), &d->unbind);
        fn = fn_named(sim, value);
        if (!fn || fn->driver != d) {
                r = -ENODEV;
        } else {
                sim_lock(SCHED(sim), &fn->dl);
                inject_inside(sim);
                if (inject_lie(sim, NULL) == 0)
                        driver_detach(sim, fn);
                sim_unlock(SCHED(sim), &fn->dl);
        }
        sim_unlock(SCHED(sim), &d->unbind);
        return r;
}

/* Success, whether anything was bound or not. */
int drivers_probe_store(Sim *sim, const char *value) {
        SimFn *fn = fn_named(sim, value);

        if (!fn)
                return -ENODEV;
        sim_lock(SCHED(sim), &fn->dl);
        inject_inside(sim);
        if (inject_lie(sim, NULL) == 0 && !fn->driver && !fn->gone)
                driver_attach_any(sim, fn);
        sim_unlock(SCHED(sim), &fn->dl);
        return 0;
}

/* Everything from the first newline on is cut; what is empty then clears. 6.1 takes DL for it, and so do all here. */
int override_store(Sim *sim, SimFn *fn, const char *value) {
        size_t n = strcspn(value, "\n");

        if (strlen(value) >= 4095)
                return -EINVAL;
        sim_lock(SCHED(sim), &fn->dl);
        inject_inside(sim);
        if (inject_lie(sim, NULL) == 0) {
                free(fn->override);
                fn->override = n > 0 ? strndup(value, n) : NULL;
        }
        sim_unlock(SCHED(sim), &fn->dl);
        return 0;
}

/* 6.12 and later lock the bridge first. */
int reset_store(Sim *sim, SimFn *fn, const char *value) {
        bool hangs;
        static const bool never;

        if (!streq(value, "1") && !streq(value, "1\n"))
                return -EINVAL;
        if (fn->parent)
                sim_lock(SCHED(sim), &fn->parent->dl);
        sim_lock(SCHED(sim), &fn->dl);
        inject_inside(sim);
        if (fn->n_vfs > 0)
                sim_report(SCHED(sim), SIM_PF_WITH_VFS, "%s is reset with %u VFs on",
                           BDF_STR(fn->bdf), fn->n_vfs);
        hangs = fn->driver && (fn->driver->info->flags & DRIVER_RESET_HANGS) && !fn->net_up;
        if (hangs) {
                sim_report(SCHED(sim), SIM_HANG, "reset of %s waits in napi_disable for ever",
                           BDF_STR(fn->bdf));
                sim_wait_until(SCHED(sim), &never);
        }
        sim_sleep(SCHED(sim), 100);
        sim_unlock(SCHED(sim), &fn->dl);
        if (fn->parent)
                sim_unlock(SCHED(sim), &fn->parent->dl);
        return 0;
}

static bool same_module(const char *a, const char *b) {
        for (; *a && *b; a++, b++)
                if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
                        return false;
        return *a == *b;
}

static SimDriver *module_find(const Sim *sim, const char *name) {
        for (size_t i = 0; i < sim->n_drivers; i++)
                if (sim->drivers[i].info->module && same_module(sim->drivers[i].info->module, name))
                        return &sim->drivers[i];
        return NULL;
}

int module_load(Sim *sim, const char *name) {
        SimDriver *d = module_find(sim, name);

        if (!d)
                return -ENOENT;
        if (d->loaded)
                return 0;
        d->loaded = true;
        world_event_other(sim);
        for (SimFn *f = sim->fns; f; f = f->next) {
                if (f->gone || f->driver || !driver_matches(d, f))
                        continue;
                sim_lock(SCHED(sim), &f->dl);
                if (!f->driver)
                        driver_probe(sim, d, f);
                sim_unlock(SCHED(sim), &f->dl);
        }
        return 0;
}

int module_unload(Sim *sim, const char *name) {
        SimDriver *d = module_find(sim, name);

        if (!d || !d->loaded)
                return -ENOENT;
        for (const SimFn *f = sim->fns; f; f = f->next)
                if (!f->gone && f->driver == d && f->user.holds)
                        return -EWOULDBLOCK;
        inject_inside(sim);
        if (inject_lie(sim, NULL))
                return 0;
        d->loaded = false;
        sim_lock(SCHED(sim), &d->bind);
        sim_unlock(SCHED(sim), &d->bind);
        sim_lock(SCHED(sim), &d->unbind);
        sim_unlock(SCHED(sim), &d->unbind);
        for (SimFn *f = sim->fns; f; f = f->next)
                if (!f->gone && f->driver == d)
                        driver_release(sim, f);
        world_event_other(sim);
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doors
 */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/doors.h"

typedef int (*Found)(const DoorPlace *d, void *userdata);

static const Attr of_function[] = {
        ATTR_NUMVFS,     ATTR_REMOVE, ATTR_FN_RESCAN, ATTR_RESET, ATTR_RESET_SUBORDINATE,
        ATTR_MSIX_COUNT, ATTR_ENABLE,
};
static const Attr latches_of_function[] = { ATTR_OVERRIDE, ATTR_AUTOPROBE };
static const Attr of_driver[] = { ATTR_DRIVER_BIND, ATTR_DRIVER_UNBIND, ATTR_DRIVER_NEW_ID,
                                  ATTR_DRIVER_REMOVE_ID };
static const Attr of_port_driver[] = { ATTR_PORT_DRIVER_BIND, ATTR_PORT_DRIVER_UNBIND };
static const Attr of_slot[] = { ATTR_SLOT_POWER };
static const Attr of_pcibus[] = { ATTR_PCIBUS_RESCAN };
static const Attr of_bus[] = { ATTR_RESCAN, ATTR_DRIVERS_PROBE, ATTR_BUS_AUTOPROBE };

static int tell_function(const Fn *fn, const Attr *attrs, size_t n, Found found, void *userdata) {
        for (size_t i = 0; i < n; i++) {
                DoorPlace d = { .door = attr_door(attrs[i]), .fn = fn->bdf };
                int r;

                attr_path_fn(attrs[i], fn->bdf, d.path);
                r = found(&d, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

int doors_of_function(const Fn *fn, bool latches, Found found, void *userdata) {
        return latches ? tell_function(fn, latches_of_function, ELEMENTSOF(latches_of_function),
                                       found, userdata)
                       : tell_function(fn, of_function, ELEMENTSOF(of_function), found, userdata);
}

/* A name that no driver, slot or bus could have is none of theirs. */
static int tell_named(const char *name, const Attr *attrs, size_t n, Found found, void *userdata) {
        for (size_t i = 0; i < n; i++) {
                DoorPlace d = { .door = attr_door(attrs[i]), .fn = BDF_NONE };
                int r;

                if (str_copy(d.name, sizeof(d.name), name) < 0)
                        return 0;
                attr_path_name(attrs[i], name, d.path);
                r = found(&d, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int tell_listed(Kernel *k, Attr directory, const Attr *attrs, size_t n, Found found,
                       void *userdata) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = k->list(k, ATTR_BUS(directory), &names);
        if (r == -ENOENT) /* a kernel without ports or hot-plug */
                return 0;
        if (r < 0)
                return r;
        STRV_FOREACH (name, names) {
                r = tell_named(*name, attrs, n, found, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int tell_bus(Found found, void *userdata) {
        for (size_t i = 0; i < ELEMENTSOF(of_bus); i++) {
                DoorPlace d = { .door = attr_door(of_bus[i]), .fn = BDF_NONE };
                int r;

                attr_path(of_bus[i], d.path);
                r = found(&d, userdata);
                if (r < 0)
                        return r;
        }
        return 0;
}

int doors_of_host(Kernel *k, const Snapshot *s, Found found, void *userdata) {
        int r;

        r = tell_bus(found, userdata);
        STRV_FOREACH (driver, s->drivers)
                if (r >= 0)
                        r = tell_named(*driver, of_driver, ELEMENTSOF(of_driver), found, userdata);
        for (size_t i = 0; i < s->n_slots && r >= 0; i++)
                r = tell_named(s->slots[i].name, of_slot, ELEMENTSOF(of_slot), found, userdata);
        if (r >= 0)
                r = tell_listed(k, ATTR_PCIBUSES, of_pcibus, ELEMENTSOF(of_pcibus), found,
                                userdata);
        if (r >= 0)
                r = tell_listed(k, ATTR_PORT_DRIVERS, of_port_driver, ELEMENTSOF(of_port_driver),
                                found, userdata);
        return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every unit test includes, and worlds to plan in
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/snapshot.h"

#define BDF(bus, device, function)                                                                 \
        ((Bdf){ 0, (uint16_t) ((bus) << 8 | (device) << 3 | (function)) })

static inline void put_fn(Snapshot *s, Fn fn, const char *driver) {
        assert_int_equal(str_copy(fn.driver, sizeof(fn.driver), driver), 0);
        assert_int_equal(snapshot_append(s, &fn), 0);
}

static inline void put_bridge(Snapshot *s, Bdf bdf, Bdf parent) {
        put_fn(s, (Fn){ .bdf = bdf, .parent = parent, .pf = BDF_NONE, .flags = FN_BRIDGE },
               "pcieport");
}

/* A PF with n VFs at its function + 0x80, as an igb has them. */
static inline void put_pf(Snapshot *s, Bdf bdf, Bdf parent, const char *driver, uint16_t n,
                          const char *vf_driver) {
        put_fn(s,
               (Fn){ .bdf = bdf,
                     .parent = parent,
                     .pf = BDF_NONE,
                     .total_vfs = 7,
                     .n_vfs = n,
                     .identity = bdf.rid,
                     .flags = FN_PF | FN_AUTOPROBE | FN_RESET },
               driver);
        for (uint16_t i = 0; i < n; i++)
                put_fn(s,
                       (Fn){ .bdf = { bdf.domain, (uint16_t) (bdf.rid + 0x80 + 2 * i) },
                             .parent = parent,
                             .pf = bdf,
                             .vf_index = i,
                             .flags = FN_VF | FN_RESET },
                       vf_driver);
}

#define PORT BDF(0, 1, 0)
#define PF BDF(1, 0, 0)
#define VF0 BDF(1, 16, 0)
#define VF1 BDF(1, 16, 2)

static inline void add_drivers(Snapshot *s) {
        static const char *const names[] = { "igb", "igbvf", "nvme", "vfio-pci" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                assert_int_equal(strv_push(&s->drivers, names[i]), 0);
}

/* One igb with n VFs under a hot-plug port that is slot 1, and a device without SR-IOV on the root bus. */
static inline Snapshot *small_world(const char *driver, uint16_t n, const char *vf_driver) {
        Snapshot *s = snapshot_new();

        assert_non_null(s);
        put_bridge(s, PORT, BDF_NONE);
        put_pf(s, PF, PORT, driver, n, vf_driver);
        put_fn(s, (Fn){ .bdf = BDF(0, 3, 0), .parent = BDF_NONE, .pf = BDF_NONE }, "ahci");
        assert_int_equal(
                snapshot_add_service(s, &(Service){ .name = "0000:00:01.0:pcie004", .port = PORT }),
                0);
        assert_int_equal(snapshot_add_slot(s, &(Slot){ .name = "1", .bus = 1 }), 0);
        add_drivers(s);
        snapshot_seal(s);
        return s;
}

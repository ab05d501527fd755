/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-fn: what the objects of PFs and VFs have in common
 */
#pragma once

#include <systemd/sd-bus.h>

#include "core/snapshot.h"

#include "daemon/manager.h"

/* The function behind "/org/sriovd1/pf/..." or "/org/sriovd1/vf/...", or NULL. */
const Fn *bus_fn_find(Manager *m, const char *path);

/* f is what the next calls mean by the path that is returned: getters for one that is at hand. Valid until the next look-up. */
const char *bus_fn_seek(Manager *m, const Fn *f, uint32_t flag);

/* It has an object of that interface (FN_PF or FN_VF). */
bool bus_fn_is_object(const Fn *f, uint32_t flag);

/* bus-pf.c, bus-vf.c */
extern const sd_bus_vtable bus_pf_vtable[], bus_vf_vtable[];

/* For sd_bus_add_fallback_vtable and sd_bus_add_node_enumerator; the userdata is the manager. */
int bus_fn_found(sd_bus *bus, const char *path, const char *interface, void *userdata,
                 void **ret_found, sd_bus_error *error);
/* The paths of all PFs (FN_PF) or all VFs (FN_VF). 0, -ENOMEM. */
int bus_fn_enumerate(const Manager *m, uint32_t flag, char ***ret);

int bus_fn_append_netdevs(sd_bus_message *reply, const Fn *fn);

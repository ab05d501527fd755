/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.PF
 */
#include <errno.h>

#include "base/macro.h"

#include "core/names.h"

#include "daemon/bus-fn.h"
#include "daemon/bus-get.h"

DEFINE_GETTER(get_address, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "s", BDF_STR(object->bdf));
}

DEFINE_GETTER(get_driver, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "s", object->driver);
}

DEFINE_GETTER(get_vendor, bus_fn_find, Fn) {
        return sd_bus_message_append(reply, "s", titles_vendor(&m->titles, object, (char[8]){ 0 }));
}

DEFINE_GETTER(get_device, bus_fn_find, Fn) {
        return sd_bus_message_append(reply, "s", titles_device(&m->titles, object, (char[8]){ 0 }));
}

DEFINE_GETTER(get_class, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "u", object->class);
}

DEFINE_GETTER(get_netdevs, bus_fn_find, Fn) {
        (void) m;
        return bus_fn_append_netdevs(reply, object);
}

DEFINE_GETTER(get_total_vfs, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "u", (uint32_t) object->total_vfs);
}

DEFINE_GETTER(get_vfs, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "u", (uint32_t) object->n_vfs);
}

/* One walk for all of them, by address: to find them one by one is slow where there are thousands. */
DEFINE_GETTER(get_vf_paths, bus_fn_find, Fn) {
        int r = sd_bus_message_open_container(reply, 'a', "o");

        FOREACH_FN (vf, m->snapshot) {
                _cleanup_free_ char *path = NULL;

                if (r < 0)
                        return r;
                if (!(vf->flags & FN_VF) || vf->flags & FN_ORPHAN ||
                    !bdf_equal(vf->pf, object->bdf))
                        continue;
                path = bus_fn_path(vf->bdf, FN_VF);
                r = path ? sd_bus_message_append(reply, "o", path) : -ENOMEM;
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

DEFINE_GETTER(get_autoprobe, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "b", (object->flags & FN_AUTOPROBE) != 0);
}

DEFINE_GETTER(get_state, bus_fn_find, Fn) {
        return sd_bus_message_append(reply, "s", pf_state_to_string(world_pf_state(m, object)));
}

DEFINE_GETTER(get_eswitch_mode, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "s", eswitch_to_string(object->eswitch));
}

DEFINE_GETTER(get_policy, bus_fn_find, Fn) {
        const Wanted *w = wards_wanted(m, object->bdf);

        return sd_bus_message_append(reply, "s", w ? w->policy : "");
}

DEFINE_GETTER(get_policy_state, bus_fn_find, Fn) {
        return sd_bus_message_append(reply, "s", wards_policy_state(m, object->bdf));
}

DEFINE_GETTER(get_numa_node, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "i", object->numa_node);
}

DEFINE_GETTER(get_iommu_group, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "i", object->iommu_group);
}

DEFINE_GETTER(get_ready, bus_fn_find, Fn) {
        return sd_bus_message_append(reply, "b", ready_pf(m, object));
}

const sd_bus_vtable bus_pf_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Address", "s", get_address, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Driver", "s", get_driver, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Vendor", "s", get_vendor, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Device", "s", get_device, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Class", "u", get_class, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("NetDevs", "as", get_netdevs, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("TotalVFs", "u", get_total_vfs, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("VFs", "u", get_vfs, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("VFPaths", "ao", get_vf_paths, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Autoprobe", "b", get_autoprobe, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("EswitchMode", "s", get_eswitch_mode, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Policy", "s", get_policy, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("PolicyState", "s", get_policy_state, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NUMANode", "i", get_numa_node, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("IOMMUGroup", "i", get_iommu_group, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Ready", "b", get_ready, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

static int enumerate(sd_bus *bus _unused_, const char *prefix _unused_, void *userdata,
                     char ***ret_nodes, sd_bus_error *error _unused_) {
        return bus_fn_enumerate(userdata, FN_PF, ret_nodes);
}

int bus_pf_add(sd_bus *bus, Manager *m) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH "/pf", BUS_PF, bus_pf_vtable,
                                       bus_fn_found, m);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, BUS_PATH "/pf", enumerate, m);
}

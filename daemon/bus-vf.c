/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.VF
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

DEFINE_GETTER(get_index, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "u", (uint32_t) object->vf_index);
}

DEFINE_GETTER(get_pf, bus_fn_find, Fn) {
        _cleanup_free_ char *path = bus_fn_path(object->pf, FN_PF);

        (void) m;
        return path ? sd_bus_message_append(reply, "o", path) : -ENOMEM;
}

DEFINE_GETTER(get_driver, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "s", object->driver);
}

DEFINE_GETTER(get_netdevs, bus_fn_find, Fn) {
        (void) m;
        return bus_fn_append_netdevs(reply, object);
}

DEFINE_GETTER(get_iommu_group, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "i", object->iommu_group);
}

DEFINE_GETTER(get_mac, bus_fn_find, Fn) {
        char mac[VFATTR_VALUE_MAX] = "";

        (void) m;
        if (vfattrs_have(&object->attrs, VFATTR_MAC))
                vfattrs_get(&object->attrs, VFKEY_MAC, mac);
        return sd_bus_message_append(reply, "s", mac);
}

DEFINE_GETTER(get_vlan, bus_fn_find, Fn) {
        (void) m;
        return sd_bus_message_append(reply, "u", (uint32_t) object->attrs.value[VFKEY_VLAN]);
}

DEFINE_GETTER(get_attributes, bus_fn_find, Fn) {
        char value[VFATTR_VALUE_MAX];
        int r = sd_bus_message_open_container(reply, 'a', "{ss}");

        (void) m;
        for (VfKey k = 0; r >= 0 && k < _VFKEY_MAX; k++)
                if (object->attrs.has & 1u << k)
                        r = sd_bus_message_append(reply, "{ss}", vfkey_to_string(k),
                                                  vfattrs_get(&object->attrs, k, value));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

DEFINE_GETTER(get_ready, bus_fn_find, Fn) {
        return sd_bus_message_append(reply, "b", ready_vf(m, object));
}

const sd_bus_vtable bus_vf_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Address", "s", get_address, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Index", "u", get_index, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("PF", "o", get_pf, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Driver", "s", get_driver, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("NetDevs", "as", get_netdevs, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("MAC", "s", get_mac, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("VLAN", "u", get_vlan, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Attributes", "a{ss}", get_attributes, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("IOMMUGroup", "i", get_iommu_group, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Ready", "b", get_ready, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

static int enumerate(sd_bus *bus _unused_, const char *prefix _unused_, void *userdata,
                     char ***ret_nodes, sd_bus_error *error _unused_) {
        return bus_fn_enumerate(userdata, FN_VF, ret_nodes);
}

int bus_vf_add(sd_bus *bus, Manager *m) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_PATH "/vf", BUS_VF, bus_vf_vtable,
                                       bus_fn_found, m);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, BUS_PATH "/vf", enumerate, m);
}

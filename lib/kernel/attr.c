/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attr
 *
 * The one table of names. may_block is the worst that any supported kernel does: what the daemon's loop may touch
 * is decided here and nowhere else (KERNEL.md 2.2, and part 1 rule 7).
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"

typedef enum Place {
        OF_BUS,
        OF_FN,
        OF_NETDEV,
        OF_DRIVER,
        OF_SLOT,
        OF_SERVICE,
        OF_PORT_DRIVER,
        OF_PCIBUS,
        OF_BLOCK,
        OF_BTRFS,
        OF_MDEV,
        OF_VDPA,
} Place;

static const char *const places[] = {
        [OF_BUS] = "bus/pci",
        [OF_FN] = "bus/pci/devices",
        [OF_NETDEV] = "class/net",
        [OF_DRIVER] = "bus/pci/drivers",
        [OF_SLOT] = "bus/pci/slots",
        [OF_SERVICE] = "bus/pci_express/drivers/pciehp",
        [OF_PORT_DRIVER] = "bus/pci_express/drivers",
        [OF_PCIBUS] = "class/pci_bus",
        [OF_BLOCK] = "class/block",
        [OF_BTRFS] = "fs/btrfs",
        [OF_MDEV] = "bus/mdev/devices",
        [OF_VDPA] = "bus/vdpa/devices",
};

typedef struct Row {
        const char *name; /* "" = the place itself, or an entry of it */
        Place place;
        bool may_block;
        Door door; /* what the gate holds */
} Row;

static const Row attrs[_ATTR_MAX] = {
        [ATTR_DIRECTORY] = { "", OF_FN, false, DOOR_NONE },
        [ATTR_CLASS] = { "class", OF_FN, false, DOOR_NONE },
        [ATTR_VENDOR] = { "vendor", OF_FN, false, DOOR_NONE },
        [ATTR_DEVICE] = { "device", OF_FN, false, DOOR_NONE },
        [ATTR_NUMA_NODE] = { "numa_node", OF_FN, false, DOOR_NONE },
        [ATTR_IOMMU_GROUP] = { "iommu_group", OF_FN, false, DOOR_NONE },
        [ATTR_IOMMU_DEVICES] = { "iommu_group/devices", OF_FN, false, DOOR_NONE },
        [ATTR_DRIVER] = { "driver", OF_FN, false, DOOR_NONE },
        [ATTR_PHYSFN] = { "physfn", OF_FN, false, DOOR_NONE },
        [ATTR_NET] = { "net", OF_FN, false, DOOR_NONE },
        [ATTR_NVME] = { "nvme", OF_FN, false, DOOR_NONE },
        /* Waits while the function is reset, or makes and takes VFs: pci_wait_cfg(). */
        [ATTR_CONFIG] = { "config", OF_FN, true, DOOR_NONE },
        /* Only the list of net devices is locked, for a moment, and never RTNL: netdev_show() in net/core/net-sysfs.c. */
        [ATTR_IFINDEX] = { "ifindex", OF_NETDEV, false, DOOR_NONE },
        [ATTR_VFIO_DEV] = { "vfio-dev", OF_FN, false, DOOR_NONE },
        [ATTR_DRM] = { "drm", OF_FN, false, DOOR_NONE },
        [ATTR_ACCEL] = { "accel", OF_FN, false, DOOR_NONE },
        [ATTR_VERBS] = { "infiniband_verbs", OF_FN, false, DOOR_NONE },
        [ATTR_MAD] = { "infiniband_mad", OF_FN, false, DOOR_NONE },
        [ATTR_UIO] = { "uio", OF_FN, false, DOOR_NONE },
        [ATTR_TOTALVFS] = { "sriov_totalvfs", OF_FN, false, DOOR_NONE },
        /* Its reader takes the device lock as its writer does: sriov_numvfs_show() in drivers/pci/iov.c. */
        [ATTR_NUMVFS] = { "sriov_numvfs", OF_FN, true, DOOR_COUNT },
        /* A flag: it decides about VFs to come, and takes no lock. */
        [ATTR_AUTOPROBE] = { "sriov_drivers_autoprobe", OF_FN, false, DOOR_LATCH },
        /* Device lock for read and write on 6.1, a spinlock from 6.12.91 on: base/driver.c, base/dd.c. */
        [ATTR_OVERRIDE] = { "driver_override", OF_FN, true, DOOR_LATCH },
        [ATTR_REMOVE] = { "remove", OF_FN, true, DOOR_REMOVE },
        /* From 6.12 on it also takes the lock of the bridge above. */
        [ATTR_RESET] = { "reset", OF_FN, true, DOOR_RESET },
        /* Resets all below a bridge: there from 6.14 on. */
        [ATTR_RESET_SUBORDINATE] = { "reset_subordinate", OF_FN, true, DOOR_RESET },
        /* A device's own: waits for its removal, which waits for it (KERNEL.md 3.3). */
        [ATTR_FN_RESCAN] = { "rescan", OF_FN, true, DOOR_RESCAN },
        /* Of a VF: takes the PF's lock inside its own file, and hangs with numvfs = 0 (KERNEL.md part 1, hazard 3). */
        [ATTR_MSIX_COUNT] = { "sriov_vf_msix_count", OF_FN, true, DOOR_FUNCTION },
        /* Its reader takes the PF's lock, as that of sriov_numvfs does. */
        [ATTR_TOTAL_MSIX] = { "sriov_vf_total_msix", OF_FN, true, DOOR_NONE },
        [ATTR_ENABLE] = { "enable", OF_FN, true, DOOR_FUNCTION },
        /* Wakes the device first, and a waking device waits for its bridge. */
        [ATTR_RESET_METHOD] = { "reset_method", OF_FN, true, DOOR_NONE },
        [ATTR_DRIVER_BIND] = { "bind", OF_DRIVER, true, DOOR_BIND },
        [ATTR_DRIVER_UNBIND] = { "unbind", OF_DRIVER, true, DOOR_UNBIND },
        /* Both try all devices, or let go of none, with a driver's probe in it. */
        [ATTR_DRIVER_NEW_ID] = { "new_id", OF_DRIVER, true, DOOR_BIND },
        [ATTR_DRIVER_REMOVE_ID] = { "remove_id", OF_DRIVER, true, DOOR_BIND },
        [ATTR_DRIVER_MODULE] = { "module", OF_DRIVER, false, DOOR_NONE },
        [ATTR_DEVICES] = { "", OF_FN, false, DOOR_NONE },
        [ATTR_DRIVERS] = { "", OF_DRIVER, false, DOOR_NONE },
        [ATTR_DRIVERS_PROBE] = { "drivers_probe", OF_BUS, true, DOOR_BUS },
        [ATTR_BUS_AUTOPROBE] = { "drivers_autoprobe", OF_BUS, true, DOOR_BUS },
        /* One bus's own: deadlocks as a device's own does. */
        [ATTR_PCIBUS_RESCAN] = { "rescan", OF_PCIBUS, true, DOOR_RESCAN },
        [ATTR_PCIBUSES] = { "", OF_PCIBUS, false, DOOR_NONE },
        /* The one of the bus type: a device's or a bus's own can deadlock with its removal (KERNEL.md 3.3). */
        [ATTR_RESCAN] = { "rescan", OF_BUS, true, DOOR_RESCAN },
        [ATTR_SLOTS] = { "", OF_SLOT, false, DOOR_NONE },
        [ATTR_SLOT_ADDRESS] = { "address", OF_SLOT, false, DOOR_NONE },
        /* Reading asks the port's slot registers, and a reset blocks the port's config space. */
        [ATTR_SLOT_POWER] = { "power", OF_SLOT, true, DOOR_SLOT },
        [ATTR_SERVICES] = { "", OF_SERVICE, false, DOOR_NONE },
        /* Waits for the port's interrupt thread: free_irq(). */
        [ATTR_SERVICE_UNBIND] = { "unbind", OF_SERVICE, true, DOOR_NONE },
        [ATTR_PORT_DRIVERS] = { "", OF_PORT_DRIVER, false, DOOR_NONE },
        [ATTR_PORT_DRIVER_BIND] = { "bind", OF_PORT_DRIVER, true, DOOR_BIND },
        [ATTR_PORT_DRIVER_UNBIND] = { "unbind", OF_PORT_DRIVER, true, DOOR_UNBIND },
        [ATTR_BLOCKS] = { "", OF_BLOCK, false, DOOR_NONE },
        [ATTR_BLOCK_DEV] = { "dev", OF_BLOCK, false, DOOR_NONE },
        [ATTR_BLOCK_HIDDEN] = { "hidden", OF_BLOCK, false, DOOR_NONE },
        [ATTR_BLOCK_HOLDERS] = { "holders", OF_BLOCK, false, DOOR_NONE },
        [ATTR_BLOCK_DM_NAME] = { "dm/name", OF_BLOCK, false, DOOR_NONE },
        [ATTR_BLOCK_DM_UUID] = { "dm/uuid", OF_BLOCK, false, DOOR_NONE },
        [ATTR_BTRFS] = { "", OF_BTRFS, false, DOOR_NONE },
        [ATTR_BTRFS_DEVICES] = { "devices", OF_BTRFS, false, DOOR_NONE },
        [ATTR_MDEVS] = { "", OF_MDEV, false, DOOR_NONE },
        [ATTR_VDPAS] = { "", OF_VDPA, false, DOOR_NONE },
};

const char *attr_name(Attr a) {
        return attrs[a].name;
}

bool attr_may_block(Attr a) {
        return attrs[a].may_block;
}

Door attr_door(Attr a) {
        return attrs[a].door;
}

/* A scan of a large host makes many of these; all parts are short, so that no length needs to be watched. */
const char *attr_path_fn(Attr a, Bdf fn, char buf[static ATTR_PATH_MAX]) {
        char *p = stpcpy(stpcpy(buf, places[OF_FN]), "/");

        p += strlen(bdf_format(fn, p));
        if (attrs[a].name[0] != '\0')
                stpcpy(stpcpy(p, "/"), attrs[a].name);
        return buf;
}

const char *attr_path_entry(Attr a, Bdf fn, const char *entry, char buf[static ATTR_PATH_MAX]) {
        snprintf(buf, ATTR_PATH_MAX, "%s/%s%s%s/%s", places[OF_FN], BDF_STR(fn),
                 isempty(attrs[a].name) ? "" : "/", attrs[a].name, entry);
        return buf;
}

const char *attr_path_netdev(Attr a, Bdf fn, const char *netdev, char buf[static ATTR_PATH_MAX]) {
        snprintf(buf, ATTR_PATH_MAX, "%s/%s/%s/%s/%s", places[OF_FN], BDF_STR(fn),
                 attrs[ATTR_NET].name, netdev, attrs[a].name);
        return buf;
}

static const char *join(const char *place, const char *entry, const char *attr,
                        char buf[static ATTR_PATH_MAX]) {
        snprintf(buf, ATTR_PATH_MAX, "%s%s%s%s%s", place, isempty(entry) ? "" : "/",
                 entry ? entry : "", isempty(attr) ? "" : "/", attr);
        return buf;
}

const char *attr_path_name(Attr a, const char *name, char buf[static ATTR_PATH_MAX]) {
        return join(places[attrs[a].place], name, attrs[a].name, buf);
}

const char *attr_path(Attr a, char buf[static ATTR_PATH_MAX]) {
        return attr_path_name(a, NULL, buf);
}

const char *attr_path_virtfn(Bdf pf, unsigned index, char buf[static ATTR_PATH_MAX]) {
        snprintf(buf, ATTR_PATH_MAX, "%s/%s/virtfn%u", places[OF_FN], BDF_STR(pf), index);
        return buf;
}

int attr_parse_virtfn(const char *name, uint32_t *ret) {
        const char *index = startswith(name, "virtfn");

        return index && parse_u32(index, UINT16_MAX, ret) >= 0 ? 0 : -EINVAL;
}

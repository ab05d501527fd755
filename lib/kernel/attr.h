/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attr: every name in sysfs that sriovd uses, once, and whether it may block
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/door.h"

typedef enum Attr {
        /* of a function: below bus/pci/devices/BDF */
        ATTR_DIRECTORY,
        ATTR_CLASS,
        ATTR_VENDOR,
        ATTR_DEVICE,
        ATTR_NUMA_NODE,
        ATTR_IOMMU_GROUP, /* link */
        ATTR_IOMMU_DEVICES, /* directory: the functions of its IOMMU group */
        ATTR_DRIVER, /* link */
        ATTR_PHYSFN, /* link */
        ATTR_NET, /* directory */
        ATTR_NVME, /* directory: an NVMe controller, "nvme0" */
        ATTR_CONFIG, /* binary */
        ATTR_IFINDEX, /* of an entry of it: "bus/pci/devices/BDF/net/eth0/ifindex" */
        ATTR_VFIO_DEV, /* directory: there while a vfio driver has it, from 6.1 on */
        ATTR_DRM, /* directories of what has device nodes: "card0", "uverbs0", ... with a file "dev" each */
        ATTR_ACCEL,
        ATTR_VERBS,
        ATTR_MAD,
        ATTR_UIO,
        ATTR_TOTALVFS,
        ATTR_NUMVFS,
        ATTR_AUTOPROBE,
        ATTR_OVERRIDE,
        ATTR_REMOVE,
        ATTR_RESET,
        ATTR_RESET_METHOD,
        ATTR_RESET_SUBORDINATE,
        ATTR_FN_RESCAN,
        ATTR_MSIX_COUNT,
        ATTR_TOTAL_MSIX, /* of a PF: what its driver can share out among VFs, 0 if it cannot */
        ATTR_ENABLE,
        /* of a driver: below bus/pci/drivers/NAME */
        ATTR_DRIVER_BIND,
        ATTR_DRIVER_UNBIND,
        ATTR_DRIVER_NEW_ID,
        ATTR_DRIVER_REMOVE_ID,
        ATTR_DRIVER_MODULE, /* link */
        /* of the bus */
        ATTR_DEVICES, /* directory */
        ATTR_DRIVERS, /* directory */
        ATTR_DRIVERS_PROBE,
        ATTR_BUS_AUTOPROBE,
        ATTR_RESCAN,
        ATTR_SLOTS, /* directory */
        ATTR_SLOT_ADDRESS,
        ATTR_SLOT_POWER,
        ATTR_SERVICES, /* directory: bus/pci_express/drivers/pciehp */
        ATTR_SERVICE_UNBIND,
        /* of a driver of ports' services, and of a bus, "0000:01" */
        ATTR_PORT_DRIVERS, /* directory: bus/pci_express/drivers */
        ATTR_PORT_DRIVER_BIND,
        ATTR_PORT_DRIVER_UNBIND,
        ATTR_PCIBUSES, /* directory: class/pci_bus */
        ATTR_PCIBUS_RESCAN,
        /* of a block device, of btrfs by its UUID, of buses of children */
        ATTR_BLOCKS, /* directory: class/block */
        ATTR_BLOCK_DEV, /* "259:0" */
        ATTR_BLOCK_HIDDEN, /* 1: a path of an nvme multipath head */
        ATTR_BLOCK_HOLDERS, /* directory */
        ATTR_BLOCK_DM_NAME,
        ATTR_BLOCK_DM_UUID, /* "LVM-..." */
        ATTR_BTRFS, /* directory: what is mounted now */
        ATTR_BTRFS_DEVICES, /* directory */
        ATTR_MDEVS, /* directory */
        ATTR_VDPAS, /* directory */
        _ATTR_MAX,
} Attr;

#define ATTR_PATH_MAX 256

/* The last component, "sriov_numvfs"; "" for directories of a whole kind. */
const char *attr_name(Attr a) __attribute__((const));
/* True if opening, reading or writing it can wait for a lock of the kernel on any supported version. */
bool attr_may_block(Attr a) __attribute__((const));
/* The door that it is, DOOR_NONE if writing it neither changes the topology nor a driver's grip. */
Door attr_door(Attr a) __attribute__((const));

/*
 * The path relative to /sys. Each returns buf. `name` is a driver, a slot or a service; with one of the directories of
 * a whole kind it names an entry of it: ATTR_DRIVERS, "igb" is "bus/pci/drivers/igb".
 */
const char *attr_path_fn(Attr a, Bdf fn, char buf[static ATTR_PATH_MAX]);
const char *attr_path_name(Attr a, const char *name, char buf[static ATTR_PATH_MAX]);
const char *attr_path(Attr a, char buf[static ATTR_PATH_MAX]);
/* "bus/pci/devices/BDF/virtfnN", and the index out of such a link's name: 0, -EINVAL. */
const char *attr_path_virtfn(Bdf pf, unsigned index, char buf[static ATTR_PATH_MAX]);

/* Of an entry of one of a function's directories: "bus/pci/devices/BDF/net/eth0". */
const char *attr_path_entry(Attr a, Bdf fn, const char *entry, char buf[static ATTR_PATH_MAX]);

/* Of one of its net devices: "bus/pci/devices/BDF/net/eth0/ifindex". */
const char *attr_path_netdev(Attr a, Bdf fn, const char *netdev, char buf[static ATTR_PATH_MAX]);

int attr_parse_virtfn(const char *name, uint32_t *ret);

#define ATTR_FN(a, fn) attr_path_fn((a), (fn), (char[ATTR_PATH_MAX]){ 0 })
#define ATTR_NAME(a, name) attr_path_name((a), (name), (char[ATTR_PATH_MAX]){ 0 })
#define ATTR_BUS(a) attr_path((a), (char[ATTR_PATH_MAX]){ 0 })
#define ATTR_ENTRY(a, fn, entry) attr_path_entry((a), (fn), (entry), (char[ATTR_PATH_MAX]){ 0 })
#define ATTR_NETDEV(a, fn, netdev) attr_path_netdev((a), (fn), (netdev), (char[ATTR_PATH_MAX]){ 0 })
#define ATTR_VIRTFN(pf, i) attr_path_virtfn((pf), (i), (char[ATTR_PATH_MAX]){ 0 })

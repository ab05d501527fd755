/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of names: paths as sysfs has them, and what the daemon's loop may touch
 */
#include "kernel/attr.h"

#include "tests/unit/test.h"

static void paths_are_those_of_sysfs(void **state) {
        Bdf fn = BDF(1, 0, 0);

        (void) state;
        assert_string_equal(ATTR_FN(ATTR_DIRECTORY, fn), "bus/pci/devices/0000:01:00.0");
        assert_string_equal(ATTR_FN(ATTR_NUMVFS, fn), "bus/pci/devices/0000:01:00.0/sriov_numvfs");
        assert_string_equal(ATTR_VIRTFN(fn, 12), "bus/pci/devices/0000:01:00.0/virtfn12");
        assert_string_equal(ATTR_NAME(ATTR_DRIVER_UNBIND, "igb"), "bus/pci/drivers/igb/unbind");
        assert_string_equal(ATTR_NAME(ATTR_DRIVERS, "igb"), "bus/pci/drivers/igb");
        assert_string_equal(ATTR_NAME(ATTR_SLOT_POWER, "0-1"), "bus/pci/slots/0-1/power");
        assert_string_equal(ATTR_NAME(ATTR_SERVICES, "0000:00:01.0:pcie004"),
                            "bus/pci_express/drivers/pciehp/0000:00:01.0:pcie004");
        assert_string_equal(ATTR_BUS(ATTR_SERVICE_UNBIND), "bus/pci_express/drivers/pciehp/unbind");
        assert_string_equal(ATTR_BUS(ATTR_DEVICES), "bus/pci/devices");
        assert_string_equal(ATTR_BUS(ATTR_DRIVERS), "bus/pci/drivers");
        assert_string_equal(ATTR_BUS(ATTR_SLOTS), "bus/pci/slots");
        assert_string_equal(ATTR_BUS(ATTR_SERVICES), "bus/pci_express/drivers/pciehp");
        assert_string_equal(ATTR_BUS(ATTR_DRIVERS_PROBE), "bus/pci/drivers_probe");
        assert_string_equal(ATTR_BUS(ATTR_RESCAN), "bus/pci/rescan");
        assert_string_equal(ATTR_FN(ATTR_IOMMU_DEVICES, fn),
                            "bus/pci/devices/0000:01:00.0/iommu_group/devices");
        assert_string_equal(ATTR_ENTRY(ATTR_NET, fn, "eth0"),
                            "bus/pci/devices/0000:01:00.0/net/eth0");
        assert_string_equal(ATTR_ENTRY(ATTR_DIRECTORY, fn, "virtio3/net"),
                            "bus/pci/devices/0000:01:00.0/virtio3/net");
        assert_string_equal(ATTR_NETDEV(ATTR_IFINDEX, fn, "eth0"),
                            "bus/pci/devices/0000:01:00.0/net/eth0/ifindex");
        assert_string_equal(ATTR_BUS(ATTR_BLOCKS), "class/block");
        assert_string_equal(ATTR_NAME(ATTR_BLOCK_DM_UUID, "dm-3"), "class/block/dm-3/dm/uuid");
        assert_string_equal(ATTR_NAME(ATTR_BTRFS_DEVICES, "af02"), "fs/btrfs/af02/devices");
        assert_string_equal(ATTR_BUS(ATTR_MDEVS), "bus/mdev/devices");
        assert_string_equal(ATTR_BUS(ATTR_VDPAS), "bus/vdpa/devices");
}

static void the_longest_address_and_name_fit(void **state) {
        Bdf fn = { 0xfffffffe, 0xffff };
        char name[64];

        (void) state;
        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        assert_string_equal(ATTR_FN(ATTR_AUTOPROBE, fn),
                            "bus/pci/devices/fffffffe:ff:1f.7/sriov_drivers_autoprobe");
        assert_non_null(strstr(ATTR_NAME(ATTR_DRIVER_UNBIND, name), "xx/unbind"));
}

static void every_row_has_a_name_or_is_a_place(void **state) {
        (void) state;
        for (Attr a = 0; a < _ATTR_MAX; a++) {
                bool place = a == ATTR_DIRECTORY || a == ATTR_DEVICES || a == ATTR_DRIVERS ||
                             a == ATTR_SLOTS || a == ATTR_SERVICES || a == ATTR_BLOCKS ||
                             a == ATTR_BTRFS || a == ATTR_MDEVS || a == ATTR_VDPAS ||
                             a == ATTR_PORT_DRIVERS || a == ATTR_PCIBUSES;

                assert_non_null(attr_name(a));
                assert_int_equal(attr_name(a)[0] == '\0', place);
        }
}

/* A second list, on purpose: a row that loses its mark makes the daemon deaf one day. */
static void what_takes_a_lock_may_block(void **state) {
        static const Attr blocking[] = {
                ATTR_NUMVFS,           ATTR_OVERRIDE,
                ATTR_REMOVE,           ATTR_RESET,
                ATTR_RESET_METHOD,     ATTR_RESET_SUBORDINATE,
                ATTR_FN_RESCAN,        ATTR_MSIX_COUNT,
                ATTR_ENABLE,           ATTR_DRIVER_BIND,
                ATTR_DRIVER_UNBIND,    ATTR_DRIVER_NEW_ID,
                ATTR_DRIVER_REMOVE_ID, ATTR_DRIVERS_PROBE,
                ATTR_BUS_AUTOPROBE,    ATTR_RESCAN,
                ATTR_SLOT_POWER,       ATTR_SERVICE_UNBIND,
                ATTR_PORT_DRIVER_BIND, ATTR_PORT_DRIVER_UNBIND,
                ATTR_PCIBUS_RESCAN,    ATTR_CONFIG,
                ATTR_TOTAL_MSIX,
        };

        (void) state;
        for (Attr a = 0; a < _ATTR_MAX; a++) {
                bool listed = false;

                for (size_t i = 0; i < ELEMENTSOF(blocking); i++)
                        listed = listed || blocking[i] == a;
                assert_int_equal(attr_may_block(a), listed);
        }
}

/* A second list here as well: a door that is none lets two programs meet. */
static void what_changes_the_topology_is_a_door(void **state) {
        static const Attr attrs[] = {
                ATTR_NUMVFS,
                ATTR_REMOVE,
                ATTR_RESET,
                ATTR_RESET_SUBORDINATE,
                ATTR_FN_RESCAN,
                ATTR_MSIX_COUNT,
                ATTR_ENABLE,
                ATTR_DRIVER_BIND,
                ATTR_DRIVER_UNBIND,
                ATTR_DRIVER_NEW_ID,
                ATTR_DRIVER_REMOVE_ID,
                ATTR_DRIVERS_PROBE,
                ATTR_BUS_AUTOPROBE,
                ATTR_RESCAN,
                ATTR_SLOT_POWER,
                ATTR_PORT_DRIVER_BIND,
                ATTR_PCIBUS_RESCAN,
                ATTR_PORT_DRIVER_UNBIND,
                ATTR_OVERRIDE,
                ATTR_AUTOPROBE,
        };

        (void) state;
        for (Attr a = 0; a < _ATTR_MAX; a++) {
                bool listed = false;

                for (size_t i = 0; i < ELEMENTSOF(attrs); i++)
                        listed = listed || attrs[i] == a;
                assert_int_equal(attr_door(a) != DOOR_NONE, listed);
                /* What changes the topology takes a lock to do so. */
                assert_true(!listed || attr_may_block(a) || attr_door(a) == DOOR_LATCH);
        }
}

static void a_virtfn_link_tells_its_index(void **state) {
        uint32_t n = 0;

        (void) state;
        assert_int_equal(attr_parse_virtfn("virtfn255", &n), 0);
        assert_int_equal(n, 255);
        assert_int_equal(attr_parse_virtfn("virtfn", &n), -EINVAL);
        assert_int_equal(attr_parse_virtfn("virtfn0x1", &n), -EINVAL);
        assert_int_equal(attr_parse_virtfn("virtfn70000", &n), -EINVAL);
        assert_int_equal(attr_parse_virtfn("physfn", &n), -EINVAL);
        assert_int_equal(n, 255);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(paths_are_those_of_sysfs),
                cmocka_unit_test(the_longest_address_and_name_fit),
                cmocka_unit_test(every_row_has_a_name_or_is_a_place),
                cmocka_unit_test(what_takes_a_lock_may_block),
                cmocka_unit_test(what_changes_the_topology_is_a_door),
                cmocka_unit_test(a_virtfn_link_tells_its_index),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

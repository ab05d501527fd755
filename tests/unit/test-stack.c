/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stacks of /proc/PID/stack as they were read in the VM lab, on Debian's 6.1.192, 6.12.117 and 7.2.13. Where nothing else
 * is said all three gave the same.
 */
#include "core/stack.h"

#include "tests/unit/test.h"

#define WRITE                                                                                      \
        " < kernfs_fop_write_iter < vfs_write < ksys_write < do_syscall_64 < "                     \
        "entry_SYSCALL_64_after_hwframe"
#define READ                                                                                       \
        " < dev_attr_show < sysfs_kf_seq_show < seq_read_iter < copy_splice_read < "               \
        "splice_direct_to_actor < do_splice_direct < do_sendfile < __x64_sys_sendfile64 < "        \
        "do_syscall_64 < entry_SYSCALL_64_after_hwframe"
/* What the driver's own remove waits in until the vfio user goes; in state S. */
#define VFIO_WAIT                                                                                  \
        "vfio_unregister_group_dev < vfio_pci_core_unregister_device < vfio_pci_remove < "         \
        "pci_device_remove < device_release_driver_internal"
#define REMOVE_VF " < pci_stop_bus_device < pci_stop_and_remove_bus_device < pci_iov_remove_virtfn"

typedef struct Measured {
        const char *what, *stack, *entry;
} Measured;

static const Measured of_one_device[] = {
        { "unbind of a VF that a vfio user holds", VFIO_WAIT " < unbind_store" WRITE,
          "unbind_store" },
        { "the next unbind of it", "device_release_driver_internal < unbind_store" WRITE,
          "unbind_store" },
        { "bind behind that unbind", "device_driver_attach < bind_store" WRITE, "bind_store" },
        { "its reset", "pci_reset_function < reset_store" WRITE, "reset_store" },
        { "its power/control", "control_store" WRITE, "control_store" },
        { "its driver_override on 6.1", "driver_set_override < driver_override_store" WRITE,
          "driver_override_store" },
        { "the same, read", "driver_override_show" READ, "driver_override_show" },
        { "its uevent on 6.1", "uevent_show" READ, "uevent_show" },
        { "modprobe of a driver that fits it",
          "__driver_attach < bus_for_each_dev < bus_add_driver < driver_register < "
          "do_one_initcall < do_init_module < init_module_from_file < idempotent_init_module < "
          "__x64_sys_finit_module < do_syscall_64 < entry_SYSCALL_64_after_hwframe",
          "__driver_attach" },
        { "read of sriov_numvfs behind a write of it", "sriov_numvfs_show" READ,
          "sriov_numvfs_show" },
        { "reset of an igbvf whose interface is down, 6.12",
          "napi_disable < igbvf_down < pci_dev_save_and_disable < pci_reset_function < "
          "reset_store" WRITE,
          "reset_store" },
        { "the same, 7.2",
          "napi_disable_locked < napi_disable < igbvf_down < pci_dev_save_and_disable < "
          "pci_reset_function < reset_store" WRITE,
          "reset_store" },
        { "read of the config of the port above",
          "pci_wait_cfg < pci_user_read_config_dword < pci_read_config < kernfs_fop_read_iter < "
          "copy_splice_read < splice_direct_to_actor < do_splice_direct < do_sendfile < "
          "__x64_sys_sendfile64 < do_syscall_64 < entry_SYSCALL_64_after_hwframe",
          "pci_wait_cfg" },
};

static const Measured of_all_devices[] = {
        { "sriov_numvfs = 0 with a held VF, 6.12",
          VFIO_WAIT REMOVE_VF " < sriov_disable < igb_disable_sriov < sriov_numvfs_store" WRITE,
          "sriov_numvfs_store" },
        { "the same, 6.1",
          VFIO_WAIT REMOVE_VF " < sriov_disable < igb_disable_sriov < igb_pci_sriov_configure < "
                              "sriov_numvfs_store" WRITE,
          "sriov_numvfs_store" },
        { "sriov_numvfs = 0, one second of its two",
          "msleep < sriov_disable < igb_disable_sriov < "
          "sriov_numvfs_store" WRITE,
          "sriov_numvfs_store" },
        { "sriov_numvfs = 0 whose VF's file is in use",
          "kernfs_drain < __kernfs_remove.part.0 < kernfs_remove_by_name_ns < remove_files < "
          "sysfs_remove_group < sysfs_remove_groups < device_remove_attrs < device_del < "
          "pci_remove_bus_device < pci_iov_remove_virtfn < sriov_disable < igb_disable_sriov < "
          "sriov_numvfs_store" WRITE,
          "sriov_numvfs_store" },
        { "sriov_numvfs, waiting for the PF's lock or for the global one",
          "sriov_numvfs_store" WRITE, "sriov_numvfs_store" },
        { "unbind of a PF with a held VF",
          VFIO_WAIT REMOVE_VF
          " < sriov_disable < igb_disable_sriov < igb_remove < "
          "pci_device_remove < device_release_driver_internal < unbind_store" WRITE,
          "unbind_store" },
        { "remove of a PF with a held VF",
          VFIO_WAIT REMOVE_VF " < sriov_disable < igb_disable_sriov < igb_remove < "
                              "pci_device_remove < device_release_driver_internal < "
                              "pci_stop_bus_device < pci_stop_and_remove_bus_device_locked < "
                              "remove_store" WRITE,
          "pci_stop_and_remove_bus_device_locked" },
        { "remove, in the deadlock with sriov_numvfs",
          "device_release_driver_internal < pci_stop_bus_device < "
          "pci_stop_and_remove_bus_device_locked < remove_store" WRITE,
          "pci_stop_and_remove_bus_device_locked" },
        { "remove, waiting for the global lock",
          "pci_stop_and_remove_bus_device_locked < remove_store" WRITE,
          "pci_stop_and_remove_bus_device_locked" },
        { "the bus type's rescan", "rescan_store" WRITE, "rescan_store" },
        { "a device's rescan", "dev_rescan_store" WRITE, "dev_rescan_store" },
        { "a bus's rescan", "bus_rescan_store" WRITE, "bus_rescan_store" },
        { "slot power", "pciehp_sysfs_disable_slot < power_write_file" WRITE, "power_write_file" },
        { "the port's own thread",
          "pciehp_unconfigure_device < pciehp_disable_slot < pciehp_handle_disable_request < "
          "pciehp_ist < irq_thread_fn < irq_thread < kthread < ret_from_fork < ret_from_fork_asm",
          "pciehp_ist" },
        { "unload of a driver whose unbind file is in use",
          "kernfs_drain < __kernfs_remove.part.0 < kernfs_remove_by_name_ns < bus_remove_driver < "
          "pci_unregister_driver < __do_sys_delete_module < do_syscall_64 < "
          "entry_SYSCALL_64_after_hwframe",
          "pci_unregister_driver" },
        { "sriov_vf_msix_count", "sriov_vf_msix_count_store" WRITE, "sriov_vf_msix_count_store" },
};

/* Rows of the table that no stack above needs: the frames of other kernels, builds and drivers. */
static const char *const device_frames[] = {
        "drivers_probe_store",
        "new_id_store",
        "device_release_driver",
        "device_driver_detach",
        "driver_probe_device",
        "reset_subordinate_store",
        "pci_reset_function_locked",
        "sriov_vf_total_msix_show",
        "local_pci_probe",
        "vfio_unregister_group_dev",
        "device_driver_attach",
        "driver_override_store",
        "unbind_store",
        "bind_store",
        "reset_store",
};
static const char *const global_frames[] = {
        "sriov_enable",
        "sriov_disable",
        "sriov_add_vfs",
        "sriov_del_vfs",
        "pci_enable_sriov",
        "pci_disable_sriov",
        "pci_iov_add_virtfn",
        "pci_iov_remove_virtfn",
        "pci_lock_rescan_remove",
        "pci_stop_and_remove_bus_device",
        "pci_stop_bus_device",
        "pci_remove_bus_device",
        "pci_rescan_bus",
        "pci_rescan_bus_bridge_resize",
        "pci_bus_add_device",
        "pci_bus_add_devices",
        "pciehp_configure_device",
        "acpiphp_disable_slot",
        "disable_slot",
        "enable_slot",
        "power_write_file",
        "pcie_do_recovery",
        "report_error_detected",
        "pci_unregister_driver",
};

static void all_are_at(const Measured *all, size_t n, StackPlace place) {
        char entry[STACK_FRAME_MAX];

        for (size_t i = 0; i < n; i++) {
                if (stack_place(all[i].stack) != place)
                        fail_msg("%s: %s", all[i].what,
                                 stack_place_to_string(stack_place(all[i].stack)));
                assert_string_equal(stack_entry(all[i].stack, entry), all[i].entry);
        }
}

static void a_wait_for_one_device_is_told_from_the_rest(void **state) {
        (void) state;
        all_are_at(of_one_device, ELEMENTSOF(of_one_device), STACK_DEVICE);
}

static void whatever_may_hold_the_global_lock_counts_as_doing_so(void **state) {
        (void) state;
        all_are_at(of_all_devices, ELEMENTSOF(of_all_devices), STACK_GLOBAL);
}

static void every_frame_of_the_table_counts_alone(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(device_frames); i++)
                assert_int_equal(stack_place(device_frames[i]), STACK_DEVICE);
        for (size_t i = 0; i < ELEMENTSOF(global_frames); i++)
                assert_int_equal(stack_place(global_frames[i]), STACK_GLOBAL);
}

static void what_is_no_name_of_the_table_is_elsewhere(void **state) {
        static const char *const others[] = {
                "",
                "unknown",
                " < ",
                "do_sys_poll < __x64_sys_poll < do_syscall_64 < entry_SYSCALL_64_after_hwframe",
                "rescan_stores",
                "my_unbind_store",
                "pciehp",
                "msleep_interruptible < pciehp_poll < kthread < ret_from_fork",
                "fuse_ctl_cleanup < __do_sys_delete_module.isra.0 < do_syscall_64",
                "vfio_device_fops_release < __fput < task_work_run",
        };
        char entry[STACK_FRAME_MAX];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(others); i++) {
                assert_int_equal(stack_place(others[i]), STACK_ELSEWHERE);
                assert_string_equal(stack_entry(others[i], entry), "");
        }
}

static void a_name_that_is_too_long_is_cut(void **state) {
        char entry[STACK_FRAME_MAX];
        char stack[2 * STACK_FRAME_MAX] = "pciehp_";

        (void) state;
        memset(stack + strlen(stack), 'x', STACK_FRAME_MAX);
        assert_int_equal(stack_place(stack), STACK_GLOBAL);
        assert_int_equal(strlen(stack_entry(stack, entry)), STACK_FRAME_MAX - 1);
}

static void every_place_has_a_name(void **state) {
        (void) state;
        for (StackPlace p = 0; p < _STACK_PLACE_MAX; p++)
                assert_non_null(stack_place_to_string(p));
        assert_null(stack_place_to_string(_STACK_PLACE_MAX));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_wait_for_one_device_is_told_from_the_rest),
                cmocka_unit_test(whatever_may_hold_the_global_lock_counts_as_doing_so),
                cmocka_unit_test(every_frame_of_the_table_counts_alone),
                cmocka_unit_test(what_is_no_name_of_the_table_is_elsewhere),
                cmocka_unit_test(a_name_that_is_too_long_is_cut),
                cmocka_unit_test(every_place_has_a_name),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

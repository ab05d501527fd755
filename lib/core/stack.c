/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stack
 *
 * The one table of function names. Signatures are those of KERNEL.md 5.1 and of the entry points of 2.2; each row holds
 * on 6.1, 6.12 and 7.2, names that a compiler may inline stand beside the ones that call them. The stacks as they were
 * read in the VM lab are in tests/unit/test-stack.c.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/stack.h"

static const struct {
        const char *function; /* a * at its end: and all that begin so */
        StackPlace place;
} signatures[] = {
        /* numvfs takes it around the driver (variant C), or the PCI core below it (A, R) */
        { "sriov_numvfs_store", STACK_GLOBAL },
        { "sriov_enable", STACK_GLOBAL },
        { "sriov_disable", STACK_GLOBAL },
        { "sriov_add_vfs", STACK_GLOBAL },
        { "sriov_del_vfs", STACK_GLOBAL },
        { "pci_enable_sriov", STACK_GLOBAL },
        { "pci_disable_sriov", STACK_GLOBAL },
        { "pci_iov_add_virtfn", STACK_GLOBAL },
        { "pci_iov_remove_virtfn", STACK_GLOBAL },
        { "pci_lock_rescan_remove", STACK_GLOBAL },
        { "pci_stop_and_remove_*", STACK_GLOBAL },
        { "pci_stop_bus_device", STACK_GLOBAL },
        { "pci_remove_bus_device", STACK_GLOBAL },
        { "pci_rescan_bus*", STACK_GLOBAL },
        { "bus_rescan_store", STACK_GLOBAL },
        { "dev_rescan_store", STACK_GLOBAL },
        { "rescan_store", STACK_GLOBAL },
        { "pci_bus_add_device*", STACK_GLOBAL },
        { "pciehp_poll",
          STACK_ELSEWHERE }, /* with poll_mode: its thread's sleep between two looks */
        { "pciehp_*", STACK_GLOBAL },
        { "acpiphp_*", STACK_GLOBAL },
        { "disable_slot", STACK_GLOBAL },
        { "enable_slot", STACK_GLOBAL },
        { "power_write_file", STACK_GLOBAL },
        /* walks all devices under pci_bus_sem, which numvfs wants inside the global lock (KERNEL.md 3.1) */
        { "pcie_do_recovery", STACK_GLOBAL },
        { "report_error_detected", STACK_GLOBAL },
        /* takes the PF's lock and drains or is drained by numvfs = 0 */
        { "sriov_vf_msix_count_store", STACK_GLOBAL },
        /* every function of that driver, PFs with their VFs too; other modules' unload is none of our business */
        { "pci_unregister_driver", STACK_GLOBAL },
        /* one device's own lock */
        { "unbind_store", STACK_DEVICE },
        { "bind_store", STACK_DEVICE },
        { "drivers_probe_store", STACK_DEVICE },
        { "new_id_store", STACK_DEVICE },
        { "driver_override_store", STACK_DEVICE },
        { "driver_override_show", STACK_DEVICE },
        { "uevent_show", STACK_DEVICE }, /* 6.1, and 6.12 before 6.12.26 */
        { "control_store", STACK_DEVICE }, /* power/control */
        { "device_release_driver*", STACK_DEVICE },
        { "device_driver_detach", STACK_DEVICE },
        { "device_driver_attach", STACK_DEVICE },
        { "driver_probe_device", STACK_DEVICE },
        { "__driver_attach", STACK_DEVICE },
        { "vfio_unregister_group_dev", STACK_DEVICE },
        { "reset_store", STACK_DEVICE },
        { "reset_subordinate_store", STACK_DEVICE },
        { "pci_reset_function*", STACK_DEVICE },
        { "pci_wait_cfg", STACK_DEVICE }, /* a reader of config behind a reset that hangs */
        { "sriov_numvfs_show", STACK_DEVICE },
        { "sriov_vf_total_msix_show", STACK_DEVICE },
        { "local_pci_probe", STACK_DEVICE },
};

static bool matches(const char *pattern, const char *frame, size_t n) {
        size_t length = strlen(pattern);

        if (pattern[length - 1] == '*')
                return n >= length - 1 && strncmp(frame, pattern, length - 1) == 0;
        return n == length && strncmp(frame, pattern, n) == 0;
}

static StackPlace place_of(const char *frame, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(signatures); i++)
                if (matches(signatures[i].function, frame, n))
                        return signatures[i].place;
        return STACK_ELSEWHERE;
}

/* Frames stand between " < ". */
static const char *next_frame(const char *p, size_t *ret_n) {
        p += strspn(p, " <");
        *ret_n = strcspn(p, " <");
        return p;
}

StackPlace stack_place(const char *stack) {
        StackPlace worst = STACK_ELSEWHERE;
        size_t n;

        for (const char *p = next_frame(stack, &n); n > 0; p = next_frame(p + n, &n)) {
                StackPlace place = place_of(p, n);

                if (place > worst)
                        worst = place;
        }
        return worst;
}

const char *stack_entry(const char *stack, char buf[static STACK_FRAME_MAX]) {
        size_t n;

        buf[0] = '\0';
        for (const char *p = next_frame(stack, &n); n > 0; p = next_frame(p + n, &n)) {
                if (place_of(p, n) == STACK_ELSEWHERE)
                        continue;
                n = n < STACK_FRAME_MAX ? n : STACK_FRAME_MAX - 1;
                memcpy(buf, p, n);
                buf[n] = '\0';
        }
        return buf;
}

static const char *const place_names[_STACK_PLACE_MAX] = {
        [STACK_ELSEWHERE] = "elsewhere",
        [STACK_DEVICE] = "device",
        [STACK_GLOBAL] = "global",
};

const char *stack_place_to_string(StackPlace p) {
        return p < _STACK_PLACE_MAX ? place_names[p] : NULL;
}

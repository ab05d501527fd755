/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks: who is inside the kernel, and what its stack would show
 *
 * The names are those of real stacks (KERNEL.md 2.2, 5.1): outermost the entry of the file, then what the simulator knows
 * of locks, innermost how it waits.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

#define WRITE_TAIL "kernfs_fop_write_iter < vfs_write < ksys_write"
#define NETLINK_TAIL "netlink_rcv_skb < netlink_sendmsg < __sys_sendmsg"
#define READ_TAIL "kernfs_seq_show < vfs_read < ksys_read"

static const struct {
        const char *file;
        const char *frames;
} entries[] = {
        { "sriov_numvfs", "sriov_numvfs_store < " WRITE_TAIL },
        { "sriov_vf_msix_count", "sriov_vf_msix_count_store < " WRITE_TAIL },
        { "sriov_drivers_autoprobe", "sriov_drivers_autoprobe_store < " WRITE_TAIL },
        { "driver_override", "driver_override_store < " WRITE_TAIL },
        { "remove", "pci_stop_and_remove_bus_device_locked < remove_store < " WRITE_TAIL },
        { "rescan", "pci_rescan_bus < rescan_store < " WRITE_TAIL },
        { "reset", "pci_reset_function < reset_store < " WRITE_TAIL },
        { "reset_method", "reset_method_store < " WRITE_TAIL },
        { "bind", "device_driver_attach < bind_store < " WRITE_TAIL },
        { "unbind", "device_release_driver_internal < unbind_store < " WRITE_TAIL },
        { "drivers_probe", "drivers_probe_store < " WRITE_TAIL },
        { "eswitch", "devlink_nl_cmd_eswitch_set_doit < genl_rcv_msg < " NETLINK_TAIL },
        { "queues", "blk_execute_rq < nvme_submit_user_cmd < nvme_ioctl < __x64_sys_ioctl" },
        { "up", "do_setlink < rtnl_setlink < rtnetlink_rcv_msg < " NETLINK_TAIL },
        { "power", "pciehp_sysfs_disable_slot < power_write_file < " WRITE_TAIL },
};

static const struct {
        const char *file;
        const char *frames;
} reads[] = {
        { "sriov_numvfs", "sriov_numvfs_show < " READ_TAIL },
        { "sriov_vf_total_msix", "sriov_vf_total_msix_show < " READ_TAIL },
        { "driver_override", "driver_override_show < " READ_TAIL },
        { "uevent", "uevent_show < " READ_TAIL },
        { "attributes", "rtnl_getlink < rtnetlink_rcv_msg < " NETLINK_TAIL },
};

static const char *last_part(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* An operation is called "VALUE > PATH", "modprobe NAME", "rmmod NAME", "irq/..." or, a read, PATH. */
static const char *entry_of(const SimOp *o) {
        const char *path = strstr(o->what, " > ");

        if (startswith(o->what, "modprobe "))
                return "__driver_attach < driver_attach < do_init_module < load_module";
        if (startswith(o->what, "rmmod "))
                return "driver_unregister < pci_unregister_driver < __do_sys_delete_module";
        if (startswith(o->what, "irq/aerdrv"))
                return "report_error_detected < pcie_do_recovery < aer_isr < irq_thread_fn";
        if (startswith(o->what, "irq/"))
                return "pciehp_disable_slot < pciehp_ist < irq_thread_fn < irq_thread";
        for (size_t i = 0; path && i < ELEMENTSOF(entries); i++)
                if (streq(entries[i].file, last_part(path)))
                        return entries[i].frames;
        for (VfAttr a = VFATTR_MAC; path && a < _VFATTR_MAX; a++)
                if (streq(vfattr_to_string(a), last_part(path)))
                        return "do_setvfinfo < do_setlink < rtnetlink_rcv_msg < " NETLINK_TAIL;
        for (size_t i = 0; !path && i < ELEMENTSOF(reads); i++)
                if (streq(reads[i].file, last_part(o->what)))
                        return reads[i].frames;
        return "vfs_write < ksys_write";
}

/* How it waits. */
static const char *top_of(const SimTask *t) {
        if (!t->wants)
                return t->state == SIM_TASK_SLEEPING ? "msleep" : "wait_for_completion";
        switch (t->wants->class) {
        case SIM_KA:
                return "kernfs_drain < __kernfs_remove";
        case SIM_BS:
                return "rwsem_down_write_slowpath";
        case SIM_IRQ:
                return "__synchronize_irq < free_irq";
        case SIM_USER:
                return "vfio_unregister_group_dev < vfio_pci_remove < pci_device_remove";
        default:
                return "__mutex_lock";
        }
}

static bool holds_class(const SimTask *t, SimLockClass class) {
        for (const SimHold *h = t->holds; h; h = h->next_of_task)
                if (h->lock->class == class)
                        return true;
        return false;
}

const char *sim_stack(const SimTask *t, char *buf, size_t size) {
        const char *lock = "";

        if (!t->op) {
                /* Between two calls, in a proof that polls. */
                snprintf(buf, size, "%s",
                         t->state == SIM_TASK_SLEEPING ? "hrtimer_nanosleep < common_nsleep"
                                                       : "unknown");
                return buf;
        }
        /* Who makes or takes VFs on the way holds the global lock somewhere in between. */
        if (t->wants && t->wants->class == SIM_RR)
                lock = "pci_lock_rescan_remove < ";
        else if (holds_class(t, SIM_RR))
                lock = "sriov_disable < ";
        snprintf(buf, size, "%s < %s%s", top_of(t), lock, entry_of(t->op));
        return buf;
}

static int add_task(const SimTask *t, Tasks *ret) {
        Task task = { .pid = t->pid, .state = 'D', .fn = t->op->fn };

        snprintf(task.command, sizeof(task.command), "%s",
                 t->op->class == SIM_OP_KERNEL ? "irq/24-pciehp" : t->command);
        sim_stack(t, task.stack, sizeof(task.stack));
        task.place = stack_place(task.stack);
        /* The wait for a vfio user is interruptible until a signal comes. */
        if (t->wants && t->wants->class == SIM_USER)
                task.state = 'S';
        return task.place == STACK_ELSEWHERE ? 0 : tasks_add(ret, &task);
}

int sim_tasks(Sim *sim, uint32_t pid, uint32_t ppid, Tasks *ret) {
        int r = 0;

        for (const SimTask *t = sim->sched.tasks; t && r >= 0; t = t->next) {
                bool ours = t == sim->sched.current || t->pid == pid ||
                            (ppid > 1 && (t->ppid == ppid || t->pid == ppid));

                /* What died by an Oops is no task any more. */
                if (!ours && t->op && t->state != SIM_TASK_ENDED && t->state != SIM_TASK_DEAD)
                        r = add_task(t, ret);
        }
        return r;
}

static const SimFn *pf_of(const SimFn *fn) {
        return fn->pf ? fn->pf : fn;
}

/* Not on the same PF, and neither above it nor on the whole host. */
bool tasks_apart(const Sched *s, const SimOp *stuck, const SimOp *op) {
        const Sim *sim = (const Sim *) s;
        const SimFn *a = world_find(sim, stuck->fn), *b = world_find(sim, op->fn);
        const SimTask *t = stuck->task;

        if (!a || !b || !t || holds_class(t, SIM_RR) || (t->wants && t->wants->class == SIM_RR))
                return false;
        return pf_of(a) != pf_of(b) && !(b->hw && world_below(a, b->hw));
}

SimTask *sim_task_of(Sim *sim, uint32_t pid) {
        for (SimTask *t = sim->sched.tasks; t; t = t->next)
                if (t->pid == pid && t->state != SIM_TASK_ENDED && t->state != SIM_TASK_DEAD)
                        return t;
        return NULL;
}

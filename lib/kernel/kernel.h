/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel: THE SEAM
 *
 * All that sriovd knows of a kernel passes through this table: sysfs.c implements it for the real one,
 * tests/sim for one in memory. Paths are relative to /sys, without a leading slash.
 *
 * Calls may sleep as long as the kernel's locks let them: the daemon's loop uses only attributes that attr.c marks
 * as never blocking; all else is for children. Each call returns 0 or more on success and -errno as the
 * kernel gave it. Nothing is retried, nothing is logged.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/holder.h"
#include "core/op.h"
#include "core/stack.h"
#include "core/vfattr.h"

typedef struct Kernel Kernel;
typedef struct PfFacts PfFacts;

/* A task (of another program, or the kernel's own) that is inside PCI's or drivers' paths in the kernel now. */
typedef struct Task {
        uint32_t pid; /* of the thread */
        char command[32];
        char state; /* as /proc/PID/stat has it: 'D', 'S', 'R' */
        StackPlace place; /* never STACK_ELSEWHERE */
        Bdf fn; /* the function whose file it writes or reads, BDF_NONE where that cannot be told */
        char stack[1024]; /* "vfio_unregister_group_dev < vfio_pci_remove < ...", cut at the end */
} Task;

typedef struct Tasks {
        Task *items;
        size_t n;
} Tasks;

/* A change that the kernel told of, or that udev has done its part after one. */
typedef struct KernelEvent {
        enum {
                KERNEL_EVENT_CHANGED, /* bdf: something about this function, or a netdev of it, changed */
                KERNEL_EVENT_LOST, /* events were dropped (ENOBUFS): look at everything again */
                KERNEL_EVENT_OTHER, /* slots or drivers came or went */
                KERNEL_EVENT_UDEV, /* bdf: initialized() may say another thing from now on */
        } kind;
        Bdf bdf;
        bool own; /* of the function itself, not of a netdev of it */
        uint64_t
                seq; /* the kernel's number; udev's event has that of the one it follows. 0: none */
        char action[16]; /* "add", "remove", "change", "bind", "unbind", ... */
} KernelEvent;

/* What a search for users may do. */
typedef enum UsersMode {
        USERS_TEST, /* for a job: also opens vfio groups and claims disks, which nobody else can do in that moment */
        USERS_TESTED, /* so, but the vfio group was just opened by open_group(), or is guarded by us */
        USERS_LOOK, /* a mere question: gets in nobody's way, at the price of claims that show no name */
        USERS_GLANCE, /* so, and waits for nothing: what rtnetlink would tell is HOLDER_UNKNOWN */
} UsersMode;

#define KERNEL_NO_UDEV 2
#define KERNEL_UDEV_IDLE 3

struct Kernel {
        /* Where its sysfs is mounted, for the gate ("/sys"); NULL: nowhere. */
        const char *sys;
        /* Doors may have lost their mode's w to us (GATE_EXCLUSIVE): write() gives it back for the moment of the open. */
        bool unlocks;
        /*
         * Paths that must not be opened by this process, for it would wait for itself: the gate's. read() and write() of one
         * are -EDEADLK. NULL: none.
         */
        bool (*is_door)(void *userdata, const char *path);
        void *is_door_userdata;
        /* Names in a directory, unsorted, "." and ".." left out; the caller owns the list. -ENOENT, -ENOTDIR, ... */
        int (*list)(Kernel *k, const char *path, char ***ret);
        /* At most size - 1 bytes with a trailing newline taken off, NUL-terminated; returns the length. */
        int (*read)(Kernel *k, const char *path, char *buf, size_t size);
        /* One open, one write() of the whole string (no NUL), one close. A short write is -EIO. */
        int (*write)(Kernel *k, const char *path, const char *value);
        /* The last component of a symlink's target. -ENOENT, -EINVAL (no link). Does not need the target to exist. */
        int (*link)(Kernel *k, const char *path, char *buf, size_t size);
        /* The directory a device's symlink leads to, relative to /sys ("devices/pci0000:00/..."). */
        int (*path)(Kernel *k, const char *path, char *buf, size_t size);
        /* st_ino of what the path leads to: a re-enumerated device has another. */
        int (*identity)(Kernel *k, const char *path, uint64_t *ret);
        /* Tries to open /dev/vfio/GROUP: 0 and an fd if nobody has it, -EBUSY if somebody does, -ENOENT. */
        int (*open_group)(Kernel *k, int group, int *ret_fd);
        /*
         * Adds all who use these functions (DESIGN, holders), with one look at all processes. What cannot be told is added as
         * HOLDER_UNKNOWN. May wait for RTNL. 0, -ENOMEM; -ENOENT: none of them is there.
         */
        int (*users)(Kernel *k, const Bdf *fns, size_t n, UsersMode mode, Holders *ret);
        /*
         * Tasks that are inside the kernel's paths of stack.h now, our own process and children of our parent left out. Takes
         * no lock of a device. 0, -ENOMEM; -EACCES, ...: cannot be told at all.
         */
        int (*tasks)(Kernel *k, Tasks *ret);
        /*
         * What the VFs of a PF have (core/vfattr.h), from index first on, n of them: ret has room for n, and what the kernel or the
         * driver does not tell of one is not in its `has`. Waits for RTNL, for the PF's lock and for its controller: children
         * only. 0; -errno: of none is known what it has.
         */
        int (*vf_attrs)(Kernel *k, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret);
        /*
         * Gives one VF one attribute, out of attrs; no more than one, for the kernel applies a batch partly. Waits likewise.
         * VFATTR_MSIX and VFATTR_QUEUES (which takes it offline for a moment) want a VF without a driver; MSIX must not meet
         * sriov_numvfs (KERNEL.md part 1, hazard 3). 0: it was taken, and is still to be proven by vf_attrs(). -EOPNOTSUPP: not
         * with this driver or kernel, or the PF has no net device; -EPROTONOSUPPORT: not that kind of VLAN; -ENOENT, -EINVAL: no such
         * VF; -EBUSY; -ERANGE, -EINVAL: not that value.
         */
        int (*vf_set)(Kernel *k, Bdf pf, uint32_t index, VfAttr attr, const VfAttrs *attrs);
        /*
         * The mode of a PF's eswitch, by devlink. Waits for its lock, and a change for RTNL in it: children only.
         * ESWITCH_KEEP: one that is neither. -EOPNOTSUPP: it has no devlink, or no eswitch there.
         */
        int (*eswitch_get)(Kernel *k, Bdf pf, Eswitch *ret);
        int (*eswitch_set)(Kernel *k, Bdf pf, Eswitch mode);
        /* Brings all of a function's net devices up. Waits for RTNL: children only. -ENODEV: it has none. */
        int (*up)(Kernel *k, Bdf fn);
        /*
         * What a PF is known by beyond what a scan sees; what is not known is NULL. Waits for RTNL, and for the PF's lock on 6.1:
         * children only. 0 and *ret, the caller's to pf_facts_done(); -ENOENT: no such device; -ENOMEM.
         */
        int (*facts)(Kernel *k, Bdf pf, PfFacts *ret);
        /* modprobe NAME, or delete_module(NAME, O_NONBLOCK): -ENOENT, -EWOULDBLOCK, ... */
        int (*load_module)(Kernel *k, const char *name);
        int (*unload_module)(Kernel *k, const char *name);
        /*
         * 1 if udev's database has the function and all its net devices: udev's rules have run, names are what they stay; what
         * comes of them, the driver's module, may be under way still, until udev's event is told. KERNEL_UDEV_IDLE: so, and udev
         * has nothing under way. 0: not yet. KERNEL_NO_UDEV: there is none, and nothing to wait for. Takes no lock of a device.
         */
        int (*initialized)(Kernel *k, Bdf fn);
        /* An fd that polls readable when next_event() has something. Owned by the Kernel. */
        int (*watch)(Kernel *k, int *ret_fd);
        /* 1 and an event, 0 if there is none now. Never waits. */
        int (*next_event)(Kernel *k, KernelEvent *ret);
        /* For proofs that poll: lets the given time pass (virtually in the simulator). */
        void (*pause)(Kernel *k, unsigned ms);
        Kernel *(*free)(Kernel *k);
};

/*
 * The kernel this program talks to: the running one. The simulator's programs link another definition.
 * NULL with errno set on failure.
 */
Kernel *kernel_open(void);

int tasks_add(Tasks *all, const Task *t); /* a copy; 0, -ENOMEM */
void tasks_done(Tasks *all);

static inline void kernel_freep(Kernel **k) {
        if (*k)
                (*k)->free(*k);
}

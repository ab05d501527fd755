/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Use: a table of what to do, and what undoes it
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/macro.h"
#include "base/str.h"
#include "tests/scenario/use.h"

#define USES_MAX 8

/* udev gives a new net device its name a moment after its birth. */
#define NET                                                                                        \
        "udevadm settle -t 20; net=$(ls /sys/bus/pci/devices/$FN/net | head -n 1); "               \
        "[ -n \"$net\" ] && "
/* A namespace of a controller with one path is called after the path on some kernels: nvme0c0n1. */
#define DISK                                                                                       \
        "disk=/dev/$(ls /sys/bus/pci/devices/$FN/nvme/nvme* | grep -E "                            \
        "'^nvme[0-9]+(c[0-9]+)?n[0-9]+$' | "                                                       \
        "head -n 1 | sed 's/c[0-9]*n/n/'); [ -b \"$disk\" ] && "

static const struct {
        const char *kind, *begin, *end;
} uses[] = {
        { "netdev", NET "ip link set $net up && ip addr add 192.0.2.9/24 dev $net",
          NET "ip addr flush dev $net && ip link set $net down" },
        { "up", NET "ip link set $net up", NET "ip link set $net down" },
        { "down", NET "ip link set $net down", "true" },
        /* A port of a bridge the emulated VF cannot be: it knows no VLAN 1. */
        { "master", NET "ip link add link $net name sdbr0 type macvlan", "ip link del sdbr0" },
        { "netns", "ip netns add sdspace; " NET "ip link set $net netns sdspace",
          "ip netns del sdspace" },
        { "mount",
          DISK "mkfs.ext4 -q -F $disk && mkdir -p /run/sdmount && mount $disk /run/sdmount",
          "umount /run/sdmount" },
        { "swap", DISK "mkswap $disk > /dev/null && swapon $disk", DISK "swapoff $disk" },
};

static struct {
        Bdf fn;
        size_t use;
        bool on;
} begun[USES_MAX];

static int shell(Bdf fn, const char *command) {
        int status;

        setenv("FN", BDF_STR(fn), 1);
        status = system(command);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int begin(Bdf fn, size_t use) {
        for (size_t i = 0; i < USES_MAX; i++) {
                if (begun[i].on)
                        continue;
                begun[i].fn = fn;
                begun[i].use = use;
                begun[i].on = true;
                return shell(fn, uses[use].begin);
        }
        return -ENOSPC;
}

int use_begin(Bdf fn, const char *kind) {
        for (size_t use = 0; use < ELEMENTSOF(uses); use++)
                if (streq(uses[use].kind, kind))
                        return begin(fn, use);
        return -EOPNOTSUPP;
}

int use_end(Bdf fn) {
        int r = -ENOENT;

        for (size_t i = 0; i < USES_MAX; i++) {
                if (!begun[i].on || !(bdf_is_none(fn) || bdf_equal(begun[i].fn, fn)))
                        continue;
                begun[i].on = false;
                /* What went with its device needs no end, and has none. */
                (void) shell(begun[i].fn, uses[begun[i].use].end);
                r = 0;
        }
        return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users: who uses a function, and sriovd's own guards on vfio groups
 *
 * A vfio user is a lock that `remove` of the driver waits for (driver.c). All others are nothing but words here: the kernel
 * takes a net device away from its bridge and a disk from its mount without asking anybody.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "tests/sim/world.h"

static bool is_vfio(const SimFn *fn) {
        return fn->driver && (fn->driver->info->flags & DRIVER_VFIO);
}

int sim_hold(Sim *sim, Bdf bdf, bool on) {
        SimFn *fn = world_find(sim, bdf);

        if (!fn)
                return -ENOENT;
        if (!on) {
                sim_user_unlock(SCHED(sim), &fn->user);
                return 0;
        }
        /* vfio_device_put_registration() has begun: who comes now finds no device behind the group. */
        if (!is_vfio(fn) || fn->unbinding)
                return -ENOENT;
        if (fn->user.holds || guard_is_on(sim, fn->group))
                return -EBUSY;
        sim_user_lock(SCHED(sim), &fn->user);
        return 0;
}

void sim_drop_all(Sim *sim) {
        for (SimFn *f = sim->fns; f; f = f->next)
                sim_user_unlock(SCHED(sim), &f->user);
}

/* The other end was closed, by whatever process had it last. */
static bool is_over(const SimGuard *g) {
        struct pollfd p = { .fd = g->fd };

        return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static void drop_closed_guards(Sim *sim) {
        for (SimGuard **p = &sim->guards; *p;) {
                SimGuard *g = *p;

                if (!is_over(g)) {
                        p = &g->next;
                        continue;
                }
                *p = g->next;
                close_fd(g->fd);
                free(g);
        }
}

bool guard_is_on(Sim *sim, int group) {
        drop_closed_guards(sim);
        for (const SimGuard *g = sim->guards; g; g = g->next)
                if (g->group == group)
                        return true;
        return false;
}

static int guard_add(Sim *sim, int group, int *ret_fd) {
        SimGuard *g = calloc(1, sizeof(*g));
        int fds[2];

        if (!g)
                return -ENOMEM;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
                free(g);
                return -errno;
        }
        *g = (SimGuard){ .group = group, .fd = fds[0], .next = sim->guards };
        sim->guards = g;
        *ret_fd = fds[1];
        return 0;
}

int guard_open(Sim *sim, int group, int *ret_fd) {
        for (const SimFn *f = sim->fns; f; f = f->next) {
                if (f->gone || f->group != group || !is_vfio(f))
                        continue;
                if (f->user.holds || guard_is_on(sim, group))
                        return -EBUSY;
                return guard_add(sim, group, ret_fd);
        }
        return -ENOENT;
}

static int add_vfio_user(const SimFn *fn, Holders *ret) {
        Holder h = { .kind = HOLDER_VFIO, .fn = fn->bdf, .pid = SIM_HOLDER_PID };

        snprintf(h.command, sizeof(h.command), SIM_HOLDER);
        snprintf(h.detail, sizeof(h.detail), "/dev/vfio/%d", fn->group);
        return holders_add(ret, &h);
}

static bool is_net(const SimFn *fn) {
        return fn->driver && (fn->driver->info->flags & DRIVER_NET);
}

static int add_unknown(const SimFn *fn, Holders *ret) {
        Holder h = { .kind = HOLDER_UNKNOWN, .fn = fn->bdf };

        snprintf(h.detail, sizeof(h.detail), "addresses of its net devices");
        return holders_add(ret, &h);
}

static int users_of_one(Sim *sim, Bdf bdf, UsersMode mode, Holders *ret) {
        const SimFn *fn = world_find(sim, bdf);
        int r = 0;

        if (!fn)
                return -ENOENT;
        if (fn->user.holds && mode != USERS_TESTED)
                r = add_vfio_user(fn, ret);
        for (const SimUse *u = fn->uses; u && r >= 0; u = u->next)
                if (mode != USERS_GLANCE || u->holder.kind != HOLDER_NETDEV)
                        r = holders_add(ret, &u->holder);
        if (r >= 0 && mode == USERS_GLANCE && is_net(fn))
                r = add_unknown(fn, ret);
        return r;
}

void sim_hold_rtnl(Sim *sim, bool hold) {
        sim->rtnl_held = hold;
        sim->rtnl_free = !hold;
        if (!hold)
                sim_wake(SCHED(sim), &sim->rtnl_free);
}

int users_of(Sim *sim, const Bdf *fns, size_t n, UsersMode mode, Holders *ret) {
        size_t there = 0;

        if (sim->rtnl_held && mode != USERS_GLANCE && sim->sched.current)
                sim_wait_until(SCHED(sim), &sim->rtnl_free);

        for (size_t i = 0; i < n; i++) {
                int r = users_of_one(sim, fns[i], mode, ret);

                if (r < 0 && r != -ENOENT)
                        return r;
                there += r >= 0;
        }
        return there > 0 ? 0 : -ENOENT;
}

bool users_has(const SimFn *fn, HolderKind kind) {
        for (const SimUse *u = fn->uses; u; u = u->next)
                if (u->holder.kind == kind)
                        return true;
        return false;
}

/* Which drivers make what can be used so, and the words for it. No flags: what needs no driver. */
static const struct {
        HolderKind kind;
        uint32_t flags;
        const char *detail;
} kinds[] = {
        { HOLDER_NETDEV, DRIVER_NET, "192.0.2.1/24 on eth9" },
        { HOLDER_MASTER, DRIVER_NET, "eth9 in bridge br9" },
        { HOLDER_NETNS, DRIVER_NET, "eth9 in network namespace 4026532000" },
        { HOLDER_MOUNT, DRIVER_DISK, "/dev/nvme9n1 on /srv" },
        { HOLDER_SWAP, DRIVER_DISK, "/dev/nvme9n1" },
        { HOLDER_DM, DRIVER_DISK, "/dev/nvme9n1 in dm-9" },
        { HOLDER_MD, DRIVER_DISK, "/dev/nvme9n1 in md9" },
        { HOLDER_LVM, DRIVER_DISK, "/dev/nvme9n1 in volume group vg9" },
        { HOLDER_BLOCK, DRIVER_DISK, "/dev/nvme9n1" },
        { HOLDER_RDMA, DRIVER_NET, "/dev/infiniband/uverbs9" },
        { HOLDER_CNI, 0, "pod default/web" },
        { HOLDER_UNKNOWN, 0, "cannot read /proc" },
};

static size_t kind_index(HolderKind kind) {
        size_t i = 0;

        while (i < ELEMENTSOF(kinds) && kinds[i].kind != kind)
                i++;
        return i;
}

/* Not `all`: those of the net or block device that went with its driver. */
static void drop_uses(SimFn *fn, bool all) {
        for (SimUse **p = &fn->uses; *p;) {
                SimUse *u = *p;

                if (!all && kinds[kind_index(u->holder.kind)].flags == 0) {
                        p = &u->next;
                        continue;
                }
                *p = u->next;
                free(u);
        }
}

int sim_use(Sim *sim, Bdf bdf, HolderKind kind, const char *detail) {
        SimFn *fn = world_find(sim, bdf);
        size_t i = kind_index(kind);
        SimUse *u;

        if (!fn)
                return -ENOENT;
        if (i == ELEMENTSOF(kinds) ||
            (kinds[i].flags && !(fn->driver && (fn->driver->info->flags & kinds[i].flags))))
                return -ENODEV;
        u = calloc(1, sizeof(*u));
        if (!u)
                return -ENOMEM;
        u->holder = (Holder){ .kind = kind, .fn = bdf };
        snprintf(u->holder.detail, sizeof(u->holder.detail), "%s",
                 detail ? detail : kinds[i].detail);
        u->next = fn->uses;
        fn->uses = u;
        fn->net_up = fn->net_up || kind == HOLDER_NETDEV;
        world_event(sim, bdf, "change");
        return 0;
}

int sim_unuse(Sim *sim, Bdf bdf) {
        SimFn *fn = world_find(sim, bdf);

        if (!fn)
                return -ENOENT;
        drop_uses(fn, true);
        return 0;
}

void users_leave(SimFn *fn) {
        drop_uses(fn, false);
}

void users_free(Sim *sim) {
        for (SimFn *f = sim->fns; f; f = f->next)
                drop_uses(f, true);
        for (SimGuard *g = sim->guards, *next; g; g = next) {
                next = g->next;
                close_fd(g->fd);
                free(g);
        }
        sim->guards = NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes, disks and net devices for a tree, and a kernel that answers what is asked beyond files
 */
#pragma once

#include <inttypes.h>

#include "kernel/holder.h"

#include "tests/unit/fake-tree.h"

static const Bdf fn = { 0, 0x0100 }; /* PF_DIR */
static const Bdf vf0 = { 0, 0x0180 }; /* VF_DIR("10.0") */

/* A link whose text is as given. */
static inline void tree_text_link(const Tree *t, const char *directory, const char *name,
                                  const char *text) {
        char path[PATH_MAX];

        tree_dir(t, "%s", directory);
        snprintf(path, sizeof(path), "%s/%s/%s", t->root, directory, name);
        assert_int_equal(symlink(text, path), 0);
}

static inline const char *tree_path(const Tree *t, const char *rest, char *buf) {
        snprintf(buf, PATH_MAX, "%s/%s", t->root, rest);
        return buf;
}
#define TREE_PATH(t, rest) tree_path((t), (rest), (char[PATH_MAX]){ 0 })

/* With namespaces 1 (ours) or more: each number stands for one. */
static inline void tree_process(const Tree *t, unsigned pid, const char *command, unsigned netns,
                                unsigned mntns) {
        char directory[64], text[64];

        snprintf(directory, sizeof(directory), "proc/%u", pid);
        snprintf(text, sizeof(text), "%s\n", command);
        tree_file(t, directory, "comm", text);
        snprintf(text, sizeof(text), "%u (%s) S 1 %u", pid, command, pid);
        tree_file(t, directory, "stat", text);
        strcat(directory, "/ns");
        snprintf(text, sizeof(text), "net:[%u]", netns);
        tree_file(t, directory, text, "");
        tree_text_link(t, directory, "net", text);
        snprintf(text, sizeof(text), "mnt:[%u]", mntns);
        tree_text_link(t, directory, "mnt", text);
        snprintf(directory, sizeof(directory), "proc/%u/fd", pid);
        tree_dir(t, "%s", directory);
        snprintf(directory, sizeof(directory), "proc/%u", pid);
        tree_file(t, directory, "mountinfo", "");
}

/* What every /proc has: ourselves, and init. */
static inline void tree_proc(const Tree *t) {
        tree_text_link(t, "proc/self/ns", "net", "net:[1]");
        tree_text_link(t, "proc/self/ns", "mnt", "mnt:[1]");
        tree_file(t, "proc/self", "mountinfo", "");
        tree_file(t, "proc", "swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        tree_process(t, 1, "systemd", 1, 1);
}

static inline void tree_open_file(const Tree *t, unsigned pid, unsigned fd, const char *text) {
        char directory[64], name[16];

        snprintf(directory, sizeof(directory), "proc/%u/fd", pid);
        snprintf(name, sizeof(name), "%u", fd);
        tree_text_link(t, directory, name, text);
}

/* The kernel's answers. */
static struct {
        NetUse addresses, routes;
        int addresses_error, routes_error;
        uint32_t ifindex; /* was asked for */
        const char *netns, *netdev, *parent; /* it is in that one, "net:[5]", and belongs to that */
        uint32_t lower; /* or is made of the one with that number */
        bool untold; /* or shows nothing */
        bool told_here; /* our own namespace has one that tells its parent */
        int links_error;
        unsigned n_asked; /* namespaces, our own left out */
        const Tree *pulled; /* when addresses are asked for, the function goes from it */
        const char *claimed; /* a node whose path ends so is; */
        int claim_error; /* that is what a claim of it says, */
        unsigned claim_until; /* but so many times only; 0: always */
        unsigned n_claims;
        unsigned paused; /* ms */
} world;

static inline int fake_addresses(uint32_t ifindex, NetUse *ret) {
        world.ifindex = ifindex;
        if (world.pulled)
                tree_drop(world.pulled, "bus/pci/devices/0000:01:00.0");
        *ret = world.addresses;
        return world.addresses_error;
}

static inline int fake_routes(uint32_t ifindex, NetUse *ret) {
        assert_int_equal(ifindex, world.ifindex);
        *ret = world.routes;
        return world.routes_error;
}

static inline int fake_links(int netns, NetLinks *ret) {
        NetLink link = { .lower = world.lower, .untold = world.untold };
        char own[64], path[PATH_MAX];
        ssize_t n;

        if (netns < 0) {
                strcpy(link.parent, "0000:00:1f.6");
                return world.told_here ? net_links_add(ret, &link) : 0;
        }
        world.n_asked++;
        if (world.links_error < 0)
                return world.links_error;
        snprintf(own, sizeof(own), "/proc/self/fd/%d", netns);
        n = readlink(own, path, sizeof(path) - 1);
        assert_true(n > 0);
        path[n] = '\0';
        if (!world.netns || !streq(strrchr(path, '/') + 1, world.netns))
                return 0;
        assert_int_equal(str_copy(link.name, sizeof(link.name), world.netdev), 0);
        if (world.parent)
                assert_int_equal(str_copy(link.parent, sizeof(link.parent), world.parent), 0);
        return net_links_add(ret, &link);
}

static inline int fake_claim(const char *path) {
        size_t n = strlen(path), m = world.claimed ? strlen(world.claimed) : 0;

        world.n_claims++;
        if (world.claim_until > 0 && world.n_claims > world.claim_until)
                return 0;
        return world.claimed && n >= m && streq(path + n - m, world.claimed) ? world.claim_error
                                                                             : 0;
}

static inline void fake_pause(Kernel *k, unsigned ms) {
        (void) k;
        world.paused += ms;
}

static const HolderAsks fake_asks = {
        .addresses = fake_addresses,
        .routes = fake_routes,
        .links = fake_links,
        .claim = fake_claim,
};

typedef struct Found {
        Tree tree;
        Holders holders;
} Found;

static inline void found_init(Found *f) {
        memset(&world, 0, sizeof(world));
        f->holders = (Holders){};
        tree_init(&f->tree);
        f->tree.k->pause = fake_pause;
        tree_proc(&f->tree);
}

static inline void found_done(Found *f) {
        holders_done(&f->holders);
        tree_done(&f->tree);
}

static inline int look_with(Found *f, HolderView *view, const Bdf *fns, size_t n, UsersMode mode) {
        const Tree *t = &f->tree;
        const Roots roots = { t->root, t->dev, t->proc, t->cni, t->udev };

        holders_done(&f->holders);
        return holder_search(&(HolderWorld){ t->k, &roots, &fake_asks, view }, fns, n, mode,
                             &f->holders);
}

/* Looks anew, at all of it. */
static inline int look(Found *f, Bdf of, UsersMode mode) {
        HolderView view = {};
        int r = look_with(f, &view, &of, 1, mode);

        holder_view_done(&view);
        return r;
}

/* Lines of holder_format(), with the tree's own place taken out of them. */
static inline void assert_holders_of(Found *f, const char *const *wanted, size_t n) {
        for (size_t i = 0; i < f->holders.n; i++) {
                char line[HOLDER_STR_MAX], *place;

                holder_format(f->holders.items + i, line, sizeof(line));
                while ((place = strstr(line, f->tree.root)))
                        memmove(place, place + strlen(f->tree.root),
                                strlen(place + strlen(f->tree.root)) + 1);
                if (i >= n)
                        fail_msg("one too many: %s", line);
                assert_string_equal(line, wanted[i]);
        }
        assert_int_equal(f->holders.n, n);
}
#define assert_holders(f, ...)                                                                     \
        assert_holders_of((f), (const char *const[]){ __VA_ARGS__ },                               \
                          sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))
#define assert_nobody(f) assert_int_equal((f)->holders.n, 0)

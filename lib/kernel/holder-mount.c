/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders by mount
 *
 * Each mount namespace has its own list, so that one process of each is asked. A mount is known by the number of its
 * disk; btrfs has one of no disk, and tells in /sys/fs/btrfs which disks it is made of, as long as it is mounted anywhere.
 */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/block.h"
#include "kernel/mount.h"

/* Processes come and go: so often is the whole looked at anew. */
#define TRIES 3

/* One btrfs that has one of our disks among its own. */
typedef struct Btrfs {
        Block *block;
        char **disks; /* owned: names of all its disks */
} Btrfs;

typedef struct MountSearch {
        HolderSearch *search;
        Blocks *blocks;
        Btrfs *btrfs;
        size_t n_btrfs;
        uint32_t pid; /* whose mounts are looked at; 0: they are ours as well */
} MountSearch;

static void mount_search_done(MountSearch *m) {
        for (size_t i = 0; i < m->n_btrfs; i++)
                strv_free(m->btrfs[i].disks);
        free(m->btrfs);
}

static Block *find_block(Blocks *all, const char *name) {
        for (size_t i = 0; i < all->n; i++)
                if (streq(all->items[i].name, name))
                        return all->items + i;
        return NULL;
}

static int add_btrfs(MountSearch *m, char **disks) {
        Btrfs *more;

        STRV_FOREACH (disk, disks) {
                Block *block = find_block(m->blocks, *disk);

                if (!block)
                        continue;
                more = reallocarray(m->btrfs, m->n_btrfs + 1, sizeof(Btrfs));
                if (!more)
                        return -ENOMEM;
                m->btrfs = more;
                m->btrfs[m->n_btrfs++] = (Btrfs){ block, disks };
                return 1;
        }
        return 0;
}

static int find_btrfs(MountSearch *m) {
        _cleanup_strv_ char **names = NULL;
        Kernel *k = m->search->k;
        int r;

        r = k->list(k, ATTR_BUS(ATTR_BTRFS), &names);
        if (r < 0)
                return holder_cannot_tell(m->search, r, "disks of btrfs");
        STRV_FOREACH (name, names) {
                _cleanup_strv_ char **disks = NULL;

                r = k->list(k, ATTR_NAME(ATTR_BTRFS_DEVICES, *name), &disks);
                if (r == -ENOENT)
                        continue; /* "features", which is none */
                r = r < 0 ? holder_cannot_tell(m->search, r, "disks of btrfs %s", *name)
                          : add_btrfs(m, disks);
                if (r < 0)
                        return r;
                if (r > 0)
                        TAKE_PTR(disks);
        }
        return 0;
}

static Block *mounted_block(MountSearch *m, const Mount *mount) {
        const char *source = strrchr(mount->source, '/');

        for (size_t i = 0; i < m->blocks->n; i++)
                if (m->blocks->items[i].major == mount->major &&
                    m->blocks->items[i].minor == mount->minor)
                        return m->blocks->items + i;
        source = source ? source + 1 : mount->source;
        for (size_t i = 0; i < m->n_btrfs && streq(mount->type, "btrfs"); i++)
                STRV_FOREACH (disk, m->btrfs[i].disks)
                        if (streq(*disk, source))
                                return m->btrfs[i].block;
        return NULL;
}

/* The first place is told; the same one in a hundred containers would be a hundred lines. */
static int see_mount(void *arg, const Mount *mount) {
        MountSearch *m = arg;
        Block *block = mounted_block(m, mount);

        if (!block || block->used)
                return 0;
        block->used = true;
        return holder_found(m->search, HOLDER_MOUNT, m->pid, "%s on %s", block->node, mount->point);
}

/* -ESTALE: one had no process any more that could be asked; another may live in it. */
static int look_at_all(MountSearch *m) {
        const Census *census;
        int r, worst;

        r = holder_census(m->search, &census);
        if (r < 0)
                return r;
        worst = census->mounts_error;
        for (size_t i = 0; i < census->n_mounts; i++) {
                const CensusMounts *one = census->mounts + i;

                m->pid = one->number == census->own_mounts ? 0 : one->pid;
                r = mount_each(m->search->roots->proc, one->pid, see_mount, m);
                if (r == -ENOMEM || r == -ESRCH)
                        return r == -ESRCH ? -ESTALE : r;
                if (r < 0)
                        worst = r;
        }
        return worst;
}

static int look_at_mounts(MountSearch *m) {
        int r = -ESTALE;

        for (unsigned i = 0; i < TRIES && r == -ESTALE; i++) {
                if (i > 0)
                        holder_view_done(m->search->view);
                r = look_at_all(m);
        }
        return r;
}

int holder_mounts(HolderSearch *s, Blocks *all) {
        _cleanup_(mount_search_done) MountSearch m = { .search = s, .blocks = all };
        int r;

        r = find_btrfs(&m);
        if (r < 0)
                return r;
        r = look_at_mounts(&m);
        if (r < 0)
                r = holder_cannot_tell(s, r, "mounts of all namespaces");
        for (size_t i = 0; i < m.n_btrfs && r >= 0; i++) {
                if (m.btrfs[i].block->used)
                        continue;
                m.btrfs[i].block->used = true;
                r = holder_found(s, HOLDER_MOUNT, 0, "%s in a btrfs", m.btrfs[i].block->node);
        }
        return r;
}

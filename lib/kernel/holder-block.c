/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders of disks
 *
 * Mounts, swap and what is made of disks have claimed them; a claim that none of these explains is told of as what it is (zfs, a
 * target's backend, a bcache). Nothing is followed further up: who has claimed a disk is enough to leave it alone.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/block.h"
#include "kernel/look.h"
#include "kernel/prove.h"

/* For all disks of a function together. */
#define CLAIM_MS 1000

/* Lines of PROC/swaps begin with the path of the node, as the kernel knows it: no link, blanks as \040. */
static int look_swaps(HolderSearch *s, Blocks *all) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *line = NULL;
        char path[PATH_MAX];
        size_t room = 0;
        int r;

        snprintf(path, sizeof(path), "%s/swaps", s->roots->proc);
        f = fopen(path, "re");
        if (!f) /* ENOENT: a kernel without swap */
                return holder_cannot_tell(s, -errno, "swap");
        while (getline(&line, &room, f) >= 0) {
                line[strcspn(line, " \t\n")] = '\0';
                for (size_t i = 0; i < all->n; i++) {
                        if (!streq(line, all->items[i].node))
                                continue;
                        all->items[i].used = true;
                        r = holder_found(s, HOLDER_SWAP, 0, "%s", line);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* A device-mapper's name is that of its number, which says nothing: "dm-3". */
static int tell_mapper(HolderSearch *s, const Block *b, const char *holder) {
        char uuid[160] = "", name[160];
        bool lvm;

        (void) s->k->read(s->k, ATTR_NAME(ATTR_BLOCK_DM_UUID, holder), uuid, sizeof(uuid));
        if (s->k->read(s->k, ATTR_NAME(ATTR_BLOCK_DM_NAME, holder), name, sizeof(name)) < 0)
                snprintf(name, sizeof(name), "%s", holder);
        lvm = startswith(uuid, "LVM-");
        return holder_found(s, lvm ? HOLDER_LVM : HOLDER_DM, 0, "%s in %s", b->node, name);
}

static int look_holders(HolderSearch *s, Block *b) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = s->k->list(s->k, ATTR_NAME(ATTR_BLOCK_HOLDERS, b->name), &names);
        if (r < 0)
                return holder_cannot_tell(s, r, "what %s is a part of", b->node);
        STRV_FOREACH (name, names) {
                b->used = true;
                if (startswith(*name, "dm-"))
                        r = tell_mapper(s, b, *name);
                else
                        r = holder_found(s, startswith(*name, "md") ? HOLDER_MD : HOLDER_BLOCK, 0,
                                         "%s in %s", b->node, *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A claim of a partition is one of its disk as well. */
static bool is_explained(const Blocks *all, const Block *b) {
        for (size_t i = 0; i < all->n; i++) {
                const char *rest = startswith(all->items[i].path, b->path);

                if (all->items[i].used && rest && (rest[0] == '/' || rest[0] == '\0'))
                        return true;
        }
        return false;
}

/* udev's probe claims a disk for a moment: one that is claimed is tried again before it is told so. */
static int try_claim(HolderSearch *s, const Block *b, Proof *patience) {
        int r;

        do
                r = s->asks->claim(b->node);
        while (r == -EBUSY && proof_again(patience));
        return r;
}

/* From the smallest up, so that a partition's claim explains that of its disk. */
static int look_claim(HolderSearch *s, Blocks *all, Block *b, Proof *patience) {
        int r;

        if (is_explained(all, b))
                return 0;
        r = try_claim(s, b, patience);
        if (r == -EBUSY) {
                b->used = true;
                return holder_found(s, HOLDER_BLOCK, 0,
                                    "%s is claimed in the kernel, by whom cannot be told", b->node);
        }
        /* A drive without a medium has nobody in it. No node: udev has not made it yet, and others may have theirs. */
        if (r == 0 || r == -ENOMEDIUM || r == -ENXIO)
                return 0;
        if (!look_exists(s->k, ATTR_NAME(ATTR_BLOCKS, b->name)))
                return 0;
        return holder_cannot_tell(s, r == -ENOENT ? -EIO : r, "whether %s is claimed", b->node);
}

/*
 * A mere question claims nothing: a mount that comes in that very moment would fail. The price is that a claim that shows
 * no name (zfs, a target's backend) is left to the job that asks.
 */
static int look_claims(HolderSearch *s, Blocks *all) {
        Proof patience = proof_begin(s->k, CLAIM_MS);
        int r = 0;

        if (s->mode == USERS_LOOK || s->mode == USERS_GLANCE)
                return 0;
        for (size_t i = 0; i < all->n && r >= 0; i++)
                r = look_claim(s, all, all->items + i, &patience);
        return r;
}

static int compare_depth(const void *a, const void *b) {
        size_t n = strlen(((const Block *) a)->path), m = strlen(((const Block *) b)->path);

        return (n < m) - (n > m);
}

int holder_block(HolderSearch *s) {
        _cleanup_(blocks_done) Blocks all = {};
        int r;

        r = blocks_find(s, &all);
        if (r < 0)
                return holder_cannot_tell(s, r, "its disks");
        if (all.n == 0)
                return 0;
        qsort(all.items, all.n, sizeof(Block), compare_depth);
        r = holder_mounts(s, &all);
        if (r >= 0)
                r = look_swaps(s, &all);
        for (size_t i = 0; i < all.n && r >= 0; i++)
                r = look_holders(s, all.items + i);
        if (r >= 0)
                r = look_claims(s, &all);
        for (size_t i = 0; i < all.n && r >= 0; i++)
                r = holder_want_node(s, HOLDER_BLOCK, all.items[i].number, "%s", all.items[i].node);
        return r;
}

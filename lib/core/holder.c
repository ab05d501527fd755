/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holder
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/holder.h"

static const struct {
        const char *name;
        uint32_t force;
} kinds[_HOLDER_KIND_MAX] = {
        [HOLDER_VFIO] = { "vfio", OP_FORCE_IN_USE },
        [HOLDER_NETDEV] = { "netdev", OP_FORCE_IN_USE },
        [HOLDER_MASTER] = { "master", OP_FORCE_IN_USE },
        [HOLDER_NETNS] = { "netns", OP_FORCE_IN_USE },
        [HOLDER_MOUNT] = { "mount", OP_FORCE_STORAGE },
        [HOLDER_SWAP] = { "swap", OP_FORCE_STORAGE },
        [HOLDER_DM] = { "dm", OP_FORCE_STORAGE },
        [HOLDER_MD] = { "md", OP_FORCE_STORAGE },
        [HOLDER_LVM] = { "lvm", OP_FORCE_STORAGE },
        [HOLDER_BLOCK] = { "block", OP_FORCE_STORAGE },
        [HOLDER_DRM] = { "drm", OP_FORCE_IN_USE },
        [HOLDER_RDMA] = { "rdma", OP_FORCE_IN_USE },
        [HOLDER_MDEV] = { "mdev", OP_FORCE_IN_USE },
        [HOLDER_VDPA] = { "vdpa", OP_FORCE_IN_USE },
        [HOLDER_CNI] = { "cni", OP_FORCE_IN_USE },
        [HOLDER_HOLD] = { "hold", OP_FORCE_IN_USE },
        [HOLDER_NOTE] = { "note", 0 },
        [HOLDER_UNKNOWN] = { "unknown", OP_FORCE_IN_USE },
};

const char *holder_kind_to_string(HolderKind kind) {
        return kind < _HOLDER_KIND_MAX ? kinds[kind].name : NULL;
}

HolderKind holder_kind_from_string(const char *s) {
        HolderKind kind = 0;

        while (kind < _HOLDER_KIND_MAX && !streq(s, kinds[kind].name))
                kind++;
        return kind;
}

uint32_t holder_force(HolderKind kind) {
        return kind < _HOLDER_KIND_MAX ? kinds[kind].force : OP_FORCE_IN_USE;
}

uint32_t holders_force(const Holders *all) {
        uint32_t force = 0;

        for (size_t i = 0; i < all->n; i++)
                force |= holder_force(all->items[i].kind);
        return force;
}

static bool is_same(const Holder *a, const Holder *b) {
        return a->kind == b->kind && bdf_equal(a->fn, b->fn) && a->pid == b->pid &&
               streq(a->command, b->command) && streq(a->detail, b->detail);
}

int holders_add(Holders *all, const Holder *h) {
        Holder *more;

        for (size_t i = 0; i < all->n; i++)
                if (is_same(all->items + i, h))
                        return 0;
        more = reallocarray(all->items, all->n + 1, sizeof(Holder));
        if (!more)
                return -ENOMEM;
        all->items = more;
        all->items[all->n++] = *h;
        return 0;
}

void holders_done(Holders *all) {
        free(all->items);
        *all = (Holders){};
}

const char *holder_format(const Holder *h, char *buf, size_t size) {
        const char *kind = holder_kind_to_string(h->kind),
                   *comma = h->detail[0] != '\0' ? ", " : "";

        if (h->pid != 0)
                snprintf(buf, size, "%s: %s (pid %u)%s%s", kind,
                         h->command[0] != '\0' ? h->command : "?", h->pid, comma, h->detail);
        else if (h->command[0] != '\0')
                snprintf(buf, size, "%s: %s%s%s", kind, h->command, comma, h->detail);
        else
                snprintf(buf, size, "%s: %s", kind, h->detail);
        return buf;
}

const char *holders_format(const Holders *all, char *buf, size_t size) {
        char text[HOLDER_STR_MAX], more[24] = "";
        const Holder *first = NULL;
        size_t n = 0;

        for (size_t i = 0; i < all->n; i++) {
                if (holder_force(all->items[i].kind) == 0)
                        continue;
                if (n++ == 0)
                        first = all->items + i;
        }
        if (n > 1)
                snprintf(more, sizeof(more), ", and %u more", (unsigned) MIN2(n - 1, 99999u));
        snprintf(buf, size, "%.*s%s", (int) (size - 1 - MIN2(strlen(more), size - 1)),
                 first ? holder_format(first, text, sizeof(text)) : "", more);
        return buf;
}

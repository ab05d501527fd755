/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders of character devices: graphics, accelerators, RDMA, and drivers in user space
 *
 * The nodes are only put down here; who has them open, holder-openers.c finds.
 */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/holder.h"

/* uio has no kind of its own: who has it open drives the function, and how to tell it to stop is not known. */
static const struct {
        Attr folder;
        HolderKind kind;
        const char *dev; /* below /dev, with a slash at its end */
} classes[] = {
        { ATTR_DRM, HOLDER_DRM, "dri/" },           { ATTR_ACCEL, HOLDER_DRM, "accel/" },
        { ATTR_VERBS, HOLDER_RDMA, "infiniband/" }, { ATTR_MAD, HOLDER_RDMA, "infiniband/" },
        { ATTR_UIO, HOLDER_UNKNOWN, "" },
};

/* Connectors of a card ("card0-HDMI-A-1") have no node. */
static int want(HolderSearch *s, size_t class, const char *name) {
        char entry[NAME_MAX_LENGTH + 8], number[32];
        int r;

        snprintf(entry, sizeof(entry), "%.60s/dev", name);
        r = s->k->read(s->k, ATTR_ENTRY(classes[class].folder, s->fn, entry), number,
                       sizeof(number));
        if (r < 0)
                return holder_cannot_tell(s, r, "number of %s", name);
        return holder_want_node(s, classes[class].kind, number, "%s/%s%.40s", s->roots->dev,
                                classes[class].dev, name);
}

int holder_nodes(HolderSearch *s) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
                _cleanup_strv_ char **names = NULL;

                r = s->k->list(s->k, ATTR_FN(classes[i].folder, s->fn), &names);
                if (r < 0) {
                        r = holder_cannot_tell(s, r, "its %s", attr_name(classes[i].folder));
                        if (r < 0)
                                return r;
                }
                STRV_FOREACH (name, names) {
                        r = want(s, i, *name);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders by network namespace
 *
 * A net device that was moved to another namespace is not in our /sys, and neither is one there that is made of ours (a
 * macvlan that alone was given to a container). All namespaces that show themselves are asked: those of processes, those
 * that a mount keeps, and those that are nothing but an open file.
 */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/holder.h"

static const CensusSpace *space_of(const HolderSearch *s, const NetLink *link) {
        return s->view->census.spaces + link->space;
}

static const char *place_of(const CensusSpace *space) {
        return space->mount ? space->mount : "another network namespace";
}

static int tell_moved(HolderSearch *s, const NetLink *link) {
        const CensusSpace *space = space_of(s, link);

        return holder_found(s, HOLDER_NETNS, space->pid, "%s in %s", link->name, place_of(space));
}

static int tell_upper(HolderSearch *s, const NetLink *link, const NetLink *lower) {
        const CensusSpace *space = space_of(s, link);

        return holder_found(s, HOLDER_MASTER, space->pid, "%s is below %s in %s", lower->name,
                            link->name, place_of(space));
}

static int look_link(HolderSearch *s, const NetLink *link, char *const *parents,
                     const NetLinks *ours) {
        STRV_FOREACH (parent, parents)
                if (streq(*parent, link->parent))
                        return tell_moved(s, link);
        for (size_t i = 0; link->lower != 0 && i < ours->n; i++)
                if (ours->items[i].lower == link->lower)
                        return tell_upper(s, link, ours->items + i);
        return 0;
}

/* Before 5.14 no link says whose it is: any without a kind (which those made by hand have) may be that of the function. */
static bool leaves_doubt(const HolderView *v, const NetLinks *links) {
        for (size_t i = 0; !v->tells_parents && i < links->n; i++)
                if (links->items[i].untold)
                        return true;
        return false;
}

int holder_netns(HolderSearch *s, char *const *parents, const NetLinks *ours) {
        size_t known = s->found->n;
        const NetLinks *links;
        int r, doubt;

        r = holder_links(s, &links);
        for (size_t i = 0; r >= 0 && i < links->n; i++)
                r = look_link(s, links->items + i, parents, ours);
        if (r < 0 || s->found->n > known)
                return r;
        doubt = s->view->links_error;
        if (doubt == 0 && leaves_doubt(s->view, links))
                doubt = -EOPNOTSUPP;
        if (doubt == 0)
                return 0;
        /* Whatever the reason, "not there" is not one for taking it for free. */
        if (doubt == -ENOENT || doubt == -ENODEV || doubt == -ESRCH)
                doubt = -EIO;
        return holder_cannot_tell(s, doubt, "what of its net devices is in other namespaces");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holder
 *
 * Asks the families, cheap ones first, and then /proc once for all the nodes that they want looked up. A function
 * without a driver has no net device, no disk and no child; one of vfio has neither of these but whoever sits in
 * its group.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/holder.h"
#include "kernel/look.h"
#include "kernel/proc.h"

int holder_found(HolderSearch *s, HolderKind kind, uint32_t pid, const char *format, ...) {
        Holder h = { .kind = kind, .fn = s->fn, .pid = pid };
        va_list ap;

        va_start(ap, format);
        vsnprintf(h.detail, sizeof(h.detail), format, ap);
        va_end(ap);
        if (pid != 0)
                proc_command(s->roots->proc, pid, h.command);
        return holders_add(s->found, &h);
}

int holder_cannot_tell(HolderSearch *s, int error, const char *format, ...) {
        char text[96];
        va_list ap;

        if (error == -ENOMEM)
                return error;
        if (error == -ENOENT || error == -ENODEV || error == -ESRCH)
                return 0;
        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        return holder_found(s, HOLDER_UNKNOWN, 0, "%s: %s", text, strerror(-error));
}

int holder_want_node(HolderSearch *s, HolderKind kind, const char *number, const char *format,
                     ...) {
        HolderNode *more, node = { .kind = kind, .block = kind == HOLDER_BLOCK };
        va_list ap;

        va_start(ap, format);
        vsnprintf(node.path, sizeof(node.path), format, ap);
        va_end(ap);
        if (number)
                node.has_number = sscanf(number, "%u:%u", &node.major, &node.minor) == 2;
        more = reallocarray(s->nodes, s->n_nodes + 1, sizeof(HolderNode));
        if (!more)
                return -ENOMEM;
        s->nodes = more;
        s->nodes[s->n_nodes++] = node;
        return 0;
}

static int ask_families(HolderSearch *s) {
        static int (*const of_drivers[])(HolderSearch *) = { holder_net, holder_block,
                                                             holder_nodes };
        int r;

        r = holder_cni(s);
        if (r < 0)
                return r;
        r = holder_vfio(s);
        if (r < 0 || s->driver[0] == '\0')
                return r;
        r = holder_children(s);
        for (size_t i = 0; i < ELEMENTSOF(of_drivers) && r >= 0; i++) {
                size_t known = s->found->n;

                if (!look_is_vfio(s->driver))
                        r = of_drivers[i](s);
                /* What cannot be told of a disk is as much in use as a disk. */
                for (; of_drivers[i] == holder_block && known < s->found->n; known++)
                        if (s->found->items[known].kind == HOLDER_UNKNOWN)
                                s->found->items[known].kind = HOLDER_BLOCK;
        }
        return r;
}

static int search_one(HolderSearch *s, Bdf fn) {
        int r;

        if (!look_exists(s->k, ATTR_FN(ATTR_DIRECTORY, fn)))
                return -ENOENT;
        s->fn = fn;
        /* A driver whose name does not fit is one all the same. */
        if (look_driver(s->k, fn, s->driver) < 0)
                strcpy(s->driver, "?");
        r = ask_families(s);
        if (r >= 0)
                r = holder_openers(s);
        free(s->nodes);
        strv_free(s->vfio_members);
        if (r < 0)
                return r;
        /* Whatever was not found of a function that went meanwhile says nothing. */
        return look_exists(s->k, ATTR_FN(ATTR_DIRECTORY, fn)) ? 0 : -ENOENT;
}

int holder_search(const HolderWorld *w, const Bdf *fns, size_t n, UsersMode mode, Holders *ret) {
        size_t there = 0;

        w->view->kept = w->view->has_census;
        for (size_t i = 0; i < n; i++) {
                HolderSearch s = { .k = w->k,
                                   .roots = w->roots,
                                   .asks = w->asks,
                                   .view = w->view,
                                   .mode = mode,
                                   .found = ret };
                int r = search_one(&s, fns[i]);

                if (r < 0 && r != -ENOENT)
                        return r;
                there += r >= 0;
        }
        return there > 0 ? 0 : -ENOENT;
}

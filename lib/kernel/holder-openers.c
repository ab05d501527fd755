/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders that have a device node open
 *
 * By its path or, as a container may have another one for it, by its number. An open vfio device counts if it is of the
 * function's IOMMU group.
 */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/holder.h"
#include "kernel/proc.h"

/* udev looks into each new disk for a moment, and its going away hurts nobody. */
static bool is_udev(const HolderSearch *s, uint32_t pid) {
        char command[PROC_COMMAND_MAX];

        proc_command(s->roots->proc, pid, command);
        return streq(command, "(udev-worker)") || streq(command, "systemd-udevd");
}

static bool is_node(const HolderNode *node, const CensusFile *file) {
        if (streq(file->path, node->path))
                return true;
        return file->has_number && node->has_number && node->block == file->block &&
               node->major == file->major && node->minor == file->minor;
}

static int see_vfio_device(HolderSearch *s, const CensusFile *file) {
        STRV_FOREACH (member, s->vfio_members)
                if (streq(*member, BDF_STR(file->vfio)))
                        return holder_found(s, HOLDER_VFIO, file->pid, "vfio device %s", *member);
        return 0;
}

static int see_file(HolderSearch *s, const CensusFile *file) {
        if (!bdf_is_none(file->vfio))
                return see_vfio_device(s, file);
        for (size_t i = 0; i < s->n_nodes; i++) {
                const HolderNode *node = s->nodes + i;

                if (is_node(node, file) && !(node->block && is_udev(s, file->pid)))
                        return holder_found(s, node->kind, file->pid, "%s", node->path);
        }
        return 0;
}

static int see_files(HolderSearch *s, int *ret_error) {
        const Census *census;
        int r;

        r = holder_census(s, &census);
        for (size_t i = 0; r >= 0 && i < census->n_files; i++)
                r = see_file(s, census->files + i);
        if (r >= 0)
                *ret_error = census->files_error;
        return r;
}

static bool has_vfio_user(const HolderSearch *s) {
        for (size_t i = 0; i < s->found->n; i++)
                if (s->found->items[i].kind == HOLDER_VFIO &&
                    bdf_equal(s->found->items[i].fn, s->fn))
                        return true;
        return false;
}

/* A vfio group has one user: who it is, is all that was to be found out. */
static bool must_see_all(const HolderSearch *s) {
        for (size_t i = 0; i < s->n_nodes; i++)
                if (s->nodes[i].kind != HOLDER_VFIO || !s->vfio_busy)
                        return true;
        return false;
}

static int find_vfio_user(HolderSearch *s, int *ret_error) {
        int r = 0;

        /* He came after what was kept. */
        if (!has_vfio_user(s) && holder_view_renew(s))
                r = see_files(s, ret_error);
        if (r < 0 || has_vfio_user(s))
                return r;
        return holder_found(s, HOLDER_VFIO, 0, "%s is open, by whom cannot be told",
                            s->nodes[0].path);
}

int holder_openers(HolderSearch *s) {
        int r, error;

        if (s->n_nodes == 0 && !s->vfio_members)
                return 0;
        r = see_files(s, &error);
        if (r >= 0 && s->vfio_busy)
                r = find_vfio_user(s, &error);
        if (r < 0 || error == 0 || !must_see_all(s))
                return r;
        return holder_cannot_tell(s, error, "who has %s open", s->nodes[s->n_nodes - 1].path);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders that have a device node open
 *
 * /proc/PID/fd tells each open file by its path and leads to it. A node may be open under another path (in a container), so its
 * number decides as well; asking for that never goes to a server (AT_STATX_DONT_SYNC), for a file on a dead NFS
 * would keep us. From 7.x on the file of a vfio device tells in fdinfo which device it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/holder.h"
#include "kernel/proc.h"
#include "kernel/udev.h"

#define VFIO_DEVICE_FILE "anon_inode:[vfio-device]"
#define VFIO_DEVICE_PATH "vfio-device-syspath:"

/* udev looks into each new disk for a moment, and its going away hurts nobody. */
static bool is_udev(const HolderSearch *s, uint32_t pid) {
        char command[PROC_COMMAND_MAX];

        proc_command(s->roots->proc, pid, command);
        return streq(command, "(udev-worker)") || streq(command, "systemd-udevd");
}

static bool number_of(const ProcFile *file, struct statx *ret) {
        return statx(file->directory, file->fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE,
                     ret) >= 0 &&
               (S_ISCHR(ret->stx_mode) || S_ISBLK(ret->stx_mode));
}

static bool is_node(const HolderNode *node, const char *link, const struct statx *st) {
        if (streq(link, node->path))
                return true;
        return st && node->has_number && node->block == S_ISBLK(st->stx_mode) &&
               node->major == st->stx_rdev_major && node->minor == st->stx_rdev_minor;
}

/* The function that an open vfio device is, where the kernel tells. */
static bool read_vfio_function(const HolderSearch *s, const ProcFile *file, Bdf *ret) {
        char name[32], text[4096], *line, *end;

        snprintf(name, sizeof(name), "fdinfo/%s", file->fd);
        if (proc_read(s->roots->proc, file->pid, name, text, sizeof(text)) <= 0)
                return false;
        line = strstr(text, VFIO_DEVICE_PATH);
        if (!line)
                return false;
        end = strchrnul(line, '\n');
        *end = '\0';
        return watch_parse_devpath(line, ret);
}

static int see_vfio_device(HolderSearch *s, const ProcFile *file) {
        Bdf fn;

        if (!s->vfio_members || !read_vfio_function(s, file, &fn))
                return 0;
        STRV_FOREACH (member, s->vfio_members)
                if (streq(*member, BDF_STR(fn)))
                        return holder_found(s, HOLDER_VFIO, file->pid, "vfio device %s", *member);
        return 0;
}

static int see_file(void *arg, const ProcFile *file) {
        HolderSearch *s = arg;
        struct statx st;
        bool has_number;

        if (streq(file->link, VFIO_DEVICE_FILE))
                return see_vfio_device(s, file);
        if (file->link[0] != '/' && file->link[0] != '\0')
                return 0;
        has_number = number_of(file, &st);
        for (size_t i = 0; i < s->n_nodes; i++) {
                const HolderNode *node = s->nodes + i;

                if (!is_node(node, file->link, has_number ? &st : NULL) ||
                    (node->block && is_udev(s, file->pid)))
                        continue;
                return holder_found(s, node->kind, file->pid, "%s", node->path);
        }
        return 0;
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

int holder_openers(HolderSearch *s) {
        unsigned unseen = 0;
        int r, walked;

        if (s->n_nodes == 0)
                return 0;
        walked = proc_each_file(s->roots->proc, see_file, s, &unseen);
        if (walked == -ENOMEM)
                return walked;
        if (s->vfio_busy && !has_vfio_user(s)) {
                r = holder_found(s, HOLDER_VFIO, 0, "%s is open, by whom cannot be told",
                                 s->nodes[0].path);
                if (r < 0)
                        return r;
        }
        if (!must_see_all(s) || (walked >= 0 && unseen == 0))
                return 0;
        return holder_cannot_tell(s, walked < 0 ? -EIO : -EACCES, "who has %s open",
                                  s->nodes[s->n_nodes - 1].path);
}

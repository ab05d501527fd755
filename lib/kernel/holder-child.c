/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders by child: mediated and vdpa devices made of a function, and pods that it was given to
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/holder.h"

/* Devices of another bus whose place is below the function. */
static int look_bus(HolderSearch *s, HolderKind kind, Attr bus, const char *top) {
        _cleanup_strv_ char **names = NULL;
        char path[PATH_MAX];
        const char *rest;
        int r;

        r = s->k->list(s->k, ATTR_BUS(bus), &names);
        if (r < 0)
                return holder_cannot_tell(s, r, "its %s devices", holder_kind_to_string(kind));
        STRV_FOREACH (name, names) {
                r = s->k->path(s->k, ATTR_NAME(bus, *name), path, sizeof(path));
                if (r < 0) {
                        r = holder_cannot_tell(s, r, "whose %s is", *name);
                        if (r < 0)
                                return r;
                        continue;
                }
                rest = startswith(path, top);
                if (!rest || rest[0] != '/')
                        continue;
                r = holder_found(s, kind, 0, "%s", *name);
                if (r < 0)
                        return r;
        }
        return 0;
}

int holder_children(HolderSearch *s) {
        char top[PATH_MAX];
        int r;

        r = s->k->path(s->k, ATTR_FN(ATTR_DIRECTORY, s->fn), top, sizeof(top));
        if (r < 0)
                return holder_cannot_tell(s, r, "its place");
        r = look_bus(s, HOLDER_MDEV, ATTR_MDEVS, top);
        return r < 0 ? r : look_bus(s, HOLDER_VDPA, ATTR_VDPAS, top);
}

static int read_file(const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, buf, size - 1);
        if (n < 0)
                return -errno;
        buf[n] = '\0';
        buf[strcspn(buf, "\n")] = '\0';
        return 0;
}

/*
 * sriov-cni keeps a file for each function that a pod has, with the path of the pod's network namespace in it. The file of a pod
 * whose namespace is gone is one that was forgotten, and sriov-cni itself takes it for nothing.
 */
int holder_cni(HolderSearch *s) {
        char path[PATH_MAX], netns[PATH_MAX];
        int r;

        snprintf(path, sizeof(path), "%s/%s", s->roots->cni, BDF_STR(s->fn));
        r = read_file(path, netns, sizeof(netns));
        if (r < 0)
                return holder_cannot_tell(s, r, "%s", path);
        if (netns[0] == '\0')
                return 0;
        if (access(netns, F_OK) < 0)
                return errno == ENOTDIR ? 0 : holder_cannot_tell(s, -errno, "%s", netns);
        return holder_found(s, HOLDER_CNI, 0, "pod in %s", netns);
}

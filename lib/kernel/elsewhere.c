/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elsewhere
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/elsewhere.h"
#include "kernel/mount.h"
#include "kernel/proc.h"

/* Of mount namespaces and of file systems: a host with more containers than this is looked at in part. */
#define SEEN_MAX 1024

typedef struct Search {
        const char *proc;
        uint32_t pid;
        uint64_t devs[SEEN_MAX], spaces[SEEN_MAX];
        size_t n_devs, n_spaces, wanted;
        Elsewhere *ret;
        bool found;
} Search;

/* True if it is new. */
static bool note(uint64_t *all, size_t *n, uint64_t item) {
        for (size_t i = 0; i < *n; i++)
                if (all[i] == item)
                        return false;
        if (*n == SEEN_MAX)
                return false;
        all[(*n)++] = item;
        return true;
}

/* The top of sysfs alone: a bind mount of a part of it is the same file system. */
static int see(void *arg, const Mount *m) {
        Search *s = arg;
        uint64_t dev = makedev(m->major, m->minor);

        if (s->found || !streq(m->type, "sysfs") || !streq(m->root, "/") ||
            !note(s->devs, &s->n_devs, dev) || s->wanted-- > 0)
                return 0;
        s->found = true;
        *s->ret = (Elsewhere){ .dev = dev, .pid = s->pid };
        snprintf(s->ret->point, sizeof(s->ret->point), "%s", m->point);
        return 0;
}

static void look_at_process(Search *s, uint32_t pid) {
        uint64_t space;

        if (proc_namespace(s->proc, pid, "mnt", &space) < 0 ||
            !note(s->spaces, &s->n_spaces, space))
                return;
        s->pid = pid;
        (void) mount_each(s->proc, pid, see, s);
}

/* What is mounted there may have been mounted over since then: only what has that number is it. */
static int open_top(const char *proc, const Elsewhere *e) {
        _cleanup_close_ int fd = -EBADF;
        char path[PATH_MAX];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%u/root%s", proc, e->pid, e->point);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        return (uint64_t) st.st_dev == e->dev ? TAKE_FD(fd) : -ESTALE;
}

int elsewhere_find(const char *proc, uint64_t own, size_t n, Elsewhere *ret, int *ret_fd) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        Search s = { .proc = proc, .devs = { own }, .n_devs = 1, .wanted = n, .ret = ret };
        uint32_t pid;
        int fd;

        d = proc_open_folder(proc, 0, "");
        if (!d)
                return -errno;
        while (!s.found && proc_next(d, &pid))
                look_at_process(&s, pid);
        if (!s.found)
                return 0;
        snprintf(ret->command, sizeof(ret->command), "%s",
                 proc_command(proc, ret->pid, (char[PROC_COMMAND_MAX]){ 0 }));
        fd = open_top(proc, ret);
        ret->error = fd < 0 ? -fd : 0;
        *ret_fd = fd < 0 ? -EBADF : fd;
        return 1;
}

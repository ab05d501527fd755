/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Census
 *
 * /proc/PID/fd tells each open file by its path and leads to it. A node may be open under another path (in a container), so
 * its number is asked for as well; that never goes to a server (AT_STATX_DONT_SYNC), for a file on a dead NFS would keep
 * us. From 7.x on the file of a vfio device tells in fdinfo which device it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/census.h"
#include "kernel/mount.h"
#include "kernel/proc.h"
#include "kernel/udev.h"

#define VFIO_DEVICE_FILE "anon_inode:[vfio-device]"
#define VFIO_DEVICE_PATH "vfio-device-syspath:"

typedef struct Walk {
        const Roots *roots;
        Census *census;
        uint32_t pid, own;
        int folder; /* PROC/PID/fd */
        size_t n_files; /* seen in it */
} Walk;

void census_done(Census *c) {
        for (size_t i = 0; i < c->n_files; i++)
                free(c->files[i].path);
        for (size_t i = 0; i < c->n_spaces; i++)
                free(c->spaces[i].mount);
        free(c->files);
        free(c->spaces);
        free(c->mounts);
        *c = (Census){};
}

/* Room for one more, by doubling; n items are there. */
static void *more_room(void *items, size_t n, size_t size) {
        if (n & (n - 1))
                return items;
        return reallocarray(items, n > 0 ? 2 * n : 1, size);
}

static int add_file(Census *c, const CensusFile *file, const char *path) {
        CensusFile *more = more_room(c->files, c->n_files, sizeof(CensusFile));

        if (!more)
                return -ENOMEM;
        c->files = more;
        more += c->n_files;
        *more = *file;
        more->path = strdup(path);
        if (!more->path)
                return -ENOMEM;
        c->n_files++;
        return 0;
}

static CensusSpace *find_space(Census *c, uint64_t number) {
        for (size_t i = 0; i < c->n_spaces; i++)
                if (c->spaces[i].number == number)
                        return c->spaces + i;
        return NULL;
}

static int add_space(Census *c, uint64_t number, uint32_t pid, const char *name) {
        CensusSpace *more;

        if (number == c->own_net || find_space(c, number))
                return 0;
        more = more_room(c->spaces, c->n_spaces, sizeof(CensusSpace));
        if (!more)
                return -ENOMEM;
        c->spaces = more;
        more += c->n_spaces++;
        *more = (CensusSpace){ .number = number, .pid = pid };
        snprintf(more->name, sizeof(more->name), "%s", name);
        return 0;
}

static int add_mounts(Census *c, uint64_t number, uint32_t pid) {
        CensusMounts *more;

        for (size_t i = 0; i < c->n_mounts; i++)
                if (c->mounts[i].number == number)
                        return 0;
        more = more_room(c->mounts, c->n_mounts, sizeof(CensusMounts));
        if (!more)
                return -ENOMEM;
        c->mounts = more;
        more[c->n_mounts++] = (CensusMounts){ number, pid };
        return 0;
}

/* The function that an open vfio device is, where the kernel tells. */
static Bdf vfio_function(const Walk *w, const char *fd) {
        char name[32], text[4096], *line;
        Bdf fn;

        snprintf(name, sizeof(name), "fdinfo/%s", fd);
        if (proc_read(w->roots->proc, w->pid, name, text, sizeof(text)) <= 0)
                return BDF_NONE;
        line = strstr(text, VFIO_DEVICE_PATH);
        if (!line)
                return BDF_NONE;
        line[strcspn(line, "\n")] = '\0';
        return watch_parse_devpath(line, &fn) ? fn : BDF_NONE;
}

static bool number_of(const Walk *w, const char *fd, struct statx *ret) {
        return statx(w->folder, fd, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, ret) >= 0 &&
               (S_ISCHR(ret->stx_mode) || S_ISBLK(ret->stx_mode));
}

/* A path that is too long to be told is "", and asked by its number all the same. */
static int see_file(const Walk *w, const char *fd, const char *link) {
        CensusFile file = { .pid = w->pid, .vfio = BDF_NONE };
        char name[32];
        struct statx st;
        const char *rest;
        uint64_t number;

        if (proc_parse_namespace(link, "net", &number) >= 0) {
                snprintf(name, sizeof(name), "fd/%s", fd);
                return add_space(w->census, number, w->pid, name);
        }
        if (streq(link, VFIO_DEVICE_FILE)) {
                file.vfio = vfio_function(w, fd);
                return bdf_is_none(file.vfio) ? 0 : add_file(w->census, &file, link);
        }
        if (link[0] != '/' && link[0] != '\0')
                return 0;
        file.has_number = number_of(w, fd, &st);
        rest = startswith(link, w->roots->dev);
        if (!file.has_number && !(rest && rest[0] == '/'))
                return 0;
        if (file.has_number) {
                file.block = S_ISBLK(st.stx_mode);
                file.major = st.stx_rdev_major;
                file.minor = st.stx_rdev_minor;
        }
        return add_file(w->census, &file, link);
}

static int see_entry(const Walk *w, uint32_t fd) {
        char name[12], link[PATH_MAX];
        ssize_t n;

        snprintf(name, sizeof(name), "%" PRIu32, fd);
        n = readlinkat(w->folder, name, link, sizeof(link) - 1);
        if (n < 0 && errno != ENAMETOOLONG)
                return errno == ENOENT ? 0 : -errno;
        link[MAX2(n, 0)] = '\0';
        return see_file(w, name, link);
}

static int walk_folder(Walk *w, const char *name) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        uint32_t fd;
        int r;

        d = proc_open_folder(w->roots->proc, w->pid, name);
        if (!d)
                return -errno;
        w->folder = dirfd(d);
        while ((r = proc_next(d, &fd)) > 0) {
                w->n_files++;
                r = see_entry(w, fd);
                if (r < 0)
                        return r;
        }
        return r;
}

/* Its folder of tasks has as many links as it has tasks, and the two that every folder has. */
static bool has_one_thread(const Walk *w) {
        char path[PATH_MAX];
        struct stat st;

        snprintf(path, sizeof(path), "%s/%" PRIu32 "/task", w->roots->proc, w->pid);
        return stat(path, &st) >= 0 && st.st_nlink == 3;
}

/* A process whose first thread has ended shows its files only with those that live. */
static int walk_process(Walk *w) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        char name[32];
        uint32_t tid;
        int r;

        w->n_files = 0;
        r = walk_folder(w, "fd");
        if (r < 0 || w->n_files > 0 || has_one_thread(w))
                return r;
        d = proc_open_folder(w->roots->proc, w->pid, "task");
        if (!d)
                return errno == ENOENT ? 0 : -errno;
        while (w->n_files == 0 && (r = proc_next(d, &tid)) > 0) {
                if (tid == w->pid)
                        continue;
                snprintf(name, sizeof(name), "task/%" PRIu32 "/fd", tid);
                r = walk_folder(w, name);
                if (r < 0)
                        return r;
        }
        return MIN2(r, 0);
}

/* Keeps the first reason. What is gone is no reason, and -ENOMEM ends it all. */
static int note(int *error, int r) {
        if (r == -ENOMEM)
                return r;
        if (r < 0 && *error == 0 && r != -ESRCH && r != -ENOENT && r != -EINVAL)
                *error = r;
        return 0;
}

static int see_process(Walk *w) {
        Census *c = w->census;
        uint64_t number;
        int r;

        r = proc_namespace(w->roots->proc, w->pid, "net", &number);
        if (r >= 0)
                r = add_space(c, number, w->pid, "ns/net");
        r = note(&c->spaces_error, r);
        if (r < 0)
                return r;
        r = proc_namespace(w->roots->proc, w->pid, "mnt", &number);
        if (r >= 0)
                r = add_mounts(c, number, w->pid);
        r = note(&c->mounts_error, r);
        if (r < 0 || w->pid == w->own)
                return r;
        return note(&c->files_error, walk_process(w));
}

static int see_mount(void *arg, const Mount *m) {
        Census *c = arg;
        uint64_t number;
        CensusSpace *space;
        int r;

        if (!streq(m->type, "nsfs") || proc_parse_namespace(m->root, "net", &number) < 0)
                return 0;
        r = add_space(c, number, 0, "");
        space = find_space(c, number);
        if (r < 0 || !space || space->mount)
                return r;
        space->mount = strdup(m->point);
        return space->mount ? 0 : -ENOMEM;
}

static int see_processes(Walk *w) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        int r;

        d = proc_open_folder(w->roots->proc, 0, "");
        if (!d)
                return -errno;
        while ((r = proc_next(d, &w->pid)) > 0) {
                r = see_process(w);
                if (r < 0)
                        return r;
        }
        return r;
}

int census_take(const Roots *roots, Census *ret) {
        _cleanup_(census_done) Census c = {};
        Walk w = { .roots = roots, .census = &c, .own = (uint32_t) getpid() };
        int r;

        r = proc_namespace(roots->proc, 0, "net", &c.own_net);
        if (r >= 0)
                r = proc_namespace(roots->proc, 0, "mnt", &c.own_mounts);
        if (r >= 0)
                r = see_processes(&w);
        if (r >= 0)
                r = note(&c.spaces_error, mount_each(roots->proc, 0, see_mount, &c));
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                c.files_error = c.spaces_error = c.mounts_error = -EIO;
        *ret = c;
        c = (Census){};
        return 0;
}

int census_open_space(const Roots *roots, const CensusSpace *space) {
        char path[PATH_MAX];
        int fd;

        if (space->pid != 0)
                snprintf(path, sizeof(path), "%s/%" PRIu32 "/%s", roots->proc, space->pid,
                         space->name);
        else
                snprintf(path, sizeof(path), "%s", space->mount);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

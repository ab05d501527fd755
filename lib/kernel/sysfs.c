/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sysfs
 *
 * Each call is the one or two system calls that it stands for, and errno is taken at once: close() may set another.
 * Nothing is retried here: what a second write would do is the ladder's to know.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/devlink.h"
#include "kernel/fact.h"
#include "kernel/given.h"
#include "kernel/holder.h"
#include "kernel/module.h"
#include "kernel/sysfs.h"
#include "kernel/task-scan.h"
#include "kernel/udev.h"

typedef struct Sysfs {
        Kernel kernel; /* first, so that one is the other */
        int root;
        char *root_path; /* as the kernel calls it */
        char *dev, *proc, *cni, *udev;
        Watch *watch;
        HolderView view;
} Sysfs;

static Sysfs *sysfs(Kernel *k) {
        return (Sysfs *) k;
}

static void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

static int open_directory(int root, const char *path, DIR **ret) {
        _cleanup_close_ int fd = -EBADF;
        DIR *d;

        fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        d = fdopendir(fd);
        if (!d)
                return -errno;
        TAKE_FD(fd);
        *ret = d;
        return 0;
}

/* The next name, with room for it and the NULL behind. 1, 0 at the end, -errno. */
static int next_name(DIR *d, char ***names, size_t *n, size_t *room) {
        struct dirent *entry;

        do {
                errno = 0;
                entry = readdir(d);
                if (!entry)
                        return -errno;
        } while (streq(entry->d_name, ".") || streq(entry->d_name, ".."));
        if (*n + 1 >= *room) {
                char **more = reallocarray(*names, *room * 2, sizeof(char *));

                if (!more)
                        return -ENOMEM;
                *names = more;
                *room *= 2;
        }
        (*names)[*n] = strdup(entry->d_name);
        if (!(*names)[*n])
                return -ENOMEM;
        (*names)[++*n] = NULL;
        return 1;
}

static int sysfs_list(Kernel *k, const char *path, char ***ret) {
        _cleanup_(closedirp) DIR *d = NULL;
        _cleanup_strv_ char **names = NULL;
        size_t n = 0, room = 64;
        int r;

        r = open_directory(sysfs(k)->root, path, &d);
        if (r < 0)
                return r;
        names = calloc(room, sizeof(char *));
        if (!names)
                return -ENOMEM;
        do {
                r = next_name(d, &names, &n, &room);
                if (r < 0)
                        return r;
        } while (r > 0);
        *ret = TAKE_PTR(names);
        return 0;
}

static bool is_door(Kernel *k, const char *path) {
        return k->is_door && k->is_door(k->is_door_userdata, path);
}

static int sysfs_read(Kernel *k, const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        if (is_door(k, path))
                return -EDEADLK;
        fd = openat(sysfs(k)->root, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return -errno;
        n = read(fd, buf, size - 1);
        if (n < 0)
                return -errno;
        if (n > 0 && buf[n - 1] == '\n')
                n--;
        buf[n] = '\0';
        return (int) n;
}

/*
 * Our children write to one driver's bind side by side, and each locks it behind itself. A try is lost when another one's lock
 * falls between our chmod and our open, with three children at it perhaps each second time: so many are never lost in a row.
 */
#define UNLOCK_TRIES 256

/*
 * sysfs holds a missing w against root as well: KERNEL.md 5.3. It is missing again as soon as we are in; what we saw of the
 * mode may be another child's w.
 */
static int open_locked(int root, const char *path) {
        struct stat st;
        mode_t locked;
        int fd = -EACCES;

        if (fstatat(root, path, &st, 0) < 0)
                return -errno;
        locked = st.st_mode & 07777U & ~(mode_t) (S_IWUSR | S_IWGRP | S_IWOTH);
        for (unsigned i = 0; fd == -EACCES && i < UNLOCK_TRIES; i++) {
                if (fchmodat(root, path, locked | S_IWUSR, 0) < 0)
                        return -errno;
                fd = openat(root, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
                if (fd < 0)
                        fd = -errno;
        }
        (void) !fchmodat(root, path, locked, 0);
        return fd;
}

static int sysfs_write(Kernel *k, const char *path, const char *value) {
        _cleanup_close_ int fd = -EBADF;
        size_t size = strlen(value);
        ssize_t n;

        if (is_door(k, path))
                return -EDEADLK;
        fd = openat(sysfs(k)->root, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 && errno == EACCES && k->unlocks)
                fd = open_locked(sysfs(k)->root, path);
        else if (fd < 0)
                fd = -errno;
        if (fd < 0)
                return fd;
        n = write(fd, value, size);
        if (n < 0)
                return -errno;
        return (size_t) n == size ? 0 : -EIO;
}

static int sysfs_link(Kernel *k, const char *path, char *buf, size_t size) {
        char target[PATH_MAX];
        const char *slash;
        ssize_t n;

        n = readlinkat(sysfs(k)->root, path, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        slash = strrchr(target, '/');
        return str_copy(buf, size, slash ? slash + 1 : target);
}

/* Where the kernel says that fd is. -ENOENT if it was deleted meanwhile, which the kernel tells by a suffix. */
static int path_of_fd(int fd, char *buf, size_t size) {
        static const char deleted[] = " (deleted)";
        char link[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        ssize_t n;

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, buf, size);
        if (n < 0)
                return -errno;
        if ((size_t) n >= size)
                return -ENAMETOOLONG;
        buf[n] = '\0';
        return (size_t) n >= sizeof(deleted) && streq(buf + n - (sizeof(deleted) - 1), deleted)
                       ? -ENOENT
                       : 0;
}

static int sysfs_path(Kernel *k, const char *path, char *buf, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        char whole[PATH_MAX];
        const char *rest;
        int r;

        fd = openat(sysfs(k)->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = path_of_fd(fd, whole, sizeof(whole));
        if (r < 0)
                return r;
        rest = startswith(whole, sysfs(k)->root_path);
        if (!rest || rest[0] != '/')
                return -EXDEV;
        return str_copy(buf, size, rest + 1);
}

static int sysfs_identity(Kernel *k, const char *path, uint64_t *ret) {
        struct stat st;

        if (fstatat(sysfs(k)->root, path, &st, 0) < 0)
                return -errno;
        *ret = st.st_ino;
        return 0;
}

static int open_vfio(const Sysfs *s, const char *prefix, int group, int *ret_fd) {
        char path[PATH_MAX];
        int fd;

        snprintf(path, sizeof(path), "%s/vfio/%s%d", s->dev, prefix, group);
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

/* Without an IOMMU the node has another name, and is opened by one at a time just the same. */
static int sysfs_open_group(Kernel *k, int group, int *ret_fd) {
        int r;

        r = open_vfio(sysfs(k), "", group, ret_fd);
        return r == -ENOENT ? open_vfio(sysfs(k), "noiommu-", group, ret_fd) : r;
}

static int sysfs_users(Kernel *k, const Bdf *fns, size_t n, UsersMode mode, Holders *ret) {
        Sysfs *s = sysfs(k);
        const Roots roots = { s->root_path, s->dev, s->proc, s->cni };

        return holder_search(&(HolderWorld){ k, &roots, &holder_asks_kernel, &s->view }, fns, n,
                             mode, ret);
}

static int sysfs_tasks(Kernel *k, Tasks *ret) {
        return task_scan(sysfs(k)->proc, ret);
}

static int sysfs_vf_attrs(Kernel *k, Bdf pf, uint32_t first, uint32_t n, VfAttrs *ret) {
        return given_attrs(k, sysfs(k)->dev, pf, first, n, ret);
}

static int sysfs_vf_set(Kernel *k, Bdf pf, uint32_t index, VfAttr attr, const VfAttrs *attrs) {
        return given_set(k, sysfs(k)->dev, pf, index, attr, attrs);
}

static int sysfs_eswitch_get(Kernel *k, Bdf pf, Eswitch *ret) {
        (void) k;
        return devlink_eswitch_get(pf, ret);
}

static int sysfs_eswitch_set(Kernel *k, Bdf pf, Eswitch mode) {
        (void) k;
        return devlink_eswitch_set(pf, mode);
}

static int sysfs_facts(Kernel *k, Bdf pf, PfFacts *ret) {
        return fact_read(k, sysfs(k)->root_path, pf, ret);
}

static int sysfs_load_module(Kernel *k, const char *name) {
        (void) k;
        return module_load(name);
}

static int sysfs_unload_module(Kernel *k, const char *name) {
        (void) k;
        return module_unload(name);
}

static int sysfs_initialized(Kernel *k, Bdf fn) {
        return udev_initialized(k, sysfs(k)->udev, fn);
}

static int sysfs_watch(Kernel *k, int *ret_fd) {
        Sysfs *s = sysfs(k);
        int r;

        if (!s->watch) {
                r = watch_open(&s->watch);
                if (r < 0)
                        return r;
        }
        *ret_fd = watch_fd(s->watch);
        return 0;
}

static int sysfs_next_event(Kernel *k, KernelEvent *ret) {
        return sysfs(k)->watch ? watch_next(sysfs(k)->watch, ret) : 0;
}

/* Children only, between two looks of a proof. A signal makes it shorter, which does no harm there. */
static void sysfs_pause(Kernel *k, unsigned ms) {
        struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long) (ms % 1000) * 1000000 };

        (void) k;
        nanosleep(&t, NULL);
}

static Kernel *sysfs_free(Kernel *k) {
        Sysfs *s = sysfs(k);

        if (!s)
                return NULL;
        watch_free(s->watch);
        holder_view_done(&s->view);
        close_fd(s->root);
        free(s->root_path);
        free(s->dev);
        free(s->proc);
        free(s->cni);
        free(s->udev);
        free(s);
        return NULL;
}

static const Kernel sysfs_kernel = {
        .list = sysfs_list,
        .read = sysfs_read,
        .write = sysfs_write,
        .link = sysfs_link,
        .path = sysfs_path,
        .identity = sysfs_identity,
        .open_group = sysfs_open_group,
        .users = sysfs_users,
        .tasks = sysfs_tasks,
        .vf_attrs = sysfs_vf_attrs,
        .vf_set = sysfs_vf_set,
        .eswitch_get = sysfs_eswitch_get,
        .eswitch_set = sysfs_eswitch_set,
        .up = given_up,
        .facts = sysfs_facts,
        .load_module = sysfs_load_module,
        .unload_module = sysfs_unload_module,
        .initialized = sysfs_initialized,
        .watch = sysfs_watch,
        .next_event = sysfs_next_event,
        .pause = sysfs_pause,
        .free = sysfs_free,
};

static int open_roots(Sysfs *s, const Roots *roots) {
        char path[PATH_MAX];
        int r;

        s->root = open(roots->sys, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (s->root < 0)
                return -errno;
        r = path_of_fd(s->root, path, sizeof(path));
        if (r < 0)
                return r;
        s->root_path = strdup(path);
        s->dev = strdup(roots->dev);
        s->proc = strdup(roots->proc);
        s->cni = strdup(roots->cni);
        s->udev = roots->udev ? strdup(roots->udev) : NULL;
        return s->root_path && s->dev && s->proc && s->cni && (s->udev || !roots->udev) ? 0
                                                                                        : -ENOMEM;
}

Kernel *sysfs_open(const Roots *roots) {
        Sysfs *s = calloc(1, sizeof(Sysfs));
        int r;

        if (!s)
                return NULL;
        s->kernel = sysfs_kernel;
        s->root = -EBADF;
        r = open_roots(s, roots);
        if (r < 0) {
                sysfs_free(&s->kernel);
                errno = -r;
                return NULL;
        }
        s->kernel.sys = s->root_path;
        return &s->kernel;
}

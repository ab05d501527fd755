/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders by network namespace
 *
 * A net device that was moved to another namespace is not in our /sys. It is looked for in all namespaces that show
 * themselves: those of processes, those that a mount keeps, and last those that are nothing but an open file.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/holder.h"
#include "kernel/mount.h"
#include "kernel/proc.h"

typedef struct Space {
        uint64_t number;
        uint32_t pid; /* of one in it; 0: none */
        char *mount; /* owned: where it is mounted, NULL: nowhere */
        char name[32]; /* below PROC/PID: "ns/net", "fd/7" */
        bool asked;
} Space;

typedef struct Spaces {
        Space *items;
        size_t n;
        uint64_t own;
        bool moved; /* one was gone before it was asked; it may live on elsewhere */
        bool unseen; /* something could not be looked at */
        HolderSearch *search;
} Spaces;

/* Processes come and go: so often is the whole looked at anew. */
#define TRIES 3

static void spaces_done(Spaces *all) {
        for (size_t i = 0; i < all->n; i++)
                free(all->items[i].mount);
        free(all->items);
}

static Space *spaces_find(Spaces *all, uint64_t number) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].number == number)
                        return all->items + i;
        return NULL;
}

/* Our own is not another one. */
static int spaces_add(Spaces *all, uint64_t number, uint32_t pid, const char *name) {
        Space *more;

        if (number == all->own || spaces_find(all, number))
                return 0;
        more = reallocarray(all->items, all->n + 1, sizeof(Space));
        if (!more)
                return -ENOMEM;
        all->items = more;
        more += all->n++;
        *more = (Space){ .number = number, .pid = pid };
        snprintf(more->name, sizeof(more->name), "%s", name);
        return 0;
}

static int add_mount(void *arg, const Mount *m) {
        Spaces *all = arg;
        uint64_t number;
        Space *space;
        int r;

        if (!streq(m->type, "nsfs") || proc_parse_namespace(m->root, "net", &number) < 0)
                return 0;
        r = spaces_add(all, number, 0, "");
        space = spaces_find(all, number);
        if (r < 0 || !space || space->mount)
                return r;
        space->mount = strdup(m->point);
        return space->mount ? 0 : -ENOMEM;
}

static int add_file(void *arg, const ProcFile *file) {
        char name[32];
        uint64_t number;

        if (proc_parse_namespace(file->link, "net", &number) < 0)
                return 0;
        snprintf(name, sizeof(name), "fd/%s", file->fd);
        return spaces_add(arg, number, file->pid, name);
}

static int add_processes(Spaces *all) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        const char *proc = all->search->roots->proc;
        uint64_t number;
        uint32_t pid;
        int r;

        d = proc_open_folder(proc, 0, "");
        if (!d)
                return -errno;
        while (proc_next(d, &pid)) {
                r = proc_namespace(proc, pid, "net", &number);
                if (r >= 0)
                        r = spaces_add(all, number, pid, "ns/net");
                if (r == -ENOMEM)
                        return r;
                if (r < 0 && r != -ESRCH)
                        all->unseen = true;
        }
        return 0;
}

static int open_space(const Spaces *all, const Space *space) {
        char path[PATH_MAX];
        int fd;

        if (space->pid != 0)
                snprintf(path, sizeof(path), "%s/%" PRIu32 "/%s", all->search->roots->proc,
                         space->pid, space->name);
        else
                snprintf(path, sizeof(path), "%s", space->mount);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int tell_space(Spaces *all, const Space *space, const char *netdev) {
        if (space->mount)
                return holder_found(all->search, HOLDER_NETNS, space->pid, "%s in %s", netdev,
                                    space->mount);
        return holder_found(all->search, HOLDER_NETNS, space->pid,
                            "%s in another network namespace", netdev);
}

/* Asks those that were not asked yet. 1: found and told; 0, -ENOMEM. */
static int ask_all(Spaces *all, char *const *parents) {
        char netdev[IF_NAMESIZE];
        int r;

        for (size_t i = 0; i < all->n; i++) {
                Space *space = all->items + i;
                _cleanup_close_ int fd = -EBADF;

                if (space->asked)
                        continue;
                space->asked = true;
                fd = open_space(all, space);
                r = fd < 0 ? fd : all->search->asks->find_link(fd, parents, netdev);
                if (r > 0) {
                        r = tell_space(all, space, netdev);
                        return r < 0 ? r : 1;
                }
                if (r == -ENOMEM)
                        return r;
                if (r == -ENOENT || r == -ESRCH)
                        all->moved = true;
                else if (r < 0)
                        all->unseen = true;
        }
        return 0;
}

static int search_all(Spaces *all, char *const *parents) {
        const char *proc = all->search->roots->proc;
        unsigned unseen = 0;
        int r;

        r = proc_namespace(proc, 0, "net", &all->own);
        if (r >= 0)
                r = add_processes(all);
        if (r >= 0)
                r = mount_each(proc, 0, add_mount, all);
        if (r < 0)
                return r;
        r = ask_all(all, parents);
        if (r != 0)
                return r;
        r = proc_each_file(proc, add_file, all, &unseen);
        if (unseen > 0)
                all->unseen = true;
        return r < 0 ? r : ask_all(all, parents);
}

int holder_netns(HolderSearch *s, char *const *parents) {
        bool unseen = true;

        for (unsigned i = 0; i < TRIES && unseen; i++) {
                _cleanup_(spaces_done) Spaces all = { .search = s };
                int r;

                r = search_all(&all, parents);
                if (r > 0 || r == -ENOMEM)
                        return MIN2(r, 0);
                unseen = r < 0 || all.unseen || all.moved;
                if (r < 0 || all.unseen)
                        break;
        }
        return unseen ? holder_cannot_tell(s, -EACCES, "where its net device is") : 0;
}

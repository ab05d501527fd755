/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/marks.h"

/* Only who opens it, and when a writer is done. */
#define EVENTS (FAN_OPEN_PERM | FAN_CLOSE_WRITE)

typedef struct Sync {
        Marks *all;
        const char *sys;
        uint64_t identity;
        int first; /* failure */
} Sync;

static int compare(dev_t dev, ino_t ino, const Mark *m) {
        if (dev != m->dev)
                return dev < m->dev ? -1 : 1;
        return (ino > m->ino) - (ino < m->ino);
}

/* Where it is, or where it would be. */
static size_t lower_bound(const Marks *all, dev_t dev, ino_t ino) {
        size_t low = 0, high = all->n;

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (compare(dev, ino, all->items[mid]) > 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

static Mark *find(const Marks *all, dev_t dev, ino_t ino) {
        size_t i = lower_bound(all, dev, ino);

        return i < all->n && compare(dev, ino, all->items[i]) == 0 ? all->items[i] : NULL;
}

const Mark *marks_find(const Marks *all, int fd) {
        struct stat st;

        return fstat(fd, &st) < 0 ? NULL : find(all, st.st_dev, st.st_ino);
}

const Mark *marks_find_inode(const Marks *all, uint64_t ino) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i]->ino == ino)
                        return all->items[i];
        return NULL;
}

static bool is_latched(const Marks *all, const Fn *fn) {
        return !bdf_is_none(all->latched) &&
               (bdf_equal(fn->bdf, all->latched) || bdf_equal(fn->pf, all->latched));
}

/*
 * Most by their name alone: a walk over all marks for each file that is read would cost more than the reading. A latch is one
 * as long as it is marked, whatever went wrong when it should not be any more.
 */
bool marks_have(const Marks *all, const char *path) {
        const char *name = strrchr(path, '/');

        for (Attr a = 0; a < _ATTR_MAX && name; a++) {
                if (attr_door(a) == DOOR_NONE || !streq(attr_name(a), name + 1))
                        continue;
                if (attr_door(a) != DOOR_LATCH)
                        return true;
                for (size_t i = 0; i < all->n; i++)
                        if (streq(all->items[i]->place.path, path))
                                return true;
                return false;
        }
        return false;
}

/* By the descriptor: the path may be another device's by now, or nobody's. */
static int tell_kernel(const Marks *all, unsigned what, int fd) {
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return fanotify_mark(all->group, what, EVENTS, AT_FDCWD, path) < 0 ? -errno : 0;
}

static void mark_free(Mark *m) {
        if (m)
                close_fd(m->fd);
        free(m);
}

static void mark_freep(Mark **m) {
        mark_free(*m);
}

static int insert(Marks *all, Mark *m) {
        size_t at = lower_bound(all, m->dev, m->ino);
        Mark **more;

        if ((all->n & (all->n - 1)) == 0) {
                more = reallocarray(all->items, all->n == 0 ? 1 : all->n * 2, sizeof(Mark *));
                if (!more)
                        return -ENOMEM;
                all->items = more;
        }
        memmove(all->items + at + 1, all->items + at, (all->n - at) * sizeof(Mark *));
        all->items[at] = m;
        all->n++;
        return 0;
}

static int open_door(const Sync *s, const DoorPlace *place, Mark **ret) {
        _cleanup_(mark_freep) Mark *m = calloc(1, sizeof(Mark));
        char path[PATH_MAX];
        struct stat st;

        if (!m)
                return -ENOMEM;
        snprintf(path, sizeof(path), "%s/%s", s->sys, place->path);
        m->fd = open(path, O_PATH | O_CLOEXEC);
        if (m->fd < 0 || fstat(m->fd, &st) < 0)
                return -errno;
        m->place = *place;
        m->identity = s->identity;
        m->dev = st.st_dev;
        m->ino = st.st_ino;
        m->seen = true;
        *ret = TAKE_PTR(m);
        return 0;
}

static int add(Sync *s, const DoorPlace *place) {
        _cleanup_(mark_freep) Mark *m = NULL;
        int r;

        r = open_door(s, place, &m);
        /* Not every function has every file, and one may go in this moment. */
        if (r == -ENOENT || r == -ENODEV || r == -ENOTDIR)
                return 0;
        if (r < 0)
                return r;
        if (find(s->all, m->dev, m->ino)) {
                find(s->all, m->dev, m->ino)->seen = true;
                return 0;
        }
        r = tell_kernel(s->all, FAN_MARK_ADD, m->fd);
        if (r < 0)
                return r;
        r = insert(s->all, m);
        if (r < 0) {
                (void) tell_kernel(s->all, FAN_MARK_REMOVE, m->fd);
                return r;
        }
        m = NULL;
        return 0;
}

/* One that cannot be marked is no reason to leave the others open. */
static int found(const DoorPlace *place, void *userdata) {
        Sync *s = userdata;
        int r;

        r = add(s, place);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                s->all->n_failed++;
                s->first = s->first < 0 ? s->first : r;
        }
        return 0;
}

/* Marks that the last sync made of a function are still those: its directory is the same. */
static void keep_known(Marks *all, const Snapshot *snapshot, bool known[]) {
        for (size_t i = 0; i < all->n; i++) {
                Mark *m = all->items[i];
                const Fn *fn = m->identity == 0 || m->place.door == DOOR_LATCH
                                       ? NULL
                                       : snapshot_find(snapshot, m->place.fn);

                if (fn && fn->identity == m->identity)
                        m->seen = known[fn - snapshot->fns] = true;
        }
}

static int sync_functions(Sync *s, const Snapshot *snapshot) {
        _cleanup_free_ bool *known = calloc(snapshot->n_fns + 1, sizeof(bool));
        int r = 0;

        if (!known)
                return -ENOMEM;
        keep_known(s->all, snapshot, known);
        FOREACH_FN (fn, snapshot) {
                s->identity = fn->identity;
                if (r >= 0 && !known[fn - snapshot->fns])
                        r = doors_of_function(fn, false, found, s);
                if (r >= 0 && is_latched(s->all, fn))
                        r = doors_of_function(fn, true, found, s);
        }
        s->identity = 0;
        return r;
}

static void drop_unseen(Marks *all) {
        size_t n = 0;

        for (size_t i = 0; i < all->n; i++) {
                Mark *m = all->items[i];

                if (m->seen) {
                        all->items[n++] = m;
                        continue;
                }
                (void) tell_kernel(all, FAN_MARK_REMOVE, m->fd);
                mark_free(m);
        }
        all->n = n;
}

int marks_sync(Marks *all, Kernel *k, const Snapshot *snapshot, const char *sys) {
        Sync s = { .all = all, .sys = sys };
        int r;

        all->n_failed = 0;
        for (size_t i = 0; i < all->n; i++)
                all->items[i]->seen = false;
        r = sync_functions(&s, snapshot);
        if (r >= 0)
                r = doors_of_host(k, snapshot, found, &s);
        /* A walk that came to no end has not seen all that is there. */
        if (r < 0)
                return r;
        drop_unseen(all);
        return s.first;
}

int marks_add(Marks *all, Kernel *k, const char *sys, Bdf bdf) {
        Sync s = { .all = all, .sys = sys };
        Fn fn = { .bdf = bdf, .pf = BDF_NONE };
        int r;

        /* With its number, so that the next sync knows them for those of this device. */
        r = k->identity(k, ATTR_FN(ATTR_DIRECTORY, bdf), &fn.identity);
        if (r < 0)
                return r;
        s.identity = fn.identity;
        r = doors_of_function(&fn, false, found, &s);
        return r < 0 ? r : s.first;
}

int marks_latch(Marks *all, Kernel *k, const Snapshot *s, const char *sys, Bdf pf) {
        if (bdf_equal(all->latched, pf))
                return 0;
        all->latched = pf;
        return marks_sync(all, k, s, sys);
}

void marks_clear(Marks *all) {
        for (size_t i = 0; i < all->n; i++)
                all->items[i]->seen = false;
        drop_unseen(all);
        free(all->items);
        all->items = NULL;
}

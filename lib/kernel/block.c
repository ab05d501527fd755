/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block
 *
 * With nvme multipath the disk that people use (nvme1n2, "the head") belongs to no controller; each path to it is a hidden
 * one with the controller's number in its name, nvme1c3n2 (drivers/nvme/host/multipath.c).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/block.h"

void blocks_done(Blocks *all) {
        for (size_t i = 0; i < all->n; i++)
                free(all->items[i].path);
        free(all->items);
        *all = (Blocks){};
}

static int push(HolderSearch *s, Blocks *all, const char *name, const char *path) {
        Block *more;

        for (size_t i = 0; i < all->n; i++)
                if (streq(all->items[i].name, name))
                        return 0;
        more = reallocarray(all->items, all->n + 1, sizeof(Block));
        if (!more)
                return -ENOMEM;
        all->items = more;
        more += all->n;
        *more = (Block){ .path = strdup(path) };
        if (!more->path)
                return -ENOMEM;
        snprintf(more->name, sizeof(more->name), "%s", name);
        snprintf(more->node, sizeof(more->node), "%s/%s", s->roots->dev, name);
        for (char *p = strchr(more->node, '!'); p; p = strchr(p, '!'))
                *p = '/';
        all->n++;
        return 0;
}

static int path_of(HolderSearch *s, const char *name, char *buf) {
        return s->k->path(s->k, ATTR_NAME(ATTR_BLOCKS, name), buf, PATH_MAX);
}

static bool is_below(const char *path, const char *top) {
        const char *rest = startswith(path, top);

        return rest && rest[0] == '/';
}

/* Adds those of names whose path is below top, which is itself one of them or not. */
static int push_below(HolderSearch *s, Blocks *all, char *const *names, const char *top) {
        char path[PATH_MAX];
        int r;

        STRV_FOREACH (name, names) {
                r = path_of(s, *name, path);
                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return r;
                if (!is_below(path, top) && !streq(path, top))
                        continue;
                r = push(s, all, *name, path);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* "nvme1n2" out of "nvme1c3n2". */
static bool parse_path_of_head(const char *name, char *head, size_t size) {
        unsigned subsystem, controller, disk;
        char end;

        if (sscanf(name, "nvme%uc%un%u%c", &subsystem, &controller, &disk, &end) != 3)
                return false;
        snprintf(head, size, "nvme%un%u", subsystem, disk);
        return true;
}

static int push_heads(HolderSearch *s, Blocks *all, char *const *names) {
        char head[64], path[PATH_MAX];
        size_t n = all->n;
        int r;

        for (size_t i = 0; i < n; i++) {
                if (!parse_path_of_head(all->items[i].name, head, sizeof(head)))
                        continue;
                r = path_of(s, head, path);
                if (r >= 0)
                        r = push_below(s, all, names, path);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

/* What has no number is gone, or is hidden and has no node: nobody can have it open. */
static bool fill(HolderSearch *s, Block *b) {
        char hidden[8];

        if (s->k->read(s->k, ATTR_NAME(ATTR_BLOCK_HIDDEN, b->name), hidden, sizeof(hidden)) >= 0 &&
            streq(hidden, "1"))
                return false;
        return s->k->read(s->k, ATTR_NAME(ATTR_BLOCK_DEV, b->name), b->number, sizeof(b->number)) >=
                       0 &&
               sscanf(b->number, "%u:%u", &b->major, &b->minor) == 2;
}

static void keep_visible(HolderSearch *s, Blocks *all) {
        size_t n = 0;

        for (size_t i = 0; i < all->n; i++) {
                if (fill(s, all->items + i))
                        all->items[n++] = all->items[i];
                else
                        free(all->items[i].path);
        }
        all->n = n;
}

int blocks_find(HolderSearch *s, Blocks *ret) {
        _cleanup_strv_ char **names = NULL;
        char top[PATH_MAX];
        int r;

        r = s->k->list(s->k, ATTR_BUS(ATTR_BLOCKS), &names);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        r = s->k->path(s->k, ATTR_FN(ATTR_DIRECTORY, s->fn), top, sizeof(top));
        if (r >= 0)
                r = push_below(s, ret, names, top);
        if (r >= 0)
                r = push_heads(s, ret, names);
        if (r < 0)
                return r;
        keep_visible(s, ret);
        return 0;
}

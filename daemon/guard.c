/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guards
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

#include "daemon/guard.h"

bool guards_have(const Guards *all, uint32_t job, int32_t group) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].job == job && all->items[i].group == group)
                        return true;
        return false;
}

int guards_add(Guards *all, uint32_t job, int32_t group, int fd) {
        Guard *more = reallocarray(all->items, all->n + 1, sizeof(Guard));

        if (!more) {
                close_fd(fd);
                return -ENOMEM;
        }
        all->items = more;
        all->items[all->n++] = (Guard){ job, group, fd };
        return 0;
}

void guards_close(Guards *all, uint32_t job) {
        size_t kept = 0;

        for (size_t i = 0; i < all->n; i++) {
                if (all->items[i].job == job)
                        close_fd(all->items[i].fd);
                else
                        all->items[kept++] = all->items[i];
        }
        all->n = kept;
}

void guards_done(Guards *all) {
        for (size_t i = 0; i < all->n; i++)
                close_fd(all->items[i].fd);
        free(all->items);
        *all = (Guards){};
}

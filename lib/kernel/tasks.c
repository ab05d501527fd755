/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks: the list that the seam fills
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"

#include "kernel/kernel.h"

int tasks_add(Tasks *all, const Task *t) {
        Task *more;

        more = reallocarray(all->items, all->n + 1, sizeof(Task));
        if (!more)
                return -ENOMEM;
        all->items = more;
        all->items[all->n++] = *t;
        return 0;
}

void tasks_done(Tasks *all) {
        free(all->items);
        *all = (Tasks){};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Left
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/macro.h"

#include "daemon/left.h"

struct Left {
        Lefts *all;
        Process process;
        int fd;
        sd_event_source *over, *deadline;
};

static Left *left_free(Left *l) {
        sd_event_source_disable_unref(l->over);
        sd_event_source_disable_unref(l->deadline);
        close_fd(l->fd);
        free(l);
        return NULL;
}

DEFINE_CLEANUP(Left, left_free);

void lefts_done(Lefts *all) {
        for (size_t i = 0; i < all->n; i++)
                left_free(all->items[i]);
        free(all->items);
        all->items = NULL;
        all->n = 0;
}

const Process *lefts_process(const Lefts *all, size_t i) {
        return &all->items[i]->process;
}

static int on_over(sd_event_source *source _unused_, int fd _unused_, uint32_t revents _unused_,
                   void *userdata) {
        Left *l = userdata;
        Lefts *all = l->all;

        for (size_t i = 0; i < all->n; i++)
                if (all->items[i] == l) {
                        all->items[i] = all->items[--all->n];
                        break;
                }
        left_free(l);
        if (all->n == 0)
                all->over(all->userdata);
        return 0;
}

static int on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Left *l = userdata;

        l->all->stuck(&l->process, l->all->userdata);
        return 0;
}

static bool is_awaited(const Lefts *all, const Process *p) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i]->process.pid == p->pid)
                        return true;
        return false;
}

int lefts_await(Lefts *all, const Process *p, uint64_t deadline_usec) {
        _cleanup_(left_freep) Left *l = NULL;
        Left **more;
        int r;

        if (is_awaited(all, p))
                return 0;
        l = calloc(1, sizeof(Left));
        more = reallocarray(all->items, all->n + 1, sizeof(Left *));
        if (more)
                all->items = more;
        if (!l || !more)
                return -ENOMEM;
        *l = (Left){ .all = all, .process = *p, .fd = -EBADF };
        r = process_open(p, &l->fd);
        if (r < 0)
                return r == -ESRCH ? 0 : r;
        r = sd_event_add_io(all->event, &l->over, l->fd, EPOLLIN, on_over, l);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(all->event, &l->deadline, CLOCK_MONOTONIC, deadline_usec, 0,
                                       on_deadline, l);
        if (r < 0)
                return r;
        all->items[all->n++] = TAKE_PTR(l);
        return 0;
}

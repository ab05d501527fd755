/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch
 */
#include "base/str.h"

#include "kernel/scan.h"

#include "daemon/log.h"
#include "daemon/manager.h"

#define GATHER_USEC 10000
#define RETRY_USEC 1000000

static void mark(Watch *w, const KernelEvent *e) {
        if (e->kind == KERNEL_EVENT_LOST) {
                w->all = true;
                return;
        }
        if (e->kind == KERNEL_EVENT_UDEV) {
                w->udev = true;
                return;
        }
        if (e->kind == KERNEL_EVENT_OTHER) {
                w->rest = true;
                return;
        }
        for (size_t i = 0; i < w->n_dirty; i++)
                if (bdf_equal(w->dirty[i], e->bdf))
                        return;
        if (w->n_dirty == WATCH_DIRTY_MAX)
                w->all = true;
        else
                w->dirty[w->n_dirty++] = e->bdf;
}

bool watch_is_dirty(const Watch *w) {
        return w->all || w->rest || w->n_dirty > 0;
}

static bool has_news(const Watch *w) {
        return w->udev || watch_is_dirty(w);
}

static void take_in(Manager *m) {
        KernelEvent e;
        int r;

        while ((r = m->kernel->next_event(m->kernel, &e)) > 0) {
                if (e.kind == KERNEL_EVENT_CHANGED && streq(e.action, "add"))
                        gate_add(m, e.bdf);
                m->metrics.n_events_lost += e.kind == KERNEL_EVENT_LOST;
                ready_event(m, &e);
                mark(&m->watch, &e);
        }
        /* Whatever went wrong, events may have gone with it. */
        if (r < 0) {
                ready_event(m, &(KernelEvent){ .kind = KERNEL_EVENT_LOST });
                m->watch.all = true;
        }
}

/* Until it goes well the old view stays, and nobody else would make us look again. */
static void try_later(Manager *m) {
        m->watch.all = true;
        (void) sd_event_source_set_time_relative(m->watch.soon, RETRY_USEC);
        (void) sd_event_source_set_enabled(m->watch.soon, SD_EVENT_ONESHOT);
}

static void forget(Watch *w) {
        w->n_dirty = 0;
        w->all = w->rest = w->udev = false;
}

static int look_at_marks(Manager *m) {
        Watch *w = &m->watch;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < w->n_dirty; i++)
                r = scan_fn(m->kernel, m->snapshot, w->dirty[i]);
        if (r >= 0 && w->rest)
                r = scan_rest(m->kernel, m->snapshot);
        return r < 0 ? log_error_errno(r, "cannot look at what changed, looking at all") : r;
}

/* What could not be looked at is no better known than before: nothing less than a whole look makes up for it. */
static void look(Manager *m) {
        Watch *w = &m->watch;
        bool dirty = watch_is_dirty(w), all = w->all || look_at_marks(m) < 0;

        forget(w);
        /* What udev does opens no door. */
        m->gate.stale = m->gate.stale || dirty;
        (void) sd_event_source_set_enabled(w->soon, SD_EVENT_OFF);
        if (all && manager_look(m) < 0)
                try_later(m);
        manager_kick(m);
}

void watch_flush(Manager *m) {
        take_in(m);
        if (has_news(&m->watch))
                look(m);
}

static int on_soon(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        look(userdata);
        return 0;
}

static int on_event(sd_event_source *source _unused_, int fd _unused_, uint32_t revents _unused_,
                    void *userdata) {
        Manager *m = userdata;
        bool had_news = has_news(&m->watch);

        take_in(m);
        if (had_news || !has_news(&m->watch))
                return 0;
        (void) sd_event_source_set_time_relative(m->watch.soon, GATHER_USEC);
        (void) sd_event_source_set_enabled(m->watch.soon, SD_EVENT_ONESHOT);
        return 0;
}

int watch_start(Manager *m) {
        int fd, r;

        r = m->kernel->watch(m->kernel, &fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(m->event, &m->watch.io, fd, EPOLLIN, on_event, m);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(m->event, &m->watch.soon, CLOCK_MONOTONIC, 0, 1000, on_soon,
                                       m);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(m->watch.soon, SD_EVENT_OFF);
}

void watch_done(Watch *w) {
        w->io = sd_event_source_disable_unref(w->io);
        w->soon = sd_event_source_disable_unref(w->soon);
}

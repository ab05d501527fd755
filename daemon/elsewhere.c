/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other sysfs
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/elsewhere.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/parcel.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define PAUSE_USEC (60 * USEC_PER_SEC)

static uint64_t now_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
}

/* No answer, no matter: nobody waits for it, and the child that is stuck on its way is not asked again. */
static void ask(Manager *m) {
        WorkerRequest request = { .work = WORKER_ELSEWHERE, .index = m->gate.others.at };
        Worker *w;

        m->gate.others.asking =
                workers_get(&m->workers, &w) >= 0 && worker_ask(w, &request, 0) >= 0;
}

void others_ask(Manager *m, bool now) {
        Others *all = &m->gate.others;

        if (all->asking || (!now && now_usec() - all->asked < PAUSE_USEC))
                return;
        all->asked = now_usec();
        all->at = 0;
        all->more = false;
        for (size_t i = 0; i < all->n; i++)
                all->items[i].seen = false;
        ask(m);
}

static void sync_other(Manager *m, Other *o) {
        char top[64];

        if (o->top < 0)
                return;
        snprintf(top, sizeof(top), "/proc/self/fd/%d", o->top);
        (void) marks_sync(&o->marks, m->kernel, m->snapshot, top);
}

void others_sync(Manager *m) {
        for (size_t i = 0; i < m->gate.others.n; i++)
                sync_other(m, m->gate.others.items + i);
}

static void other_done(Other *o) {
        marks_clear(&o->marks);
        o->top = close_fd(o->top);
}

/* Nobody has it mounted any more, and our descriptor is the last that keeps it. */
static void drop_unseen(Others *all) {
        size_t n = 0;

        for (size_t i = 0; i < all->n; i++) {
                if (all->items[i].seen)
                        all->items[n++] = all->items[i];
                else
                        other_done(all->items + i);
        }
        all->n = n;
}

static void take(Manager *m, const Elsewhere *what, int *fd) {
        Others *all = &m->gate.others;
        Other *o = all->items;

        while (o < all->items + all->n && o->what.dev != what->dev)
                o++;
        if (o == all->items + OTHERS_MAX) {
                all->more = true;
                return;
        }
        if (o == all->items + all->n) {
                *o = (Other){ .top = TAKE_FD(*fd),
                              .marks = { .group = m->gate.ear.group, .latched = BDF_NONE } };
                all->n++;
                sync_other(m, o);
                log_line(LOG_NOTICE, NULL,
                         "gate: sysfs of another network namespace at %s of '%s' (process %u): %s",
                         what->point, what->command, what->pid,
                         o->top >= 0 ? "held as well" : "cannot be held");
        }
        o->what = *what;
        o->seen = true;
}

void others_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                     WorkerFds *fds) {
        Others *all = &m->gate.others;
        _cleanup_free_ Elsewhere *what = NULL;

        all->asking = false;
        if (!reply || reply->error < 0 || m->gate.ear.group < 0 || request->index != all->at)
                return;
        if (reply->n_list == 0) {
                drop_unseen(all);
                return;
        }
        if (reply->n_list != 1 || parcel_unpack(fds->list, 1, sizeof(*what), (void **) &what) < 0)
                return;
        take(m, what, &fds->guard);
        all->at++;
        ask(m);
}

const Mark *others_find(const Others *all, int fd) {
        const Mark *mark = NULL;

        for (size_t i = 0; i < all->n && !mark; i++)
                mark = marks_find(&all->items[i].marks, fd);
        return mark;
}

static int add_line(char ***lines, const Elsewhere *what) {
        char text[512];

        snprintf(text, sizeof(text),
                 "sysfs of another network namespace at %.128s of '%.32s' (process %u): %s",
                 what->point, what->command, what->pid, strerror(what->error));
        return strv_push(lines, text);
}

char **others_uncovered(const Others *all) {
        char **lines = NULL;

        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].top < 0 && add_line(&lines, &all->items[i].what) < 0)
                        return lines;
        if (all->more)
                (void) strv_push(&lines, "more network namespaces with a sysfs of their own than "
                                         "can be held");
        return lines;
}

void others_clear(Others *all) {
        for (size_t i = 0; i < all->n; i++)
                other_done(all->items + i);
        *all = (Others){};
}

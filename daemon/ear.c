/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ear
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"

#include "daemon/ear.h"
#include "daemon/gate.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/turn.h"

/* Events taken in one go; the rest is still there at the next turn of the loop. */
#define EVENTS_MAX 64
/* Between two looks at a thread that has told fanotify and does not sleep yet: it has only to be taken off its CPU. */
#define AGAIN_USEC 1000

int ear_answer(const Ear *e, int event, bool allow) {
        struct fanotify_response response = { .fd = event,
                                              .response = allow ? FAN_ALLOW : FAN_DENY };
        /* ENOENT: whoever waited was killed meanwhile. */
        ssize_t n = write(e->group, &response, sizeof(response));
        int r = n < 0 && errno != ENOENT ? -errno : 0;

        close_fd(event);
        return r;
}

static const Mark *find_door(const Gate *g, int fd) {
        const Mark *mark = marks_find(&g->marks, fd);

        return mark ? mark : others_find(&g->others, fd);
}

/* To write, or for whatever cannot be told: reads pass at once, and so do our own children, who write when the queue says so. */
static void decide(Manager *m, int event, pid_t tid, bool writes) {
        const Mark *mark = find_door(&m->gate, event);
        Opener o;
        int r = !mark || !writes || opener_is_ours(tid) ? -ESRCH : opener_read(tid, &o);

        /* Nobody's, a reader's, our own, or of one who is gone. */
        if (r == -ESRCH) {
                (void) ear_answer(&m->gate.ear, event, true);
                return;
        }
        if (r < 0) {
                log_error_errno(r, "%s: refused process %d, of which nothing can be told",
                                mark->place.path, (int) tid);
                (void) ear_answer(&m->gate.ear, event, false);
                return;
        }
        snprintf(o.file, sizeof(o.file), "%s", mark->place.path);
        gate_knock(m, mark, &o, event);
}

/* It was heard before it slept. One that never does, for io_uring opens for it, counts as writing in the end. */
static int hear_later(Ear *e, int event, pid_t tid) {
        Unheard *more = reallocarray(e->unheard, e->n_unheard + 1, sizeof(Unheard));
        int r;

        if (!more)
                return -ENOMEM;
        e->unheard = more;
        e->unheard[e->n_unheard++] = (Unheard){ .event = event, .tid = tid };
        /* The timer of those before it is not put off. */
        if (e->n_unheard > 1)
                return 0;
        r = sd_event_source_set_time_relative(e->again, AGAIN_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(e->again, SD_EVENT_ONESHOT);
        if (r < 0)
                e->n_unheard--;
        return r;
}

static int on_again(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Manager *m = userdata;
        Ear *e = &m->gate.ear;
        size_t n = 0;

        for (size_t i = 0; i < e->n_unheard; i++) {
                Unheard u = e->unheard[i];
                int writes = opener_writes(u.tid);

                if (writes == -EAGAIN && ++u.tries < EAR_TRIES)
                        e->unheard[n++] = u;
                else
                        decide(m, u.event, u.tid, writes != 0);
        }
        e->n_unheard = n;
        if (n == 0)
                return 0;
        (void) sd_event_source_set_time_relative(source, AGAIN_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void opened(Manager *m, const struct fanotify_event_metadata *event) {
        int writes = opener_writes(event->pid);

        if (writes != -EAGAIN || hear_later(&m->gate.ear, event->fd, event->pid) < 0)
                decide(m, event->fd, event->pid, writes != 0);
}

static void take_event(Manager *m, const struct fanotify_event_metadata *event) {
        struct stat st;

        if (event->fd < 0)
                return;
        if (event->mask & FAN_OPEN_PERM) {
                opened(m, event);
                return;
        }
        if (fstat(event->fd, &st) >= 0)
                turns_look(m, st.st_ino, event->pid);
        close_fd(event->fd);
}

static int on_events(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
                     void *userdata) {
        struct fanotify_event_metadata buf[EVENTS_MAX];
        ssize_t n = read(fd, buf, sizeof(buf));

        if (n < 0) {
                if (errno != EAGAIN && errno != EINTR)
                        log_error_errno(-errno, "cannot hear who opens what");
                return 0;
        }
        for (struct fanotify_event_metadata *e = buf; FAN_EVENT_OK(e, n); e = FAN_EVENT_NEXT(e, n))
                take_event(userdata, e);
        return 0;
}

static int add_sources(Manager *m, Ear *e) {
        int r;

        r = sd_event_add_io(m->event, &e->io, e->group, EPOLLIN, on_events, m);
        if (r >= 0)
                r = sd_event_add_time_relative(m->event, &e->again, CLOCK_MONOTONIC, 0, 1, on_again,
                                               m);
        if (r >= 0)
                r = sd_event_source_set_enabled(e->again, SD_EVENT_OFF);
        /* Before all else: somebody sleeps in open(). */
        if (r >= 0)
                r = sd_event_source_set_priority(e->io, SD_EVENT_PRIORITY_IMPORTANT);
        return r;
}

int ear_open(Manager *m) {
        Ear *e = &m->gate.ear;
        int r;

        /*
         * Descriptors of events are opened write-only: the kernel opens the door for us, and with O_RDONLY it cannot open one
         * that is write-only, and tells every writer EPERM.
         */
        e->group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_TID |
                                         FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
                                 O_WRONLY | O_CLOEXEC | O_LARGEFILE);
        if (e->group < 0)
                return -errno;
        r = add_sources(m, e);
        if (r < 0)
                ear_close(e);
        return r < 0 ? r : 0;
}

void ear_close(Ear *e) {
        for (size_t i = 0; i < e->n_unheard; i++)
                close_fd(e->unheard[i].event);
        free(e->unheard);
        sd_event_source_disable_unref(e->io);
        sd_event_source_disable_unref(e->again);
        close_fd(e->group);
        *e = EAR_EMPTY;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turn
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/turn.h"

#define USEC_PER_SEC UINT64_C(1000000)
/* 0 would mean a quarter of a second to sd-event. */
#define ACCURACY_USEC 1000
/* Deep enough for the outermost frame of a driver: it says what was written. */
#define WHERE_MAX 2048
#define FIRST_PAUSE_USEC UINT64_C(10000)
#define LONGEST_PAUSE_USEC (USEC_PER_SEC / 2)
#define RUNNING_USEC (2 * USEC_PER_SEC)
#define UNORDERED_PAUSE_USEC (10 * USEC_PER_SEC)
/* From then on each more is worth a look at those that may be closed. */
#define FILES_MANY 8

static uint64_t now_usec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
}

static void turn_free(Turn *t) {
        if (!t)
                return;
        metrics_wait_over(t->manager, t->knocked);
        sd_event_source_disable_unref(t->died);
        sd_event_source_disable_unref(t->timer);
        close_fd(t->pidfd);
        close_fd(t->event);
        free(t->files);
        free(t);
}

static void turn_freep(Turn **t) {
        turn_free(*t);
}

static void take_out(Gate *g, const Turn *t) {
        for (size_t i = 0; i < g->n_turns; i++)
                if (g->turns[i] == t) {
                        g->turns[i] = g->turns[--g->n_turns];
                        return;
                }
}

/* The last name of a path. */
static const char *last_name(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

Turn *turn_of(const Gate *g, pid_t pid) {
        for (size_t i = 0; i < g->n_turns; i++)
                if (g->turns[i]->who.pid == pid && g->turns[i]->state == TURN_INSIDE)
                        return g->turns[i];
        return NULL;
}

Turn *turn_of_file(const Gate *g, pid_t pid, uint64_t ino) {
        for (size_t i = 0; i < g->n_turns; i++)
                for (size_t j = 0; j < g->turns[i]->n_files; j++)
                        if (g->turns[i]->who.pid == pid && g->turns[i]->files[j].ino == ino)
                                return g->turns[i];
        return NULL;
}

/*
 * First whether it is still on its way through open(), then whether it has the file: so that what comes out of the one is
 * seen by the other. A thread that runs, or waits for a CPU, shows nothing: on a crowded host it may be some time in that.
 */
static bool has_file(const Turn *t, TurnFile *f) {
        int opening = f->opened ? 0 : opener_is_opening(f->tid);
        uint64_t now = now_usec();

        if (opener_holds(t->who.pid, f->ino, f->name) > 0) {
                f->running_since = 0;
                return true;
        }
        if (opening != -EAGAIN) {
                f->running_since = 0;
                return opening > 0;
        }
        if (f->running_since == 0)
                f->running_since = now;
        return now - f->running_since < RUNNING_USEC;
}

static bool has_any_file(Turn *t) {
        for (size_t i = 0; i < t->n_files; i++)
                if (has_file(t, t->files + i))
                        return true;
        return false;
}

/* One who opens and closes again and again within his turn is not remembered for each time. */
static void forget_closed(Turn *t) {
        size_t n = 0;

        for (size_t i = 0; i < t->n_files; i++)
                if (has_file(t, t->files + i))
                        t->files[n++] = t->files[i];
        t->n_files = n;
}

int turn_add(Turn *t, pid_t tid, uint64_t ino, const char *path) {
        TurnFile *more, *f;

        if (t->n_files >= FILES_MANY)
                forget_closed(t);
        more = reallocarray(t->files, t->n_files + 1, sizeof(TurnFile));
        if (!more)
                return -ENOMEM;
        t->files = more;
        f = t->files + t->n_files++;
        *f = (TurnFile){ .ino = ino, .tid = tid };
        snprintf(f->name, sizeof(f->name), "%.63s", last_name(path));
        return 0;
}

/* The turn is over, and the job with it. */
static void end(Turn *t, StepAnswer answer) {
        Manager *m = t->manager;
        StepResult result = { .answer = answer };

        manager_admitted(m, t->job, t->index, &t->step, &result, now_usec() - t->admitted);
}

static void leave(Turn *t) {
        take_out(&t->manager->gate, t);
        if (t->state != TURN_UNORDERED)
                end(t, t->state == TURN_PENDING ? STEP_GONE : STEP_DONE);
        turn_free(t);
}

static int on_died(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                   void *userdata) {
        leave(userdata);
        return 0;
}

/* It keeps the file open and does nothing with it: the host does not wait for it. What it writes later meets others. */
static void end_lease(Turn *t) {
        Record *r = records_find(&t->manager->records, t->job);
        char warning[512];

        snprintf(warning, sizeof(warning),
                 "'%s' (process %d) keeps '%s' open; what it writes from now on is in no order",
                 t->who.command, (int) t->who.pid, t->who.file);
        if (r)
                (void) record_warn(r, warning);
        log_line(LOG_WARNING, r, "%s: job %" PRIu32 ": %s", r ? RECORD_OBJECT(r) : t->who.file,
                 t->job, warning);
        end(t, STEP_DONE);
        t->state = TURN_UNORDERED;
        t->pause_usec = UNORDERED_PAUSE_USEC;
}

static void overdue(Turn *t, const char *where) {
        Manager *m = t->manager;
        Record *r = records_find(&m->records, t->job);

        t->state = TURN_WEDGED;
        if (r)
                stuck_foreign(m, r, t->index, &t->step, t->who.pid, where);
}

static bool is_somebody_unordered_inside(const Gate *g) {
        char where[WHERE_MAX];

        for (size_t i = 0; i < g->n_turns; i++)
                if (g->turns[i]->state == TURN_UNORDERED &&
                    opener_is_inside(g->turns[i]->who.pid, where, sizeof(where)))
                        return true;
        return false;
}

static void admit(Turn *t) {
        Gate *g = &t->manager->gate;

        t->state = TURN_INSIDE;
        metrics_wait_over(t->manager, t->knocked);
        t->knocked = 0;
        t->admitted = t->since = now_usec();
        t->pause_usec = FIRST_PAUSE_USEC;
        g->n_passed++;
        log_job_admitted(records_find(&t->manager->records, t->job));
        (void) ear_answer(&g->ear, TAKE_FD(t->event), true);
        gate_let_siblings_in(t->manager, t);
}

/* True: it is gone, and t with it. */
static bool look_inside(Turn *t) {
        uint64_t lease = (uint64_t) t->manager->settings.gate_lease * USEC_PER_SEC;
        char where[WHERE_MAX];

        if (opener_is_inside(t->who.pid, where, sizeof(where))) {
                t->since = now_usec();
                if (t->inside_since == 0)
                        t->inside_since = t->since;
                if (t->state == TURN_INSIDE && t->since - t->inside_since > t->deadline_usec)
                        overdue(t, where);
                return false;
        }
        t->inside_since = 0;
        if (!has_any_file(t)) {
                leave(t);
                return true;
        }
        if (t->state == TURN_WEDGED || now_usec() - t->since > lease)
                end_lease(t);
        return false;
}

/* Nobody can tell any more when his turn comes. */
static bool is_to_be_refused(const Turn *t) {
        const Manager *m = t->manager;

        return m->gate.asleep || queue_is_closed(&m->queue) ||
               now_usec() - t->since > t->deadline_usec;
}

static void refuse(Turn *t) {
        Gate *g = &t->manager->gate;
        char text[LOG_OPENER_MAX];

        g->n_denied++;
        log_line(LOG_WARNING, NULL,
                 "%s: refused %s, for somebody who is in no order is in the kernel", t->who.file,
                 log_opener(&t->who, text));
        (void) ear_answer(&g->ear, TAKE_FD(t->event), false);
        leave(t);
}

/* True: it is gone. */
static bool look(Turn *t) {
        switch (t->state) {
        case TURN_PENDING:
                if (is_to_be_refused(t)) {
                        refuse(t);
                        return true;
                }
                if (!is_somebody_unordered_inside(&t->manager->gate))
                        admit(t);
                return false;
        case TURN_UNORDERED:
                if (has_any_file(t))
                        return false;
                leave(t);
                return true;
        default:
                return look_inside(t);
        }
}

static int arm(Turn *t) {
        int r;

        r = sd_event_source_set_time_relative(t->timer, t->pause_usec);
        if (r >= 0)
                r = sd_event_source_set_enabled(t->timer, SD_EVENT_ONESHOT);
        if (t->state != TURN_UNORDERED)
                t->pause_usec = MIN2(t->pause_usec * 2, LONGEST_PAUSE_USEC);
        return r;
}

static int on_timer(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Turn *t = userdata;

        if (!look(t))
                (void) arm(t);
        return 0;
}

void turns_look(Manager *m, uint64_t ino, pid_t tid) {
        Gate *g = &m->gate;

        for (size_t i = g->n_turns; i > 0; i--) {
                Turn *t = g->turns[i - 1];
                bool concerned = false;

                for (size_t j = 0; j < t->n_files; j++) {
                        TurnFile *f = t->files + j;

                        if (f->ino != ino)
                                continue;
                        concerned = true;
                        /* Somebody else's close says nothing of one who is still on his way in. */
                        f->opened = f->opened || (f->tid == tid && t->state != TURN_PENDING);
                }
                if (concerned)
                        (void) look(t);
        }
}

void turns_refuse_pending(Gate *g) {
        for (size_t i = g->n_turns; i > 0; i--)
                if (g->turns[i - 1]->state == TURN_PENDING && is_to_be_refused(g->turns[i - 1]))
                        refuse(g->turns[i - 1]);
}

static int keep(Gate *g, Turn *t) {
        Turn **more = reallocarray(g->turns, g->n_turns + 1, sizeof(Turn *));

        if (!more)
                return -ENOMEM;
        g->turns = more;
        g->turns[g->n_turns++] = t;
        return 0;
}

static int watch_it(Turn *t) {
        sd_event *event = t->manager->event;
        int r;

        r = sd_event_add_io(event, &t->died, t->pidfd, EPOLLIN, on_died, t);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &t->timer, CLOCK_MONOTONIC, FIRST_PAUSE_USEC,
                                               ACCURACY_USEC, on_timer, t);
        return r;
}

int turn_begin(Manager *m, Knock *k, size_t index, const Step *step) {
        _cleanup_(turn_freep) Turn *t = calloc(1, sizeof(Turn));
        int r;

        if (!t)
                return -ENOMEM;
        k->died = sd_event_source_disable_unref(k->died);
        *t = (Turn){ .manager = m,
                     .job = k->job,
                     .index = index,
                     .step = *step,
                     .state = TURN_PENDING,
                     .who = k->who,
                     .since = now_usec(),
                     .admitted = now_usec(),
                     .deadline_usec = pace_deadline_sec(&m->pace, step) * USEC_PER_SEC,
                     .pause_usec = FIRST_PAUSE_USEC,
                     .pidfd = TAKE_FD(k->pidfd),
                     .event = TAKE_FD(k->event),
                     .knocked = k->since };
        k->since = 0;
        r = turn_add(t, k->who.tid, k->ino, k->who.file);
        if (r >= 0)
                r = watch_it(t);
        if (r >= 0)
                r = keep(&m->gate, t);
        if (r < 0) {
                (void) ear_answer(&m->gate.ear, TAKE_FD(t->event), false);
                return r;
        }
        (void) look(t);
        t = NULL;
        return 0;
}

int turn_add_unordered(Manager *m, const Opener *who, uint64_t ino) {
        _cleanup_(turn_freep) Turn *t = calloc(1, sizeof(Turn));
        int r;

        if (!t)
                return -ENOMEM;
        *t = (Turn){ .manager = m,
                     .state = TURN_UNORDERED,
                     .who = *who,
                     .pause_usec = UNORDERED_PAUSE_USEC,
                     .pidfd = (int) syscall(SYS_pidfd_open, who->pid, 0),
                     .event = -EBADF };
        if (t->pidfd < 0)
                return -errno;
        r = turn_add(t, who->tid, ino, who->file);
        if (r < 0)
                return r;
        t->files[0].opened = true;
        r = watch_it(t);
        if (r >= 0)
                r = keep(&m->gate, t);
        if (r < 0)
                return r;
        t = NULL;
        return 0;
}

void turns_done(Gate *g) {
        for (size_t i = 0; i < g->n_turns; i++)
                turn_free(g->turns[i]);
        free(g->turns);
        g->turns = NULL;
        g->n_turns = 0;
}

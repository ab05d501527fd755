/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gate
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/before.h"
#include "daemon/exclusive.h"
#include "daemon/gate.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/mode.h"
#include "daemon/recover.h"
#include "daemon/turn.h"

static void knock_free(Knock *k) {
        if (!k)
                return;
        metrics_wait_over(k->manager, k->since);
        sd_event_source_disable_unref(k->died);
        close_fd(k->pidfd);
        close_fd(k->event);
        free(k);
}

static void knock_freep(Knock **k) {
        knock_free(*k);
}

static Knock *find(const Gate *g, uint32_t job, size_t *ret_at) {
        for (size_t i = 0; i < g->n_knocks; i++)
                if (g->knocks[i]->job == job) {
                        *ret_at = i;
                        return g->knocks[i];
                }
        return NULL;
}

static void take_out(Gate *g, size_t at) {
        memmove(g->knocks + at, g->knocks + at + 1, (--g->n_knocks - at) * sizeof(Knock *));
}

/* It was killed while it waited: its job ends, and nothing of it is to be let in. */
static int on_died(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                   void *userdata) {
        Knock *k = userdata;
        Manager *m = k->manager;
        const Record *r = records_find(&m->records, k->job);
        char text[LOG_OPENER_MAX];
        Fault fault;
        size_t at;

        log_line(LOG_NOTICE, r, "%s: job %" PRIu32 ": %s is gone before it was let in",
                 r ? RECORD_OBJECT(r) : "", k->job, log_opener(&k->who, text));
        if (find(&m->gate, k->job, &at))
                take_out(&m->gate, at);
        (void) queue_cancel(&m->queue, k->job, 0, RESULT_CANCELED, &fault);
        (void) ear_answer(&m->gate.ear, TAKE_FD(k->event), false);
        knock_free(k);
        manager_kick(m);
        return 0;
}

static int open_pidfd(pid_t pid) {
        int fd = (int) syscall(SYS_pidfd_open, pid, 0);

        return fd < 0 ? -errno : fd;
}

static int knock_new(Manager *m, const Opener *o, uint64_t ino, Knock **ret) {
        _cleanup_(knock_freep) Knock *k = calloc(1, sizeof(Knock));
        int r;

        if (!k)
                return -ENOMEM;
        *k = (Knock){ .manager = m, .event = -EBADF, .who = *o, .ino = ino };
        k->pidfd = open_pidfd(o->pid);
        if (k->pidfd < 0)
                return k->pidfd;
        r = sd_event_add_io(m->event, &k->died, k->pidfd, EPOLLIN, on_died, k);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(k);
        return 0;
}

static int keep(Gate *g, Knock *k) {
        Knock **more = reallocarray(g->knocks, g->n_knocks + 1, sizeof(Knock *));

        if (!more)
                return -ENOMEM;
        g->knocks = more;
        g->knocks[g->n_knocks++] = k;
        return 0;
}

static Op op_of(const Gate *g, const DoorPlace *place) {
        Op op = { .kind = OP_FOREIGN, .flags = OP_ALONE, .door = place->door, .fn = place->fn };

        /* What is in use goes all the same: the write that follows would take it, and not in order. */
        op.flags |= g->mode == GATE_PROTECT ? OP_PROTECT
                                            : (uint32_t) (OP_FORCE_IN_USE | OP_FORCE_STORAGE);
        if (place->door == DOOR_SLOT)
                memcpy(op.slot, place->name, sizeof(op.slot));
        else
                memcpy(op.driver, place->name, sizeof(op.driver));
        return op;
}

/* One bus's own rescan names a bus, which is no driver of anything. */
static void forget_bus(Op *op) {
        if (op->door == DOOR_RESCAN) {
                op->driver[0] = '\0';
                op->fn = BDF_NONE;
        }
}

static int submit(Manager *m, const Mark *mark, const Opener *o, int event, Fault *ret_fault) {
        _cleanup_(knock_freep) Knock *k = NULL;
        Op op = op_of(&m->gate, &mark->place);
        int r;

        forget_bus(&op);
        r = knock_new(m, o, mark->ino, &k);
        if (r >= 0)
                r = manager_submit_foreign(m, &op, o, &k->job, ret_fault);
        if (r != 0)
                return r;
        r = keep(&m->gate, k);
        if (r < 0) {
                Fault fault;

                (void) queue_cancel(&m->queue, k->job, 0, RESULT_CANCELED, &fault);
                return r;
        }
        k->event = event;
        k->since = metrics_wait_begins(m);
        k = NULL;
        return 0;
}

static void deny(Manager *m, const Opener *o, int event, const char *why) {
        char text[LOG_OPENER_MAX];

        m->gate.n_denied++;
        log_line(LOG_WARNING, NULL, "%s: refused %s, %s", o->file, log_opener(o, text), why);
        (void) ear_answer(&m->gate.ear, event, false);
}

static bool is_excepted(const Manager *m, const Opener *o) {
        for (size_t i = 0; i < m->settings.n_gate_except; i++)
                if (streq(m->settings.gate_except[i], o->exe) ||
                    streq(m->settings.gate_except[i], o->unit))
                        return true;
        return false;
}

static void pass(Manager *m, const Opener *o, int event, const char *why) {
        char text[LOG_OPENER_MAX];

        if (why)
                log_line(LOG_NOTICE, NULL, "%s: opened by %s, %s", o->file, log_opener(o, text),
                         why);
        m->gate.n_passed++;
        (void) ear_answer(&m->gate.ear, event, true);
}

/* A latch is held only while we work on it: it was marked a moment longer. */
static bool is_open(const Manager *m, const Mark *mark) {
        return mark->place.door == DOOR_LATCH && bdf_is_none(m->gate.marks.latched);
}

void gate_knock(Manager *m, const Mark *mark, const Opener *o, int event) {
        Turn *turn = turn_of(&m->gate, o->pid);
        char why[FAULT_STR_MAX];
        Fault fault;
        int r;

        if (m->gate.mode == GATE_OBSERVE || is_open(m, mark)) {
                pass(m, o, event, m->gate.mode == GATE_OBSERVE ? "only observed" : NULL);
                return;
        }
        if (is_excepted(m, o)) {
                pass(m, o, event, "which sriovd.conf excepts");
                return;
        }
        /* Whose turn it is would wait for himself. */
        if (turn) {
                r = turn_add(turn, o->tid, mark->ino, mark->place.path);
                if (r < 0)
                        deny(m, o, event, strerror(-r));
                else
                        pass(m, o, event, NULL);
                return;
        }
        if (m->gate.asleep) {
                deny(m, o, event, "for the host is about to sleep");
                return;
        }
        r = submit(m, mark, o, event, &fault);
        if (r == -ESRCH)
                (void) ear_answer(&m->gate.ear, event, false);
        else if (r < 0)
                deny(m, o, event, strerror(-r));
        else if (r > 0)
                deny(m, o, event, fault_format(&fault, why, sizeof(why)));
}

/* A thread that waits behind its own sibling would be waited for by it. */
void gate_let_siblings_in(Manager *m, Turn *t) {
        Gate *g = &m->gate;
        Fault fault;

        for (size_t i = 0; i < g->n_knocks;) {
                Knock *k = g->knocks[i];
                Record *r = records_find(&m->records, k->job);

                if (k->who.pid != t->who.pid || turn_add(t, k->who.tid, k->ino, k->who.file) < 0) {
                        i++;
                        continue;
                }
                take_out(g, i);
                pass(m, &k->who, TAKE_FD(k->event), NULL);
                if (r) {
                        (void) record_set_fault(r, &FAULT(FAULT_SUPERSEDED, .number = t->job));
                        r->result = RESULT_SUPERSEDED;
                        r->settled = true;
                }
                (void) queue_cancel(&m->queue, k->job, 0, RESULT_SUPERSEDED, &fault);
                knock_free(k);
        }
}

/* Whoever waits is let in, for the kernel does so when the last descriptor of the group is gone. */
static void close_group(Gate *g) {
        for (size_t i = 0; i < g->n_knocks; i++)
                knock_free(g->knocks[i]);
        free(g->knocks);
        g->knocks = NULL;
        g->n_knocks = 0;
        marks_clear(&g->marks);
        others_clear(&g->others);
        ear_close(&g->ear);
        g->marks.group = -EBADF;
        g->marks.latched = BDF_NONE;
}

void gate_done(Gate *g) {
        turns_done(g);
        close_group(g);
}

/*
 * Who only waits is let in, and his job has nobody to let in any more. Where doors are locked nobody comes in, and nobody is let
 * in among the steps that are done for him just now.
 */
static void end_jobs(Manager *m, GateMode mode) {
        Gate *g = &m->gate;
        Fault fault;

        for (size_t i = g->n_knocks; i > 0; i--) {
                Knock *k = g->knocks[i - 1];
                const Job *j = queue_find(&m->queue, k->job);
                bool waits = j && j->state == JOB_WAITING;

                (void) queue_cancel(&m->queue, k->job, 0, RESULT_CANCELED, &fault);
                take_out(g, i - 1);
                if (waits && mode != GATE_EXCLUSIVE)
                        pass(m, &k->who, TAKE_FD(k->event), "for the gate's mode was changed");
                else
                        deny(m, &k->who, TAKE_FD(k->event), "for the gate's mode was changed");
                knock_free(k);
        }
        manager_kick(m);
}

static bool needs_group(GateMode mode) {
        return mode == GATE_OBSERVE || mode == GATE_SERIALIZE || mode == GATE_PROTECT;
}

int gate_set_mode(Manager *m, GateMode mode) {
        Gate *g = &m->gate;
        int r = 0;

        if (mode == g->mode)
                return 0;
        if (mode != GATE_OFF && !m->kernel->sys)
                return log_error_errno(-EOPNOTSUPP, "this kernel's files cannot be watched");
        if (needs_group(mode) && g->ear.group < 0)
                r = ear_open(m);
        g->marks.group = g->ear.group;
        if (r < 0)
                return log_error_errno(r, "cannot hear who opens what");
        if (!needs_group(mode) || mode == GATE_OBSERVE)
                end_jobs(m, mode);
        if (!needs_group(mode))
                close_group(g);
        if (g->mode == GATE_EXCLUSIVE)
                exclusive_undo(m->ledger.fd, m->kernel->sys);
        g->mode = mode;
        g->why_off[0] = '\0';
        g->stale = true;
        gate_sync(m);
        if (needs_group(mode) && mode != GATE_OBSERVE)
                before_look(m);
        log_line(LOG_NOTICE, NULL, "gate: %s, %zu doors", gate_mode_to_string(mode), g->marks.n);
        return 0;
}

void gate_start(Manager *m) {
        Gate *g = &m->gate;
        int r;

        /* What an exclusive one left locked behind it, after a kill -9 for instance. */
        exclusive_undo(m->ledger.fd, m->kernel->sys);
        g->wanted = mode_read(m->ledger.fd, m->settings.gate);
        if (!m->kernel->sys) {
                snprintf(g->why_off, sizeof(g->why_off), "there is no sysfs behind this kernel");
                return;
        }
        r = gate_set_mode(m, g->wanted);
        if (r < 0)
                snprintf(g->why_off, sizeof(g->why_off), "%s", strerror(-r));
}

void gate_add(Manager *m, Bdf fn) {
        if (m->gate.ear.group >= 0)
                (void) marks_add(&m->gate.marks, m->kernel, m->kernel->sys, fn);
}

void gate_sync(Manager *m) {
        Gate *g = &m->gate;
        int r;

        if (!g->stale || g->mode == GATE_OFF)
                return;
        g->stale = false;
        if (g->mode == GATE_EXCLUSIVE) {
                exclusive_apply(m);
                return;
        }
        r = marks_sync(&g->marks, m->kernel, m->snapshot, m->kernel->sys);
        if (r < 0)
                log_error_errno(r, "gate: %zu doors cannot be held", g->marks.n_failed);
        /* What failed is tried again with the next change. */
        g->stale = r < 0;
        others_sync(m);
        others_ask(m, false);
}

void gate_latch(Manager *m, Bdf pf) {
        Gate *g = &m->gate;

        if (g->ear.group < 0 || (g->mode == GATE_OBSERVE && !bdf_is_none(pf)))
                return;
        if (marks_latch(&g->marks, m->kernel, m->snapshot, m->kernel->sys, pf) < 0)
                g->stale = true;
}

bool gate_is_busy(const Gate *g) {
        for (size_t i = 0; i < g->n_turns; i++)
                if (g->turns[i]->state != TURN_UNORDERED)
                        return true;
        return false;
}

bool gate_has_unordered(const Gate *g) {
        for (size_t i = 0; i < g->n_turns; i++)
                if (g->turns[i]->state == TURN_UNORDERED)
                        return true;
        return false;
}

int gate_admit(Manager *m, Record *r, size_t index, const Step *step) {
        Knock *k;
        size_t at;
        int error;

        k = find(&m->gate, r->id, &at);
        if (!k)
                return -ESRCH;
        take_out(&m->gate, at);
        error = turn_begin(m, k, index, step);
        /* To close the event's descriptor is no answer. */
        if (error < 0 && k->event >= 0)
                (void) ear_answer(&m->gate.ear, TAKE_FD(k->event), false);
        knock_free(k);
        return error;
}

void gate_job_ended(Manager *m, const Record *r) {
        Knock *k;
        size_t at;

        k = find(&m->gate, r->id, &at);
        if (!k)
                return;
        take_out(&m->gate, at);
        deny(m, &k->who, TAKE_FD(k->event), r->message ? r->message : "for its job ended");
        knock_free(k);
}

/* Why nobody can tell him when his turn comes, or come to its end with him. */
static bool find_reason(const Manager *m, const Job *j, Fault *ret) {
        const Job *wedged = j && j->state == JOB_WEDGED  ? j
                            : queue_is_closed(&m->queue) ? queue_wedged(&m->queue)
                                                         : NULL;
        uint32_t id;

        if (wedged)
                *ret = FAULT(FAULT_WEDGED, .fn = wedged->pf, .number = wedged->id);
        else if (recover_is_stuck(m->recovery, &id))
                *ret = FAULT(FAULT_WEDGED, .number = id);
        else if (m->gate.asleep)
                *ret = FAULT(FAULT_ASLEEP);
        else
                return false;
        return true;
}

/* Its job ends as refused; one that is under way puts back what it took. */
static void refuse(Manager *m, Knock *k, const Fault *reason) {
        Record *r = records_find(&m->records, k->job);
        char why[FAULT_STR_MAX];
        Fault fault;

        deny(m, &k->who, TAKE_FD(k->event), fault_format(reason, why, sizeof(why)));
        if (r) {
                (void) record_set_fault(r, reason);
                r->result = RESULT_REFUSED;
                r->settled = true;
        }
        (void) queue_cancel(&m->queue, k->job, 0, RESULT_REFUSED, &fault);
        knock_free(k);
}

void gate_refuse_waiting(Manager *m) {
        Gate *g = &m->gate;
        Fault reason;

        turns_refuse_pending(g);
        for (size_t i = g->n_knocks; i > 0; i--) {
                Knock *k = g->knocks[i - 1];

                if (!find_reason(m, queue_find(&m->queue, k->job), &reason))
                        continue;
                take_out(g, i - 1);
                refuse(m, k, &reason);
        }
}

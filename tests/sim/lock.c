/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of the simulated kernel: mutexes, the active references of files, and programs that hold on
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/sched.h"

void sim_lock_init(SimLock *l, SimLockClass class, const char *format, ...) {
        va_list ap;

        *l = (SimLock){ .class = class };
        va_start(ap, format);
        vsnprintf(l->name, sizeof(l->name), format, ap);
        va_end(ap);
}

void sim_lock_done(SimLock *l) {
        for (SimHold *h = l->holds, *next; h; h = next) {
                next = h->next_of_lock;
                free(h);
        }
        l->holds = NULL;
}

static SimHold *hold_of(const SimLock *l, const SimTask *t) {
        for (SimHold *h = l->holds; h; h = h->next_of_lock)
                if (h->task == t)
                        return h;
        return NULL;
}

static bool is_free_for(const SimLock *l, const SimTask *t, bool shared) {
        for (const SimHold *h = l->holds; h; h = h->next_of_lock) {
                if (h->task == t && l->reentrant)
                        continue;
                if (!shared || !h->shared)
                        return false;
        }
        return true;
}

static void hold(SimLock *l, SimTask *t, bool shared) {
        SimHold *h = l->reentrant ? hold_of(l, t) : NULL;

        if (h) {
                h->depth++;
                return;
        }
        h = calloc(1, sizeof(*h));
        assert(h);
        *h = (SimHold){ .lock = l, .task = t, .shared = shared, .depth = 1 };
        h->next_of_lock = l->holds;
        l->holds = h;
        if (t) {
                h->next_of_task = t->holds;
                t->holds = h;
        }
}

static void acquire(Sched *s, SimLock *l, bool shared) {
        SimTask *t = s->current;

        assert(t);
        t->since = ++s->moment;
        while (!is_free_for(l, t, shared)) {
                t->wants = l;
                t->wants_shared = shared;
                t->state = SIM_TASK_BLOCKED;
                sim_order_check_deadlock(s);
                sim_suspend(s);
                t->wants = NULL;
        }
        hold(l, t, shared);
}

void sim_lock(Sched *s, SimLock *l) {
        sim_order_note(s, l, false);
        acquire(s, l, false);
}

void sim_lock_unnoted(Sched *s, SimLock *l) {
        acquire(s, l, false);
}

void sim_lock_shared(Sched *s, SimLock *l) {
        sim_order_note(s, l, true);
        acquire(s, l, true);
}

/* In the order in which they came: mutexes of the kernel hand over so too, when someone has waited long. */
static void wake_waiters(Sched *s, const SimLock *l) {
        for (;;) {
                SimTask *first = NULL;

                for (SimTask *t = s->tasks; t; t = t->next)
                        if (t->state == SIM_TASK_BLOCKED && t->wants == l &&
                            (!first || t->since < first->since))
                                first = t;
                if (!first)
                        return;
                first->state = SIM_TASK_READY;
                first->order = ++s->moment;
        }
}

static void drop(Sched *s, SimLock *l, SimTask *t) {
        SimHold *h = hold_of(l, t);

        assert(h);
        if (--h->depth > 0)
                return;
        for (SimHold **p = &l->holds; *p; p = &(*p)->next_of_lock)
                if (*p == h) {
                        *p = h->next_of_lock;
                        break;
                }
        for (SimHold **p = t ? &t->holds : NULL; p && *p; p = &(*p)->next_of_task)
                if (*p == h) {
                        *p = h->next_of_task;
                        break;
                }
        free(h);
        wake_waiters(s, l);
}

void sim_unlock(Sched *s, SimLock *l) {
        drop(s, l, s->current);
}

bool sim_holds(const Sched *s, const SimLock *l) {
        return s->current && hold_of(l, s->current);
}

void sim_user_lock(Sched *s, SimLock *l) {
        (void) s;
        hold(l, NULL, true);
}

void sim_user_unlock(Sched *s, SimLock *l) {
        if (l->holds)
                drop(s, l, NULL);
}

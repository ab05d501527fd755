/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sched: tasks and virtual time
 */
#include <stdarg.h>
#include <stdio.h>

#include "tests/sim/sched.h"

#define FIRST_PID 1000000 /* above those of real programs, which may be clients of a server */

void sched_init(Sched *s) {
        *s = (Sched){ .last_id = 0 };
        s->reports_end = &s->reports;
}

static void task_free(Sched *s, SimTask *t) {
        for (SimTask **p = &s->tasks; *p; p = &(*p)->next)
                if (*p == t) {
                        *p = t->next;
                        break;
                }
        co_free(t->co);
        free(t);
}

/* All that is stuck is let go and runs to its end, so that nothing leaks from stacks. */
void sched_done(Sched *s) {
        s->dying = true;
        for (SimTask *t = s->tasks; t; t = t->next)
                if (t->state != SIM_TASK_ENDED)
                        t->state = SIM_TASK_READY;
        while (sched_step(s))
                ;
        while (s->tasks)
                task_free(s, s->tasks);
        for (SimOp *o = s->ops; o; o = o->next)
                o->ended = 1;
        sim_ops_forget(s);
        for (SimReport *r = s->reports, *next; r; r = next) {
                next = r->next;
                free(r);
        }
        s->reports = NULL;
}

int sim_guard(Sched *s, int (*f)(void *), void *arg) {
        SimTask *t = s->current;
        jmp_buf *volatile outer, here;
        volatile int r;

        if (!t)
                return f(arg);
        outer = t->out;
        t->out = &here;
        r = setjmp(here) == 0 ? f(arg) : -EINTR;
        s->current->out = outer;
        return r;
}

/* After each wait. */
static void leave_if_dying(Sched *s) {
        if (s->dying && s->current->out)
                longjmp(*s->current->out, 1);
}

void sim_suspend(Sched *s) {
        leave_if_dying(s);
        co_suspend();
        leave_if_dying(s);
}

static int task_main(void *arg) {
        SimTask *t = arg;

        return t->main(t, t->arg);
}

static void task_entry(void *arg) {
        SimTask *t = arg;

        t->result = t->guarded ? sim_guard(t->sched, task_main, t) : task_main(t);
        t->state = SIM_TASK_ENDED;
}

SimTask *sched_spawn(Sched *s, int (*main)(SimTask *, void *), void *arg,
                     void (*ended)(SimTask *, void *)) {
        SimTask *t = calloc(1, sizeof(*t)), **p;

        if (!t)
                return NULL;
        *t = (SimTask){ .sched = s, .id = ++s->last_id, .main = main, .arg = arg, .ended = ended };
        t->pid = FIRST_PID + t->id;
        t->ppid = 1;
        snprintf(t->command, sizeof(t->command), "echo");
        t->co = co_new(task_entry, t);
        if (!t->co) {
                free(t);
                return NULL;
        }
        t->order = ++s->moment;
        for (p = &s->tasks; *p; p = &(*p)->next)
                ;
        *p = t;
        return t;
}

static SimTask *next_ready(Sched *s) {
        SimTask *best = NULL;

        for (SimTask *t = s->tasks; t; t = t->next)
                if (t->state == SIM_TASK_READY && (!best || t->order < best->order))
                        best = t;
        return best;
}

static void wake_joiners(Sched *s, const SimTask *ended) {
        for (SimTask *t = s->tasks; t; t = t->next)
                if (t->state == SIM_TASK_BLOCKED && t->joins == ended) {
                        t->state = SIM_TASK_READY;
                        t->order = ++s->moment;
                }
}

bool sched_step(Sched *s) {
        SimTask *t = next_ready(s), *outer = s->current;

        if (!t)
                return false;
        s->current = t;
        co_resume(t->co);
        s->current = outer;
        if (t->state == SIM_TASK_ENDED)
                wake_joiners(s, t);
        if (t->ended && (t->state == SIM_TASK_ENDED || t->state == SIM_TASK_DEAD)) {
                t->ended(t, t->arg);
                if (t->state == SIM_TASK_ENDED)
                        task_free(s, t);
        }
        return true;
}

uint64_t sched_next_wake(const Sched *s) {
        uint64_t wake = UINT64_MAX;

        for (const SimTask *t = s->tasks; t; t = t->next)
                if (t->state == SIM_TASK_SLEEPING && t->wake < wake)
                        wake = t->wake;
        return wake;
}

static void wake_sleepers(Sched *s) {
        for (SimTask *t = s->tasks; t; t = t->next)
                if (t->state == SIM_TASK_SLEEPING && t->wake <= s->now) {
                        t->state = SIM_TASK_READY;
                        t->order = ++s->moment;
                }
}

bool sched_run(Sched *s, uint64_t until) {
        for (;;) {
                uint64_t wake;

                while (sched_step(s))
                        ;
                wake = sched_next_wake(s);
                if (wake == UINT64_MAX || wake > until) {
                        if (until != UINT64_MAX && s->now < until)
                                s->now = until;
                        return wake != UINT64_MAX;
                }
                if (s->now < wake)
                        s->now = wake;
                wake_sleepers(s);
        }
}

bool sched_run_task(Sched *s, SimTask *t) {
        while (t->state != SIM_TASK_ENDED && t->state != SIM_TASK_DEAD) {
                uint64_t wake;

                if (sched_step(s))
                        continue;
                wake = sched_next_wake(s);
                if (wake == UINT64_MAX)
                        return false;
                if (s->now < wake)
                        s->now = wake;
                wake_sleepers(s);
        }
        return t->state == SIM_TASK_ENDED;
}

void sim_sleep(Sched *s, uint64_t ms) {
        SimTask *t = s->current;

        if (s->dying || !t)
                return;
        t->state = SIM_TASK_SLEEPING;
        t->wake = s->now + ms;
        sim_suspend(s);
}

void sim_join(Sched *s, SimTask *other) {
        SimTask *t = s->current;

        while (!s->dying && other->state != SIM_TASK_ENDED) {
                t->joins = other;
                t->state = SIM_TASK_BLOCKED;
                sim_order_check_deadlock(s);
                sim_suspend(s);
                t->joins = NULL;
        }
}

void sim_wait_until(Sched *s, const bool *flag) {
        SimTask *t = s->current;

        while (!s->dying && !*flag) {
                t->until = flag;
                t->state = SIM_TASK_BLOCKED;
                sim_suspend(s);
                t->until = NULL;
        }
}

void sim_wake(Sched *s, const bool *flag) {
        for (SimTask *t = s->tasks; t; t = t->next)
                if (t->state == SIM_TASK_BLOCKED && t->until == flag) {
                        t->state = SIM_TASK_READY;
                        t->order = ++s->moment;
                }
}

void sim_die(Sched *s, const char *why) {
        SimTask *t = s->current;

        sim_report(s, SIM_OOPS, "%s: %s", t->op ? t->op->what : "?", why);
        while (!s->dying) {
                t->state = SIM_TASK_DEAD;
                sim_suspend(s);
        }
}

static const char *const kinds[_SIM_REPORT_MAX] = {
        [SIM_INVERSION] = "inversion",
        [SIM_DEADLOCK] = "deadlock",
        [SIM_MEET] = "meet",
        [SIM_UAF] = "use-after-free",
        [SIM_PF_WITH_VFS] = "pf-with-vfs",
        [SIM_ORPHAN] = "orphan",
        [SIM_WARN] = "warning",
        [SIM_OOPS] = "oops",
        [SIM_HANG] = "hang",
        [SIM_USER_WAIT] = "user-wait",
};

const char *sim_report_kind_to_string(SimReportKind k) {
        return (unsigned) k < _SIM_REPORT_MAX ? kinds[k] : NULL;
}

void sim_report(Sched *s, SimReportKind kind, const char *format, ...) {
        SimReport *r;
        va_list ap;

        if (s->dying)
                return;
        s->n_reports[kind]++;
        r = calloc(1, sizeof(*r));
        if (!r)
                return;
        r->kind = kind;
        r->ms = s->now;
        va_start(ap, format);
        vsnprintf(r->text, sizeof(r->text), format, ap);
        va_end(ap);
        *s->reports_end = r;
        s->reports_end = &r->next;
}

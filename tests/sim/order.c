/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Order: operations in flight, the order in which they take locks, and circles in it
 */
#include <stdio.h>
#include <string.h>

#include "tests/sim/sched.h"

/* Both were in the kernel at some moment. */
static bool overlap(const SimOp *a, const SimOp *b) {
        return (a->ended == 0 || b->began < a->ended) && (b->ended == 0 || a->began < b->ended);
}

/* What has been in the kernel for so long is waited for by nobody, if it can be told that none need wait for it. */
#define STUCK_MS 20000

static bool is_stuck_aside(const Sched *s, const SimOp *other, const SimOp *op) {
        return s->apart && s->now - other->began_ms >= STUCK_MS && s->apart(s, other, op);
}

static bool may_run_together(const SimOp *a, const SimOp *b) {
        if (a->class == SIM_OP_KERNEL || b->class == SIM_OP_KERNEL)
                return true;
        if (a->class == SIM_OP_HARMLESS || b->class == SIM_OP_HARMLESS)
                return true;
        if (a->class == SIM_OP_VF_DRIVER && b->class == SIM_OP_VF_DRIVER)
                return !bdf_equal(a->fn, b->fn);
        return false;
}

void sim_op_begin(Sched *s, SimOpClass class, Bdf fn, const char *what) {
        SimOp *o;

        if (!s->current || s->current->op)
                return;
        o = calloc(1, sizeof(*o));
        if (!o)
                return;
        *o = (SimOp){
                .id = ++s->last_op,
                .task = s->current,
                .class = class,
                .fn = fn,
                .began = ++s->moment,
                .began_ms = s->now,
        };
        snprintf(o->what, sizeof(o->what), "%s", what);
        for (const SimOp *other = s->ops; other; other = other->next)
                if (other->ended == 0 && !may_run_together(o, other) &&
                    !is_stuck_aside(s, other, o))
                        sim_report(s, SIM_MEET, "%s while %s", o->what, other->what);
        o->next = s->ops;
        s->ops = o;
        s->current->op = o;
}

/* What has ended matters only as long as something that it overlapped is still there. */
void sim_ops_forget(Sched *s) {
        for (const SimOp *o = s->ops; o; o = o->next)
                if (o->ended == 0)
                        return;
        for (SimOp *o = s->ops, *next; o; o = next) {
                next = o->next;
                free(o->edges);
                free(o);
        }
        s->ops = NULL;
}

void sim_op_end(Sched *s) {
        SimTask *t = s->current;

        if (!t || !t->op)
                return;
        t->op->ended = ++s->moment;
        t->op->task = NULL;
        t->op = NULL;
        sim_ops_forget(s);
}

/* Two that are inside a file together do not wait for each other. */
static bool modes_clash(bool a_shared, bool b_shared) {
        return !a_shared || !b_shared;
}

/*
 * Is there a way from `at` (wanted by the last one) to `goal` (held by me) along what operations
 * overlapping mine took? Each operation is used once, so the depth is bounded.
 */
static const SimOp *find_way(const SimOp *me, SimOp *first, const SimLock *at, bool at_shared,
                             const SimEdge *mine, const SimOp **used, size_t n_used) {
        for (const SimOp *o = first; o; o = o->next) {
                bool seen = o == me || !overlap(o, me);

                for (size_t i = 0; i < n_used && !seen; i++)
                        seen = used[i] == o || !overlap(used[i], o);
                if (seen)
                        continue;
                for (size_t i = 0; i < o->n_edges; i++) {
                        const SimEdge *e = &o->edges[i];

                        if (e->from != at || !modes_clash(at_shared, e->from_shared))
                                continue;
                        if (e->to == mine->from && modes_clash(e->to_shared, mine->from_shared))
                                return o;
                        if (n_used >= 4)
                                continue;
                        used[n_used] = o;
                        if (find_way(me, first, e->to, e->to_shared, mine, used, n_used + 1))
                                return o;
                }
        }
        return NULL;
}

static void add_edge(Sched *s, SimOp *o, const SimEdge *e) {
        const SimOp *used[8], *other;
        SimEdge *edges;

        for (size_t i = 0; i < o->n_edges; i++)
                if (memcmp(&o->edges[i].from, &e->from, sizeof(e->from)) == 0 &&
                    o->edges[i].to == e->to && o->edges[i].from_shared == e->from_shared &&
                    o->edges[i].to_shared == e->to_shared)
                        return;
        edges = reallocarray(o->edges, o->n_edges + 1, sizeof(*edges));
        if (!edges)
                return;
        o->edges = edges;
        o->edges[o->n_edges++] = *e;
        other = find_way(o, s->ops, e->to, e->to_shared, e, used, 0);
        if (other)
                sim_report(s, SIM_INVERSION, "%s takes %s then %s; %s the other way round", o->what,
                           e->from->name, e->to->name, other->what);
}

void sim_order_note(Sched *s, SimLock *l, bool shared) {
        SimOp *o = s->current->op;

        if (!o)
                return;
        for (const SimHold *h = s->current->holds; h; h = h->next_of_task)
                if (h->lock != l)
                        add_edge(s, o,
                                 &(SimEdge){ .from = h->lock,
                                             .to = l,
                                             .from_shared = h->shared,
                                             .to_shared = shared });
}

/* Does t, which waits, wait in the end for goal? */
static bool waits_for(const SimTask *t, const SimTask *goal, unsigned depth) {
        if (depth > 16 || (t->state != SIM_TASK_BLOCKED && t->state != SIM_TASK_DEAD))
                return false;
        if (t->joins)
                return t->joins == goal || waits_for(t->joins, goal, depth + 1);
        if (!t->wants)
                return false;
        for (const SimHold *h = t->wants->holds; h; h = h->next_of_lock) {
                if (!h->task || (h->shared && t->wants_shared))
                        continue;
                if (h->task == goal || waits_for(h->task, goal, depth + 1))
                        return true;
        }
        return false;
}

static const SimHold *dead_holder(const SimLock *l) {
        for (const SimHold *h = l ? l->holds : NULL; h; h = h->next_of_lock)
                if (h->task && h->task->state == SIM_TASK_DEAD)
                        return h;
        return NULL;
}

void sim_order_check_deadlock(Sched *s) {
        const SimTask *t = s->current;
        const char *what = t->op ? t->op->what : "?";

        if (waits_for(t, t, 0))
                sim_report(s, SIM_DEADLOCK, "%s waits for ever for %s", what,
                           t->wants ? t->wants->name : "a thread");
        else if (dead_holder(t->wants))
                sim_report(s, SIM_HANG, "%s waits for %s, whose holder is dead", what,
                           t->wants->name);
}

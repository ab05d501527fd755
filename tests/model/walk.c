/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Walk: every state that queue and ladder can come into
 *
 * Breadth does not matter, completeness does: from each state all inputs are tried (submit one of the operations, each
 * answer of each step under way, a deadline, a cancel, a timeout), within a budget of submissions and faults. Another
 * program that is let in writes, or does not, or is gone, or gets stuck. States seen before are not walked again. What must hold is checked at each of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/queue.h"

#include "tests/model/seen.h"
#include "tests/model/trail.h"
#include "tests/model/world.h"

#define IDS 8

/* A step on the way back failed: nothing more is owed. A child died: nothing that takes a lock is. */
#define EXCUSED_ALL 1
#define EXCUSED_LOCKS 2

typedef struct State {
        Queue q;
        World w;
        uint8_t submits, faults; /* still to come */
        uint8_t submitted[IDS], ended[IDS];
        uint8_t excused; /* EXCUSED_* */
        uint8_t looking; /* the job that waits for a snapshot */
        uint8_t took_driver; /* the job that took the first PF's driver for another program */
} State;

#define FORCE (OP_FORCE_IN_USE | OP_FORCE_STORAGE)

static const Op menu[] = {
        { .kind = OP_SET_VFS, .fn = { 0, 0x100 }, .count = 2 },
        { .kind = OP_SET_VFS, .fn = { 0, 0x100 }, .count = 1, .driver = "vfio-pci" },
        { .kind = OP_SET_VFS, .fn = { 0, 0x100 }, .count = 0 },
        { .kind = OP_SET_VFS, .fn = { 0, 0x200 }, .count = 0 },
        { .kind = OP_BIND, .fn = { 0, 0x200 }, .driver = "own" },
        { .kind = OP_BIND, .fn = { 0, 0x180 }, .driver = "vfio-pci" },
        { .kind = OP_UNBIND, .fn = { 0, 0x100 } },
        { .kind = OP_REMOVE, .fn = { 0, 0x100 }, .flags = OP_RESCAN_AFTER },
        { .kind = OP_REMOVE, .fn = { 0, 0x08 } },
        { .kind = OP_RESCAN, .fn = { UINT32_MAX, UINT16_MAX } },
        { .kind = OP_RESET, .fn = { 0, 0x100 } },
        { .kind = OP_RESET, .fn = { 0, 0x180 } },
        { .kind = OP_SLOT_OFF, .fn = { UINT32_MAX, UINT16_MAX }, .slot = "1" },
        { .kind = OP_SLOT_ON, .fn = { UINT32_MAX, UINT16_MAX }, .slot = "1" },
        { .kind = OP_UNLOAD, .fn = { UINT32_MAX, UINT16_MAX }, .driver = "own" },
        { .kind = OP_BIND, .fn = { 0, 0x100 }, .driver = "a-module" },
        { .kind = OP_SET_VFS,
          .fn = { 0, 0x100 },
          .count = 2,
          .driver = "vfio-pci",
          .flags = OP_ROLLBACK },
        { .kind = OP_SET_VFS, .fn = { 0, 0x100 }, .count = 0, .flags = OP_FORCE_IN_USE },
        { .kind = OP_APPLY, .fn = { 0, 0x100 } },
        { .kind = OP_SET_VF,
          .fn = { 0, 0x100 },
          .count = 1,
          .attrs = { .has = 1u << VFKEY_MSIX, .value = { [VFKEY_MSIX] = 8 } } },
        { .kind = OP_ESWITCH, .fn = { 0, 0x100 }, .eswitch = ESWITCH_SWITCHDEV },
        { .kind = OP_FOREIGN, .door = DOOR_REMOVE, .fn = { 0, 0x100 }, .flags = FORCE },
        { .kind = OP_FOREIGN, .door = DOOR_COUNT, .fn = { 0, 0x100 }, .flags = OP_PROTECT },
        { .kind = OP_FOREIGN,
          .door = DOOR_UNBIND,
          .fn = { UINT32_MAX, UINT16_MAX },
          .driver = "own",
          .flags = FORCE },
};

static const StepAnswer answers[] = { STEP_FAILED, STEP_UNPROVEN, STEP_DIED,
                                      STEP_IN_USE, STEP_GONE,     STEP_BLOCKED };

static size_t n_steps_started, n_ends, n_beside, n_rolled_back, n_given_back;
static size_t rungs_climbed[_RUNG_MAX];

static void die(const State *s, const char *why, const Step *step) {
        char line[STEP_STR_MAX] = "";

        if (step)
                step_format(step, line, sizeof(line));
        printf("not ok model: %s%s%s\n", why, step ? ": " : "", line);
        trail_print();
        for (size_t i = 0; i < QUEUE_MAX; i++) {
                const Job *j = s->q.jobs + i;

                if (j->state == JOB_FREE)
                        continue;
                printf("  job %u %s %u %s phase %d at %zu keeper %x stop %d failed %d %s: %s\n",
                       j->id, op_kind_to_string(j->op.kind), j->op.count,
                       job_state_to_string(j->state), (int) j->climb.phase, j->climb.at,
                       j->climb.keeper.rid, j->stop, j->climb.failed,
                       job_result_to_string(j->result),
                       fault_format(&j->fault, (char[FAULT_STR_MAX]){ 0 }, FAULT_STR_MAX));
                for (size_t k = 0; j->climb.plan && k < j->climb.plan->n_steps; k++)
                        printf("    %d %s\n", (int) j->climb.states[k],
                               step_format(j->climb.plan->steps + k, line, sizeof(line)));
        }
        for (size_t i = 0; i < WORLD_PFS; i++)
                printf("  PF %zu here %d driver %d vfs %d autoprobe %d keeps %d\n", i,
                       s->w.pfs[i].here, s->w.pfs[i].driver, s->w.pfs[i].n_vfs,
                       s->w.pfs[i].autoprobe, s->w.pfs[i].keeps);
        printf("model: 0 passed, 1 failed\n");
        exit(1);
}

static bool is_under_way(StepState state) {
        return state == STEP_STATE_RUNNING || state == STEP_STATE_OUTSIDE;
}

static bool is_new(const State *s) {
        uint64_t h = MIX_START;

        for (size_t i = 0; i < QUEUE_MAX; i++)
                if (s->q.jobs[i].state != JOB_FREE)
                        h = mix_job(mix_number(h, i), s->q.jobs + i);
        h = mix(h, &s->w, sizeof(s->w));
        h = mix_number(h, (uint64_t) s->submits << 32 | s->faults << 24 | s->excused << 16 |
                                  s->took_driver << 8 | s->looking);
        h = mix(h, s->submitted, sizeof(s->submitted));
        h = mix(h, s->ended, sizeof(s->ended)) | 1;
        return seen_add(h);
}

static State copy(const State *s) {
        State c = *s;

        for (size_t i = 0; i < QUEUE_MAX; i++) {
                Climb *climb = &c.q.jobs[i].climb;
                const Plan *plan = climb->plan;

                if (!plan)
                        continue;
                climb->plan = plan_new();
                for (size_t k = 0; k < plan->n_steps; k++)
                        plan_push(climb->plan, plan->steps + k);
                climb->states = calloc(plan->n_steps + 1, sizeof(StepState));
                memcpy(climb->states, s->q.jobs[i].climb.states, plan->n_steps * sizeof(StepState));
        }
        return c;
}

static Bdf pf_of(Bdf fn) {
        for (unsigned i = 0; i < WORLD_PFS; i++)
                if (fn.rid >> 8 == world_pf(i).rid >> 8 || bdf_equal(fn, world_port(i)))
                        return world_pf(i);
        return BDF_NONE;
}

/* Beside a stuck step nothing may be started that could wait for what it holds. */
static bool keeps_away(const World *w, const Step *step, const Step *stuck) {
        bool driver = step->rung == RUNG_UNLOAD ||
                      (step->rung == RUNG_ADMIT && bdf_is_none(step->fn)),
             slot = step->rung == RUNG_SLOT_OFF || step->rung == RUNG_SLOT_ON ||
                    (driver && w->pfs[0].driver == DRIVER_OWN);
        Bdf pf = slot ? world_pf(0) : pf_of(step->fn); /* the first has the slot */

        if (driver && !slot)
                return true; /* bound to nobody, it asks nobody */
        return !bdf_is_none(pf) && !bdf_equal(pf, pf_of(stuck->fn)) && step->rung != RUNG_RESCAN &&
               step->rung != RUNG_LOAD_DRIVER;
}

static void check_start(const State *s, const Job *job, size_t index) {
        const Step *step = job->climb.plan->steps + index;

        n_steps_started++;
        rungs_climbed[step->rung]++;
        for (size_t i = 0; i < QUEUE_MAX; i++) {
                const Job *j = s->q.jobs + i;

                for (size_t k = 0; j->climb.plan && k < j->climb.plan->n_steps; k++) {
                        if (!is_under_way(j->climb.states[k]) || (j == job && k == index))
                                continue;
                        if (j->aside && j->climb.states[k] == STEP_STATE_OUTSIDE) {
                                n_beside++;
                                if (step->rung != RUNG_CLEAR_WAY &&
                                    !keeps_away(&s->w, step, j->climb.plan->steps + k))
                                        die(s, "a step is started near a stuck one", step);
                                continue;
                        }
                        if (j != job || j->climb.plan->steps[k].rung != step->rung ||
                            !rung_fans_out(step->rung))
                                die(s, "two in flight", step);
                }
        }
        if (queue_is_closed(&s->q))
                die(s, "a step is started behind a stuck one", step);
        for (size_t i = 0; step->rung == RUNG_ADMIT && i < QUEUE_MAX; i++)
                if (s->q.jobs[i].state == JOB_WAITING && s->q.jobs[i].order < job->order)
                        die(s, "a program is let in before one that came first", step);
        if (!world_allows(&s->w, &job->op, step))
                die(s, "the order is broken", step);
}

/* All or nothing means what it says where nothing else went wrong. */
static void check_rollback(const State *s, const Job *j) {
        const WorldPf *p = s->w.pfs;

        if (!j->rolling || s->excused || j->n_warnings == 0 ||
            j->warnings[j->n_warnings - 1].reason != FAULT_ROLLED_BACK)
                return;
        n_rolled_back++;
        if (p->here && p->n_vfs != j->count_before)
                die(s, "a rollback did not come back", NULL);
}

/* A PF that another program did not take away has its driver again. */
static void check_given_back(State *s, const Job *j) {
        const WorldPf *p = s->w.pfs;

        if (s->took_driver != j->id)
                return;
        s->took_driver = 0;
        if (s->excused || !p->here)
                return;
        n_given_back++;
        if (p->driver != DRIVER_OWN)
                die(s, "a driver was taken for nothing", NULL);
}

static void check_end(State *s, const Job *j) {
        n_ends++;
        if (j->id >= IDS || s->ended[j->id]++ > 0)
                die(s, "a job ended twice", NULL);
        if (j->result == RESULT_NONE || !job_result_to_string(j->result))
                die(s, "a job ended without a result", NULL);
        if ((j->result == RESULT_FAILED || j->result == RESULT_PARTIAL) &&
            j->fault.reason == FAULT_NONE)
                die(s, "a failure without a reason", NULL);
        check_rollback(s, j);
        check_given_back(s, j);
        for (size_t i = 0; i < QUEUE_MAX; i++)
                if (s->q.jobs[i].state == JOB_RUNNING || s->q.jobs[i].state == JOB_WEDGED)
                        return; /* another one is on its way and owes what is missing */
        for (unsigned i = 0; i < WORLD_PFS; i++) {
                const WorldPf *p = s->w.pfs + i;

                if (p->here && !p->autoprobe && !(s->excused & EXCUSED_ALL))
                        die(s, "autoprobe was not given back", NULL);
                if (s->excused)
                        continue;
                if (p->here && p->driver == DRIVER_STUB)
                        die(s, "the stub was left on a PF", NULL);
                for (unsigned v = 0; v < p->n_vfs; v++)
                        if (p->vfs[v].override == 1)
                                die(s, "a VF was left parked", NULL);
        }
}

static void note_driver(State *s, const Job *j, const Step *step) {
        if (j->op.kind == OP_FOREIGN && bdf_equal(step->fn, world_pf(0)) &&
            (step->rung == RUNG_UNBIND || step->rung == RUNG_UNBIND_KEEPER))
                s->took_driver = (uint8_t) j->id;
}

/* Does what the queue asks for until it asks for nothing. */
static void drain(State *s) {
        Effect e;

        while (queue_next(&s->q, &e)) {
                if (e.kind == EFFECT_SNAPSHOT)
                        s->looking = (uint8_t) e.job->id;
                if (e.kind == EFFECT_STEP) {
                        check_start(s, e.job, e.index);
                        note_driver(s, e.job, e.step);
                }
                if (e.kind == EFFECT_FINISH)
                        check_end(s, e.job);
        }
}

static void walk(const State *s);

static void go(State *s) {
        drain(s);
        walk(s);
        queue_done(&s->q);
}

static void try_answer(const State *s, const Job *job, size_t index, StepAnswer answer) {
        State next = copy(s);
        const Step *step = job->climb.plan->steps + index;
        StepResult result = { .answer = answer, .error = answer == STEP_FAILED ? 5 : 0 };

        if (answer == STEP_IN_USE)
                result.n = OP_FORCE_IN_USE;
        if (answer == STEP_DONE)
                result.answer = step->rung == RUNG_ADMIT ? world_be_written(&next.w, &job->op)
                                                         : world_do(&next.w, step, &result);
        else
                next.faults--;
        /* A park that failed may have set the override already. */
        if (answer != STEP_DONE && step->rung == RUNG_PARK_VF) {
                StepResult parked = {};

                world_do(&next.w, step, &parked);
                memcpy(result.override, parked.override, sizeof(result.override));
        }
        if (result.answer != STEP_DONE && result.answer != STEP_KEPT &&
            (job->climb.phase == CLIMB_BACK || answer == STEP_GONE))
                next.excused |= EXCUSED_ALL;
        if (answer == STEP_DIED)
                next.excused |= EXCUSED_LOCKS;
        if (step->rung == RUNG_UNSTUB_PF && result.answer != STEP_DONE)
                next.excused |= EXCUSED_ALL;
        trail_push("answer", job->id, step, step_answer_to_string(result.answer));
        if (queue_step_done(&next.q, job->id, index, &result) < 0)
                die(s, "an answer was not taken", step);
        go(&next);
        trail_pop();
}

/* Another program was let in and wrote nothing, or died before: its file is closed either way. */
static void try_admitted(const State *s, const Job *job, size_t index) {
        static const StepAnswer ends[] = { STEP_DONE, STEP_GONE };

        try_answer(s, job, index, STEP_DONE);
        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                State next = copy(s);

                queue_step_done(&next.q, job->id, index, &(StepResult){ .answer = ends[i] });
                go(&next);
        }
}

/* Called stuck, with the lane closed; and where the write takes no global lock, also as one that stands aside. */
static void try_overdue(const State *s, const Job *j, size_t k) {
        const Step *step = j->climb.plan->steps + k;
        bool may_be_outside = rung_fans_out(step->rung) || step->rung == RUNG_RESET ||
                              (step->rung == RUNG_ADMIT && j->op.door != DOOR_REMOVE);

        for (int outside = j->state == JOB_WEDGED; outside <= may_be_outside; outside++) {
                State next = copy(s);

                next.faults--;
                trail_push("overdue", j->id, j->climb.plan->steps + k, outside ? "outside" : "");
                if (queue_overdue(&next.q, j->id, k, outside) < 0)
                        die(s, "a deadline was not taken", step);
                if (bdf_is_none(step->fn) && step->rung == RUNG_ADMIT && !queue_is_closed(&next.q))
                        die(&next, "a stuck program works on who knows what, and others go on",
                            step);
                go(&next);
                trail_pop();
        }
}

static void try_running(const State *s) {
        for (size_t i = 0; i < QUEUE_MAX; i++) {
                const Job *j = s->q.jobs + i;

                for (size_t k = 0; j->climb.plan && k < j->climb.plan->n_steps; k++) {
                        if (!is_under_way(j->climb.states[k]))
                                continue;
                        if (j->climb.plan->steps[k].rung == RUNG_ADMIT) {
                                try_admitted(s, j, k);
                                if (s->faults > 0)
                                        try_overdue(s, j, k);
                                continue;
                        }
                        try_answer(s, j, k, STEP_DONE);
                        for (size_t a = 0; s->faults > 0 && a < ELEMENTSOF(answers); a++)
                                if (answers[a] != STEP_BLOCKED ||
                                    j->climb.plan->steps[k].rung == RUNG_CLEAR_WAY)
                                        try_answer(s, j, k, answers[a]);
                        if (s->faults > 0)
                                try_overdue(s, j, k);
                }
        }
}

static void try_stops(const State *s) {
        for (size_t i = 0; s->faults > 0 && i < QUEUE_MAX; i++) {
                const Job *j = s->q.jobs + i;

                if (j->state == JOB_FREE || j->state == JOB_ENDED || j->stop)
                        continue;
                for (int t = 0; t < 2; t++) {
                        State next = copy(s);
                        Fault fault;

                        next.faults--;
                        if (queue_cancel(&next.q, j->id, 0, t ? RESULT_TIMEOUT : RESULT_CANCELED,
                                         &fault) != 0)
                                die(s, "a job could not be stopped", NULL);
                        trail_push("stop", j->id, NULL, t ? "timeout" : "cancel");
                        go(&next);
                        trail_pop();
                }
        }
}

static void try_submits(const State *s) {
        for (size_t i = 0; s->submits > 0 && i < ELEMENTSOF(menu); i++) {
                Snapshot *snapshot = world_look(&s->w);
                State next = copy(s);
                Fault fault;
                uint32_t id;
                int r;

                next.submits--;
                trail_push("submit", (uint32_t) i, NULL, op_kind_to_string(menu[i].kind));
                r = queue_submit(&next.q, snapshot, menu + i, (uint32_t) s->submits, &id, &fault);
                snapshot_free(snapshot);
                if (r == 0) {
                        next.submitted[id]++;
                        go(&next);
                } else {
                        if (r == QUEUE_E_REFUSED && fault.reason == FAULT_NONE)
                                die(s, "a refusal without a reason", NULL);
                        if (r == QUEUE_E_MERGED)
                                go(&next);
                        else
                                queue_done(&next.q);
                }
                trail_pop();
        }
}

static void try_look(const State *s) {
        Snapshot *snapshot = world_look(&s->w);
        State next = copy(s);

        next.looking = 0;
        trail_push("look", s->looking, NULL, "");
        queue_planned(&next.q, s->looking, snapshot);
        snapshot_free(snapshot);
        go(&next);
        trail_pop();
}

static void check_rest(const State *s) {
        for (size_t i = 0; i < IDS; i++)
                if (s->submitted[i] != s->ended[i] && queue_length(&s->q) == 0)
                        die(s, "a job was lost", NULL);
        for (size_t i = 0; i < QUEUE_MAX; i++)
                if (s->q.jobs[i].climb.n_running > 0)
                        return;
        if (queue_length(&s->q) > 0 && !s->looking)
                die(s, "the queue stands still", NULL);
}

static void walk(const State *s) {
        if (!is_new(s))
                return;
        check_rest(s);
        try_running(s);
        try_stops(s);
        try_submits(s);
        if (s->looking)
                try_look(s);
}

static void walk_from(World w, uint8_t submits, uint8_t faults) {
        State s = { .w = w, .submits = submits, .faults = faults };

        queue_init(&s.q);
        go(&s);
}

int main(void) {
        bool full = getenv("SRIOVD_LONG") != NULL;
        World w = world_new(), keeper = world_new();

        setvbuf(stdout, NULL, _IOLBF, 0);
        walk_from(w, 2, full ? 3 : 2);
        w.pfs[0].n_vfs = 2;
        w.pfs[0].vfs[0] = w.pfs[0].vfs[1] = (WorldVf){ DRIVER_OWN, 0, 0 };
        walk_from(w, 2, full ? 3 : 2);
        keeper.late = 1;
        keeper.pfs[0].keeps = 1;
        keeper.pfs[0].n_vfs = 1;
        keeper.pfs[0].vfs[0] = (WorldVf){ DRIVER_VFIO, 2, 0 };
        walk_from(keeper, 2, full ? 3 : 2);
        walk_from(w, 3, full ? 2 : 1);
        for (Rung r = 0; r < _RUNG_MAX; r++)
                printf("  %-15s climbed %zu times\n", rung_to_string(r), rungs_climbed[r]);
        for (Rung r = 0; r < _RUNG_MAX; r++)
                if (rungs_climbed[r] == 0) {
                        printf("not ok model: rung %s was never climbed\n", rung_to_string(r));
                        return 1;
                }
        if (n_beside == 0 || n_rolled_back == 0 || n_given_back == 0) {
                printf("not ok model: no step beside a stuck one, no rollback, no driver back\n");
                return 1;
        }
        printf("ok model: %zu beside a stuck one, %zu rolled back, %zu given back\n", n_beside,
               n_rolled_back, n_given_back);
        printf("ok model: %zu states, %zu steps started, %zu jobs ended\n", seen_count(),
               n_steps_started, n_ends);
        printf("model: 4 passed, 0 failed\n");
        return 0;
}

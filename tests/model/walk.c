/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Walk: every state that queue and ladder can come into
 *
 * Breadth does not matter, completeness does: from each state all inputs are tried (submit one of the operations, each
 * answer of each step under way, a deadline, a cancel, a timeout), within a budget of submissions and faults. States
 * seen before are not walked again. What must hold is checked at each of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/queue.h"

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
} State;

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
};

static const StepAnswer answers[] = { STEP_FAILED, STEP_UNPROVEN, STEP_DIED,
                                      STEP_IN_USE, STEP_GONE,     STEP_BLOCKED };

static uint64_t *seen;
static size_t n_seen, seen_size;
static size_t n_steps_started, n_ends, n_beside, n_rolled_back;
static size_t rungs_climbed[_RUNG_MAX];

/* How this state was come to, for whoever has to find out why it is wrong. */
#define PATH_STEPS 256
static char path_steps[PATH_STEPS][160];
static size_t n_path;

static void path_push(const char *what, uint32_t job, const Step *step, const char *how) {
        char line[STEP_STR_MAX] = "";

        if (step)
                step_format(step, line, sizeof(line));
        if (n_path < PATH_STEPS)
                snprintf(path_steps[n_path], sizeof(path_steps[0]), "%s job %u %.90s %s", what, job,
                         line, how);
        n_path++;
}

static void die(const State *s, const char *why, const Step *step) {
        char line[STEP_STR_MAX] = "";

        if (step)
                step_format(step, line, sizeof(line));
        printf("not ok model: %s%s%s\n", why, step ? ": " : "", line);
        for (size_t i = 0; i < n_path && i < PATH_STEPS; i++)
                printf("  %2zu %s\n", i + 1, path_steps[i]);
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

/* FNV-1a over what makes a state, field by field where there is padding. */
static uint64_t mix(uint64_t h, const void *p, size_t n) {
        for (const unsigned char *c = p; n > 0; n--, c++)
                h = (h ^ *c) * 0x100000001b3ull;
        return h;
}

static uint64_t mix_number(uint64_t h, uint64_t n) {
        return mix(h, &n, sizeof(n));
}

static uint64_t mix_job(uint64_t h, const Job *j, uint64_t first_order) {
        const Climb *c = &j->climb;

        h = mix_number(h, (uint64_t) j->state << 32 | j->id);
        h = mix_number(h, (uint64_t) j->op.kind << 48 | (uint64_t) j->op.fn.rid << 24 |
                                  j->op.count << 8 | (j->op.driver[0] != 0));
        h = mix_number(h, (j->order - first_order) << 16 | j->n_askers << 8 |
                                  (unsigned) j->stop << 4 | (unsigned) j->stop_as);
        h = mix_number(h, (uint64_t) j->fault.reason << 32 | j->result << 8 | j->told);
        h = mix_number(h, (uint64_t) c->phase << 48 | (uint64_t) c->keeper.rid << 32 |
                                  c->n_running << 8 | (unsigned) c->looking << 1 | c->failed);
        h = mix_number(h, (uint64_t) j->op.flags << 32 | c->n_outside << 24 | j->count_before << 8 |
                                  (unsigned) j->aside << 3 | (unsigned) j->rolling << 2 |
                                  (unsigned) c->refused << 1 | (c->n_done > 0));
        h = mix(h, j->driver_before, strlen(j->driver_before));
        for (size_t i = 0; c->plan && i < c->plan->n_steps; i++) {
                const Step *step = c->plan->steps + i;

                h = mix_number(h, (uint64_t) step->rung << 48 | (uint64_t) step->fn.rid << 32 |
                                          (uint64_t) c->states[i] << 16 | step->n);
                h = mix(h, step->was, strlen(step->was));
                h = mix(h, step->override, strlen(step->override));
        }
        return h;
}

static bool is_new(const State *s) {
        uint64_t h = 0xcbf29ce484222325ull;
        size_t at;

        for (size_t i = 0; i < QUEUE_MAX; i++)
                if (s->q.jobs[i].state != JOB_FREE)
                        h = mix_job(mix_number(h, i), s->q.jobs + i, 0);
        h = mix(h, &s->w, sizeof(s->w));
        h = mix_number(h, (uint64_t) s->submits << 32 | s->faults << 16 | s->excused << 8 |
                                  s->looking);
        h = mix(h, s->submitted, sizeof(s->submitted));
        h = mix(h, s->ended, sizeof(s->ended)) | 1;
        if (n_seen * 2 >= seen_size) {
                size_t old_size = seen_size;
                uint64_t *old = seen;

                seen_size = old_size ? old_size * 2 : 1 << 20;
                seen = calloc(seen_size, sizeof(*seen));
                n_seen = 0;
                for (size_t i = 0; i < old_size; i++)
                        if (old[i]) {
                                for (at = old[i] & (seen_size - 1); seen[at];
                                     at = (at + 1) & (seen_size - 1))
                                        ;
                                seen[at] = old[i];
                                n_seen++;
                        }
                free(old);
        }
        for (at = h & (seen_size - 1); seen[at]; at = (at + 1) & (seen_size - 1))
                if (seen[at] == h)
                        return false;
        seen[at] = h;
        n_seen++;
        return true;
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
        bool slot = step->rung == RUNG_SLOT_OFF || step->rung == RUNG_SLOT_ON ||
                    (step->rung == RUNG_UNLOAD && w->pfs[0].driver == DRIVER_OWN);
        Bdf pf = slot ? world_pf(0) : pf_of(step->fn); /* the first has the slot */

        if (step->rung == RUNG_UNLOAD && !slot)
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
        if (!world_allows(&s->w, step))
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

/* Does what the queue asks for until it asks for nothing. */
static void drain(State *s) {
        Effect e;

        while (queue_next(&s->q, &e)) {
                if (e.kind == EFFECT_SNAPSHOT)
                        s->looking = (uint8_t) e.job->id;
                if (e.kind == EFFECT_STEP)
                        check_start(s, e.job, e.index);
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
                result.answer = world_do(&next.w, step, &result);
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
        path_push("answer", job->id, step, step_answer_to_string(result.answer));
        if (queue_step_done(&next.q, job->id, index, &result) < 0)
                die(s, "an answer was not taken", step);
        go(&next);
        n_path--;
}

/* Called stuck, with the lane closed; and where the write takes no global lock, also as one that stands aside. */
static void try_overdue(const State *s, const Job *j, size_t k) {
        bool may_be_outside = rung_fans_out(j->climb.plan->steps[k].rung) ||
                              j->climb.plan->steps[k].rung == RUNG_RESET;

        for (int outside = j->state == JOB_WEDGED; outside <= may_be_outside; outside++) {
                State next = copy(s);

                next.faults--;
                path_push("overdue", j->id, j->climb.plan->steps + k, outside ? "outside" : "");
                if (queue_overdue(&next.q, j->id, k, outside) < 0)
                        die(s, "a deadline was not taken", j->climb.plan->steps + k);
                go(&next);
                n_path--;
        }
}

static void try_running(const State *s) {
        for (size_t i = 0; i < QUEUE_MAX; i++) {
                const Job *j = s->q.jobs + i;

                for (size_t k = 0; j->climb.plan && k < j->climb.plan->n_steps; k++) {
                        if (!is_under_way(j->climb.states[k]))
                                continue;
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
                        path_push("stop", j->id, NULL, t ? "timeout" : "cancel");
                        go(&next);
                        n_path--;
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
                path_push("submit", (uint32_t) i, NULL, op_kind_to_string(menu[i].kind));
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
                n_path--;
        }
}

static void try_look(const State *s) {
        Snapshot *snapshot = world_look(&s->w);
        State next = copy(s);

        next.looking = 0;
        path_push("look", s->looking, NULL, "");
        queue_planned(&next.q, s->looking, snapshot);
        snapshot_free(snapshot);
        go(&next);
        n_path--;
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
        w.pfs[0].vfs[0] = w.pfs[0].vfs[1] = (WorldVf){ DRIVER_OWN, 0 };
        walk_from(w, 2, full ? 3 : 2);
        keeper.pfs[0].keeps = 1;
        keeper.pfs[0].n_vfs = 1;
        keeper.pfs[0].vfs[0] = (WorldVf){ DRIVER_VFIO, 2 };
        walk_from(keeper, 2, full ? 3 : 2);
        walk_from(w, 3, full ? 2 : 1);
        for (Rung r = 0; r < _RUNG_MAX; r++)
                printf("  %-15s climbed %zu times\n", rung_to_string(r), rungs_climbed[r]);
        for (Rung r = 0; r < _RUNG_MAX; r++)
                if (rungs_climbed[r] == 0) {
                        printf("not ok model: rung %s was never climbed\n", rung_to_string(r));
                        return 1;
                }
        if (n_beside == 0 || n_rolled_back == 0) {
                printf("not ok model: no step beside a stuck one, or no rollback\n");
                return 1;
        }
        printf("ok model: %zu beside a stuck one, %zu rolled back\n", n_beside, n_rolled_back);
        printf("ok model: %zu states, %zu steps started, %zu jobs ended\n", n_seen, n_steps_started,
               n_ends);
        printf("model: 4 passed, 0 failed\n");
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue at work, with its edge played by the test
 */
#pragma once

#include "core/queue.h"

#include "tests/unit/test.h"

#define ALICE 1000
#define BOB 1001
#define OTHER BDF(2, 0, 0)

static inline Snapshot *two_pfs(void) {
        Snapshot *s = small_world("igb", 0, "");

        put_bridge(s, BDF(0, 2, 0), BDF_NONE);
        put_pf(s, OTHER, BDF(0, 2, 0), "igb", 0, "");
        snapshot_seal(s);
        return s;
}

static inline Op set(Bdf pf, uint32_t n) {
        return (Op){ .kind = OP_SET_VFS, .fn = pf, .count = n };
}

static inline uint32_t submit(Queue *q, const Snapshot *s, Op op, uint32_t uid) {
        uint32_t id = 0;
        Fault fault;

        assert_int_equal(queue_submit(q, s, &op, uid, &id, &fault), 0);
        return id;
}

static inline FaultReason refusal(Queue *q, const Snapshot *s, Op op) {
        uint32_t id;
        Fault fault;

        assert_int_equal(queue_submit(q, s, &op, 0, &id, &fault), QUEUE_E_REFUSED);
        return fault.reason;
}

/* Runs until a step is to be done; answers looks, and finds the way clear. Returns the effect. */
static inline Effect run(Queue *q, const Snapshot *s) {
        const StepResult clear = { .answer = STEP_DONE };
        Effect e;

        while (queue_next(q, &e)) {
                if (e.kind == EFFECT_SNAPSHOT)
                        assert_int_equal(queue_planned(q, e.job->id, s), 0);
                else if (e.kind == EFFECT_STEP && e.step->rung == RUNG_CLEAR_WAY)
                        assert_int_equal(queue_step_done(q, e.job->id, e.index, &clear), 0);
                else
                        return e;
        }
        return e;
}

static inline void answer(Queue *q, const Effect *e, StepAnswer a, int error) {
        StepResult result = { .answer = a, .error = error };

        assert_int_equal(queue_step_done(q, e->job->id, e->index, &result), 0);
}

/* Somebody uses what the step asks about. */
static inline void use(Queue *q, const Effect *e, uint32_t force) {
        StepResult result = { .answer = STEP_IN_USE, .n = force };

        assert_int_equal(queue_step_done(q, e->job->id, e->index, &result), 0);
}

static inline void park(Queue *q, const Effect *e, const char *override) {
        StepResult result = { .answer = STEP_DONE };

        str_copy(result.override, sizeof(result.override), override);
        assert_int_equal(queue_step_done(q, e->job->id, e->index, &result), 0);
}

/* Answers "done" to all until a job ends. */
static inline Effect run_to_end(Queue *q, const Snapshot *s) {
        for (;;) {
                Effect e = run(q, s);

                if (e.kind != EFFECT_STEP)
                        return e;
                answer(q, &e, STEP_DONE, 0);
        }
}

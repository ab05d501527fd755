/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue: who is next
 *
 * One lane for the whole host: pci_rescan_remove_lock is global, hence so is the queue. A plain bounded value
 * with inputs (queue_submit, _planned, _step_done, _overdue, _cancel) that change it, and queue_next() that tells the
 * one thing to do now. It knows no clock, no bus and no kernel.
 *
 * The edge calls queue_next() after each input until it says EFFECT_NONE, does what it says, and reports
 * back with the input named there. Plans of running jobs are the only memory it owns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/fault.h"
#include "core/ladder.h"
#include "core/op.h"
#include "core/snapshot.h"

#ifndef QUEUE_MAX
#define QUEUE_MAX 256 /* waiting and running jobs; the model test compiles it with less */
#endif
#ifndef QUEUE_FAN_OUT
#define QUEUE_FAN_OUT 4 /* VF binds and unbinds under way at once */
#endif
#define QUEUE_ASKERS 8 /* that can be counted on one job; more make a job of their own */
#define QUEUE_WARNINGS 8
#define QUEUE_ASIDE 8 /* stuck jobs that may stand aside; one more closes the lane */

typedef enum JobState {
        JOB_FREE, /* an empty place */
        JOB_WAITING,
        JOB_RUNNING,
        JOB_WEDGED, /* a step is overdue; `aside` says whether the lane goes on */
        JOB_ENDED, /* told by EFFECT_FINISH, then free */
        _JOB_STATE_MAX,
} JobState;

typedef enum JobResult {
        RESULT_NONE,
        RESULT_DONE,
        RESULT_PARTIAL,
        RESULT_FAILED,
        RESULT_CANCELED,
        RESULT_TIMEOUT,
        RESULT_REFUSED,
        RESULT_SUPERSEDED,
        RESULT_SKIPPED, /* nothing to do, no kernel write */
        RESULT_GONE,
        RESULT_INTERRUPTED,
        _RESULT_MAX,
} JobResult;

/* Where a job is on its way. */
typedef enum ClimbPhase {
        CLIMB_LOOK, /* wants a snapshot */
        CLIMB_UP, /* on its plan, up or down the ladder */
        CLIMB_BACK, /* on the way back */
        CLIMB_OVER,
} ClimbPhase;

typedef struct Climb {
        ClimbPhase phase;
        Bdf keeper; /* a PF whose driver kept its VFs; BDF_NONE = none so far */
        Plan *plan; /* owned */
        StepState *states; /* owned, one a step */
        size_t at; /* first step not done */
        uint32_t n_running;
        uint32_t n_outside; /* of these, overdue and proven to be outside the global lock */
        bool looking; /* EFFECT_SNAPSHOT was told, its answer is awaited */
        bool proving; /* another program is out again: the look is for what it left there */
        bool failed;
        uint32_t n_again; /* steps that were done again because their child died, see climb.c */
        bool died; /* a child died inside a write, perhaps with a lock: nothing that takes one is written any more */
        bool refused; /* somebody is in the way: the others are still asked, so that all are named */
        uint32_t n_done; /* steps done in all, also of earlier plans */
} Climb;

typedef struct Job {
        uint32_t id; /* from 1 on */
        JobState state;
        JobResult result;
        Op op;
        Bdf pf; /* the PF it counts for in the merge law: op.fn's PF, op.fn itself, or BDF_NONE */
        uint32_t askers[QUEUE_ASKERS]; /* uids */
        uint32_t n_askers;
        uint64_t order; /* of submission */
        bool told; /* EFFECT_FINISH went out */
        /*
         * All of its steps under way are stuck, and proven to be outside the global lock: others have the lane. When they
         * have come back it goes on before all that wait.
         */
        bool aside;
        bool rolling; /* on its way to what was before (OP_ROLLBACK) */
        bool has_before; /* the two below are known: its turn has come, if under an earlier daemon */
        uint32_t count_before; /* set-vfs: of VFs, and their driver if all had the same */
        char driver_before[NAME_MAX_LENGTH];
        bool stop; /* cancel or timeout: no new step, then the way back */
        JobResult stop_as;
        Fault fault; /* the first thing that went wrong */
        Fault warnings[QUEUE_WARNINGS];
        uint32_t n_warnings, n_more_warnings; /* kept, and for which there was no room */
        Climb climb;
} Job;

typedef struct Queue {
        Job jobs[QUEUE_MAX];
        uint32_t next_id;
        uint64_t next_order;
        uint32_t
                fan_out; /* steps of a job under way at once, 1 to QUEUE_FAN_OUT; may be changed at any time */
} Queue;

typedef enum EffectKind {
        EFFECT_NONE,
        EFFECT_SNAPSHOT, /* look at the world, then queue_planned() */
        EFFECT_STEP, /* have `step` done by a child, then queue_step_done(job, index) */
        EFFECT_FINISH, /* tell everyone; its plan is freed, its place is with the next queue_next(): copy what is needed */
} EffectKind;

typedef struct Effect {
        EffectKind kind;
        Job *job; /* valid until the next call on the queue */
        size_t index; /* EFFECT_STEP */
        const Step *step; /* EFFECT_STEP: valid until the next call on the queue */
} Effect;

/* Answers of queue_submit and queue_cancel; the fault says the same in words. */
enum {
        QUEUE_E_REFUSED = 1, /* ret_fault */
        QUEUE_E_MERGED, /* *ret_id is an older job with the same op; the asker is counted there */
};

void queue_init(Queue *q);
void queue_done(Queue *q); /* frees the plans */

/* 0: *ret_id is new. QUEUE_E_REFUSED, QUEUE_E_MERGED. Never fails. */
int queue_submit(Queue *q, const Snapshot *s, const Op *op, uint32_t uid, uint32_t *ret_id,
                 Fault *ret_fault);

/*
 * Puts a job back as the ledger had it: same id, waiting. For the start only. 0, or
 * QUEUE_E_REFUSED if there is no place.
 */
int queue_restore(Queue *q, const Job *job);

/*
 * Puts a restored job back on its way up, where the ledger has what became of each step: takes over the plan; steps
 * not over are still to be done. The first one has the lane, the others follow as if they came back from aside. For the
 * start only, before any queue_next(). 0; -ENOENT, -ENOMEM: the plan is freed.
 */
int queue_resume(Queue *q, uint32_t id, Plan *plan, const StepState *states);

/*
 * Has a restored job go back to what was before it (OP_ROLLBACK), as it would have if the daemon had lived. For the start
 * only. 0; -ENOENT: it does not wait, or what was before is not known.
 */
int queue_roll_back(Queue *q, uint32_t id);

/* What to do now. Fills *ret and returns true, or returns false with EFFECT_NONE. */
bool queue_next(Queue *q, Effect *ret);

/* The answer to EFFECT_SNAPSHOT. 0, -ENOENT (no such job or it did not ask), -ENOMEM (the job ends as failed). */
int queue_planned(Queue *q, uint32_t id, const Snapshot *s);

/* The answer to EFFECT_STEP. 0, -ENOENT. A wedged job goes on with its true result. */
int queue_step_done(Queue *q, uint32_t id, size_t index, const StepResult *result);

/*
 * A step's deadline has passed: the job is wedged and starts no step until all that are under way have come back. outside:
 * that write is proven neither to hold nor to wait for the global lock. Once this is so of all of the job's
 * steps under way, other jobs go on, but for those that come near: its PF, VFs, and all above or matching them
 * (FAULT_QUARANTINED). Else nobody starts a step (FAULT_WEDGED). 0, -ENOENT.
 */
int queue_overdue(Queue *q, uint32_t id, size_t index, bool outside);

/* The stuck job that keeps op from being done now, or NULL; told apart by the reason of *ret_fault. */
const Job *queue_blocker(const Queue *q, const Snapshot *s, const Op *op, Fault *ret_fault);

/*
 * One asker goes; the job goes with the last. as: RESULT_CANCELED or RESULT_TIMEOUT (the whole job). A waiting job
 * ends at once, a running one between two steps. 0; QUEUE_E_REFUSED (not the uid's job, or no such job).
 */
int queue_cancel(Queue *q, uint32_t id, uint32_t uid, JobResult as, Fault *ret_fault);

const Job *queue_find(const Queue *q, uint32_t id) __attribute__((pure));
uint32_t queue_length(const Queue *q) __attribute__((pure)); /* waiting, running and wedged */
/* A job that is wedged, one that closes the lane first, or NULL. */
const Job *queue_wedged(const Queue *q) __attribute__((pure));
/* True if no step of any job may start. */
bool queue_is_closed(const Queue *q) __attribute__((pure));

const char *job_state_to_string(JobState s) __attribute__((const));
const char *job_result_to_string(JobResult r) __attribute__((const));
JobResult job_result_from_string(const char *s); /* _RESULT_MAX if there is none */
/* Of a job that this stopped: refused, gone or failed. */
JobResult job_result_of_fault(FaultReason reason) __attribute__((const));
int job_result_exit_status(JobResult r) __attribute__((const)); /* where there is no fault to ask */

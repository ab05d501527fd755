/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Climb: where one job is on its plan
 *
 * Which step may start, what its answer means for the rest, when the way back begins. The queue asks; only
 * queue.c includes this.
 */
#pragma once

#include "core/queue.h"

void climb_start(Climb *c);
void climb_done(Climb *c); /* frees the plan */

/* True: the step at *ret_index may start now. */
bool climb_next(const Climb *c, bool stop, size_t *ret_index);
/* Nothing runs and nothing more will: the phase has ended. */
bool climb_phase_over(const Climb *c, bool stop);

void climb_begin_step(Climb *c, size_t index);
/* True while a child is at this step, stuck or not. */
bool climb_is_under_way(const Climb *c, size_t index);
/* What was taken down for another program, which is out again, is looked at: it may have left it there. */
void climb_prove_admission(Climb *c, size_t index, const StepResult *result);
/* After a step of this rung the function has less than before. */
bool climb_takes_down(Rung rung) __attribute__((const));
/* Takes over the plan (of the next phase). 0, -ENOMEM (the plan is freed). */
int climb_take_plan(Climb *c, ClimbPhase phase, Plan *plan);

/* The same for a plan that an earlier daemon had begun; no step of it is under way. */
int climb_resume(Climb *c, Plan *plan, const StepState *states);

/* What a step's answer means. */
typedef enum ClimbVerdict {
        CLIMB_GOES_ON,
        CLIMB_FORCES, /* goes on against somebody, and says so */
        CLIMB_WARNS, /* goes on, and says why it is not perfect */
        CLIMB_LOOKS, /* plans anew with another hint */
        CLIMB_STOPS,
} ClimbVerdict;
ClimbVerdict climb_step_done(Climb *c, const Job *job, size_t index, const StepResult *result);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Course: one job from its turn to its end
 *
 * What a plan, an answer or a stop means for the job: on, back by the way that is owed, all the way to what was before
 * (OP_ROLLBACK), or over. Which job has the lane is the queue's matter; only queue.c includes this.
 */
#pragma once

#include "core/queue.h"

/* Over; the plan is freed. */
void course_end(Job *j, JobResult result);
/* Over while it waits, as j->stop_as says. */
void course_stop(Job *j);
/* What is to be looked at or done now. False: nothing, or it has ended. */
bool course_advance(Job *j, uint32_t fan_out, Effect *ret);

/* The look that it asked for. 0, -ENOMEM (it goes on, as failed). */
int course_plan(Job *j, const Snapshot *s);
/* The look after another program was let in: what was taken down for it and is still there is put right. */
void course_prove(Job *j, const Snapshot *s);
/* No plan came of the look. */
void course_give_up(Job *j, Fault fault, JobResult result);
void course_step_done(Job *j, size_t index, const StepResult *result);

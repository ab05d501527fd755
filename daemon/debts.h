/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debts: what each job that was on its way owes is paid in its turn
 *
 * One job after the other: what its children said is taken over; then it goes on with its plan, or what it began is put
 * right, step by step, and it ends or waits for a new plan. owed.c knows what is owed, this sees that it is done.
 * The half of a recovery that begins when the last child of an earlier daemon is out of the kernel; recover.c has the other one.
 */
#pragma once

#include "daemon/left.h"
#include "daemon/recover.h"

typedef void (*RecoveryStage)(Recovery *rec, Record *r);

struct Recovery {
        Manager *manager;
        uint32_t *ids; /* owned: the jobs that were on their way, in their order */
        size_t n_ids, at;
        uint32_t stuck_id; /* while stuck: of which job, 0 = none that is known */
        Lefts left;
        bool stuck;
        bool known; /* of the job whose turn it is, what came of each step */
        RecoveryStage stage; /* what failed, and is done again */
        sd_event_source *again;
        uint32_t wait_sec; /* how long was waited for that, the last time */
};

/* From the job whose turn it is to the last one; then the recovery is over and freed. */
void debts_pay(Recovery *rec);
/* The job whose turn it is; NULL: none or no more. */
Record *debts_job(const Recovery *rec);

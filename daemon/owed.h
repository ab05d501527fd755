/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owed: what a job of an earlier daemon still has to do, and to put right
 *
 * Works on the record as the ledger had it and on the world as it is seen now. It releases nothing and waits for nobody;
 * recover.c does.
 */
#pragma once

#include <stdbool.h>

#include "core/snapshot.h"

#include "daemon/ledger.h"
#include "daemon/record.h"

/*
 * Takes over what children said of the steps that were under way. *known becomes false if it is not known of each what came of it,
 * nor may it be done again. What the world does not show is settled as interrupted. 0; -errno: some are under way still, and
 * it can be called again.
 */
int owed_adopt(const Ledger *l, const Snapshot *s, Record *r, bool *known);

/* A step failed behind which nothing of the plan may be done. */
bool owed_is_stopped(const Record *r);

/* True if all of its plan is done: a stop that came then came too late. */
bool owed_is_complete(const Record *r);
/* True if a step failed in a way that needs another plan: the driver kept its VFs. */
bool owed_wants_new_plan(const Record *r);
/* True if the job was to be all or nothing, has failed, and is to be planned back to what was before. */
bool owed_wants_roll_back(const Record *r);

/*
 * Whoever was asked may be in use again: the guards went with the daemon that held them, and others may be in the way. Those
 * questions are asked anew as long as there is something left to take.
 */
void owed_ask_again(Record *r);

/*
 * The record's plan becomes that of its way back, in the ledger first; for one that is planned anew only what is right then,
 * too. 0; -errno: neither has changed.
 */
int owed_turn(const Ledger *l, const Snapshot *s, Record *r);

/* The job ends so whatever the queue says. */
void owed_settle(Record *r, JobResult result, const Fault *fault);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Recover: what the last daemon left behind
 *
 * First the children that it left in the kernel are waited for, then what it owed is put right, then the queue goes
 * on. Nothing is replayed blindly: a job that can be planned anew from what is seen waits again; what the world
 * cannot show (a reset) ends as interrupted.
 */
#pragma once

#include "daemon/manager.h"

/* Takes over the ledger's records. On return m->recovery says whether something is still awaited. 0, -errno. */
int recover_start(Manager *m);
void recover_free(Recovery *rec);

/* A child of ours did a step that was owed: debts.c. */
void recover_step_done(Manager *m, const WorkerRequest *request, const Outcome *outcome);
/* A step that was owed is overdue. */
void recover_overdue(Manager *m);
/* True if that, or a child that was left behind, is stuck in the kernel; then *ret_id is its job, or 0. */
bool recover_is_stuck(const Recovery *rec, uint32_t *ret_id);

/* How many children of earlier daemons are still awaited, and a line for each when the daemon ends before them. */
size_t recover_n_left(const Recovery *rec);
void recover_goodbye(const Recovery *rec);

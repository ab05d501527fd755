/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stuck: writes that take longer than they may
 *
 * Says where in the kernel the child of an overdue step sleeps, whether others may go on beside it, and when it comes
 * back. It reads /proc and the kernel's log and nothing else: whoever is stuck is neither signaled nor asked.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "daemon/diagnose.h"
#include "daemon/ledger.h"
#include "daemon/worker.h"

typedef struct Manager Manager;
typedef struct Stuck Stuck;

/* Children of ours whose step is overdue. */
typedef struct Stucks {
        Stuck **items;
        size_t n;
} Stucks;

void stucks_done(Stucks *all);

/* A step of this job is about to be released: what the kernel logs from now on is the job's matter. */
void stuck_begin(Record *r);
/* The workers' word that a step is overdue; userdata is the manager. */
void stuck_overdue(const Worker *w, void *userdata);
/* Another program that was let in is overdue inside the kernel, where it stands at `where`. */
void stuck_foreign(Manager *m, Record *r, size_t index, const Step *step, pid_t pid,
                   const char *where);
/* A step came back, late or not: tells of it, and learns from its time. reply: NULL if its child died. */
void stuck_step_over(Manager *m, Record *r, pid_t pid, const Step *step, const Outcome *outcome);
/* The job has ended. */
void stuck_end(Record *r);

/* A finding for each job that is stuck, or that there is none. 0, -ENOMEM. */
int stuck_find(const Manager *m, Findings *ret);

/* What to say of a process of an earlier daemon that does not come back. r: its job, or NULL. */
void stuck_left(Manager *m, Record *r, const Process *p);
/* The daemon ends: one line for each child that stays in the kernel, and for one of an earlier daemon (r: its job, or NULL). */
void stuck_goodbye(const Manager *m);
void stuck_stays(const Record *r, pid_t pid);

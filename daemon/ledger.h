/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger: intent before act
 *
 * RUNTIME/jobs/ID holds one job each. The file is written whole (and renamed into place) when the job begins, gets a
 * plan and ends; in between a line is added before a step is released and one when it is over. A line without its
 * newline was never written: whoever died there had not released anything yet. RUNTIME/results/ID-PID is what
 * a child says of its step before it tells the daemon, in the same words.
 *
 * The ledger knows no kernel and decides nothing; recover.c does.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/queue.h"

#include "daemon/process.h"
#include "daemon/record.h"

typedef struct Ledger {
        int fd; /* the runtime directory */
        int jobs; /* jobs */
        int results; /* results */
        int lock; /* held as long as we live, so that there is one daemon */
} Ledger;

#define LEDGER_EMPTY ((Ledger){ -EBADF, -EBADF, -EBADF, -EBADF })

/* What came of a step, as it stands in the ledger and in a child's result file. */
typedef struct Outcome {
        size_t index;
        StepResult result;
        uint64_t usec;
} Outcome;

/* Makes the directories. 0; -EBUSY if another daemon has this runtime directory; -errno. */
int ledger_open(Ledger *l, const char *runtime);
void ledger_done(Ledger *l);

/* The whole record, with the climb's plan where there is one. 0, -errno. */
int ledger_write(const Ledger *l, const Record *r, const Climb *climb);
/* The intent: this child is about to be released to do that step. 0, -errno: it must not be. */
int ledger_begin(const Ledger *l, uint32_t id, size_t index, const Process *child);
int ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome);
/* What changed in the record itself while its steps are under way: a cancel, a failure, a warning. */
int ledger_note(const Ledger *l, const Record *r);
/* Who was found while its steps are under way. */
int ledger_holders(const Ledger *l, uint32_t id, const Holders *holders);
void ledger_forget(const Ledger *l, uint32_t id);

/* Ids go on where they were, so that a job's name is never given twice. */
int ledger_write_next_id(const Ledger *l, uint32_t id);
/* 1 where there is none, or nonsense. 0, -errno: it is there, and cannot be read now. */
int ledger_read_next_id(const Ledger *l, uint32_t *ret);

/*
 * All jobs, sorted. Files that cannot be read as a job are renamed to .ID.bad, with a line in the log. 0, -ENOMEM, -errno.
 */
int ledger_load(const Ledger *l, Records *ret);

/* For the child, which opens `results` itself. */
int result_write(int results, uint32_t id, pid_t pid, const Outcome *outcome);
/* 0, -ENOENT, -EBADMSG, -errno. */
int result_read(int results, uint32_t id, pid_t pid, Outcome *ret);
void result_forget(int results, uint32_t id, pid_t pid);

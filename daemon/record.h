/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record: what is remembered of one job
 *
 * The queue knows a job only until it has ended and nothing of time or people. The record has all that the
 * bus shows, the ledger keeps and the journal tells, while the job lives and for a while after.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/macro.h"

#include "core/holder.h"
#include "core/queue.h"

#include "daemon/opener.h"
#include "daemon/process.h"

/* A step that was done, well or not. */
typedef struct Act {
        Rung rung;
        StepAnswer answer;
        Bdf fn; /* the VF where it was one */
        uint64_t usec;
        char *text; /* as people read it */
} Act;

/* What clients have not been told of yet; bus-job.c has the properties behind each. */
typedef enum RecordNews {
        NEWS_STATE = 1 << 0,
        NEWS_STEP = 1 << 1,
        NEWS_STAGES = 1 << 2,
        NEWS_WARNINGS = 1 << 3,
        NEWS_HOLDERS = 1 << 4,
        NEWS_STUCK = 1 << 5,
} RecordNews;

typedef struct Record {
        uint32_t id;
        Op op;
        Bdf pf;
        JobState state;
        /*
         * Before the end: what it will be if nothing more can be known, for the next daemon. settled: it stands whatever
         * the queue says.
         */
        JobResult result;
        bool settled;
        uint64_t order; /* the queue's */

        /* who, why, when; times are microseconds of CLOCK_REALTIME, 0 = not yet */
        uint32_t uid, pid;
        Opener *opener; /* OP_FOREIGN: the program whose turn it is; NULL else, and in a record out of the ledger */
        uint32_t askers[QUEUE_ASKERS], n_askers;
        char *reason, *expect; /* NULL: none */
        uint64_t timeout_usec; /* from created on; 0 = never */
        uint64_t created, started, ended;

        /* how it goes; phase is the queue's, kept for the next daemon */
        ClimbPhase phase;
        Rung stage; /* _RUNG_MAX: none now */
        Rung stages[_RUNG_MAX];
        size_t n_stages;
        Act *acts;
        size_t n_acts;
        size_t n_steps; /* done and planned, for the progress; 0: no plan yet */
        char **warnings;
        char *error, *message; /* the bus error's name and its line, or NULL */
        char *stuck; /* where it was or is stuck: "process PID at STACK", then the kernel's lines; NULL: nowhere */
        int kmsg; /* the kernel's log since its first step; -EBADF: not read */
        Holders holders; /* who was found to use what it takes away, also where it was forced */

        /* what a rollback goes back to, as in Job */
        bool has_before, rolling;
        uint32_t count_before;
        char driver_before[NAME_MAX_LENGTH];

        bool automatic; /* nobody asked for it: a policy did */
        bool persist; /* what it did is to be a policy's from now on */
        bool unlisted; /* never in the ledger: if the daemon dies, the program that waits is let go */
        bool unkept; /* the ledger lacks the plan that is climbed: nothing of it may be begun */

        /* Only in a record that came out of the ledger: it was written to its end; and if unfinished, where it was. */
        bool whole;
        Plan *plan;
        StepState *states;
        Process *children; /* one a step, pid 0 = none was begun */

        uint32_t news; /* RecordNews */
        sd_event_source *timeout;
        sd_event_source
                *patience; /* a child looks at its PF, and until then it waits with its plan */
} Record;

Record *record_new(void);
Record *record_free(Record *r);
DEFINE_CLEANUP(Record, record_free);

/* Each 0 or -ENOMEM. */
int record_set_fault(Record *r, const Fault *fault);
int record_warn(Record *r, const char *text);
int record_add_stuck(
        Record *r,
        const char *text); /* one more line or lines, unless it has them; notes the news */
int record_add_act(Record *r, const Step *step, StepAnswer answer, uint64_t usec);
int record_add_holders(Record *r, const Holders *holders); /* notes the news */

/* Notes the rungs of a plan, each once, in order. */
void record_add_stages(Record *r, const Plan *plan);

/* "0000:01:00.0", the slot's or the driver's name, or "". Points into r or at buf. */
const char *record_object(const Record *r, char buf[static BDF_MAX]);
#define RECORD_OBJECT(r) record_object((r), (char[BDF_MAX]){ 0 })

/* All records, sorted by id. */
typedef struct Records {
        Record **items;
        size_t n;
} Records;

void records_done(Records *all);
int records_add(Records *all, Record *r); /* takes it over; 0, -ENOMEM */
Record *records_find(const Records *all, uint32_t id);
void records_drop(Records *all, Record *r); /* frees it */
/* The one that ended first, or NULL; how many have ended. */
Record *records_oldest_ended(const Records *all, size_t *ret_n);

#define FOREACH_RECORD(r, all)                                                                     \
        for (Record **_p = (all)->items, *r; _p && _p < (all)->items + (all)->n && (r = *_p, 1);   \
             _p++)

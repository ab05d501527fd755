/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards: the PFs that policies look after
 *
 * Each PF has one, policy or not. Here is what its policy wants, why that cannot be told, and when it is applied without anybody's
 * asking: once when the PF comes, or its driver does, and again where it drifts away. What people did by hand through sriovd stays
 * as they left it: drift of theirs is told and not repaired, until somebody applies or the PF comes anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "core/fault.h"
#include "core/policy.h"
#include "core/wanted.h"

#include "conf/settings.h"

typedef struct Manager Manager;
typedef struct Record Record;

typedef enum WardState {
        WARD_FREE, /* no policy is its */
        WARD_WANTED, /* one is: wanteds_find() has it */
        WARD_UNKNOWN, /* a child is asked what a policy wants to know of it */
        WARD_CONFLICT, /* two of one priority */
} WardState;

/* A reason for what nobody asked for: it has drifted away. */
#define WARD_DRIFT "drift"

typedef struct Ward {
        Bdf pf;
        uint64_t identity;
        char driver[NAME_MAX_LENGTH]; /* as it was last looked at */
        char usual[NAME_MAX_LENGTH]; /* the first that it had */
        WardState state;
        char conflict[POLICIES_BOTH_MAX]; /* WARD_CONFLICT: which */
        char hands_off[POLICIES_BOTH_MAX]; /* WARD_FREE: the policy that says so, "": none does */
        PfFacts facts;
        bool has_facts; /* they were asked for, and came or did not */
        unsigned n_blind; /* children that could not tell, in a row */
        /* All that attributes can hang on, its driver and its VFs, as a number: now, when a child saw it, when one was sent. */
        uint64_t world, seen, asked;
        uint64_t judged; /* when it was last compared with what is wanted; 0: must be */
        bool due; /* to be applied as soon as that can be */
        uint64_t due_since;
        bool by_hand; /* changed by hand since its policy was applied */
        uint64_t wish; /* what its policy says, as a number */
        uint64_t agreed; /* what somebody, or its coming, asked for last */
        bool has_agreed; /* else the first that it says counts as asked for */
        bool asleep; /* its VFs are taken down for the host's sleep */
        uint32_t
                back; /* so many were, and where its policy says no number they come back first; 0: none */
        uint32_t job; /* of its last apply that nobody asked for; 0: none */
        const char *reason; /* of the next one: "boot", "arrival", "drift", "resume" */

        uint64_t drift; /* of what was told last, as a number to compare; 0: none */
        size_t n_drift;
        unsigned n_repairs; /* in a row */
        bool given_up; /* it was repaired too often: another program wants it otherwise */
        uint64_t repair_at; /* microseconds of CLOCK_MONOTONIC; 0: no repair is planned */
        uint64_t good; /* since when all is as wanted; 0: it is not */
} Ward;

typedef struct Wards {
        Ward *items; /* sorted by pf */
        size_t n;
        Policies policies;
        Wanteds wanted;
        bool stale; /* what is wanted must be told anew */
        bool met_all; /* who comes from now on was not there before */
        bool booting; /* this is the first daemon since the host was started, and not all is in place */
        uint32_t *boot_jobs;
        size_t n_boot_jobs;
        sd_event_source *timer;
        uint64_t boot_end; /* when the boot is over in any case */
        bool loaded; /* policies were read before */
        bool unkept; /* what was agreed is to be written down for the next daemon */
        bool partial; /* one file's are missing for its mistake: it may have been the one that says hands off */
} Wards;

void wards_done(Wards *all);
/* What the last daemon left: whether this is the first since the boot, and what was done by hand. */
void wards_start(Manager *m);

/*
 * Reads the policies again. 0; -EBADMSG with *ret_error about the first mistake: then all stays as it was, for without one file
 * another's policy might have a PF that is none of its business. At the start, where nothing was, the other files count.
 */
int wards_load(Manager *m, SettingsError *ret_error);

Ward *wards_find(const Wards *all, Bdf pf);
/* NULL: no policy is its. */
const Wanted *wards_wanted(const Manager *m, Bdf pf);

/* ward-refuse.c. 0; 1 and *ret_fault: no policy can be applied to it, for it has none, or two, or one that says hands off, or is no PF. */
int wards_check(const Manager *m, Bdf pf, Fault *ret_fault);
/* For the bus: "wanted", "unknown" (yet), "conflict", "hands-off", or "". */
const char *wards_policy_state(const Manager *m, Bdf pf);

bool wards_is_by_hand(const Manager *m, Bdf pf);
/* udev is through with that PF and its net devices, or there is none: what policies know it by is what it stays. */
bool wards_are_named(const Manager *m, const Ward *w);

uint64_t wards_now(void); /* microseconds of CLOCK_MONOTONIC, as all times here */
Ward *wards_add(Wards *all, const Fn *pf); /* NULL: out of memory */
void wards_drop(Wards *all, size_t i);
void wards_be_due(Ward *w, const char *reason);
/* It had n VFs before the host slept: they come back, and what its policy says of them. */
void wards_resume(Manager *m, Ward *w, uint32_t n);

/* What is wanted is told anew, if it must be. */
void wards_tell(Manager *m);
/* Compares them with the world, asks what must be asked, and asks for what is due. From manager_drain(). */
void wards_sync(Manager *m);
/* A job has ended: what it did by hand is by hand. */
void wards_job_ended(Manager *m, const Record *r);
/* What a child saw; takes it over. */
void wards_take_facts(Manager *m, PfFacts *facts);

/* All that has policies is in place, or cannot be for now. */
bool wards_are_settled(const Manager *m);

/* ward-agree.c: what its policy says now (NULL: no policy is its). */
void wards_take_wish(Manager *m, Ward *w, const Wanted *wanted);
/* That was asked for, or is so already. */
void wards_agree(Manager *m, Ward *w);
/* Its policy says another thing than it did, and nobody has asked for it. */
bool wards_is_unasked(const Ward *w);

/* ward-apply.c, ward-drift.c: parts of wards_sync(). */
void wards_apply_due(Manager *m);
void wards_look_for_drift(Manager *m);
/* Wakes us at that time of CLOCK_MONOTONIC, or earlier. */
void wards_wake_at(Manager *m, uint64_t usec);

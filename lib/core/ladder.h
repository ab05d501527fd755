/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ladder: the safe order
 *
 * Users, VFs, driver, device: always in this order down, and the reverse up. ladder.c holds the one table; an
 * operation is the set of rungs that it ticks. ladder_plan() turns an operation and a snapshot into steps,
 * ladder_way_back() turns a climb that failed into the steps that put right what it had begun.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "core/fault.h"
#include "core/op.h"
#include "core/snapshot.h"

/* In the order in which they are climbed; steps of a plan never go back in this list. */
typedef enum Rung {
        RUNG_CLEAR_WAY, /* fn: the operation's; no other program is stuck in the kernel where we would wait behind it */
        RUNG_LOAD_DRIVER, /* name: driver; modprobe before anything is touched */
        RUNG_REFUSE_IF_HELD, /* fn: goes away or loses its driver; all are asked before one refusal stops the job */
        RUNG_REFUSE_IF_DOWN, /* fn: a VF whose driver cannot be reset with its net device down */
        RUNG_PARK_VF, /* fn: PF, n: index; override to PARK_OVERRIDE, then unbind */
        RUNG_UNBIND_KEEPER, /* fn: PF whose driver keeps VFs that it did not make */
        RUNG_STUB_PF, /* fn: PF; override to pci-pf-stub, bind */
        RUNG_VFS_OFF, /* fn: PF; sriov_numvfs = 0 */
        RUNG_UNSTUB_PF, /* fn: PF; unbind, clear the override */
        RUNG_UNBIND, /* fn: a function without VFs, or a VF */
        RUNG_QUIET_PORT, /* fn: port, name: pciehp service */
        RUNG_REMOVE, /* fn; override to PARK_OVERRIDE, then remove = 1 */
        RUNG_SLOT_OFF, /* name: slot; power = "0" */
        RUNG_UNLOAD, /* name: driver; delete_module(O_NONBLOCK) */
        RUNG_ADMIT, /* fn or name, as the door has it; another program is let in, and this is over when it is out again */
        RUNG_RESET, /* fn; n: 1 = a VF, whose reset_method is set to flr where it offers more */
        RUNG_RESCAN, /* fn: to be seen afterwards, or BDF_NONE */
        RUNG_SLOT_ON, /* name: slot; power = "1" */
        RUNG_BIND, /* fn: a function that is no VF; name: driver, "" = the kernel's choice */
        RUNG_ESWITCH, /* fn: PF, name: mode; devlink */
        RUNG_UP_PF, /* fn: PF; its net device is brought up */
        RUNG_HOLD_PROBE, /* fn: PF; sriov_drivers_autoprobe = 0 */
        RUNG_VFS_ON, /* fn: PF, n: count */
        RUNG_ESWITCH_VFS, /* as RUNG_ESWITCH, of a driver that wants the VFs there first */
        RUNG_OVERRIDE_VF, /* fn: PF, n: index, name: driver */
        RUNG_UNBIND_VF, /* fn: PF, n: index; one that the kernel bound as it was made */
        RUNG_CONFIGURE_VF, /* fn: PF, n: index, name: one attribute as vfattrs_format() has it: "vlan=100 qos=3" */
        RUNG_FREE_PROBE, /* fn: PF; sriov_drivers_autoprobe = 1 */
        RUNG_BIND_VF, /* fn: PF, n: index, name: driver, "" = the kernel's choice */
        RUNG_UNPARK_VF, /* fn: PF, n: index, name: driver before, override: before. Way back only */
        _RUNG_MAX,
} Rung;

/* A name no driver has: a parked function is bound by nobody until the override is taken away. */
#define PARK_OVERRIDE "sriovd-hold"
#define STUB_DRIVER "pci-pf-stub"

typedef struct Step {
        Rung rung;
        Bdf fn;
        Bdf vf; /* the VF's address where the plan knows it, for messages; else BDF_NONE */
        uint32_t n;
        uint64_t identity; /* of fn's directory; another one there = STEP_STALE. 0: not checked */
        char name[NAME_MAX_LENGTH];
        char was[NAME_MAX_LENGTH]; /* the driver before, for the way back */
        char override[NAME_MAX_LENGTH]; /* UNPARK_VF: to write back; see step_keep_override() */
} Step;

typedef struct Plan {
        Step *steps;
        size_t n_steps;
} Plan;

Plan *plan_new(void);
Plan *plan_free(Plan *p);
int plan_push(Plan *p, const Step *step); /* a copy; 0, -ENOMEM */
void plan_keep(Plan *p, Rung rung); /* drops the steps of all other rungs */
static inline void plan_freep(Plan **p) {
        plan_free(*p);
}

/*
 * True if the step's failure is one VF's own: the others go on, and the whole is partial. Not where all or nothing was
 * asked for, nor where nothing else was.
 */
bool ladder_fails_alone(const Op *op, const Plan *plan, const Step *step);

/* What lib/kernel/step.c answers. */
typedef enum StepAnswer {
        STEP_DONE,
        STEP_FAILED, /* error: the kernel's errno */
        STEP_KEPT, /* sriov_numvfs took 0, and n VFs are there all the same */
        STEP_WRONG, /* sriov_numvfs took the count, and n VFs are there */
        STEP_UNPROVEN, /* the write returned; its effect did not show in time */
        STEP_STALE, /* another device sits at this address now */
        STEP_GONE, /* no device sits at this address any more; of RUNG_ADMIT: nor is there a program any more */
        STEP_IN_USE, /* text: who; n: OP_FORCE_* that would go on all the same */
        STEP_BLOCKED, /* n: the process that has been in our way too long; text: its command, and where it is */
        STEP_DOWN, /* text: its net device, which is down */
        STEP_NO_DRIVER, /* asked to choose a driver, the kernel chose none: worth a warning, no failure */
        STEP_DIED, /* the child ended without an answer (the manager's word, not step.c's) */
        _STEP_ANSWER_MAX,
} StepAnswer;

typedef struct StepResult {
        StepAnswer answer;
        int error;
        uint32_t n;
        char override[NAME_MAX_LENGTH]; /* PARK_VF, OVERRIDE_VF: driver_override as it was before */
        char text[96];
} StepResult;

/* For the way back: the override that the step took, which nobody else knows any more. */
void step_keep_override(Step *step, const StepResult *result);

/* Where a step is; the climb keeps one for each step. */
typedef enum StepState {
        STEP_STATE_WAITING,
        STEP_STATE_RUNNING,
        STEP_STATE_DONE,
        STEP_STATE_FAILED,
        STEP_STATE_OUTSIDE, /* running, overdue, and proven to be outside the global lock */
} StepState;

#define LADDER_E_REFUSED 1 /* ret_fault says why; nothing may be written */

/*
 * Makes the steps for op. keeper is what the snapshot cannot tell: a PF whose driver took 0 and kept its VFs, so
 * that pci-pf-stub has to take them down; NULL = none. 0: *ret is a plan, of no steps if the world is as wanted already.
 * LADDER_E_REFUSED: *ret_fault is set. -ENOMEM.
 */
int ladder_plan(const Snapshot *s, const Op *op, const Bdf *keeper, Plan **ret, Fault *ret_fault);

/*
 * Makes the steps that follow a climb which stopped: VFs parked for a sriov_numvfs that did not change get their
 * overrides and drivers back, a resize that lost its VFs goes back to the old count once, a stub is taken
 * off, autoprobe is what it was. 0 and a plan, of no steps if nothing is owed; -ENOMEM.
 */
int ladder_way_back(const Op *op, const Plan *plan, const StepState *states, Plan **ret);

/* The fault behind an answer other than STEP_DONE. */
Fault ladder_fault(const Step *step, const StepResult *result);

const char *rung_to_string(Rung rung) __attribute__((const)); /* "park-vf" */
Rung rung_from_string(const char *s); /* _RUNG_MAX if there is none */
const char *step_answer_to_string(StepAnswer a) __attribute__((const));

/* The row's words, with {name}, {was} and {n} in them. */
const char *rung_text(Rung rung) __attribute__((const));
/* One line for people: "0000:01:00.0: sriov_numvfs = 0". Returns buf. */
const char *step_format(const Step *step, char *buf, size_t size);
#define STEP_STR_MAX 256

/* True if steps of this rung may be under way together (VFs' own locks only, KERNEL.md 4.0 rule 1). */
bool rung_fans_out(Rung rung) __attribute__((const));
/* True if the write takes the global rescan/remove lock on some kernel. */
bool rung_takes_global_lock(Rung rung) __attribute__((const));
/* The table's part of a deadline (pace.h): seconds, and seconds for each VF, generous, for firmware takes its time. */
uint32_t rung_base_sec(Rung rung) __attribute__((const));
uint32_t rung_per_vf_sec(Rung rung) __attribute__((const));

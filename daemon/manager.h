/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manager: the core decides, this does it
 *
 * Owns everything that lives as long as the daemon. Inputs come from the bus, the children, the kernel's events and
 * the clock; each is told to the queue, and what the queue says then is done in one place, manager_drain().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "core/pace.h"
#include "core/queue.h"
#include "core/snapshot.h"

#include "kernel/kernel.h"

#include "conf/settings.h"

#include "daemon/auth.h"
#include "daemon/boot.h"
#include "daemon/bus.h"
#include "daemon/gate.h"
#include "daemon/guard.h"
#include "daemon/hold.h"
#include "daemon/inquiry.h"
#include "daemon/ledger.h"
#include "daemon/metrics.h"
#include "daemon/persist.h"
#include "daemon/ready.h"
#include "daemon/record.h"
#include "daemon/sleep.h"
#include "daemon/sight.h"
#include "daemon/stuck.h"
#include "daemon/titles.h"
#include "daemon/ward.h"
#include "daemon/watch.h"
#include "daemon/worker.h"
#include "daemon/world.h"

typedef struct Recovery Recovery;

/* bus-fn.c: what the last path means, for an object's properties are asked for one by one. */
typedef struct BusFnPath {
        char path[64]; /* "": none, or too long to be one of ours */
        Bdf bdf;
        uint32_t flag; /* FN_PF or FN_VF */
} BusFnPath;

typedef struct Manager {
        sd_event *event;
        const char *runtime;
        Settings settings;
        Kernel *kernel;
        Snapshot *snapshot;
        Queue queue;
        Records records;
        Ledger ledger;
        Workers workers;
        Stucks stucks;
        Pace pace;
        Quirks quirks; /* of drivers, as drivers.conf has them */
        Recovery *recovery; /* what the last daemon left to do; NULL when that is done */
        Metrics metrics;
        Watch watch;
        Readiness ready;
        World world;
        Titles titles;
        Auth auth;
        Guards guards;
        Holds holds;
        Inquiries inquiries;
        Wards wards;
        BootWaits boot_waits;
        Sight sight;
        Gate gate;
        Sleep sleep;
        Saves saves;
        Bus bus;
        BusFnPath bus_fn_path;
        sd_event_source *drain, *expiry;
        char status[256];
} Manager;

/* Who asks. */
typedef struct Caller {
        uint32_t uid, pid;
        const Opener *opener; /* NULL: it asks by itself */
} Caller;

/* What is asked for beyond the operation itself. */
typedef struct Wish {
        Op op;
        uint64_t timeout_usec; /* 0 = none */
        char reason[256]; /* "" = none */
        char expect[32]; /* a plan's id, "" = any */
        bool persist; /* SetVFs: a policy says so from now on, once the job has ended well */
        bool automatic; /* nobody asked: a policy does */
        bool insists; /* what is refused is a job's end, for its asker has others beside it */
} Wish;

int manager_new(sd_event *event, const char *runtime, Manager **ret);
Manager *manager_free(Manager *m);
DEFINE_CLEANUP(Manager, manager_free);

/* Reads the ledger, looks at the world, opens the doors. 0, -errno (logged). */
int manager_start(Manager *m);

#define MANAGER_E_REFUSED 1

/* 0 and *ret is a job, new or one with the same wish; MANAGER_E_REFUSED and *ret_fault; -errno. */
int manager_submit(Manager *m, const Wish *wish, const Caller *caller, uint32_t *ret_id,
                   Fault *ret_fault);
/* 0, MANAGER_E_REFUSED. */
int manager_cancel(Manager *m, uint32_t id, const Caller *caller, Fault *ret_fault);
/* sriovd.conf, drivers.conf and the policies again. 0, or < 0 with *ret_error, and all stays as it was. */
int manager_reload(Manager *m, SettingsError *ret_error);

/* Looks at all of the world anew. 0, -errno: the old view stays. */
int manager_look(Manager *m);
/* Something changed: soon, do what the queue says and tell what is new. */
void manager_kick(Manager *m);
/* Has a child do a step of that job: intent first. What comes of it comes through the workers' answer. 0, -errno. */
int manager_release(Manager *m, Record *r, size_t index, const Step *step);

/* The queue's job is over, and all that comes of it: tells everybody. */
void manager_end(Manager *m, Record *r);

/* A job that waited for what a child sees of its PF is planned now. */
void manager_seen(Manager *m, Record *r);

/* Another program knocks: its job. 0, MANAGER_E_REFUSED, -errno. */
int manager_submit_foreign(Manager *m, const Op *op, const Opener *opener, uint32_t *ret_id,
                           Fault *ret_fault);
/* It was let in and is out again, or never came in (STEP_GONE). */
void manager_admitted(Manager *m, uint32_t id, size_t index, const Step *step,
                      const StepResult *result, uint64_t usec);

/* Sees to it that the job ends when its time is over. 0, -errno. */
int manager_arm_timeout(Manager *m, Record *r);

/* Takes over into the record what the queue says of its job. */
void manager_take_over(Record *r, const Job *j);

uint64_t manager_now(void); /* microseconds of CLOCK_REALTIME */

typedef enum ManagerState {
        MANAGER_IDLE,
        MANAGER_BUSY,
        MANAGER_WEDGED,
        _MANAGER_STATE_MAX,
} ManagerState;

ManagerState manager_state(const Manager *m);
const char *manager_state_to_string(ManagerState s);

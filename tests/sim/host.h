/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host: the smallest manager there can be
 *
 * The real queue, ladder, scan and steps on a simulated kernel, in one process and in virtual time: each step is a
 * task, so that it blocks where a real child would. What daemon/manager.c does with children, timers, guards and a
 * ledger is done here with nothing. Another program that waits at the gate is a task, too, which makes its one write when it
 * is let in.
 */
#pragma once

#include "core/pace.h"
#include "core/queue.h"
#include "core/wanted.h"
#include "kernel/step.h"
#include "tests/sim/sim.h"

#define HOST_ENDS 32

typedef struct HostEnd {
        uint32_t id;
        JobResult result;
        Fault fault;
        uint32_t n_warnings;
        unsigned times; /* told so often: once */
        uint64_t ms; /* when */
} HostEnd;

typedef struct Host Host;

/* What another program does once it is let in: its write, or nothing (NULL). HOST_GONE: it has died by then. */
typedef struct HostForeign {
        uint32_t job;
        Op op;
        const char *value;
} HostForeign;

extern const char HOST_GONE[];

typedef struct HostStep {
        Host *host; /* NULL once it is told of, or the host is gone */
        Kernel *kernel;
        uint32_t job;
        size_t index;
        Step step;
        StepResult result;
        StepExtra extra;
        const HostForeign *foreign; /* RUNG_ADMIT: whose turn it is */
        SimTask *task;
        uint64_t deadline;
        bool overdue;
        struct HostStep *next;
} HostStep;

/* What only a child can see, looked for before a job is planned. */
typedef struct HostLook {
        Host *host; /* NULL once it was given up on, or the host is gone */
        Kernel *kernel;
        uint32_t job;
        Bdf pf;
        uint64_t deadline;
        Snapshot *seen;
} HostLook;

/* A vfio group that a job keeps others out of. */
typedef struct HostGuard {
        uint32_t job;
        int32_t group;
        int fd;
        struct HostGuard *next;
} HostGuard;

struct Host {
        Sim *sim;
        Queue queue;
        Pace pace;
        HostGuard *guards;
        HostStep *steps; /* under way */
        HostLook *look; /* likewise, NULL = none */
        Quirk quirk; /* of one driver, in place of what drivers.conf says of it; "": none */
        Wanteds wanted; /* what OP_APPLY brings about; borrowed, nothing unless it is set */
        HostEnd ends[HOST_ENDS];
        size_t n_ends;
        HostForeign foreign[HOST_ENDS];
        size_t n_foreign;
        bool no_guards; /* as on a kernel without group nodes */
        unsigned n_steps, n_wedged;
        void (*on_step)(Host *, const Step *, void *); /* told of each that starts */
        void *on_step_arg;
};

void host_init(Host *h, Sim *sim);
void host_done(Host *h); /* before sim_free() */

/* The job's number; 0 = refused at the door, with the fault in ret_fault. */
uint32_t host_submit(Host *h, const Op *op, Fault *ret_fault);
/* The same for another program that waits at a door; value is kept, not copied. */
uint32_t host_submit_foreign(Host *h, const Op *op, const char *value, Fault *ret_fault);
/* True when every job has ended; false if the rest is stuck in the kernel, and told to the queue as overdue. */
bool host_run(Host *h);
const HostEnd *host_end(const Host *h, uint32_t id) _pure_;

/* All of the host, and what a child would see of that PF: attributes and the eswitch. The caller's. */
Snapshot *host_see(Kernel *k, Bdf pf);

/* host-look.c, for host.c */
void host_look(Host *h, const Job *job);
void host_look_late(Host *h); /* the one under way, if its time is over */
void host_pump(Host *h); /* does what the queue says until it says nothing more */

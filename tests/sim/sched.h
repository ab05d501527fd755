/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sched: tasks, virtual time, locks, and what lockdep would say
 *
 * A task is a coroutine that takes locks and lets time pass. Tasks run one at a time, in an order that depends on
 * nothing but what they do, so that a deadlock that happens once happens always. Knows nothing of PCI.
 *
 * Lock order: a kernel whose numvfs takes DL then RR and whose remove takes RR then DL has an inversion in its text, and
 * no program can change that. What a program can do is never to have both sides in flight. So an
 * inversion is reported where the operations that make up the circle were in the kernel at the same time,
 * whether they happened to meet this time or not.
 */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"
#include "core/bdf.h"
#include "tests/sim/co.h"

typedef struct Sched Sched;
typedef struct SimTask SimTask;
typedef struct SimLock SimLock;
typedef struct SimOp SimOp;

typedef enum SimReportKind {
        SIM_INVERSION, /* two operations in flight take locks in opposite orders */
        SIM_DEADLOCK, /* and met */
        SIM_MEET, /* two operations in flight that KERNEL.md 4.0 rule 1 wants one by one */
        SIM_UAF, /* one works on what another frees */
        SIM_PF_WITH_VFS, /* a PF unbound, removed or reset while it has VFs */
        SIM_ORPHAN, /* a VF whose PF is gone */
        SIM_WARN, /* the kernel would print a warning */
        SIM_OOPS, /* a task died, and what it held stays held */
        SIM_HANG, /* a task waits for something that never comes */
        SIM_USER_WAIT, /* the global lock is held by one who waits for a program */
        _SIM_REPORT_MAX,
} SimReportKind;

typedef struct SimReport {
        SimReportKind kind;
        uint64_t ms;
        char text[256];
        struct SimReport *next;
} SimReport;

typedef enum SimLockClass {
        SIM_RR, /* pci_rescan_remove_lock */
        SIM_DL, /* device_lock of one device */
        SIM_KA, /* active reference of one sysfs file: shared by those inside, exclusive for who removes it */
        SIM_BS, /* pci_bus_sem */
        SIM_IRQ, /* held by a port's interrupt thread while it works; free_irq waits for it */
        SIM_USER, /* held by a program that has a vfio group open */
} SimLockClass;

typedef struct SimHold {
        SimLock *lock;
        SimTask *task; /* NULL: a program outside the kernel */
        bool shared;
        unsigned depth;
        struct SimHold *next_of_lock, *next_of_task;
} SimHold;

struct SimLock {
        SimLockClass class;
        bool reentrant;
        char name[48];
        SimHold *holds;
        SimLock *next; /* of the same owner */
};

typedef enum SimOpClass {
        SIM_OP_HARMLESS, /* may run beside anything */
        SIM_OP_VF_DRIVER, /* bind or unbind of one VF: may run beside those of other VFs */
        SIM_OP_TOPOLOGY, /* must be alone, but for what is stuck elsewhere */
        SIM_OP_KERNEL, /* the kernel's own threads: nobody can keep them out */
} SimOpClass;

typedef struct SimEdge {
        SimLock *from, *to;
        bool from_shared, to_shared;
} SimEdge;

/* One system call's stay in the kernel. */
struct SimOp {
        uint32_t id;
        SimTask *task;
        SimOpClass class;
        Bdf fn;
        char what[128];
        uint64_t began,
                ended; /* moments in the order of all moments; ended 0 = still in the kernel */
        uint64_t began_ms;
        SimEdge *edges;
        size_t n_edges;
        void *fault; /* of whoever made the operation */
        SimOp *next;
};

typedef enum SimTaskState {
        SIM_TASK_READY,
        SIM_TASK_BLOCKED,
        SIM_TASK_SLEEPING,
        SIM_TASK_ENDED,
        SIM_TASK_DEAD, /* by an Oops: never comes back, keeps its locks */
} SimTaskState;

struct SimTask {
        Sched *sched;
        uint32_t id;
        SimTaskState state;
        Co *co;
        int (*main)(SimTask *t, void *arg);
        void *arg;
        int result; /* what main returned */
        /*
         * Told from outside the task when it has ended, and then the task is freed; and when it died by an Oops, in which
         * case it ends only with the simulator.
         */
        void (*ended)(SimTask *t, void *arg);
        SimHold *holds;
        SimLock *wants;
        bool wants_shared;
        SimTask *joins;
        const bool *until; /* waits until this is true */
        bool guarded; /* main may be left in its middle */
        uint64_t wake, since, order;
        SimOp *op;
        jmp_buf *out; /* where it goes when the simulator ends under it */
        uint32_t pid,
                ppid; /* of the process that it stands for; a made-up one until somebody says better */
        char command[32];
        SimTask *next;
};

struct Sched {
        uint64_t now; /* ms */
        uint64_t moment;
        uint32_t last_id, last_op;
        SimTask *tasks, *current;
        SimOp *ops;
        SimReport *reports, **reports_end;
        size_t n_reports[_SIM_REPORT_MAX];
        /* `stuck` takes single devices' locks alone, and none that `op` can come to want. */
        bool (*apart)(const Sched *s, const SimOp *stuck, const SimOp *op);
        bool dying; /* every wait ends, and with it the system call that waits: see sim_guard() */
};

void sched_init(Sched *s);
void sched_done(Sched *s);

/* ended NULL: the task is kept until sched_done(), for whoever looks at its result. NULL: no memory. */
SimTask *sched_spawn(Sched *s, int (*main)(SimTask *, void *), void *arg,
                     void (*ended)(SimTask *, void *));
/* Lets one ready task run. False if there is none. */
bool sched_step(Sched *s);
/* Runs all that is ready, and lets time pass, up to `until` ms. False if nothing can ever run again. */
bool sched_run(Sched *s, uint64_t until);
/* When the next sleeper wakes; UINT64_MAX: nobody sleeps. */
uint64_t sched_next_wake(const Sched *s) __attribute__((pure));
/* Runs until the task has ended or nothing can run. True if it has ended. */
bool sched_run_task(Sched *s, SimTask *t);

/*
 * Runs f(arg), one system call. Returns what it returned, or -EINTR if the simulator ended while it waited: then f was left
 * in its middle, so it must own no memory while it waits.
 */
int sim_guard(Sched *s, int (*f)(void *), void *arg);

/* For a task, of itself. */
void sim_suspend(Sched *s);
void sim_sleep(Sched *s, uint64_t ms);
void sim_join(Sched *s, SimTask *t);
void sim_wait_until(Sched *s, const bool *flag);
void sim_wake(Sched *s,
              const bool *flag); /* whoever waits for it looks again; callable from anywhere */
/* The task dies with what it holds. Does not come back. */
void sim_die(Sched *s, const char *why);

void sim_lock_init(SimLock *l, SimLockClass class, const char *format, ...) _printf_(3, 4);
void sim_lock_done(SimLock *l);
void sim_lock(Sched *s, SimLock *l);
void sim_lock_shared(Sched *s, SimLock *l);
/* Without a note of the order: where something other than locks keeps the two sides apart. */
void sim_lock_unnoted(Sched *s, SimLock *l);
void sim_unlock(Sched *s, SimLock *l);
bool sim_holds(const Sched *s, const SimLock *l) __attribute__((pure)); /* the current task */
/* A program takes or drops a SIM_USER lock. */
void sim_user_lock(Sched *s, SimLock *l);
void sim_user_unlock(Sched *s, SimLock *l);

/* An operation begins and ends in the current task; nested ones count as part of the first. */
void sim_op_begin(Sched *s, SimOpClass class, Bdf fn, const char *what);
void sim_op_end(Sched *s);

/* order.c: the current task wants l while it holds what it holds. */
void sim_order_note(Sched *s, SimLock *l, bool shared);
/* order.c: the current task is about to wait; reports a circle if there is one. */
void sim_order_check_deadlock(Sched *s);
void sim_ops_forget(Sched *s);

void sim_report(Sched *s, SimReportKind kind, const char *format, ...) _printf_(3, 4);
const char *sim_report_kind_to_string(SimReportKind k) __attribute__((const));

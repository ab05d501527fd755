/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers: children for all that may wait in the kernel
 *
 * A child is an exec'd program of its own that shares nothing with us but one socket: a write that blocks cannot
 * be cancelled, and whatever it held of ours would be held as long. It waits until it is asked; who it is stands in
 * the ledger by then. No child that was asked is ever signaled. Idle ones are used again and let go with the last job.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "core/ladder.h"
#include "core/queue.h"

#include "daemon/process.h"

/* Questions under way at once, stuck ones counted: they are never in the way of steps. */
#define WORKERS_ASKED_MAX 8
/* The steps of the job in the lane and of all that stand aside, stuck for ever; questions; one that asks for names, one that writes. */
#define WORKERS_MAX ((QUEUE_ASIDE + 1) * QUEUE_FAN_OUT + WORKERS_ASKED_MAX + 2)
#define WORKER_FD 3
#define WORKER_IDS_MAX 16

/* Both sides are the same program, so that the messages are plain structs. */
typedef enum WorkerWork {
        WORKER_STEP,
        WORKER_NAMES, /* pci.ids' names of vendors and devices */
        WORKER_USERS, /* who uses step.fn and its VFs, or, if that is BDF_NONE, any PF or VF: a list of Holder */
        WORKER_ELSEWHERE, /* sysfs number `index` of other network namespaces: a list of one Elsewhere or none, its top as a guard */
        WORKER_SIGHT, /* what only a child can see of PF step.fn, or, if that is BDF_NONE, of all: a list of SightItem */
        WORKER_DIAGNOSE, /* what is wrong with this host: a list of Finding */
        WORKER_KEEP, /* writes the policy of PF step.fn, which worker_hand() gave it: disks take their time */
} WorkerWork;

typedef struct WorkerRequest {
        WorkerWork work;
        uint32_t job; /* or the question's number */
        size_t index;
        Step step;
        bool guarded; /* refuse-if-held: this job's guard is on step.fn's vfio group already */
        bool unordered; /* step: programs whose lease at the gate ended may write as well: to be waited for */
        bool unlocks; /* step: doors are locked, GATE_EXCLUSIVE */
        bool for_client; /* a question: a client's, and no need of our own */
        bool glance; /* WORKER_USERS: what may wait for RTNL is left out */
        bool busy; /* WORKER_DIAGNOSE: jobs are at work */
        size_t n_text; /* WORKER_KEEP: bytes of the text beside it, its NUL among them */
        size_t n_ids;
        struct {
                uint16_t vendor, device;
        } ids[WORKER_IDS_MAX];
} WorkerRequest;

typedef struct WorkerReply {
        StepResult result;
        uint64_t usec;
        int error; /* of a question: 0 or -errno */
        bool has_guard; /* WorkerFds.guard came along, on this group */
        int32_t group;
        size_t n_list; /* items in WorkerFds.list, which came along if it is not 0 */
        struct {
                char vendor[128], device[128];
        } names[WORKER_IDS_MAX];
} WorkerReply;

/* What came with a reply; -EBADF: nothing. */
typedef struct WorkerFds {
        int guard; /* refuse-if-held: an open vfio group */
        int list; /* a memfd; parcel_unpack() has it */
} WorkerFds;

typedef struct Workers Workers;

typedef struct Worker {
        Workers *all;
        Process process;
        int fd;
        sd_event_source *io, *deadline;
        bool busy;
        WorkerRequest request; /* while busy */
} Worker;

/*
 * reply is NULL if the child died of it; the worker is free or gone afterwards. Who wants a descriptor takes it out of
 * fds, the others are closed.
 */
typedef void (*WorkerAnswered)(pid_t pid, const WorkerRequest *request, const WorkerReply *reply,
                               WorkerFds *fds, void *userdata);
typedef void (*WorkerOverdue)(const Worker *w, void *userdata);

struct Workers {
        sd_event *event;
        const char *runtime;
        WorkerAnswered answered;
        WorkerOverdue overdue;
        void *userdata;
        Worker *items[WORKERS_MAX];
};

void workers_done(
        Workers *all); /* closes the sockets: the idle exit, the busy ones when they can */

/* An idle child, or a new one, that waits. 0, -EAGAIN (too many are stuck), -errno. */
int workers_get(Workers *all, Worker **ret);
/* Releases it. deadline_usec 0 = none. 0, -errno: it is gone and nothing was asked. */
int worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec);
/* The same without a deadline, with a text of request->n_text bytes beside it, for parcel_unpack(). */
int worker_hand(Worker *w, const WorkerRequest *request, const char *text);
/* The idle ones may go. */
void workers_let_go(Workers *all);
/* Sees to it that one is idle, for questions must be answered while others are stuck. */
void workers_keep_one(Workers *all);
/* How many steps, and how many questions, are under way. */
size_t workers_busy(const Workers *all);
size_t workers_asked(const Workers *all);

/* The child's side: --worker RUNTIME. The exit status. */
int worker_main(const char *runtime);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Persist: what is there, or was just made, becomes a policy
 *
 * One file for each PF below /etc/sriovd/policy.d, which names it by its address. It goes before any other policy that the PF has.
 * A child writes it, for a disk takes its time, and may be below a card that is at work here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

#include "core/bdf.h"
#include "core/fault.h"

#include "daemon/worker.h"

/* As many clients may wait for the disk; the next is told so. */
#define ADOPTS_MAX 32

typedef struct Manager Manager;
typedef struct Record Record;
typedef struct Save Save;

/* Policies on their way to the disk, one after the other. */
typedef struct Saves {
        Save *first;
        uint32_t last_id;
} Saves;

void saves_done(Saves *all);

#define PERSIST_E_REFUSED 1

/* Whether a policy could be written for that PF: 0; PERSIST_E_REFUSED and *ret_fault if another one is in the way. */
int persist_check(const Manager *m, Bdf pf, Fault *ret_fault);

/*
 * A set-vfs that has ended well: its count and driver. True: it is on its way, and manager_end() comes with it. What went wrong is a
 * warning of the job.
 */
bool persist_count(Manager *m, Record *r);

/*
 * The PF as it is now. The message has its answer when the policy counts; dry: at once, and nothing is written. 0; -ENOENT:
 * it is gone; -EAGAIN: too many are on their way; -errno; PERSIST_E_REFUSED and *ret_fault: another policy is in the way.
 */
int persist_adopt(Manager *m, sd_bus_message *message, Bdf pf, bool dry, Fault *ret_fault);

/* Has a child write what is due. */
void saves_ask(Manager *m);
void saves_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply);
/* That connection is gone: what it asked for is written all the same. */
void saves_forget(Manager *m, sd_bus *bus);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inquiries: questions of clients that a child answers
 *
 * Some of what is asked waits: for RTNL, for a driver. A child does that, and the client has its reply when the child has
 * come back, or an error when it does not in time. Jobs have no part in it, stuck ones neither. They are bounded. While RTNL
 * is held, some few wait for it; all others are answered without what only it can tell, and say so.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <systemd/sd-bus.h>

#include "daemon/worker.h"

typedef struct Manager Manager;
typedef struct Inquiry Inquiry;

/* Questions that have had no answer for so long that no other is asked in the same way. */
#define INQUIRIES_LATE_MAX 4

typedef struct Inquiries {
        Inquiry *first; /* in the order in which they came */
        size_t n;
        uint32_t last_id;
        uint32_t late[INQUIRIES_LATE_MAX]; /* their numbers, also of those that are over */
        size_t n_late;
} Inquiries;

/* WORKER_USERS of fn and its VFs (BDF_NONE: of all) or WORKER_DIAGNOSE; the reply comes later. 1, for `return` in methods; < 0 with error. */
int inquiry_new(Manager *m, sd_bus_message *message, WorkerWork work, Bdf fn, sd_bus_error *error);
/*
 * Has a child look at that PF, or with BDF_NONE at all, and then has `reply` called, which answers the message: 0 or more, or < 0 with
 * error set. op is kept for it.
 */
typedef int (*InquiryReply)(Manager *m, sd_bus_message *message, const Op *op, sd_bus_error *error);
int inquiry_see(Manager *m, sd_bus_message *message, Bdf pf, const Op *op, InquiryReply reply,
                sd_bus_error *error);
/* A child's answer; the inquiry may be over by now. */
void inquiry_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                      const WorkerFds *fds);
/* Has children ask as many as may be at once. */
void inquiries_ask(Manager *m);
/* That connection is gone, and its messages with it. */
void inquiries_forget(Manager *m, sd_bus *bus);

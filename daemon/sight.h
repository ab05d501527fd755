/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sight: what only a child can see of a PF
 *
 * Its VFs' attributes and its eswitch wait for RTNL or a controller, and what policies know it by beside its address does as well. A
 * child looks when something about the PF has changed, before a job that gives attributes is planned, and when a client asks for
 * a plan or a difference. What it saw lies in the snapshot until the next look.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "core/policy.h"
#include "core/snapshot.h"

#include "daemon/worker.h"

typedef struct Manager Manager;
typedef struct Record Record;
typedef struct Ward Ward;

typedef enum SightKind {
        SIGHT_PF, /* fn: the PF, eswitch. First of what is told of a PF */
        SIGHT_VF, /* fn: the VF, attrs, overridden */
        SIGHT_ALTNAME, /* text; of the PF that was told last, as are the following */
        SIGHT_MAC,
        SIGHT_SERIAL,
        SIGHT_PATH,
} SightKind;

/* Goes through a memfd as it is. */
typedef struct SightItem {
        SightKind kind;
        Bdf fn;
        uint64_t identity;
        Eswitch eswitch;
        VfAttrs attrs;
        bool overridden;
        char text[128];
} SightItem;

typedef struct SightItems {
        SightItem *items;
        size_t n;
} SightItems;

/* Our own looks, for no client and no job. */
typedef struct Sight {
        bool asked; /* a child is at it */
        Bdf pf; /* of that one */
        sd_event_source *patience;
        unsigned n_late; /* that were given up on; so many may be left */
} Sight;

#define SIGHT_LATE_MAX 4

/* The child's side: that PF, or with BDF_NONE all. 0, -ENOMEM, -ENOENT. */
int sight_look(Kernel *k, Bdf pf, SightItems *ret);
void sight_items_done(SightItems *all);

/* Takes over into the snapshot and the wards what a child saw. 0, -EBADMSG, ... */
int sight_take(Manager *m, const WorkerReply *reply, const WorkerFds *fds);

/* Has a child look at the next PF about which something changed, one at a time. From manager_drain(). */
void sight_ask(Manager *m);
/* What was seen of it is older than what is known of it. */
bool sight_is_stale(const Ward *w);
/* Has a child look for that job, before it is planned. 0: sight_answered() comes; -errno: it must do without. */
int sight_ask_for_job(Manager *m, Record *r);
/* A step of that rung was proven: what it gave is seen. */
void sight_note(Manager *m, const Step *step);
/* A child's answer, of either kind; reply NULL: it died of it. */
void sight_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                    const WorkerFds *fds);

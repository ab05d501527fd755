/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Change: a wish that goes to the daemon, as a job or as a question for its plan
 */
#pragma once

#include "core/op.h"

#include "cli/cli.h"
#include "cli/name.h"

typedef struct Change {
        OpKind kind;
        Name fn; /* text is "" for a rescan of everything */
        const char *driver; /* of bind and unload; of set-vf, or NULL */
        const char *slot;
        uint32_t count; /* of set-vf: the VF's index, fn being its PF */
        VfAttrs attrs;
        Eswitch eswitch;
} Change;

/*
 * Appends the a{sv} of the options that were typed; with the arguments as well if it is for Plan.
 */
int change_append_options(const Cli *c, const Change *change, bool for_plan, sd_bus_message *m);

/* Does what the options say: shows the plan, or asks for the job, and waits for it. */
int change_run(Cli *c, const Change *change);

/* plan.c: asks for the plan and prints it. */
int plan_show(Cli *c, const Change *change);
/* The same of several, one after the other: a refusal of one is no end. */
int plan_show_several(Cli *c, const Change *changes, size_t n);

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
        const char *driver;
        const char *slot;
        uint32_t count;
} Change;

/*
 * Appends the a{sv} of the options that were typed; with the arguments as well if it is for Plan.
 */
int change_append_options(const Cli *c, const Change *change, bool for_plan, sd_bus_message *m);

/* plan.c: asks for the plan and prints it. */
int plan_show(Cli *c, const Change *change);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-policy: the methods of org.sriovd1.Manager about what is wanted
 */
#pragma once

#include "core/wanted.h"

#include "daemon/bus-manager.h"

int bus_policy_apply(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* These reply later, when a child has seen what there is. */
int bus_policy_diff(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_policy_check(sd_bus_message *message, void *userdata,
                     sd_bus_error *error); /* bus-check.c */
int bus_policy_adopt(sd_bus_message *message, void *userdata, sd_bus_error *error);
/* One difference, as a row of Diff() and in Drift. */
int bus_policy_append(sd_bus_message *m, const Wanted *w, const Difference *d);

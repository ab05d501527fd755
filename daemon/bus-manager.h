/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-manager: what the methods of org.sriovd1.Manager share
 */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus-options.h"
#include "daemon/manager.h"

/* bus-ask.c. Each 0, or < 0 with error set. */
int bus_ask_refuse(sd_bus_error *error, FaultReason reason, const char *text);
/* Takes over a name that is not too long to be one. */
int bus_ask_copy_name(char *buf, const char *name, sd_bus_error *error);
/* The function that has this name now. */
int bus_ask_function(Manager *m, const char *name, Bdf *ret, sd_bus_error *error);
/* Completes the operation: names become addresses. The kind says which of the names count. */
int bus_ask_complete(Manager *m, OpKind kind, Options *o, sd_bus_error *error);

/* bus-look.c */
int bus_manager_plan(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_manager_list_pfs(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_manager_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-table.c */
int bus_manager_get_table(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-users.c; the first two reply later */
int bus_manager_holders(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_manager_diagnose(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_manager_hold(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-metrics.c */
int bus_manager_metrics(sd_bus_message *message, void *userdata, sd_bus_error *error);

/* bus-gate.c */
int bus_manager_gate(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_manager_set_gate_mode(sd_bus_message *message, void *userdata, sd_bus_error *error);
int bus_manager_get_gate_mode(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error);
/* Who opens, as a{sv}; empty for NULL. */
int bus_gate_append_opener(sd_bus_message *reply, const Opener *o);

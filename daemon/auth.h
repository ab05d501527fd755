/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Auth: who may
 *
 * One call for everybody: reading is open to all and does not ask here; changes are for root. The bus is asked who a
 * sender is without waiting for the answer, and so will polkit be: a method that gets 0 returns at once and is
 * called again with the same message when the answer is there.
 */
#pragma once

#include <stdint.h>

#include <systemd/sd-bus.h>

typedef struct Caller Caller;

typedef enum Action {
        ACTION_SET_VFS,
        ACTION_BIND,
        ACTION_CONFIGURE_VF,
        ACTION_REMOVE,
        ACTION_DISRUPT,
        ACTION_MANAGE,
        _ACTION_MAX,
} Action;

typedef struct AuthRequest AuthRequest;

typedef struct Auth {
        AuthRequest *requests; /* under way or answered and not yet fetched */
} Auth;

void auth_done(Auth *a);
/* That connection is gone, and its messages with it. */
void auth_forget(Auth *a, sd_bus *bus);

/* 1: *ret_caller may. 0: asked, come again (return 1 from the method). < 0: error is set. */
int auth_check(Auth *a, sd_bus_message *m, Action action, Caller *ret_caller, sd_bus_error *error);

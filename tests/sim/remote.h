/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remote: a Kernel that is simulated in another process
 *
 * Linked in place of lib/kernel/host.c it makes kernel_open() lead to the sim-server at $SRIOVD_SIM.
 */
#pragma once

#include "kernel/kernel.h"

/* NULL with errno set. */
Kernel *remote_open(const char *socket);
/* A command of control.c; the caller owns the answer. 0, -errno of the command. */
int remote_control(Kernel *k, const char *command, char **ret);

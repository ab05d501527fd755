/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode: what the gate is to do, and for how long that holds
 *
 * sriovd.conf says it. What somebody asks for in its stead holds until the next boot, also over a restart of the daemon, or until
 * sriovd.conf says something else than it did then. RUNTIME/gate has both: "MODE SAYS-SRIOVD.CONF".
 */
#pragma once

#include "core/door.h"

typedef struct Manager Manager;

/* At the start: what is wanted. runtime: the directory. */
GateMode mode_read(int runtime, GateMode configured);
/* Somebody asks for that one. 0; -errno (logged): all is as it was. */
int mode_set(Manager *m, GateMode mode);
/* sriovd.conf was read again, and said `before` until now. */
void mode_reload(Manager *m, GateMode before);

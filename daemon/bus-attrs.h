/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-attrs: what a VF is given, as a{sv}
 */
#pragma once

#include <systemd/sd-bus.h>

#include "daemon/bus-options.h"

/*
 * Reads the dictionary that comes next into o->wish.op (attrs, and driver with OP_HAS_DRIVER). What is wrong with its words is
 * kept in o->wrong, for only with its function can that be told. 1, or < 0.
 */
int bus_attrs_read(sd_bus_message *m, Options *o);

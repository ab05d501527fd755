/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control: what a test tells the simulator, in words
 *
 *      fault PATH errno=NAME|lie[=N]|block|delay=MS [nth=N]     PATH: "*", an attribute's name, or below /sys
 *      clear                           no more faults
 *      release                         all that is blocked goes on
 *      hold ADDRESS, drop ADDRESS      a program opens or closes its vfio group; drop all
 *      use ADDRESS KIND [DETAIL]       somebody uses it in a way of core/holder.h: netdev, master, netns, mount, swap, dm, ...
 *      unuse ADDRESS                   nobody does any more
 *      users ADDRESS                   who does, a line each
 *      rtnl hold|free                  a driver holds RTNL: who asks for users waits, if he does not just glance
 *      give ADDRESS INDEX KEY=VALUE    a VF has something else than it was given, and no event tells
 *      given ADDRESS                   what the VFs of a PF have, a line each, and its eswitch
 *      overrides                       of all functions that have one, a line each
 *      where PID                       the kernel stack of that process' call
 *      inherit ADDRESS N               VFs that nobody's driver made
 *      link ADDRESS up|down
 *      aer ADDRESS                     a non-fatal error at this port
 *      button ADDRESS                  the attention button of this port's slot
 *      reports [forget]                what was seen, a line each
 *      writes [ATTR]                   how often
 *      flying                          what is in the kernel now, a line each
 *      now                             the simulator's time in ms
 */
#pragma once

#include "tests/sim/sim.h"

/* Answers on f. 0, -EINVAL = no such command, or -errno. */
int control_run(Sim *sim, const char *command, FILE *f);

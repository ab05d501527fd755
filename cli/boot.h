/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot: what the start of the host waits for
 */
#pragma once

#include "cli/cli.h"

/*
 * Until what the policies want at boot was done, or failed, or until the time is over: c->wait_usec, or 30 s. A job that failed
 * is told, and is no reason to hold the host up.
 */
int boot_wait(Cli *c);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times: where core/pace has its figures from, and where it keeps them
 *
 * Rows come from drivers.conf. What was seen on this host is kept in RUNTIME/times, so that a restart of the
 * daemon does not call a firmware stuck that is known to be slow. Whatever in that file makes no sense is skipped.
 */
#pragma once

#include "core/pace.h"

#include "conf/drivers.h"

/* The rows of the files that are to be read now. 0, or < 0 as drivers_load() has it. */
int times_load_rows(DriverRows *ret, SettingsError *ret_error);
void times_take_rows(Pace *p, const DriverRows *rows);

/* dir: the runtime directory. Nothing where there is no such file. */
void times_read(int dir, Pace *p);
/* Whole or not at all. 0, -errno. */
int times_write(int dir, const Pace *p);

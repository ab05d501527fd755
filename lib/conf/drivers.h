/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers: how long each driver's firmware may take, and what is so with it alone, out of a data file
 *
 * /usr/lib/sriovd/drivers.conf is shipped, /etc/sriovd/drivers.conf is the host's own and comes behind it: both count, and
 * of rows that say as much the last one holds (core/pace.h). A file with a mistake gives no row at all.
 */
#pragma once

#include "core/pace.h"
#include "core/quirk.h"

#include "conf/settings.h"

typedef struct DriverRows {
        PaceRow items[PACE_ROWS_MAX];
        size_t n;
        Quirks quirks;
} DriverRows;

/*
 * Adds that file's rows. 0; -ENOENT: no such file; -EBADMSG: *ret_error says where and why; -errno of the file, with
 * *ret_error. After a failure the rows are as they were.
 */
int drivers_read(const char *path, DriverRows *rows, SettingsError *ret_error);

/*
 * The rows of the usual files, none where there are none. 0, or < 0 and *ret_error is about the first file that cannot be
 * used: then *ret has the rows of the others.
 */
int drivers_load(DriverRows *ret, SettingsError *ret_error);

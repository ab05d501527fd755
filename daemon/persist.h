/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Persist: what is there, or was just made, becomes a policy
 *
 * One file for each PF below /etc/sriovd/policy.d, which names it by its address. It goes before any other policy that the PF has.
 * Only small files are written here, on a file system that is no one's device.
 */
#pragma once

#include <stdbool.h>

#include "core/bdf.h"

typedef struct Manager Manager;
typedef struct Record Record;

/* A set-vfs that has ended well: its count and driver. What went wrong is a warning of the job. */
void persist_count(Manager *m, Record *r);

/* The PF as it is now. dry: writes nothing. 0, *ret_path and *ret_text, the caller's; -ENOENT: it is gone; -errno. */
int persist_adopt(Manager *m, Bdf pf, bool dry, char **ret_path, char **ret_text);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: written by us, for `set --persist` and `adopt`
 *
 * What is written here is read back by conf/policy.h as an equal Wanted.
 */
#pragma once

#include "core/wanted.h"

/*
 * The text of a file whose one policy wants this of this PF, by its address. Its name is w->policy, or the address where that is
 * empty. by: who wrote it, one line, for people. 0 and *ret, which is the caller's; -ENOMEM; -EBADMSG: no file can say that: it gives two VFs
 * one address, say, or has a priority above POLICY_PRIORITY_MAX.
 */
int policy_text(const Wanted *w, int32_t priority, const char *by, char **ret);

/* "50-0000-01-00-0.conf". Returns buf. */
#define POLICY_FILE_MAX 32
const char *policy_file_name(Bdf pf, char buf[static POLICY_FILE_MAX]);

/* Where they are put: POLICY_FOLDER, or what POLICY_ENV names (core/names.h). */
const char *policy_folder(void);

/*
 * Puts the text into that folder, which is made if need be, in the stead of a file of that name: whole or not at all, whenever the
 * host goes down. Waits for the disk. 0; -errno.
 */
int policy_save(const char *folder, const char *name, const char *text);

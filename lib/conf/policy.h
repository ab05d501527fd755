/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: what is wanted of which PF, out of policy.d
 *
 * /etc/sriovd/policy.d goes before that of /run, and that before that of /usr/lib. Files (*.conf) count in the order of their names,
 * whatever folder they are in; of one name the one in the foremost folder counts alone, and an empty one, or a link to
 * /dev/null, masks the others. All mistakes are told, with file and line; a file that has one gives no policy.
 */
#pragma once

#include "core/policy.h"

#include "conf/mistakes.h"

/*
 * The policies of the usual folders, or of the one that POLICY_ENV names (core/names.h). 0; -EBADMSG: *mistakes has more, and *ret
 * has the policies of the other files; -ENOMEM: *ret has none.
 */
int policies_load(Policies *ret, Mistakes *mistakes);
/* Those of these folders, the foremost first, NULL behind the last. */
int policies_load_from(const char *const *folders, Policies *ret, Mistakes *mistakes);

/* Adds those of one file. 0; -EBADMSG; -ENOMEM. */
int policies_read(const char *path, Policies *all, Mistakes *mistakes);
/* The same of a text that somebody has read; path is for messages. */
int policies_read_text(const char *path, const char *text, Policies *all, Mistakes *mistakes);

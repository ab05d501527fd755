/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: what their readers share
 *
 * Nobody returns a mistake here: it is kept, and reading goes on, for the next one is to be told as well.
 */
#pragma once

#include <libconfig.h>

#include "base/macro.h"

#include "core/policy.h"

#include "conf/mistakes.h"

typedef struct PolicyReader {
        const char *path;
        Mistakes *mistakes;
        Policies *all; /* of the files before */
        Policies own; /* of this one, so far */
        uint32_t
                n_covered; /* VFs that this policy's entries of `vf` name, each as often as it is named */
        int error; /* -ENOMEM, or 0 */
} PolicyReader;

/* A mistake on that setting's line. */
void policy_say(PolicyReader *rd, const config_setting_t *setting, const char *format, ...)
        _printf_(3, 4);
/* One that source.h's functions told. */
void policy_keep(PolicyReader *rd, const SettingsError *e);
/* "there is no 'x' here; did you mean 'y'?" */
void policy_unknown(PolicyReader *rd, const config_setting_t *setting, const char *word,
                    const char *(*nth)(unsigned i));

/* policy-match.c: match = { ... } */
void policy_take_match(PolicyReader *rd, const config_setting_t *setting, Policy *p);

/* policy-vf.c: vf_default = { ... } and vf = ( { ... } ); the number of VFs is known by now. */
void policy_take_default(PolicyReader *rd, const config_setting_t *setting, Policy *p);
void policy_take_vf(PolicyReader *rd, const config_setting_t *setting, Policy *p);

/* policy-index.c: index = "0-1,4". What is made of a policy for a PF goes through all of them, in the daemon's own loop. */
#define VFS_COVERED_MAX 262144
void policy_take_index(PolicyReader *rd, const config_setting_t *setting, const Policy *p,
                       VfRule *rule);

/* policy-check.c: what is wrong though each word of it is right. group is the policy's. */
void policy_check(PolicyReader *rd, const config_setting_t *group, const Policy *p);

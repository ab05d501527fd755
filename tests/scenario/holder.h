/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holder: a program that uses a VF through vfio, as a virtual machine would
 */
#pragma once

#include <sys/types.h>

#include "core/bdf.h"

/* Returns once it has the VF open. 0 and its pid, or -errno as vfio gave it. */
int holder_start(Bdf vf, int group, pid_t *ret);
void holder_end(pid_t pid);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task scan: who is inside PCI's or drivers' paths in the kernel now
 */
#pragma once

#include "kernel/kernel.h"

/* The seam's tasks(), for a /proc that stands at that path. */
int task_scan(const char *proc, Tasks *ret);

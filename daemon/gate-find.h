/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the doctor has to say of the gate
 */
#pragma once

#include "daemon/diagnose.h"

typedef struct Manager Manager;

/* Off though it is wanted, doors that are not held, programs in no order; or that all is well. 0, -ENOMEM. */
int gate_find(const Manager *m, Findings *ret);

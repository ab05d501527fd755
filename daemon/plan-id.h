/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plan-id: a short name for exactly these steps on exactly these devices
 */
#pragma once

#include "core/ladder.h"

#define PLAN_ID_MAX sizeof("0123456789abcdef")

/* Returns buf. */
const char *plan_id(const Plan *plan, char buf[static PLAN_ID_MAX]);

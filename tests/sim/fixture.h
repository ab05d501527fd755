/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture: one simulated kernel, for tests of the simulator itself
 */
#pragma once

#include "tests/sim/sim.h"

#define FN(bdf, file) "bus/pci/devices/0000:" bdf "/" file
#define IGB0 "01:00.0"
#define IGB1 "02:00.0"
#define NVME "03:00.0"
#define PORT0 "00:01.0"

#define TEST(f) cmocka_unit_test_teardown(f, fixture_teardown)

extern Sim *sim;
extern Kernel *k;

/* Makes the world anew. */
void world(SimVariant v, bool old, const char *topology);
int fixture_teardown(void **state);
Bdf bdf(const char *s);
bool is_there(const char *path);
/* Two that can deadlock were in the kernel together, or have. */
bool deadly(void);
/* "aer ADDRESS", "read PATH" or "PATH VALUE" */
SimTask *start(const char *what);

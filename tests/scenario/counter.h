/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counter: how often anybody wrote to an attribute of PCI in sysfs
 */
#pragma once

typedef struct Counter Counter;

Counter *counter_new(void); /* counts from now on; NULL with errno set */
Counter *counter_free(Counter *c);
/* Of attributes with that name; of all for "". */
unsigned counter_count(Counter *c, const char *name);

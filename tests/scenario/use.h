/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Use: this host begins to use a function: an address, a bridge, another namespace, a mount, swap
 */
#pragma once

#include "core/bdf.h"

/* kind as in core/holder.h: netdev, master, netns, mount, swap. 0, -EOPNOTSUPP, -EIO. */
int use_begin(Bdf fn, const char *kind);
/* All that was begun on fn, BDF_NONE = on any. 0, -ENOENT. */
int use_end(Bdf fn);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quirk
 */
#include "base/str.h"

#include "core/quirk.h"

uint32_t quirks_of(const Quirks *q, const char *driver) {
        for (size_t i = q ? q->n : 0; i > 0; i--)
                if (streq(q->items[i - 1].driver, driver))
                        return q->items[i - 1].flags;
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Op
 *
 * Names and comparisons. What an operation does is in ladder.c.
 */
#include <string.h>

#include "base/str.h"

#include "core/op.h"

static const char *const op_names[_OP_MAX] = {
        [OP_SET_VFS] = "set-vfs",   [OP_BIND] = "bind",       [OP_UNBIND] = "unbind",
        [OP_REMOVE] = "remove",     [OP_RESCAN] = "rescan",   [OP_RESET] = "reset",
        [OP_SLOT_OFF] = "slot-off", [OP_SLOT_ON] = "slot-on", [OP_UNLOAD] = "unload",
        [OP_FOREIGN] = "foreign",
};

const char *op_kind_to_string(OpKind kind) {
        return kind >= 0 && kind < _OP_MAX ? op_names[kind] : NULL;
}

OpKind op_kind_from_string(const char *s) {
        for (OpKind k = 0; k < _OP_MAX; k++)
                if (streq(s, op_names[k]))
                        return k;
        return _OP_INVALID;
}

bool op_same_subject(const Op *a, const Op *b) {
        return a->kind == b->kind && a->door == b->door && a->flags == b->flags &&
               bdf_equal(a->fn, b->fn) && streq(a->slot, b->slot) &&
               (a->kind != OP_UNLOAD || streq(a->driver, b->driver));
}

bool op_equal(const Op *a, const Op *b) {
        return op_same_subject(a, b) && a->count == b->count && streq(a->driver, b->driver);
}

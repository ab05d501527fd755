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
        [OP_FOREIGN] = "foreign",   [OP_APPLY] = "apply",     [OP_SET_VF] = "set-vf",
        [OP_ESWITCH] = "eswitch",
};

static const char *const eswitch_names[_ESWITCH_MAX] = {
        [ESWITCH_KEEP] = "",
        [ESWITCH_LEGACY] = "legacy",
        [ESWITCH_SWITCHDEV] = "switchdev",
};

const char *eswitch_to_string(Eswitch e) {
        return e < _ESWITCH_MAX ? eswitch_names[e] : NULL;
}

Eswitch eswitch_from_string(const char *s) {
        Eswitch e = ESWITCH_LEGACY;

        while (e < _ESWITCH_MAX && !streq(s, eswitch_names[e]))
                e++;
        return e;
}

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
               (a->kind != OP_UNLOAD || streq(a->driver, b->driver)) &&
               (a->kind != OP_SET_VF || a->count == b->count);
}

bool op_equal(const Op *a, const Op *b) {
        return op_same_subject(a, b) && a->count == b->count && a->eswitch == b->eswitch &&
               streq(a->driver, b->driver) && vfattrs_equal(&a->attrs, &b->attrs);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: names that clients type become addresses
 *
 * What cannot be a name never gets near a path.
 */
#include <errno.h>
#include <string.h>

#include "base/str.h"

#include "daemon/bus-manager.h"

int bus_ask_refuse(sd_bus_error *error, FaultReason reason, const char *text) {
        Fault fault = fault_text(FAULT(reason), text);

        return bus_fault(error, &fault);
}

static int find_function(Manager *m, const char *name, const Fn **ret, sd_bus_error *error) {
        int n = snapshot_resolve(m->snapshot, name, ret);
        Fault fault;

        if (n == 1)
                return 0;
        if (n == 0)
                return bus_ask_refuse(error, FAULT_NO_SUCH_DEVICE, name);
        fault = fault_text(FAULT(FAULT_AMBIGUOUS, .number = (uint32_t) n, .fn = (*ret)->bdf), name);
        return bus_fault(error, &fault);
}

int bus_ask_function(Manager *m, const char *name, Bdf *ret, sd_bus_error *error) {
        const Fn *fn;
        int r;

        r = find_function(m, name, &fn, error);
        if (r >= 0)
                *ret = fn->bdf;
        return r;
}

/* A rescan may be for one that is not there yet: then only an address can name it. */
static int name_function(Manager *m, OpKind kind, const char *name, Bdf *ret, sd_bus_error *error) {
        if (kind == OP_RESCAN && (name[0] == '\0' || bdf_parse(name, ret) >= 0))
                return 0;
        return bus_ask_function(m, name, ret, error);
}

/* "" is the kernel's choice of a driver, and no name for anything else. */
static int check_name(const char *name, bool may_be_empty, sd_bus_error *error) {
        if ((may_be_empty && name[0] == '\0') || name_is_valid(name))
                return 0;
        return bus_ask_refuse(error, FAULT_BAD_NAME, name);
}

int bus_ask_copy_name(char *buf, const char *name, sd_bus_error *error) {
        if (str_copy(buf, NAME_MAX_LENGTH, name) < 0)
                return bus_ask_refuse(error, FAULT_BAD_NAME, name);
        return 0;
}

int bus_ask_complete(Manager *m, OpKind kind, Options *o, sd_bus_error *error) {
        Op *op = &o->wish.op;
        int r;

        op->kind = kind;
        if (kind == OP_SLOT_OFF || kind == OP_SLOT_ON)
                return check_name(op->slot, false, error);
        if (kind == OP_UNLOAD)
                return check_name(op->driver, false, error);
        r = check_name(op->driver, true, error);
        if (r < 0)
                return r;
        r = name_function(m, kind, o->function, &op->fn, error);
        if (r < 0 || o->wrong.reason == FAULT_NONE)
                return r;
        o->wrong.fn = op->fn;
        return bus_fault(error, &o->wrong);
}

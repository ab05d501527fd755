/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-options
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/bus-attrs.h"

/* Each 1, 0 (the value is of no use) or -errno of the bus; the value is of the type that the table says. */
static int take_force(sd_bus_message *m, Options *o) {
        const char *s;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "s", &s)) > 0) {
                if (streq(s, "in-use"))
                        o->wish.op.flags |= OP_FORCE_IN_USE;
                else if (streq(s, "storage"))
                        o->wish.op.flags |= OP_FORCE_STORAGE;
                else
                        return 0;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static int take_flag(sd_bus_message *m, Options *o, uint32_t flag) {
        int on, r;

        r = sd_bus_message_read(m, "b", &on);
        if (r >= 0 && on)
                o->wish.op.flags |= flag;
        return r < 0 ? r : 1;
}

static int take_rescan(sd_bus_message *m, Options *o) {
        return take_flag(m, o, OP_RESCAN_AFTER);
}

static int take_all_functions(sd_bus_message *m, Options *o) {
        return take_flag(m, o, OP_ALL_FUNCTIONS);
}

static int take_on_failure(sd_bus_message *m, Options *o) {
        const char *s;
        int r;

        r = sd_bus_message_read(m, "s", &s);
        if (r < 0)
                return r;
        o->has_on_failure = true;
        o->wish.op.flags &= ~(uint32_t) OP_ROLLBACK;
        if (streq(s, "rollback"))
                o->wish.op.flags |= OP_ROLLBACK;
        return streq(s, "rollback") || streq(s, "keep");
}

/* Asking interactively is polkit's; where it is not there it changes nothing. */
static int take_interactive(sd_bus_message *m, Options *o) {
        return take_flag(m, o, 0);
}

static int take_text(sd_bus_message *m, char *buf, size_t size) {
        const char *s;
        int r;

        r = sd_bus_message_read(m, "s", &s);
        if (r < 0)
                return r;
        return str_copy(buf, size, s) < 0 ? 0 : 1;
}

static int take_reason(sd_bus_message *m, Options *o) {
        return take_text(m, o->wish.reason, sizeof(o->wish.reason));
}

static int take_expect(sd_bus_message *m, Options *o) {
        int r = take_text(m, o->wish.expect, sizeof(o->wish.expect));

        o->wish.op.flags |= OP_ALONE;
        return r > 0 ? o->wish.expect[0] != '\0' : r;
}

static int take_driver(sd_bus_message *m, Options *o) {
        o->has_driver = true;
        return take_text(m, o->wish.op.driver, sizeof(o->wish.op.driver));
}

static int take_slot(sd_bus_message *m, Options *o) {
        o->has_slot = true;
        return take_text(m, o->wish.op.slot, sizeof(o->wish.op.slot));
}

static int take_function(sd_bus_message *m, Options *o) {
        return take_text(m, o->function, sizeof(o->function));
}

static int take_count(sd_bus_message *m, Options *o) {
        int r = sd_bus_message_read(m, "u", &o->wish.op.count);

        o->has_count = true;
        return r < 0 ? r : 1;
}

static int take_index(sd_bus_message *m, Options *o) {
        int r = sd_bus_message_read(m, "u", &o->wish.op.count);

        o->has_index = true;
        return r < 0 ? r : 1;
}

static int take_attributes(sd_bus_message *m, Options *o) {
        o->has_attrs = true;
        return bus_attrs_read(m, o);
}

static int take_mode(sd_bus_message *m, Options *o) {
        const char *s;
        int r = sd_bus_message_read(m, "s", &s);

        if (r < 0)
                return r;
        o->has_mode = true;
        options_set_mode(o, s);
        return 1;
}

static int take_persist(sd_bus_message *m, Options *o) {
        int on, r = sd_bus_message_read(m, "b", &on);

        if (r < 0)
                return r;
        o->wish.persist = on;
        if (on)
                o->wish.op.flags |= OP_ALONE;
        return 1;
}

static int take_dry_run(sd_bus_message *m, Options *o) {
        return take_flag(m, o, OP_ALONE);
}

static int take_timeout(sd_bus_message *m, Options *o) {
        int r = sd_bus_message_read(m, "t", &o->wish.timeout_usec);

        if (r < 0)
                return r;
        return o->wish.timeout_usec >= 1 && o->wish.timeout_usec <= UINT64_C(1) << 63;
}

static const struct {
        const char *key;
        const char *type;
        uint32_t sets; /* 0: every method has it */
        int (*take)(sd_bus_message *m, Options *o);
} table[] = {
        { "force", "as", OPTIONS_FORCE, take_force },
        { "driver", "s", OPTIONS_DRIVER | OPTIONS_PLAN, take_driver },
        { "on-failure", "s", OPTIONS_ON_FAILURE, take_on_failure },
        { "rescan", "b", OPTIONS_REMOVE, take_rescan },
        { "all-functions", "b", OPTIONS_REMOVE, take_all_functions },
        { "function", "s", OPTIONS_PLAN, take_function },
        { "count", "u", OPTIONS_PLAN, take_count },
        { "slot", "s", OPTIONS_PLAN, take_slot },
        { "index", "u", OPTIONS_PLAN, take_index },
        { "attributes", "a{sv}", OPTIONS_PLAN, take_attributes },
        { "mode", "s", OPTIONS_PLAN, take_mode },
        { "persist", "b", OPTIONS_PERSIST, take_persist },
        { "dry-run", "b", OPTIONS_DRY_RUN, take_dry_run },
        { "timeout", "t", OPTIONS_JOB, take_timeout },
        { "reason", "s", 0, take_reason },
        { "expect", "s", OPTIONS_JOB, take_expect },
        { "interactive", "b", 0, take_interactive },
};

static int refuse(sd_bus_error *error, const char *key) {
        Fault fault = fault_text(FAULT(FAULT_BAD_OPTION), key);

        return bus_fault(error, &fault);
}

static int take_value(sd_bus_message *m, size_t row, Options *o) {
        int r, taken;

        r = sd_bus_message_verify_type(m, 'v', table[row].type);
        if (r <= 0)
                return r;
        r = sd_bus_message_enter_container(m, 'v', table[row].type);
        if (r < 0)
                return r;
        taken = table[row].take(m, o);
        if (taken <= 0)
                return taken;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static int read_one(sd_bus_message *m, uint32_t allowed, Options *o, sd_bus_error *error) {
        const char *key;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                if (!streq(table[i].key, key) || (table[i].sets != 0 && !(table[i].sets & allowed)))
                        continue;
                r = take_value(m, i, o);
                return r == 0 ? refuse(error, key) : r;
        }
        return refuse(error, key);
}

int options_read(sd_bus_message *m, uint32_t allowed, Options *ret, sd_bus_error *error) {
        Options o = { .wish.op.fn = BDF_NONE };
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_one(m, allowed, &o, error);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        *ret = o;
        return 0;
}

void options_set_mode(Options *o, const char *mode) {
        o->wish.op.eswitch = eswitch_from_string(mode);
        if (o->wish.op.eswitch == _ESWITCH_MAX)
                o->wrong = fault_text(FAULT(FAULT_BAD_ESWITCH), mode);
}

uint32_t options_of(OpKind kind) {
        switch (kind) {
        case OP_SET_VFS:
                return OPTIONS_JOB | OPTIONS_FORCE | OPTIONS_DRIVER | OPTIONS_ON_FAILURE |
                       OPTIONS_PERSIST;
        case OP_APPLY:
                return OPTIONS_JOB | OPTIONS_FORCE | OPTIONS_ON_FAILURE;
        case OP_REMOVE:
                return OPTIONS_JOB | OPTIONS_FORCE | OPTIONS_REMOVE;
        case OP_RESCAN:
                return OPTIONS_JOB;
        default:
                return OPTIONS_JOB | OPTIONS_FORCE;
        }
}

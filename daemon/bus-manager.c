/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Manager
 *
 * Methods read, check, authorise, submit and reply. What they mean is in manager-submit.c; those that only look are in
 * bus-look.c.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "daemon/boot.h"
#include "daemon/bus-attrs.h"
#include "daemon/bus-manager.h"
#include "daemon/bus-policy.h"
#include "daemon/manager.h"

#include "config.h"

static Action action_of(OpKind kind) {
        switch (kind) {
        case OP_SET_VFS:
        case OP_APPLY:
                return ACTION_SET_VFS;
        case OP_SET_VF:
                return ACTION_CONFIGURE_VF;
        case OP_BIND:
        case OP_UNBIND:
                return ACTION_BIND;
        case OP_REMOVE:
        case OP_RESCAN:
                return ACTION_REMOVE;
        default:
                return ACTION_DISRUPT;
        }
}

static int submit(Manager *m, sd_bus_message *message, OpKind kind, Options *o,
                  sd_bus_error *error) {
        _cleanup_free_ char *path = NULL;
        Caller caller;
        uint32_t id;
        Fault fault;
        int r;

        r = auth_check(&m->auth, message, action_of(kind), &caller, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        /* Names are those of now, not those of when the last event was taken in. */
        watch_flush(m);
        r = bus_ask_complete(m, kind, o, error);
        if (r >= 0)
                r = manager_submit(m, &o->wish, &caller, &id, &fault);
        if (r < 0)
                return r;
        if (r == MANAGER_E_REFUSED)
                return bus_fault(error, &fault);
        path = bus_job_path(id);
        return path ? sd_bus_reply_method_return(message, "o", path) : -ENOMEM;
}

/* The methods that take a function and options alone. */
static int submit_function(sd_bus_message *message, Manager *m, OpKind kind, sd_bus_error *error) {
        const char *function;
        Options o;
        int r;

        r = sd_bus_message_read(message, "s", &function);
        if (r >= 0)
                r = options_read(message, options_of(kind), &o, error);
        if (r < 0)
                return r;
        if (str_copy(o.function, sizeof(o.function), function) < 0)
                return bus_ask_refuse(error, FAULT_NO_SUCH_DEVICE, function);
        return submit(m, message, kind, &o, error);
}

static int method_set_vfs(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *function;
        uint32_t count;
        Options o;
        int r;

        r = sd_bus_message_read(message, "su", &function, &count);
        if (r >= 0)
                r = options_read(message, options_of(OP_SET_VFS), &o, error);
        if (r < 0)
                return r;
        if (str_copy(o.function, sizeof(o.function), function) < 0)
                return bus_ask_refuse(error, FAULT_NO_SUCH_DEVICE, function);
        o.wish.op.count = count;
        return submit(userdata, message, OP_SET_VFS, &o, error);
}

static int method_bind(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *function, *driver;
        Options o;
        int r;

        r = sd_bus_message_read(message, "ss", &function, &driver);
        if (r >= 0)
                r = options_read(message, options_of(OP_BIND), &o, error);
        if (r >= 0)
                r = bus_ask_copy_name(o.wish.op.driver, driver, error);
        if (r < 0)
                return r;
        if (str_copy(o.function, sizeof(o.function), function) < 0)
                return bus_ask_refuse(error, FAULT_NO_SUCH_DEVICE, function);
        return submit(userdata, message, OP_BIND, &o, error);
}

static int method_set_vf(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Options o = {}, more;
        const char *function;
        int r;

        r = sd_bus_message_read(message, "su", &function, &o.wish.op.count);
        if (r >= 0)
                r = bus_attrs_read(message, &o);
        if (r >= 0)
                r = options_read(message, options_of(OP_SET_VF), &more, error);
        if (r < 0)
                return r;
        more.wish.op.count = o.wish.op.count;
        more.wish.op.attrs = o.wish.op.attrs;
        more.wish.op.flags |= o.wish.op.flags;
        memcpy(more.wish.op.driver, o.wish.op.driver, sizeof(more.wish.op.driver));
        more.wrong = o.wrong;
        if (str_copy(more.function, sizeof(more.function), function) < 0)
                return bus_ask_refuse(error, FAULT_NO_SUCH_DEVICE, function);
        return submit(userdata, message, OP_SET_VF, &more, error);
}

static int method_set_eswitch_mode(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *function, *mode;
        Options o;
        int r;

        r = sd_bus_message_read(message, "ss", &function, &mode);
        if (r >= 0)
                r = options_read(message, options_of(OP_ESWITCH), &o, error);
        if (r < 0)
                return r;
        options_set_mode(&o, mode);
        if (str_copy(o.function, sizeof(o.function), function) < 0)
                return bus_ask_refuse(error, FAULT_NO_SUCH_DEVICE, function);
        return submit(userdata, message, OP_ESWITCH, &o, error);
}

static int method_unbind(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return submit_function(message, userdata, OP_UNBIND, error);
}

static int method_remove(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return submit_function(message, userdata, OP_REMOVE, error);
}

static int method_rescan(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return submit_function(message, userdata, OP_RESCAN, error);
}

static int method_reset(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return submit_function(message, userdata, OP_RESET, error);
}

static int method_unload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *driver;
        Options o;
        int r;

        r = sd_bus_message_read(message, "s", &driver);
        if (r >= 0)
                r = options_read(message, options_of(OP_UNLOAD), &o, error);
        if (r >= 0)
                r = bus_ask_copy_name(o.wish.op.driver, driver, error);
        return r < 0 ? r : submit(userdata, message, OP_UNLOAD, &o, error);
}

static int method_slot_power(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *slot;
        Options o;
        int on, r;

        r = sd_bus_message_read(message, "sb", &slot, &on);
        if (r >= 0)
                r = options_read(message, options_of(OP_SLOT_OFF), &o, error);
        if (r >= 0)
                r = bus_ask_copy_name(o.wish.op.slot, slot, error);
        return r < 0 ? r : submit(userdata, message, on ? OP_SLOT_ON : OP_SLOT_OFF, &o, error);
}

static int method_reload(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        SettingsError why;
        Manager *m = userdata;
        Caller caller;
        int r;

        r = auth_check(&m->auth, message, ACTION_MANAGE, &caller, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        if (manager_reload(m, &why) < 0)
                return sd_bus_error_set(error, fault_bus_name(FAULT_BAD_OPTION), why.text);
        return sd_bus_reply_method_return(message, NULL);
}

static int get_version(sd_bus *bus _unused_, const char *path _unused_,
                       const char *interface _unused_, const char *property _unused_,
                       sd_bus_message *reply, void *userdata _unused_,
                       sd_bus_error *error _unused_) {
        return sd_bus_message_append(reply, "s", SRIOVD_VERSION);
}

static int get_state(sd_bus *bus _unused_, const char *path _unused_,
                     const char *interface _unused_, const char *property _unused_,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        return sd_bus_message_append(reply, "s", manager_state_to_string(manager_state(userdata)));
}

static int get_queue_length(sd_bus *bus _unused_, const char *path _unused_,
                            const char *interface _unused_, const char *property _unused_,
                            sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Manager *m = userdata;

        return sd_bus_message_append(reply, "u", queue_length(&m->queue));
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("SetVFs", SD_BUS_ARGS("s", pf, "u", count, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_set_vfs,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Bind", SD_BUS_ARGS("s", function, "s", driver, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_bind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unbind", SD_BUS_ARGS("s", function, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_unbind, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("s", function, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Rescan", SD_BUS_ARGS("s", function, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_rescan, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reset", SD_BUS_ARGS("s", function, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_reset, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Unload", SD_BUS_ARGS("s", driver, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_unload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SlotPower", SD_BUS_ARGS("s", slot, "b", on, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_slot_power,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS(
                "SetVF", SD_BUS_ARGS("s", pf, "u", index, "a{sv}", attributes, "a{sv}", options),
                SD_BUS_RESULT("o", job), method_set_vf, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetEswitchMode", SD_BUS_ARGS("s", pf, "s", mode, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_set_eswitch_mode,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Apply", SD_BUS_ARGS("as", pfs, "a{sv}", options),
                                SD_BUS_RESULT("ao", jobs), bus_policy_apply,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Diff", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", differences),
                                bus_policy_diff, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Check", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", findings),
                                bus_policy_check, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Adopt", SD_BUS_ARGS("s", pf, "a{sv}", options),
                                SD_BUS_RESULT("s", file, "s", text), bus_policy_adopt,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("WaitBoot", SD_BUS_NO_ARGS, SD_BUS_RESULT("b", settled, "au", jobs),
                                boot_wait, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Plan", SD_BUS_ARGS("s", op, "a{sv}", options),
                                SD_BUS_RESULT("s", id, "aa{sv}", steps), bus_manager_plan,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListPFs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(so)", pfs),
                                bus_manager_list_pfs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetTable", SD_BUS_ARGS("s", interface, "as", properties),
                                SD_BUS_RESULT("v", rows), bus_manager_get_table,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(usoss)", jobs),
                                bus_manager_list_jobs, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Holders", SD_BUS_ARGS("s", function),
                                SD_BUS_RESULT("aa{sv}", holders), bus_manager_holders,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Hold", SD_BUS_ARGS("s", function, "s", who, "s", why, "s", mode),
                                SD_BUS_RESULT("h", fd), bus_manager_hold,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Gate", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a{sv}", state, "aa{sv}", programs), bus_manager_gate,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("SetGateMode", SD_BUS_ARGS("s", mode, "a{sv}", options),
                                SD_BUS_NO_RESULT, bus_manager_set_gate_mode,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Diagnose", SD_BUS_NO_ARGS, SD_BUS_RESULT("aa{sv}", findings),
                                bus_manager_diagnose, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Metrics", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", text),
                                bus_manager_metrics, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                                SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_ARGS("JobNew", SD_BUS_ARGS("u", id, "o", job), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Drift", SD_BUS_ARGS("s", pf, "a{sv}", difference), 0),
        SD_BUS_SIGNAL_WITH_ARGS(
                "JobRemoved", SD_BUS_ARGS("u", id, "o", job, "s", result, "s", error, "s", message),
                0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("QueueLength", "u", get_queue_length, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("GateMode", "s", bus_manager_get_gate_mode, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_VTABLE_END,
};

int bus_manager_add(sd_bus *bus, Manager *m) {
        return sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_MANAGER, vtable, m);
}

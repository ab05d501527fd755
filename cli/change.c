/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl set, bind, unbind, remove, rescan, reset, slot, unload
 *
 * Every verb makes a Change and nothing else; the rest is the same for all.
 */
#include <errno.h>

#include "base/str.h"

#include "core/fault.h"
#include "core/names.h"

#include "cli/change.h"
#include "cli/client.h"
#include "cli/job.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/wait.h"
#include "cli/world.h"

#define VFS_MAX 65535 /* TotalVFs has 16 bits */

static const char *const methods[_OP_MAX] = {
        [OP_SET_VFS] = "SetVFs",         [OP_BIND] = "Bind",
        [OP_UNBIND] = "Unbind",          [OP_REMOVE] = "Remove",
        [OP_RESCAN] = "Rescan",          [OP_RESET] = "Reset",
        [OP_SLOT_OFF] = "SlotPower",     [OP_SLOT_ON] = "SlotPower",
        [OP_UNLOAD] = "Unload",          [OP_SET_VF] = "SetVF",
        [OP_ESWITCH] = "SetEswitchMode",
};

/* In words, as they were typed: the daemon reads them with the same table. */
static int append_attributes(const Change *change, sd_bus_message *m) {
        char value[VFATTR_VALUE_MAX];
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && change->driver)
                r = sd_bus_message_append(m, "{sv}", "driver", "s", change->driver);
        for (VfKey k = 0; k < _VFKEY_MAX && r >= 0; k++)
                if (change->attrs.has & 1u << k)
                        r = sd_bus_message_append(m, "{sv}", vfkey_to_string(k), "s",
                                                  vfattrs_get(&change->attrs, k, value));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_vf_arguments(const Change *change, sd_bus_message *m) {
        int r;

        r = sd_bus_message_append(m, "su", change->fn.text, change->count);
        return r < 0 ? r : append_attributes(change, m);
}

static int append_arguments(const Change *change, sd_bus_message *m) {
        switch (change->kind) {
        case OP_SET_VFS:
                return sd_bus_message_append(m, "su", change->fn.text, change->count);
        case OP_BIND:
                return sd_bus_message_append(m, "ss", change->fn.text, change->driver);
        case OP_SLOT_OFF:
        case OP_SLOT_ON:
                return sd_bus_message_append(m, "sb", change->slot, change->kind == OP_SLOT_ON);
        case OP_UNLOAD:
                return sd_bus_message_append(m, "s", change->driver);
        case OP_SET_VF:
                return append_vf_arguments(change, m);
        case OP_ESWITCH:
                return sd_bus_message_append(m, "ss", change->fn.text,
                                             eswitch_to_string(change->eswitch));
        default:
                return sd_bus_message_append(m, "s", change->fn.text);
        }
}

static int append_plan_attributes(const Change *change, sd_bus_message *m) {
        int r;

        r = sd_bus_message_append(m, "{sv}", "index", "u", change->count);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', "attributes");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a{sv}");
        if (r >= 0)
                r = append_attributes(change, m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The same by name, as Plan wants them. */
static int append_plan_arguments(const Change *change, sd_bus_message *m) {
        int r = 0;

        if (change->fn.text[0] != '\0')
                r = sd_bus_message_append(m, "{sv}", "function", "s", change->fn.text);
        if (r >= 0 && change->kind == OP_SET_VFS)
                r = sd_bus_message_append(m, "{sv}", "count", "u", change->count);
        if (r >= 0 && (change->kind == OP_BIND || change->kind == OP_UNLOAD))
                r = sd_bus_message_append(m, "{sv}", "driver", "s", change->driver);
        if (r >= 0 && change->kind == OP_SET_VF)
                r = append_plan_attributes(change, m);
        if (r >= 0 && change->kind == OP_ESWITCH)
                r = sd_bus_message_append(m, "{sv}", "mode", "s",
                                          eswitch_to_string(change->eswitch));
        if (r >= 0 && change->slot)
                r = sd_bus_message_append(m, "{sv}", "slot", "s", change->slot);
        return r;
}

static int append_force(const Cli *c, sd_bus_message *m) {
        int r;

        if (strv_length(c->force) == 0)
                return 0;
        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', "force");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(m, c->force);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_options(const Cli *c, sd_bus_message *m) {
        int r;

        r = append_force(c, m);
        if (r >= 0 && c->driver)
                r = sd_bus_message_append(m, "{sv}", "driver", "s", c->driver);
        if (r >= 0 && c->on_failure)
                r = sd_bus_message_append(m, "{sv}", "on-failure", "s", c->on_failure);
        if (r >= 0 && c->rescan)
                r = sd_bus_message_append(m, "{sv}", "rescan", "b", true);
        if (r >= 0 && c->all_functions)
                r = sd_bus_message_append(m, "{sv}", "all-functions", "b", true);
        if (r >= 0 && c->timeout_usec > 0)
                r = sd_bus_message_append(m, "{sv}", "timeout", "t", c->timeout_usec);
        if (r >= 0 && c->reason)
                r = sd_bus_message_append(m, "{sv}", "reason", "s", c->reason);
        if (r >= 0 && c->persist)
                r = sd_bus_message_append(m, "{sv}", "persist", "b", true);
        if (r >= 0 && c->expect)
                r = sd_bus_message_append(m, "{sv}", "expect", "s", c->expect);
        return r;
}

int change_append_options(const Cli *c, const Change *change, bool for_plan, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && for_plan)
                r = append_plan_arguments(change, m);
        if (r >= 0)
                r = append_options(c, m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Asks for the job. *ret_path points into the reply. */
static int submit(Cli *c, const Change *change, sd_bus_message **ret_reply, const char **ret_path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_new_call(c, methods[change->kind], &m);
        if (r > 0)
                return r;
        r = append_arguments(change, m);
        if (r >= 0)
                r = change_append_options(c, change, false, m);
        if (r < 0)
                return client_fail(c, r, NULL);
        r = client_send(c, m, ret_reply);
        if (r > 0)
                return r;
        r = sd_bus_message_read_basic(*ret_reply, 'o', ret_path);
        return r < 0 ? client_fail(c, r, NULL) : 0;
}

static int submit_only(Cli *c, const Change *change) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_json_ json_object *job = NULL, *o = json_object_new_object();
        const char *path;
        int r;

        if (!o)
                return say_oom(c);
        r = submit(c, change, &reply, &path);
        if (r == 0)
                r = job_get(c, path, &job);
        if (r > 0)
                return r;
        if (c->json == JSON_OFF)
                printf("%u\n", (unsigned) record_number(job, "job"));
        record_set_number(o, "job", record_number(job, "job"));
        say_json(c, o);
        return 0;
}

static int submit_and_wait(Cli *c, const Change *change) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(wait_done) Wait w;
        const char *path;
        int r;

        r = wait_init(&w, c);
        if (r == 0)
                r = submit(c, change, &reply, &path);
        return r > 0 ? r : wait_job(&w, path, false);
}

int change_run(Cli *c, const Change *change) {
        if (c->dry_run)
                return plan_show(c, change);
        return c->no_block ? submit_only(c, change) : submit_and_wait(c, change);
}

static int change_function(Cli *c, OpKind kind, const char *name) {
        Change change = { .kind = kind };
        int r;

        r = name_parse(c, name, &change.fn);
        return r > 0 ? r : change_run(c, &change);
}

static int total_vfs(Cli *c, const char *name, uint32_t *ret) {
        _cleanup_json_ json_object *world = NULL;
        json_object *pf;
        int r;

        r = world_get(c, &world);
        if (r == 0)
                r = world_find_pf(c, world, name, &pf);
        if (r > 0)
                return r;
        *ret = (uint32_t) record_number(pf, "total_vfs");
        return 0;
}

int verb_set(Cli *c, _unused_ int argc, char **argv) {
        const Fault bad = fault_text(FAULT(FAULT_BAD_NUMBER), isempty(argv[2]) ? "''" : argv[2]);
        Change change = { .kind = OP_SET_VFS };
        char buf[FAULT_STR_MAX];
        int r;

        r = name_parse(c, argv[1], &change.fn);
        if (r > 0)
                return r;
        if (streq(argv[2], "max"))
                r = total_vfs(c, argv[1], &change.count);
        else if (parse_u32(argv[2], VFS_MAX, &change.count) < 0)
                return say_error(c, STATUS_USAGE, fault_bus_name(bad.reason), "%s",
                                 fault_format(&bad, buf, sizeof(buf)));
        return r > 0 ? r : change_run(c, &change);
}

int verb_bind(Cli *c, _unused_ int argc, char **argv) {
        Change change = { .kind = OP_BIND, .driver = streq(argv[2], "default") ? "" : argv[2] };
        int r;

        r = name_parse(c, argv[1], &change.fn);
        return r > 0 ? r : change_run(c, &change);
}

int verb_unbind(Cli *c, _unused_ int argc, char **argv) {
        return change_function(c, OP_UNBIND, argv[1]);
}

int verb_remove(Cli *c, _unused_ int argc, char **argv) {
        return change_function(c, OP_REMOVE, argv[1]);
}

int verb_rescan(Cli *c, int argc, char **argv) {
        const Change everything = { .kind = OP_RESCAN };

        return argc > 1 ? change_function(c, OP_RESCAN, argv[1]) : change_run(c, &everything);
}

int verb_reset(Cli *c, _unused_ int argc, char **argv) {
        return change_function(c, OP_RESET, argv[1]);
}

int verb_slot(Cli *c, _unused_ int argc, char **argv) {
        Change change = { .slot = argv[2] };

        if (streq(argv[1], "on"))
                change.kind = OP_SLOT_ON;
        else if (streq(argv[1], "off"))
                change.kind = OP_SLOT_OFF;
        else
                return say_usage(c, "slot %s: give 'on' or 'off', then the slot", argv[1]);
        return change_run(c, &change);
}

int verb_unload(Cli *c, _unused_ int argc, char **argv) {
        const Change change = { .kind = OP_UNLOAD, .driver = argv[1] };

        return change_run(c, &change);
}

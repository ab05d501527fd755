/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl plan, and --dry-run
 *
 * The daemon makes the steps from the same ladder that it climbs; here they are only shown.
 */
#include <errno.h>

#include "core/names.h"

#include "cli/change.h"
#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"

static const Column columns[] = {
        { "STEP", "step", LOOK_NUMBER, true },        { "RUNG", "rung", LOOK_TEXT, true },
        { "FUNCTION", "function", LOOK_TEXT, false }, { "VF", "vf", LOOK_TEXT, false },
        { "NUMBER", "number", LOOK_NUMBER, false },   { "NAME", "name", LOOK_TEXT, false },
        { "TEXT", "text", LOOK_TEXT, true },
};

static const Table table = { "steps", columns, ELEMENTSOF(columns) };

static int ask(Cli *c, const Change *change, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_new_call(c, "Plan", &m);
        if (r > 0)
                return r;
        r = sd_bus_message_append(m, "s", op_kind_to_string(change->kind));
        if (r >= 0)
                r = change_append_options(c, change, true, m);
        return r < 0 ? client_fail(c, r, NULL) : client_send(c, m, ret);
}

static int read_plan(sd_bus_message *m, const char **ret_id, json_object **ret_steps) {
        int r;

        r = sd_bus_message_read_basic(m, 's', ret_id);
        if (r >= 0)
                r = record_read_value(m, ret_steps);
        return r < 0 ? r : 0;
}

static void number(json_object *steps) {
        for (size_t i = 0; i < record_length(steps); i++)
                record_set_number(json_object_array_get_idx(steps, i), "step", i + 1);
}

static int print_json(const Cli *c, const Change *change, const char *id, const Selection *s,
                      json_object *steps) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o)
                return say_oom(c);
        record_set_text(o, "plan", id);
        record_set_text(o, "operation", op_kind_to_string(change->kind));
        json_object_object_add(o, "steps", table_rows(c, s, steps));
        say_json(c, o);
        return 0;
}

int plan_show(Cli *c, const Change *change) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *steps = NULL;
        const char *id;
        Selection s;
        int r;

        r = table_select(c, &table, &s);
        if (r == 0)
                r = ask(c, change, &m);
        if (r > 0)
                return r;
        r = read_plan(m, &id, &steps);
        if (r < 0)
                return client_fail(c, r, NULL);
        number(steps);
        if (c->json != JSON_OFF)
                return print_json(c, change, id, &s, steps);
        if (record_length(steps) == 0) {
                puts("nothing to do");
                return 0;
        }
        r = table_print(c, &table, &s, steps);
        if (r == 0 && c->legend)
                printf("\nPlan %s. With --expect=%s it is done as shown, or not at all.\n", id, id);
        return r;
}

int verb_plan(Cli *c, int argc, char **argv) {
        c->dry_run = true;
        return verb_run_change(c, argc - 1, argv + 1);
}

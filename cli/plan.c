/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl plan, and --dry-run
 *
 * The daemon makes the steps from the same ladder that it climbs; here they are only shown.
 */
#include <errno.h>

#include "base/str.h"

#include "core/fault.h"
#include "core/names.h"

#include "cli/change.h"
#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/told.h"

static const Column columns[] = {
        { "STEP", "step", LOOK_NUMBER, true },        { "RUNG", "rung", LOOK_TEXT, true },
        { "FUNCTION", "function", LOOK_TEXT, false }, { "VF", "vf", LOOK_TEXT, false },
        { "NUMBER", "number", LOOK_NUMBER, false },   { "NAME", "name", LOOK_TEXT, false },
        { "TEXT", "text", LOOK_TEXT, true },
};

static const Table table = { "steps", columns, ELEMENTSOF(columns) };

static int new_call(Cli *c, const Change *change, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_new_call(c, "Plan", &m);
        if (r > 0)
                return r;
        r = sd_bus_message_append(m, "s", op_kind_to_string(change->kind));
        if (r >= 0)
                r = change_append_options(c, change, true, m);
        if (r < 0)
                return client_fail(c, r, NULL);
        *ret = TAKE_PTR(m);
        return 0;
}

/* The daemon compares it when it is to be done; nobody is to be shown another plan than the one that was meant. */
static int check_expected(const Cli *c, const char *id, sd_bus_error *error) {
        char text[FAULT_STR_MAX];
        Fault stale;

        if (!c->expect || streq(c->expect, id))
                return 0;
        stale = fault_text(FAULT(FAULT_PLAN_STALE), c->expect);
        return sd_bus_error_set(error, fault_bus_name(stale.reason),
                                fault_format(&stale, text, sizeof(text)));
}

static int read_plan(const Cli *c, sd_bus_message *m, const Change *change, json_object *plan,
                     sd_bus_error *error) {
        json_object *steps = NULL;
        const char *id;
        int r;

        r = sd_bus_message_read_basic(m, 's', &id);
        if (r >= 0)
                r = check_expected(c, id, error);
        if (r >= 0)
                r = record_read_value(m, &steps);
        if (r < 0)
                return r;
        for (size_t i = 0; i < record_length(steps); i++)
                record_set_number(json_object_array_get_idx(steps, i), "step", i + 1);
        record_set_text(plan, "plan", id);
        record_set_text(plan, "operation", op_kind_to_string(change->kind));
        json_object_object_add(plan, "steps", steps);
        return 0;
}

/* Fills plan with plan, operation and steps. A negative errno if it was refused: with what, is in *error. */
static int try_get(Cli *c, const Change *change, json_object *plan, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = new_call(c, change, &m);
        if (r > 0)
                return r;
        r = client_try_send(c, m, &reply, error);
        return r < 0 ? r : read_plan(c, reply, change, plan, error);
}

/* Puts those columns of the steps in place of the steps that --output names. */
static int select_steps(const Cli *c, const Selection *s, json_object *plan) {
        json_object *steps = table_rows(c, s, record_get(plan, "steps"));

        if (!steps)
                return say_oom(c);
        json_object_object_add(plan, "steps", steps);
        return 0;
}

int plan_show(Cli *c, const Change *change) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_json_ json_object *plan = json_object_new_object();
        const char *id;
        Selection s;
        int r;

        if (!plan)
                return say_oom(c);
        r = table_select(c, &table, &s);
        if (r == 0)
                r = try_get(c, change, plan, &error);
        if (r != 0)
                return r < 0 ? client_fail(c, r, &error) : r;
        if (c->json != JSON_OFF) {
                r = select_steps(c, &s, plan);
                say_json(c, plan);
                return r;
        }
        if (record_length(record_get(plan, "steps")) == 0) {
                puts("nothing to do");
                return 0;
        }
        id = record_show(plan, "plan");
        r = table_print(c, &table, &s, record_get(plan, "steps"));
        if (r == 0 && c->legend)
                printf("\nPlan %s. With --expect=%s it is done as shown, or not at all.\n", id, id);
        return r;
}

static int print_one(const Cli *c, const Selection *s, json_object *plan) {
        json_object *steps = record_get(plan, "steps");
        const char *pf = record_show(plan, "pf");

        if (c->json != JSON_OFF)
                return select_steps(c, s, plan);
        if (record_length(steps) == 0)
                printf("%s: nothing to do\n", pf);
        else if (c->legend)
                printf("%s: plan %s\n", pf, record_show(plan, "plan"));
        return table_print(c, &table, s, steps);
}

/* A refusal of one is told and kept with the others. */
static int show_one(Cli *c, const Change *change, const Selection *s, json_object *plan) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char message[CLIENT_WHY_MAX];
        int r;

        record_set_text(plan, "pf", change->fn.text);
        r = try_get(c, change, plan, &error);
        if (r == 0)
                return print_one(c, s, plan);
        if (r > 0)
                return r;
        r = client_why(c, r, &error, message, sizeof(message));
        say_note("%s", message);
        record_set_text(plan, "error", error.name);
        record_set_text(plan, "message", message);
        json_object_object_add(plan, "exit", json_object_new_int(r));
        return r;
}

static int show_all(Cli *c, const Change *changes, size_t n, const Selection *s, json_object *list,
                    int *statuses) {
        for (size_t i = 0; i < n; i++) {
                json_object *plan = json_object_new_object();

                if (!plan || json_object_array_add(list, plan) < 0) {
                        json_object_put(plan);
                        return say_oom(c);
                }
                statuses[i] = show_one(c, changes + i, s, plan);
        }
        if (n == 0 && c->json == JSON_OFF)
                puts("nothing to do");
        return 0;
}

int plan_show_several(Cli *c, const Change *changes, size_t n) {
        _cleanup_json_ json_object *o = json_object_new_object(), *list = json_object_new_array();
        _cleanup_free_ int *statuses = calloc(n + 1, sizeof(int));
        Selection s;
        int r;

        if (!o || !list || !statuses)
                return say_oom(c);
        r = table_select(c, &table, &s);
        if (r == 0)
                r = show_all(c, changes, n, &s, list, statuses);
        if (r > 0)
                return r;
        r = told_sum(statuses, n);
        json_object_object_add(o, "plans", TAKE_PTR(list));
        json_object_object_add(o, "exit", json_object_new_int(r));
        say_json(c, o);
        return r;
}

int verb_plan(Cli *c, int argc, char **argv) {
        c->dry_run = true;
        return verb_run_change(c, argc - 1, argv + 1);
}

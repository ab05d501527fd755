/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl diff
 *
 * What is not as the policies want it; `apply` would change just that.
 */
#include <errno.h>

#include "core/names.h"

#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"

static const Column columns[] = {
        { "PF", "pf", LOOK_TEXT, true },          { "VF", "vf", LOOK_NUMBER, true },
        { "WHAT", "what", LOOK_TEXT, true },      { "WANTED", "wanted", LOOK_TEXT, true },
        { "SEEN", "seen", LOOK_TEXT, true },      { "DISRUPTIVE", "disruptive", LOOK_TEXT, true },
        { "POLICY", "policy", LOOK_TEXT, false },
};

static const Table table = { "differences", columns, ELEMENTSOF(columns) };

/* A PF whose policy cannot be told has no row: it is an error of its own. */
static int sort_out(json_object *all, json_object *rows, json_object *errors) {
        for (size_t i = 0; i < record_length(all); i++) {
                json_object *row = json_object_array_get_idx(all, i);

                if (json_object_array_add(record_text(row, "error") ? errors : rows,
                                          json_object_get(row)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int ask(Cli *c, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_call(c, BUS_PATH, BUS_MANAGER, "Diff", &m, NULL);
        if (r > 0)
                return r;
        r = record_read_value(m, ret);
        return r < 0 ? client_fail(c, r, NULL) : 0;
}

static int print(const Cli *c, const Selection *s, json_object *rows, json_object *errors) {
        for (size_t i = 0; i < record_length(errors); i++)
                say_note("%s", record_show(json_object_array_get_idx(errors, i), "message"));
        if (record_length(rows) == 0 && record_length(errors) == 0 && c->legend)
                puts("no differences");
        return table_print(c, &table, s, rows);
}

static int print_json(const Cli *c, const Selection *s, json_object *rows, json_object *errors) {
        _cleanup_json_ json_object *o = json_object_new_object(), *list = table_rows(c, s, rows);

        if (!o || !list)
                return say_oom(c);
        json_object_object_add(o, table.key, TAKE_PTR(list));
        json_object_object_add(o, "errors", json_object_get(errors));
        say_json(c, o);
        return 0;
}

int verb_diff(Cli *c, _unused_ int argc, _unused_ char **argv) {
        _cleanup_json_ json_object *all = NULL, *rows = json_object_new_array(),
                                   *errors = json_object_new_array();
        Selection s;
        int r;

        if (!rows || !errors)
                return say_oom(c);
        r = table_select(c, &table, &s);
        if (r == 0)
                r = ask(c, &all);
        if (r > 0)
                return r;
        if (sort_out(all, rows, errors) < 0)
                return say_oom(c);
        r = c->json == JSON_OFF ? print(c, &s, rows, errors) : print_json(c, &s, rows, errors);
        return r > 0 ? r : record_length(all) > 0 ? STATUS_DIFFERENT : STATUS_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl users
 *
 * The daemon looks anew, in a child, for each answer. A PF's users are those of its VFs as well, for they are lost with it.
 */
#include <errno.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/holders.h"
#include "cli/name.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"

static const Column columns[] = {
        { "DEVICE", "function", LOOK_TEXT, true }, { "KIND", "kind", LOOK_TEXT, true },
        { "FORCE", "force", LOOK_TEXT, true },     { "PID", "pid", LOOK_NUMBER, true },
        { "COMMAND", "command", LOOK_TEXT, true }, { "DETAIL", "detail", LOOK_TEXT, true },
};

static const Table table = { "holders", columns, ELEMENTSOF(columns) };

/* "": all PFs and VFs. */
static int ask(Cli *c, const char *function, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = client_call(c, BUS_PATH, BUS_MANAGER, "Holders", &m, "s", function);
        if (r > 0)
                return r;
        r = record_read_value(m, ret);
        if (r < 0)
                return client_fail(c, r, NULL);
        holders_settle(*ret);
        return 0;
}

static bool has(json_object *list, json_object *one) {
        for (size_t i = 0; i < record_length(list); i++)
                if (json_object_equal(json_object_array_get_idx(list, i), one))
                        return true;
        return false;
}

/* A device that is named twice, or a VF beside its PF, has its holders once. */
static int add(const Cli *c, json_object *list, json_object *holder) {
        if (!has(list, holder) && json_object_array_add(list, json_object_get(holder)) < 0)
                return say_oom(c);
        return 0;
}

static int add_device(Cli *c, const char *typed, json_object *list) {
        _cleanup_json_ json_object *more = NULL;
        Name name;
        int r;

        r = name_parse(c, typed, &name);
        if (r == 0)
                r = ask(c, name.text, &more);
        for (size_t i = 0; i < record_length(more) && r == 0; i++)
                r = add(c, list, json_object_array_get_idx(more, i));
        return r;
}

static int holders_get(Cli *c, int argc, char **argv, json_object **ret) {
        _cleanup_json_ json_object *list = json_object_new_array();
        int r = 0;

        if (!list)
                return say_oom(c);
        for (int i = 1; i < argc && r == 0; i++)
                r = add_device(c, argv[i], list);
        if (r > 0)
                return r;
        *ret = TAKE_PTR(list);
        return 0;
}

int verb_users(Cli *c, int argc, char **argv) {
        _cleanup_json_ json_object *holders = NULL;
        Selection s;
        int r;

        r = table_select(c, &table, &s);
        if (r == 0)
                r = argc > 1 ? holders_get(c, argc, argv, &holders) : ask(c, "", &holders);
        if (r > 0)
                return r;
        if (record_length(holders) == 0 && c->json == JSON_OFF && c->legend)
                say_note("nobody uses %s", argc == 1   ? "any PF or VF"
                                           : argc == 2 ? argv[1]
                                                       : "any of these");
        return table_print(c, &table, &s, holders);
}

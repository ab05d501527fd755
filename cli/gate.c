/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl gate
 *
 * How other programs take their turn: the mode, what is held and what is not, who waits and who is
 * inside.
 */
#include <errno.h>

#include "base/str.h"

#include "core/door.h"
#include "core/names.h"

#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "cli/table.h"

static const Column columns[] = {
        { "STATE", "state", LOOK_STATE, true }, { "JOB", "job", LOOK_NUMBER, true },
        { "PID", "pid", LOOK_NUMBER, true },    { "TID", "tid", LOOK_NUMBER, false },
        { "UID", "uid", LOOK_NUMBER, true },    { "COMMAND", "command", LOOK_TEXT, true },
        { "EXE", "exe", LOOK_TEXT, false },     { "UNIT", "unit", LOOK_TEXT, true },
        { "SINCE", "since", LOOK_TIME, true },  { "FILE", "file", LOOK_TEXT, true },
};

static const Table table = { "programs", columns, ELEMENTSOF(columns) };

/* "why-off" as the bus has it is "why_off" as all our keys are. */
static void rename_key(json_object *o, const char *from, const char *to) {
        json_object *v = json_object_get(record_get(o, from));

        json_object_object_del(o, from);
        json_object_object_add(o, to, v);
}

/* What is none is null: the job of somebody who was there before us, and since when he was. */
static void settle(json_object *programs) {
        static const char *const keys[] = { "job", "since" };

        for (size_t i = 0; i < record_length(programs); i++)
                for (size_t j = 0; j < ELEMENTSOF(keys); j++) {
                        json_object *o = json_object_array_get_idx(programs, i);

                        if (record_number(o, keys[j]) == 0)
                                record_set_text(o, keys[j], NULL);
                }
}

static int ask(Cli *c, json_object **ret_state, json_object **ret_programs) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *state = NULL, *programs = NULL;
        int r;

        r = client_call(c, BUS_PATH, BUS_MANAGER, "Gate", &m, NULL);
        if (r > 0)
                return r;
        r = record_read_value(m, &state);
        if (r >= 0)
                r = record_read_value(m, &programs);
        if (r < 0)
                return client_fail(c, r, NULL);
        rename_key(state, "why-off", "why_off");
        settle(programs);
        *ret_state = TAKE_PTR(state);
        *ret_programs = TAKE_PTR(programs);
        return 0;
}

static void print_line(const char *label, const char *value) {
        printf("%12s: %s\n", label, value);
}

static void print_mode(json_object *state) {
        char text[TABLE_VALUE_MAX], clean[TABLE_VALUE_MAX];
        const char *wanted = record_show(state, "wanted"), *is = record_show(state, "mode");
        const char *why = record_text(state, "why_off");

        if (streq(wanted, is) || streq(wanted, "-"))
                snprintf(text, sizeof(text), "%s", is);
        else
                snprintf(text, sizeof(text), "%s, not %s%s%s", is, wanted, why ? ": " : "",
                         why ? why : "");
        print_line("Mode", say_clean(text, clean, sizeof(clean)));
}

static void print_doors(json_object *state) {
        uint64_t failed = record_number(state, "failed");
        char text[64];

        if (failed > 0)
                snprintf(text, sizeof(text), "%llu, and %llu that could not be held",
                         (unsigned long long) record_number(state, "doors"),
                         (unsigned long long) failed);
        else
                snprintf(text, sizeof(text), "%llu",
                         (unsigned long long) record_number(state, "doors"));
        print_line("Doors", text);
}

static void print_state(json_object *state) {
        const Column span = { .look = LOOK_SPAN };
        json_object *uncovered = record_get(state, "uncovered");
        char buf[TABLE_VALUE_MAX], clean[TABLE_VALUE_MAX];

        print_mode(state);
        print_doors(state);
        for (size_t i = 0; i < record_length(uncovered); i++)
                print_line("Not held", say_clean(json_object_get_string(
                                                         json_object_array_get_idx(uncovered, i)),
                                                 clean, sizeof(clean)));
        print_line("Let in", record_show(state, "passed"));
        print_line("Refused", record_show(state, "denied"));
        print_line("Lease", table_value(&span, record_get(state, "lease"), buf, sizeof(buf)));
}

static int print_json(const Cli *c, const Selection *s, json_object *state, json_object *programs) {
        json_object *rows = table_rows(c, s, programs);

        if (!rows)
                return say_oom(c);
        json_object_object_add(state, table.key, rows);
        say_json(c, state);
        return 0;
}

static int show(Cli *c) {
        _cleanup_json_ json_object *state = NULL, *programs = NULL;
        Selection s;
        int r;

        r = table_select(c, &table, &s);
        if (r == 0)
                r = ask(c, &state, &programs);
        if (r > 0)
                return r;
        if (c->json != JSON_OFF)
                return print_json(c, &s, state, programs);
        if (c->legend) {
                print_state(state);
                if (record_length(programs) > 0)
                        putchar('\n');
        }
        return table_print(c, &table, &s, programs);
}

static int unknown_mode(const Cli *c, const char *typed) {
        const char *names[_GATE_MODE_MAX], *near;

        for (GateMode m = 0; m < _GATE_MODE_MAX; m++)
                names[m] = gate_mode_to_string(m);
        near = suggest(typed, names, ELEMENTSOF(names));
        if (near)
                return say_usage(c, "no mode '%s'; did you mean '%s'?", typed, near);
        return say_usage(
                c, "no mode '%s'; there are off, observe, serialize, protect and exclusive", typed);
}

/* It is asked for also where it is so: from now on it holds whatever sriovd.conf said. */
static int set(Cli *c, const char *typed) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *before = NULL;
        int r;

        r = client_get(c, BUS_PATH, BUS_MANAGER, &before);
        if (r == 0)
                r = client_new_call(c, "SetGateMode", &m);
        if (r > 0)
                return r;
        r = sd_bus_message_append(m, "sa{sv}", typed, 0);
        if (r < 0)
                return client_fail(c, r, NULL);
        r = client_send(c, m, NULL);
        if (r == 0 && streq(record_show(before, "gate_mode"), typed) && c->legend)
                say_note("the gate is '%s' already, nothing to do", typed);
        return r;
}

int verb_gate(Cli *c, int argc, char **argv) {
        if (argc == 1)
                return show(c);
        if (gate_mode_from_string(argv[1]) == _GATE_MODE_INVALID)
                return unknown_mode(c, argv[1]);
        return set(c, argv[1]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl check
 *
 * Reads files as the daemon would, and needs none: a policy is checked where it is built, before it is put on a
 * host. Where a daemon runs, it is asked as well what only the real PFs can tell: it reads the files anew, as they are now, and
 * says which of them want one PF, and what of a PF cannot be.
 */
#include <errno.h>

#include "base/str.h"

#include "conf/drivers.h"
#include "conf/policy.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"

typedef struct Check {
        Policies policies;
        Mistakes mistakes;
        json_object *conflicts; /* rows of Check() about PFs, or NULL: nobody answered */
} Check;

static void check_done(Check *k) {
        policies_done(&k->policies);
        mistakes_done(&k->mistakes);
        json_object_put(k->conflicts);
}

static void check_settings(Check *k, const char *path) {
        SettingsError e;
        Settings s;
        int r = path ? settings_read(path, &s, &e) : settings_load(&s, &e);

        if (r < 0)
                mistakes_add(&k->mistakes, path, &e);
}

static void check_drivers(Check *k, const char *path) {
        DriverRows rows = {};
        SettingsError e;
        int r = path ? drivers_read(path, &rows, &e) : drivers_load(&rows, &e);

        if (r < 0)
                mistakes_add(&k->mistakes, path, &e);
}

/* By its name, as the daemon finds it; what is called otherwise is a policy. */
static int check_file(Check *k, const char *path) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

        if (streq(name, "sriovd.conf"))
                check_settings(k, path);
        else if (streq(name, "drivers.conf"))
                check_drivers(k, path);
        else
                return policies_read(path, &k->policies, &k->mistakes);
        return 0;
}

static int check_usual(Check *k) {
        const char *settings = getenv(CONFIG_ENV), *drivers = getenv(DRIVERS_ENV);

        check_settings(k, isempty(settings) ? NULL : settings);
        check_drivers(k, isempty(drivers) ? NULL : drivers);
        return policies_load(&k->policies, &k->mistakes);
}

/* The private socket, or the bus; without a word, for nobody has to be there. */
static int connect_quietly(Cli *c) {
        c->peer = geteuid() == 0;
        if (c->peer && client_reopen(c) >= 0)
                return 0;
        c->peer = false;
        return client_reopen(c);
}

static int call_quietly(Cli *c, const char *member, sd_bus_message **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r = connect_quietly(c);

        if (r >= 0)
                r = sd_bus_message_new_method_call(c->bus, &m, c->peer ? NULL : BUS_NAME, BUS_PATH,
                                                   BUS_MANAGER, member);
        /* A look at files starts no daemon. */
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        return r < 0 ? r : sd_bus_call(c->bus, m, 0, NULL, ret);
}

/* Mistakes in the files were found here, and are not told twice. */
static int ask_conflicts(Cli *c, json_object **ret) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_json_ json_object *rows = NULL, *conflicts = json_object_new_array();
        int r = call_quietly(c, "Check", &m);

        if (r >= 0)
                r = record_read_value(m, &rows);
        if (r < 0 || !conflicts)
                return r < 0 ? r : -ENOMEM;
        for (size_t i = 0; i < record_length(rows); i++) {
                json_object *row = json_object_array_get_idx(rows, i);

                if (record_text(row, "pf"))
                        json_object_array_add(conflicts, json_object_get(row));
        }
        *ret = TAKE_PTR(conflicts);
        return 0;
}

static json_object *mistake_to_json(const Mistake *m) {
        json_object *o = json_object_new_object();

        json_object_object_add(o, "file",
                               json_object_new_string_len(m->error.text, (int) m->file_length));
        json_object_object_add(o, "line", m->line > 0 ? json_object_new_int64(m->line) : NULL);
        record_set_text(o, "message", mistake_why(m));
        return o;
}

static void print_json(const Cli *c, const Check *k) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *mistakes = json_object_new_array();

        for (size_t i = 0; i < k->mistakes.n; i++)
                json_object_array_add(mistakes, mistake_to_json(k->mistakes.items + i));
        json_object_object_add(o, "policies", json_object_new_int64((int64_t) k->policies.n));
        json_object_object_add(o, "mistakes", mistakes);
        json_object_object_add(o, "conflicts", json_object_get(k->conflicts));
        say_json(c, o);
}

static void print_conflict(json_object *o) {
        char line[2 * sizeof(SettingsError)];

        snprintf(line, sizeof(line), "%s:%u: %s", record_show(o, "file"),
                 (unsigned) record_number(o, "line"), record_show(o, "message"));
        puts(say_clean(line, line, sizeof(line)));
}

static void print_lines(const Check *k) {
        char line[sizeof(SettingsError)];

        for (size_t i = 0; i < k->mistakes.n; i++)
                puts(say_clean(k->mistakes.items[i].error.text, line, sizeof(line)));
        if (k->mistakes.n_all > k->mistakes.n)
                printf("and %zu more\n", k->mistakes.n_all - k->mistakes.n);
        for (size_t i = 0; i < record_length(k->conflicts); i++)
                print_conflict(json_object_array_get_idx(k->conflicts, i));
}

static int report(const Cli *c, const Check *k) {
        if (c->json != JSON_OFF)
                print_json(c, k);
        else
                print_lines(k);
        if (k->mistakes.n_all > 0)
                return STATUS_FAILED;
        if (record_length(k->conflicts) > 0)
                return STATUS_DIFFERENT;
        if (c->json == JSON_OFF && c->legend)
                say_note("no mistake; %zu %s", k->policies.n,
                         k->policies.n == 1 ? "policy" : "policies");
        return 0;
}

int verb_check(Cli *c, int argc, char **argv) {
        _cleanup_(check_done) Check k = {};
        int r = 0;

        if (c->host)
                return say_usage(c, "check reads the files of this host; run it on the other one");
        for (int i = 1; i < argc && r != -ENOMEM; i++)
                r = check_file(&k, argv[i]);
        if (argc == 1)
                r = check_usual(&k);
        if (r == -ENOMEM)
                return say_oom(c);
        if (argc == 1 && ask_conflicts(c, &k.conflicts) < 0 && c->legend)
                say_note("no sriovd answers; whether two policies want one PF is not checked");
        return report(c, &k);
}

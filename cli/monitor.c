/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl monitor
 *
 * One line for each signal of the daemon, until Ctrl-C, and across its restarts.
 */
#include <errno.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/job.h"
#include "cli/loop.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/when.h"

/* What an object is called: the last part of its path, decoded. */
static void set_name(json_object *o, const char *key, const char *path) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *prefix = NULL, *name = NULL;

        if (slash && slash > path)
                prefix = strndup(path, (size_t) (slash - path));
        if (streq(path, BUS_PATH))
                record_set_text(o, key, NULL);
        else if (prefix && sd_bus_path_decode(path, prefix, &name) > 0)
                record_set_text(o, key, name);
        else
                record_set_text(o, key, path);
}

static void add_kind(json_object *event, const char *interface) {
        const char *kind = startswith(interface, BUS_NAME ".");
        char text[64];
        size_t n = 0;

        for (; kind && *kind && n + 1 < sizeof(text); kind++)
                text[n++] = *kind >= 'A' && *kind <= 'Z' ? (char) (*kind - 'A' + 'a') : *kind;
        text[n] = '\0';
        record_set_text(event, "kind", text);
}

/* What a line for people can do without: times, and what the object's name says already. */
static bool is_dull(const char *key) {
        static const char *const dull[] = { "created", "started", "ended",   "cancelable",
                                            "uid",     "pid",     "stages",  "address",
                                            "job",     "steps",   "holders", "tid" };

        for (size_t i = 0; i < ELEMENTSOF(dull); i++)
                if (streq(dull[i], key))
                        return true;
        return false;
}

static void print_values(json_object *values) {
        char buf[TABLE_VALUE_MAX];

        if (!values)
                return;
        json_object_object_foreach(values, key, v) {
                const Column column = { .key = key };

                if (v && !is_dull(key))
                        printf(" %s=%s", key, table_value(&column, v, buf, sizeof(buf)));
        }
}

static void print_event(const Cli *c, json_object *event) {
        char time[WHEN_STR_MAX], clean[256];

        if (c->json != JSON_OFF) {
                say_json(c, event);
        } else {
                printf("%s %-8s %s %s",
                       when_format(record_number(event, "time"), time, sizeof(time)),
                       record_show(event, "event"), record_show(event, "kind"),
                       say_clean(record_show(event, "object"), clean, sizeof(clean)));
                print_values(record_get(event, "values"));
                putchar('\n');
        }
        fflush(stdout);
}

/* Takes values over. */
static void tell(Loop *l, const char *name, const char *interface, const char *path,
                 json_object *values) {
        _cleanup_json_ json_object *event = json_object_new_object(), *owned = values;
        _cleanup_free_ char *pf = NULL;

        if (!event)
                return;
        record_set_number(event, "time", when_now());
        record_set_text(event, "event", name);
        add_kind(event, interface);
        set_name(event, "object", path);
        if (record_text(owned, "pf"))
                pf = strdup(record_text(owned, "pf"));
        if (pf)
                set_name(owned, "pf", pf);
        json_object_object_add(event, "values", TAKE_PTR(owned));
        print_event(l->cli, event);
}

static int on_job_new(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *path;
        uint32_t id;

        if (sd_bus_message_read(m, "uo", &id, &path) >= 0)
                tell(userdata, "new", BUS_JOB, path, NULL);
        return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *path, *result, *name, *message;
        json_object *values;
        uint32_t id;

        if (sd_bus_message_read(m, "uosss", &id, &path, &result, &name, &message) < 0)
                return 0;
        values = json_object_new_object();
        if (!values)
                return 0;
        record_set_text(values, "result", result);
        record_set_text(values, "error", name);
        record_set_text(values, "message", message);
        tell(userdata, "ended", BUS_JOB, path, values);
        return 0;
}

/* What a policy wants and something else changed. */
static int on_drift(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        json_object *values = NULL;
        const char *pf;

        if (sd_bus_message_read_basic(m, 's', &pf) < 0 || record_read_value(m, &values) < 0)
                return 0;
        json_object_object_del(values, "pf");
        tell(userdata, "drift", BUS_PF, pf, values);
        return 0;
}

static int on_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        json_object *values = json_object_new_object();
        const char *interface;

        if (values && sd_bus_message_read_basic(m, 's', &interface) >= 0 &&
            startswith(interface, BUS_NAME ".") && record_read_properties(m, values) >= 0) {
                job_settle(values);
                tell(userdata, "changed", interface, sd_bus_message_get_path(m), TAKE_PTR(values));
        }
        json_object_put(values);
        return 0;
}

static int read_added(sd_bus_message *m, Loop *l, const char *path) {
        int r;

        while ((r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
                json_object *values = json_object_new_object();
                const char *interface = "";

                r = values ? sd_bus_message_read_basic(m, 's', &interface) : -ENOMEM;
                if (r >= 0)
                        r = record_read_properties(m, values);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r >= 0 && startswith(interface, BUS_NAME ".")) {
                        job_settle(values);
                        tell(l, "added", interface, path, TAKE_PTR(values));
                }
                json_object_put(values);
                if (r < 0)
                        return r;
        }
        return r;
}

static int on_added(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *path;

        if (sd_bus_message_read_basic(m, 'o', &path) >= 0 &&
            sd_bus_message_enter_container(m, 'a', "{sa{sv}}") >= 0)
                (void) read_added(m, userdata, path);
        return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *path, *interface;

        if (sd_bus_message_read_basic(m, 'o', &path) < 0 ||
            sd_bus_message_enter_container(m, 'a', "s") < 0)
                return 0;
        while (sd_bus_message_read_basic(m, 's', &interface) > 0)
                if (startswith(interface, BUS_NAME "."))
                        tell(userdata, "removed", interface, path, NULL);
        return 0;
}

static int subscribe(Loop *l, _unused_ void *userdata) {
        static const struct {
                const char *interface, *member;
                sd_bus_message_handler_t handler;
        } signals[] = {
                { BUS_MANAGER, "JobNew", on_job_new },
                { BUS_MANAGER, "JobRemoved", on_job_removed },
                { BUS_MANAGER, "Drift", on_drift },
                { "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed },
                { "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", on_added },
                { "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", on_removed },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_bus_match_signal_async(l->cli->bus, NULL, l->cli->peer ? NULL : BUS_NAME,
                                              NULL, signals[i].interface, signals[i].member,
                                              signals[i].handler, NULL, l);
        return r;
}

static void tell_daemon(Loop *l, bool *was_gone) {
        if (l->gone && !*was_gone)
                tell(l, "gone", BUS_MANAGER, BUS_PATH, NULL);
        if (l->back)
                tell(l, "back", BUS_MANAGER, BUS_PATH, NULL);
        *was_gone = l->gone;
        l->back = false;
}

int verb_monitor(Cli *c, _unused_ int argc, _unused_ char **argv) {
        bool was_gone = false;
        Loop l;
        int r;

        r = loop_init(&l, c, subscribe, NULL);
        if (r == 0) /* a daemon that is not there is told at once, and started if it can be */
                r = client_call(c, BUS_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL);
        while (r == 0 && l.signal == 0 && !ferror(stdout)) {
                r = loop_turn(&l, UINT64_MAX);
                tell_daemon(&l, &was_gone);
        }
        loop_done(&l);
        return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl wait --ready
 *
 * Whether a device is ready is the daemon's word, the property Ready. A signal about any PF or VF is a reason to look again, and
 * nothing else is: no timer asks.
 */
#include <errno.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/loop.h"
#include "cli/name.h"
#include "cli/progress.h"
#include "cli/ready.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/when.h"
#include "cli/world.h"

/* A PF with a thousand VFs tells of each: they are looked at together. */
#define TOGETHER_USEC (20 * UINT64_C(1000))
/* A daemon that is restarted, or is about to be started, is there long before. */
#define GONE_USEC (30 * WHEN_USEC_PER_SEC)

typedef struct Ready {
        Loop loop;
        uint64_t deadline, look_at; /* CLOCK_MONOTONIC, UINT64_MAX: never */
        uint64_t begun;
        Name *names;
        size_t n_names;
        json_object *world; /* as last seen; NULL: no daemon was there yet */
} Ready;

static void ready_done(Ready *w) {
        progress_clear();
        loop_done(&w->loop);
        json_object_put(w->world);
        free(w->names);
}

static void look_soon(Ready *w) {
        w->look_at = MIN2(w->look_at, when_monotonic() + TOGETHER_USEC);
}

static int on_changed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *interface;

        if (sd_bus_message_read_basic(m, 's', &interface) >= 0 &&
            (streq(interface, BUS_PF) || streq(interface, BUS_VF)))
                look_soon(userdata);
        return 0;
}

static int on_objects(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        look_soon(userdata);
        return 0;
}

static int subscribe(Loop *l, void *userdata) {
        static const struct {
                const char *interface, *member;
                sd_bus_message_handler_t handler;
        } signals[] = {
                { "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed },
                { "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", on_objects },
                { "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved", on_objects },
        };
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_bus_match_signal_async(l->cli->bus, NULL, l->cli->peer ? NULL : BUS_NAME,
                                              NULL, signals[i].interface, signals[i].member,
                                              signals[i].handler, NULL, userdata);
        return r;
}

static int start(Ready *w, Cli *c, int n, char **typed) {
        int r = 0;

        *w = (Ready){ .deadline = UINT64_MAX,
                      .begun = when_monotonic(),
                      .names = calloc((size_t) n, sizeof(Name)) };
        if (!w->names)
                return say_oom(c);
        for (int i = 0; i < n && r == 0; i++)
                r = name_parse(c, typed[i], w->names + w->n_names++);
        if (r > 0)
                return r;
        if (c->wait_limited && __builtin_add_overflow(when_monotonic(), c->wait_usec, &w->deadline))
                w->deadline = UINT64_MAX;
        return loop_init_patiently(&w->loop, c, subscribe, w);
}

/* If it fails because the daemon has just gone, we look again when it is back. */
static int look(Ready *w) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        json_object *world;
        int r;

        w->look_at = UINT64_MAX;
        w->loop.back = false;
        r = world_try_get(w->loop.cli, &world, &error);
        if (r < 0)
                return loop_is_gone(&w->loop, &error) ? 0 : client_fail(w->loop.cli, r, &error);
        json_object_put(w->world);
        w->world = world;
        return 0;
}

static size_t count_vfs(json_object *pf, json_object **ret_first) {
        json_object *vfs = record_get(pf, "children");
        size_t n = 0;

        for (size_t i = 0; i < record_length(vfs); i++) {
                json_object *vf = json_object_array_get_idx(vfs, i);

                if (!record_bool(vf, "ready") && n++ == 0)
                        *ret_first = vf;
        }
        return n;
}

static const char *netdevs(json_object *fn, char *buf, size_t size) {
        const Column column = { .key = "netdevs" };

        return table_value(&column, record_get(fn, "netdevs"), buf, size);
}

static const char *busy_text(const char *state) {
        static const struct {
                const char *state, *text;
        } rows[] = {
                { "busy", "a job is at work on it, 'sriovctl jobs' shows it" },
                { "waiting", "a job waits to begin on it, 'sriovctl jobs' shows it" },
                { "quarantined",
                  "a job is stuck in the kernel on it, 'sriovctl doctor' tells more" },
                { "gone", "it is gone" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(rows[i].state, state))
                        return rows[i].text;
        return NULL;
}

const char *ready_missing(json_object *fn, char line[static READY_LINE_MAX]) {
        const char *address = record_show(fn, "address"), *policy = record_text(fn, "policy"),
                   *busy = busy_text(record_show(fn, "state"));
        bool is_pf = streq(record_show(fn, "kind"), "pf");
        json_object *vf = NULL;
        char names[96];
        size_t n = count_vfs(fn, &vf);

        if (busy)
                snprintf(line, READY_LINE_MAX, "%s: not ready: %s", address, busy);
        else if (n > 0)
                snprintf(line, READY_LINE_MAX,
                         "%s: not ready: %zu of its %zu VFs are not, VF %u with driver %s and net "
                         "devices %s the first; 'sriovctl diff' shows what is wanted",
                         address, n, record_length(record_get(fn, "children")),
                         (unsigned) record_number(vf, "index"), record_show(vf, "driver"),
                         netdevs(vf, names, sizeof(names)));
        else if (is_pf && policy)
                snprintf(line, READY_LINE_MAX,
                         "%s: not ready: it has %u VFs, and is not as the policy %s wants it, or "
                         "udev "
                         "has not named its net devices; 'sriovctl diff' shows what is wanted",
                         address, (unsigned) record_number(fn, "vfs"), policy);
        else
                snprintf(line, READY_LINE_MAX,
                         "%s: not ready: driver %s, net devices %s; %sudev has not initialized all "
                         "of it; 'sriovctl diff' and 'udevadm info /sys/bus/pci/devices/%s' tell "
                         "more",
                         address, record_show(fn, "driver"), netdevs(fn, names, sizeof(names)),
                         is_pf ? "" : "the driver is not the wanted one, or ", address);
        return line;
}

/* 1: ready, 0: not, with what it lacks. Else the status of a name that can never be right. */
static int test(const Ready *w, const Name *name, bool *ret_ready,
                char line[static READY_LINE_MAX]) {
        json_object *fn;
        uint32_t n = world_match(w->world, name, &fn);

        if (n > 1)
                return world_find(w->loop.cli, w->world, name->text, &fn);
        *ret_ready = n == 1 && record_bool(fn, "ready");
        if (n == 0)
                snprintf(
                        line, READY_LINE_MAX,
                        "%s: not ready: there is no such device yet; 'sriovctl list -a' shows them",
                        name->text);
        else if (!*ret_ready)
                ready_missing(fn, line);
        return 0;
}

/* Counts those that are not ready; the first one's line is in line. */
static int count(const Ready *w, size_t *ret, char line[static READY_LINE_MAX]) {
        char text[READY_LINE_MAX];
        bool ready;
        int r;

        *ret = w->world ? 0 : w->n_names;
        if (!w->world)
                snprintf(line, READY_LINE_MAX, "%s: not ready: sriovd is not there yet",
                         w->names[0].text);
        for (size_t i = 0; w->world && i < w->n_names; i++) {
                r = test(w, w->names + i, &ready, text);
                if (r > 0)
                        return r;
                if (!ready && (*ret)++ == 0)
                        memcpy(line, text, sizeof(text));
        }
        return 0;
}

static json_object *device(const Ready *w, const Name *name) {
        char line[READY_LINE_MAX] = "";
        json_object *o = json_object_new_object();
        bool ready = false;

        if (!o)
                return NULL;
        (void) test(w, name, &ready, line);
        record_set_text(o, "device", name->text);
        json_object_object_add(o, "ready", json_object_new_boolean(ready));
        record_set_text(o, "missing", line);
        return o;
}

/* What --json has of each. NULL: out of memory. */
static json_object *devices(const Ready *w) {
        _cleanup_json_ json_object *list = json_object_new_array(), *o = json_object_new_object();

        for (size_t i = 0; list && o && i < w->n_names; i++) {
                json_object *one = device(w, w->names + i);

                if (!one || json_object_array_add(list, one) < 0) {
                        json_object_put(one);
                        return NULL;
                }
        }
        if (!list || !o)
                return NULL;
        json_object_object_add(o, "devices", TAKE_PTR(list));
        return TAKE_PTR(o);
}

static int tell_ready(const Ready *w) {
        _cleanup_json_ json_object *o = devices(w);

        progress_clear();
        if (!o)
                return say_oom(w->loop.cli);
        json_object_object_add(o, "exit", json_object_new_int(STATUS_OK));
        say_json(w->loop.cli, o);
        return STATUS_OK;
}

/* A line for the first is enough for people: the next one is told when that one is ready. */
static int tell_not_ready(const Ready *w, int status, const char *line, size_t n) {
        char words[READY_LINE_MAX + 64];

        if (n > 1)
                snprintf(words, sizeof(words), "%s; and %zu more", line, n - 1);
        else
                snprintf(words, sizeof(words), "%s", line);
        return say_error_with(w->loop.cli, status, NULL, words, devices(w));
}

/* Not there at all, and nobody wants to wait: the daemon says what it is, if it is something else. */
static int find_all(const Ready *w) {
        json_object *fn;
        int r = 0;

        for (size_t i = 0; i < w->n_names && r == 0; i++)
                if (world_match(w->world, w->names + i, &fn) == 0)
                        r = world_find(w->loop.cli, w->world, w->names[i].text, &fn);
        return r;
}

/* Until when a daemon that is away is waited for: one that was never there as long as the devices are, if that is said. */
static uint64_t end_of_patience(const Ready *w) {
        if (w->world)
                return w->loop.gone_usec + GONE_USEC;
        return w->loop.cli->wait_limited ? w->deadline : w->begun + GONE_USEC;
}

/* A reason to stop waiting. 0: none. */
static int leave(const Ready *w, const char *line, size_t n) {
        const Cli *c = w->loop.cli;
        uint64_t now = when_monotonic();
        int r;

        if (w->loop.signal != 0)
                return tell_not_ready(w, STATUS_SIGNAL + w->loop.signal, line, n);
        if (w->loop.gone && now >= end_of_patience(w))
                return client_fail(c, -ENOTCONN, NULL);
        if (now < w->deadline || !w->world)
                return 0;
        r = c->wait_usec == 0 ? find_all(w) : 0;
        return r > 0 ? r : tell_not_ready(w, STATUS_TIMEOUT, line, n);
}

static uint64_t next_turn(const Ready *w) {
        uint64_t until = MIN2(w->deadline, w->look_at), now = when_monotonic();

        if (w->loop.gone)
                until = MIN2(w->deadline, end_of_patience(w));
        if (until == UINT64_MAX)
                return UINT64_MAX;
        return until > now ? until - now : 0;
}

int ready_wait(Cli *c, int n, char **typed) {
        _cleanup_(ready_done) Ready w = { 0 };
        char line[READY_LINE_MAX];
        size_t n_missing;
        int r;

        r = start(&w, c, n, typed);
        while (r == 0) {
                if (!w.loop.gone && (w.loop.back || when_monotonic() >= w.look_at))
                        r = look(&w);
                if (r == 0)
                        r = count(&w, &n_missing, line);
                if (r > 0)
                        return r;
                if (n_missing == 0)
                        return tell_ready(&w);
                r = leave(&w, line, n_missing);
                if (r > 0)
                        return r;
                progress_show("%s", line);
                r = loop_turn(&w.loop, next_turn(&w));
        }
        return r;
}

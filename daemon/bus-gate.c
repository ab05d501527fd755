/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Manager, the gate
 *
 * Who waits at it and who is inside is open to everybody; its mode is set by who may manage the daemon.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/bus-manager.h"
#include "daemon/log.h"
#include "daemon/mode.h"
#include "daemon/turn.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* A time of CLOCK_MONOTONIC as one of CLOCK_REALTIME; 0 stays: not known. */
static uint64_t to_realtime(uint64_t usec) {
        struct timespec t;
        uint64_t now;

        clock_gettime(CLOCK_MONOTONIC, &t);
        now = (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
        return usec == 0 || usec > now ? 0 : manager_now() - (now - usec);
}

/* Of all that are held, and that could not be: those of other network namespaces' sysfs as well. */
static void count_doors(const Gate *g, uint32_t *ret_held, uint32_t *ret_failed) {
        size_t held = g->marks.n, failed = g->marks.n_failed;

        for (size_t i = 0; i < g->others.n; i++) {
                held += g->others.items[i].marks.n;
                failed += g->others.items[i].marks.n_failed;
        }
        *ret_held = (uint32_t) held;
        *ret_failed = (uint32_t) failed;
}

static const char *why_off(const Gate *g) {
        return g->mode == GATE_OFF && g->wanted != GATE_OFF ? g->why_off : "";
}

static int append_uncovered(sd_bus_message *reply, const Gate *g) {
        _cleanup_strv_ char **lines = others_uncovered(&g->others);
        int r;

        r = sd_bus_message_open_container(reply, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", "uncovered");
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'v', "as");
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, lines);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_state(sd_bus_message *reply, const Manager *m) {
        const Gate *g = &m->gate;
        uint32_t held, failed;
        int r;

        count_doors(g, &held, &failed);
        r = sd_bus_message_open_container(reply, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(reply, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "mode", "s",
                                          gate_mode_to_string(g->mode), "wanted", "s",
                                          gate_mode_to_string(g->wanted), "why-off", "s",
                                          why_off(g), "doors", "u", held, "failed", "u", failed,
                                          "passed", "t", g->n_passed, "denied", "t", g->n_denied,
                                          "lease", "t", m->settings.gate_lease * USEC_PER_SEC);
        if (r >= 0)
                r = append_uncovered(reply, g);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_program(sd_bus_message *reply, const char *state, uint32_t job, const Opener *o,
                          uint64_t since) {
        return sd_bus_message_append(reply, "a{sv}", 10, "state", "s", state, "job", "u", job,
                                     "pid", "u", (uint32_t) o->pid, "tid", "u", (uint32_t) o->tid,
                                     "uid", "u", o->uid, "command", "s", o->command, "exe", "s",
                                     o->exe, "unit", "s", o->unit, "file", "s", o->file, "since",
                                     "t", since);
}

static const char *const turn_names[] = {
        [TURN_PENDING] = "waiting",
        [TURN_INSIDE] = "inside",
        [TURN_WEDGED] = "wedged",
        [TURN_UNORDERED] = "unordered",
};

/* Who is inside stands before who waits. */
static int append_programs(sd_bus_message *reply, const Manager *m) {
        const Gate *g = &m->gate;
        int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

        for (size_t i = 0; r >= 0 && i < g->n_turns; i++) {
                const Turn *t = g->turns[i];

                r = append_program(reply, turn_names[t->state], t->job, &t->who,
                                   to_realtime(t->admitted));
        }
        for (size_t i = 0; r >= 0 && i < g->n_knocks; i++) {
                const Knock *k = g->knocks[i];
                const Record *job = records_find(&m->records, k->job);

                r = append_program(reply, turn_names[TURN_PENDING], k->job, &k->who,
                                   job ? job->created : 0);
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_manager_gate(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = append_state(reply, userdata);
        if (r >= 0)
                r = append_programs(reply, userdata);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int refuse_mode(Manager *m, GateMode mode, int failure, sd_bus_error *error) {
        char text[160];

        snprintf(text, sizeof(text), "%s: %s", gate_mode_to_string(mode),
                 m->kernel->sys ? strerror(-failure) : m->gate.why_off);
        return bus_ask_refuse(error, FAULT_NO_GATE, text);
}

int bus_manager_set_gate_mode(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *name;
        GateMode mode;
        Caller caller;
        Options o;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = options_read(message, 0, &o, error);
        if (r < 0)
                return r;
        mode = gate_mode_from_string(name);
        if (mode == _GATE_MODE_INVALID)
                return bus_ask_refuse(error, FAULT_BAD_GATE, name);
        r = auth_check(&m->auth, message, ACTION_MANAGE, &caller, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        log_line(LOG_NOTICE, NULL, "gate: '%s' asked for by uid %" PRIu32 "%s%s", name, caller.uid,
                 o.wish.reason[0] != '\0' ? ": " : "", o.wish.reason);
        r = mode_set(m, mode);
        return r < 0 ? refuse_mode(m, mode, r, error) : sd_bus_reply_method_return(message, NULL);
}

int bus_manager_get_gate_mode(sd_bus *bus _unused_, const char *path _unused_,
                              const char *interface _unused_, const char *property _unused_,
                              sd_bus_message *reply, void *userdata, sd_bus_error *error _unused_) {
        const Manager *m = userdata;

        return sd_bus_message_append(reply, "s", gate_mode_to_string(m->gate.mode));
}

int bus_gate_append_opener(sd_bus_message *reply, const Opener *o) {
        if (!o)
                return sd_bus_message_append(reply, "a{sv}", 0);
        return sd_bus_message_append(reply, "a{sv}", 7, "pid", "u", (uint32_t) o->pid, "tid", "u",
                                     (uint32_t) o->tid, "uid", "u", o->uid, "command", "s",
                                     o->command, "exe", "s", o->exe, "unit", "s", o->unit, "file",
                                     "s", o->file);
}

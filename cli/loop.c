/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop
 *
 * A restart of the daemon looks different on the two ways to it: the private socket is closed,
 * while the bus stays and tells that the name has another owner.
 */
#include <errno.h>
#include <signal.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/loop.h"
#include "cli/say.h"
#include "cli/when.h"

/* How often a socket that is not there is tried again. */
#define RECONNECT_USEC (200 * UINT64_C(1000))

static void set_gone(Loop *l) {
        if (l->gone)
                return;
        l->gone = true;
        l->gone_usec = when_monotonic();
}

static void set_back(Loop *l) {
        l->gone = false;
        l->back = true;
}

static int on_signal(_unused_ sd_event_source *s, const struct signalfd_siginfo *si,
                     void *userdata) {
        Loop *l = userdata;

        l->signal = (int) si->ssi_signo;
        return 0;
}

static int on_owner(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *name, *before, *now;
        Loop *l = userdata;
        int r;

        r = sd_bus_message_read(m, "sss", &name, &before, &now);
        if (r < 0 || !streq(name, BUS_NAME))
                return 0;
        if (isempty(now))
                set_gone(l);
        else
                set_back(l);
        return 0;
}

static int watch_owner(Loop *l) {
        return sd_bus_add_match_async(l->cli->bus, NULL,
                                      "type='signal',sender='org.freedesktop.DBus',"
                                      "path='/org/freedesktop/DBus',"
                                      "interface='org.freedesktop.DBus',"
                                      "member='NameOwnerChanged',arg0='" BUS_NAME "'",
                                      on_owner, NULL, l);
}

static int attach(Loop *l) {
        int r;

        r = sd_bus_attach_event(l->cli->bus, l->event, SD_EVENT_PRIORITY_NORMAL);
        if (r >= 0 && !l->cli->peer)
                r = watch_owner(l);
        if (r >= 0)
                r = l->subscribe(l, l->userdata);
        return r;
}

static int add_signals(Loop *l) {
        static const int signals[] = { SIGINT, SIGTERM };
        sigset_t mask;
        int r = 0;

        sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                sigaddset(&mask, signals[i]);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_event_add_signal(l->event, NULL, signals[i], on_signal, l);
        return r;
}

static int init(Loop *l) {
        int r;

        r = sd_event_new(&l->event);
        if (r >= 0)
                r = add_signals(l);
        if (r >= 0 && l->cli->bus)
                r = attach(l);
        return r < 0 ? client_fail(l->cli, r, NULL) : 0;
}

int loop_init(Loop *l, Cli *c, int (*subscribe)(Loop *l, void *userdata), void *userdata) {
        int r;

        *l = (Loop){ .cli = c, .subscribe = subscribe, .userdata = userdata };
        r = client_open(c);
        return r > 0 ? r : init(l);
}

int loop_init_patiently(Loop *l, Cli *c, int (*subscribe)(Loop *l, void *userdata),
                        void *userdata) {
        if (c->host)
                return loop_init(l, c, subscribe, userdata);
        *l = (Loop){ .cli = c, .subscribe = subscribe, .userdata = userdata };
        if (!c->bus && client_try_open(c) < 0)
                set_gone(l);
        return init(l);
}

void loop_done(Loop *l) {
        if (l->cli && l->cli->bus)
                sd_bus_detach_event(l->cli->bus);
        l->event = sd_event_unref(l->event);
}

/* Not there yet is no error: whoever waits decides how long. */
static void reconnect(Loop *l) {
        if (client_reopen(l->cli) < 0)
                return;
        if (attach(l) < 0) {
                client_close(l->cli);
                return;
        }
        set_back(l);
}

static bool is_closed(const Loop *l) {
        return !l->cli->bus || sd_bus_is_open(l->cli->bus) <= 0;
}

bool loop_is_gone(Loop *l, const sd_bus_error *error) {
        if (!is_closed(l) && !sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN) &&
            !sd_bus_error_has_name(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return false;
        set_gone(l);
        return true;
}

int loop_turn(Loop *l, uint64_t usec) {
        bool closed = is_closed(l);
        int r;

        r = sd_event_run(l->event, closed ? MIN2(usec, RECONNECT_USEC) : usec);
        if (r < 0)
                return client_fail(l->cli, r, NULL);
        if (closed)
                reconnect(l);
        if (is_closed(l))
                set_gone(l);
        return 0;
}

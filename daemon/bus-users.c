/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Manager, who uses what
 *
 * Holders() and Diagnose() are open to everybody and answered later, by a child. Hold() is for root.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/bus-manager.h"
#include "daemon/log.h"

int bus_manager_holders(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        Bdf fn = BDF_NONE;
        const char *name;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;
        if (name[0] != '\0') {
                watch_flush(m);
                r = bus_ask_function(m, name, &fn, error);
        }
        return r < 0 ? r : inquiry_new(m, message, WORKER_USERS, fn, error);
}

int bus_manager_diagnose(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return inquiry_new(userdata, message, WORKER_DIAGNOSE, BDF_NONE, error);
}

static bool asks_for(const Plan *plan, Bdf fn) {
        for (size_t i = 0; plan && i < plan->n_steps; i++)
                if (plan->steps[i].rung == RUNG_REFUSE_IF_HELD && bdf_equal(plan->steps[i].fn, fn))
                        return true;
        return false;
}

/* A job at work that takes fn away: it has asked who uses it, and would not see this one. Its number, or 0. */
static uint32_t taker(const Manager *m, Bdf fn) {
        FOREACH_RECORD (r, &m->records) {
                const Job *j = queue_find(&m->queue, r->id);

                /* Until a recovery is over the plan is in the record that came out of the ledger. */
                if (r->state != JOB_ENDED &&
                    (asks_for(r->plan, fn) || (j && asks_for(j->climb.plan, fn))))
                        return r->id;
        }
        return 0;
}

static int check_hold(Manager *m, const char *name, const char *mode, Hold *hold,
                      sd_bus_error *error) {
        Fault busy;
        int r;

        if (hold->who[0] == '\0')
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "who");
        if (hold_mode_parse(mode, &hold->blocks) < 0)
                return bus_ask_refuse(error, FAULT_BAD_HOLD, mode);
        watch_flush(m);
        r = bus_ask_function(m, name, &hold->fn, error);
        if (r < 0)
                return r;
        busy = FAULT(FAULT_BUSY, .fn = hold->fn, .number = taker(m, hold->fn));
        return busy.number > 0 ? bus_fault(error, &busy) : 0;
}

static int reply_hold(Manager *m, sd_bus_message *message, Hold *hold) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = holds_new(&m->holds, hold, &fd);
        if (r < 0)
                return log_error_errno(r, "%s: cannot keep a hold", BDF_STR(hold->fn));
        log_line(LOG_INFO, NULL, "%s: hold %u by %s (pid %u)%s%s%s", BDF_STR(hold->fn), hold->id,
                 hold->who, hold->pid, hold->blocks ? "" : ", a note", hold->why[0] ? ": " : "",
                 hold->why);
        /* The message has a copy of its own. */
        return sd_bus_reply_method_return(message, "h", fd);
}

static int take_text(char *buf, size_t size, const char *text, const char *key,
                     sd_bus_error *error) {
        if (!hold_text_is_valid(text, size))
                return bus_ask_refuse(error, FAULT_BAD_OPTION, key);
        return str_copy(buf, size, text);
}

int bus_manager_hold(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        const char *name, *who, *why, *mode;
        Manager *m = userdata;
        Caller caller;
        Hold hold = {};
        int r;

        r = sd_bus_message_read(message, "ssss", &name, &who, &why, &mode);
        if (r < 0)
                return r;
        r = auth_check(&m->auth, message, ACTION_MANAGE, &caller, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = take_text(hold.who, sizeof(hold.who), who, "who", error);
        if (r >= 0)
                r = take_text(hold.why, sizeof(hold.why), why, "why", error);
        if (r >= 0)
                r = check_hold(m, name, mode, &hold, error);
        if (r < 0)
                return r;
        hold.pid = caller.pid;
        hold.uid = caller.uid;
        return reply_hold(m, message, &hold);
}

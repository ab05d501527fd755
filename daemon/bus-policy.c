/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Manager, what is wanted
 *
 * Apply() asks for jobs, Diff() and Adopt() for what there is. What a policy wants is told in ward.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "daemon/bus-policy.h"
#include "daemon/log.h"
#include "daemon/persist.h"

typedef struct Pfs {
        Bdf *items;
        size_t n;
} Pfs;

static void pfs_done(Pfs *pfs) {
        free(pfs->items);
}

static int pfs_add(Pfs *pfs, Bdf pf) {
        Bdf *more = reallocarray(pfs->items, pfs->n + 1, sizeof(Bdf));

        if (!more)
                return -ENOMEM;
        pfs->items = more;
        more[pfs->n++] = pf;
        return 0;
}

/* Those that are named must have a policy; without names it is all that have one, or two that both want it. */
static int read_pfs(Manager *m, sd_bus_message *message, Pfs *ret, sd_bus_error *error) {
        const char *name;
        Fault fault;
        Bdf pf;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(message, "s", &name)) > 0) {
                r = bus_ask_function(m, name, &pf, error);
                if (r >= 0 && wards_check(m, pf, &fault) > 0)
                        r = bus_fault(error, &fault);
                if (r >= 0)
                        r = pfs_add(ret, pf);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        return r;
}

static int add_all(const Manager *m, Pfs *ret) {
        int r = 0;

        for (const Ward *w = m->wards.items; r >= 0 && w && w < m->wards.items + m->wards.n; w++)
                if (w->state != WARD_FREE)
                        r = pfs_add(ret, w->pf);
        return r;
}

/* Policies say what may be forced of theirs, callers what may be beyond that. */
static int submit(Manager *m, const Options *o, Bdf pf, const Caller *caller, sd_bus_message *reply,
                  sd_bus_error *error) {
        const Wanted *wanted = wards_wanted(m, pf);
        _cleanup_free_ char *path = NULL;
        Wish wish = o->wish;
        uint32_t id;
        Fault fault;
        int r;

        wish.op.kind = OP_APPLY;
        wish.op.fn = pf;
        if (wanted)
                wish.op.flags |=
                        o->has_on_failure ? wanted->flags & ~(uint32_t) OP_ROLLBACK : wanted->flags;
        r = manager_submit(m, &wish, caller, &id, &fault);
        if (r < 0)
                return r;
        if (r == MANAGER_E_REFUSED)
                return bus_fault(error, &fault);
        path = bus_job_path(id);
        return path ? sd_bus_message_append(reply, "o", path) : -ENOMEM;
}

/* Of several PFs each has a job of its own, which says what is refused; that not even a job can be had is told at the first. */
static int submit_all(Manager *m, const Options *o, const Pfs *pfs, const Caller *caller,
                      sd_bus_message *message, sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "o");
        for (size_t i = 0; r >= 0 && i < pfs->n; i++) {
                r = submit(m, o, pfs->items[i], caller, reply, error);
                if (r >= 0 || i == 0)
                        continue;
                log_line(LOG_ERR, NULL, "%s: its policy is not applied: %s", BDF_STR(pfs->items[i]),
                         error->message ? error->message : strerror(-r));
                sd_bus_error_free(error);
                r = 0;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int bus_policy_apply(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        _cleanup_(pfs_done) Pfs pfs = {};
        Manager *m = userdata;
        Caller caller;
        Options o;
        bool all;
        int r;

        watch_flush(m);
        wards_sync(m);
        r = auth_check(&m->auth, message, ACTION_SET_VFS, &caller, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = read_pfs(m, message, &pfs, error);
        if (r >= 0)
                r = options_read(message, options_of(OP_APPLY), &o, error);
        all = pfs.n != 1;
        if (r >= 0 && pfs.n == 0)
                r = add_all(m, &pfs);
        o.wish.insists = all;
        if (r >= 0 && o.wish.expect[0] != '\0' && pfs.n != 1)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "expect");
        return r < 0 ? r : submit_all(m, &o, &pfs, &caller, message, error);
}

int bus_policy_append(sd_bus_message *m, const Wanted *w, const Difference *d) {
        return sd_bus_message_append(m, "a{sv}", 7, "pf", "s", BDF_STR(d->pf), "policy", "s",
                                     w->policy, "vf", "i", d->vf, "what", "s", d->what, "wanted",
                                     "s", d->wanted, "seen", "s", d->seen, "disruptive", "b",
                                     (int) d->disruptive);
}

static int append_problem(sd_bus_message *m, Bdf pf, const char *policy, const Fault *fault) {
        char text[FAULT_STR_MAX];

        return sd_bus_message_append(m, "a{sv}", 5, "pf", "s", BDF_STR(pf), "policy", "s", policy,
                                     "vf", "i", -1, "error", "s", fault_bus_name(fault->reason),
                                     "message", "s", fault_format(fault, text, sizeof(text)));
}

/* What its plan would be refused for, whatever else is different. */
static int append_pf(Manager *m, const Wanted *w, sd_bus_message *reply) {
        const Op op = { .kind = OP_APPLY, .fn = w->pf, .flags = w->flags };
        _cleanup_(plan_freep) Plan *plan = NULL;
        Differences d = {};
        Fault fault;
        int r;

        r = ladder_plan(m->snapshot, &op, NULL, &plan, &fault);
        if (r == LADDER_E_REFUSED)
                return append_problem(reply, w->pf, w->policy, &fault);
        if (r >= 0)
                r = wanted_minus_seen(w, m->snapshot, &d);
        for (size_t i = 0; r >= 0 && i < d.n; i++)
                r = bus_policy_append(reply, w, d.items + i);
        differences_done(&d);
        return r;
}

static int append_ward(Manager *m, const Ward *w, sd_bus_message *reply) {
        const Wanted *wanted = wards_wanted(m, w->pf);
        Fault fault;

        if (w->state == WARD_CONFLICT && wards_check(m, w->pf, &fault) > 0)
                return append_problem(reply, w->pf, "", &fault);
        return w->state == WARD_WANTED && wanted ? append_pf(m, wanted, reply) : 0;
}

static int reply_diff(Manager *m, sd_bus_message *message, const Op *op _unused_,
                      sd_bus_error *error _unused_) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        wards_sync(m);
        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < m->wards.n; i++)
                r = append_ward(m, m->wards.items + i, reply);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int bus_policy_diff(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        watch_flush(m);
        /* A child would be stuck where another one is: then it is told from what was seen last. */
        if (manager_state(m) == MANAGER_WEDGED)
                return reply_diff(m, message, NULL, error);
        return inquiry_see(m, message, BDF_NONE, &(Op){ .fn = BDF_NONE }, reply_diff, error);
}

static int reply_adopt(Manager *m, sd_bus_message *message, const Op *op, sd_bus_error *error) {
        Fault fault;
        int r = persist_adopt(m, message, op->fn, (op->flags & OP_ALONE) != 0, &fault);

        if (r == -ENOENT)
                return bus_ask_refuse(error, FAULT_NO_SUCH_DEVICE, BDF_STR(op->fn));
        if (r == PERSIST_E_REFUSED)
                return bus_fault(error, &fault);
        if (r == -EAGAIN)
                return bus_fault(error, &FAULT(FAULT_TOO_MANY_ASK, .number = ADOPTS_MAX));
        return r;
}

int bus_policy_adopt(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *name;
        Caller caller;
        const Fn *fn;
        Options o;
        Bdf pf;
        int r;

        r = auth_check(&m->auth, message, ACTION_MANAGE, &caller, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = options_read(message, OPTIONS_DRY_RUN, &o, error);
        if (r < 0)
                return r;
        watch_flush(m);
        r = bus_ask_function(m, name, &pf, error);
        if (r < 0)
                return r;
        fn = snapshot_find(m->snapshot, pf);
        if (!(fn->flags & FN_PF)) {
                Fault fault = fn->flags & FN_VF ? FAULT(FAULT_NOT_PF, .fn = pf, .other = fn->pf)
                                                : FAULT(FAULT_NOT_SRIOV, .fn = pf);

                return bus_fault(error, &fault);
        }
        o.wish.op.fn = pf;
        return inquiry_see(m, message, pf, &o.wish.op, reply_adopt, error);
}

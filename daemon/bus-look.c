/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Manager, the methods that only look
 *
 * Open to everybody: they read what is known and write nothing.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/near.h"

#include "daemon/bus-manager.h"
#include "daemon/persist.h"
#include "daemon/plan-id.h"

static int append_step(sd_bus_message *reply, const Step *step) {
        char text[STEP_STR_MAX];

        return sd_bus_message_append(
                reply, "a{sv}", 6, "rung", "s", rung_to_string(step->rung), "function", "s",
                bdf_is_none(step->fn) ? "" : BDF_STR(step->fn), "vf", "s",
                bdf_is_none(step->vf) ? "" : BDF_STR(step->vf), "number", "u", step->n, "name", "s",
                step->name, "text", "s", step_format(step, text, sizeof(text)));
}

static int reply_plan(sd_bus_message *message, const Plan *plan) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char id[PLAN_ID_MAX];
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", plan_id(plan, id));
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < plan->n_steps; i++)
                r = append_step(reply, plan->steps + i);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* What the op cannot do without. */
static int check_arguments(OpKind kind, const Options *o, sd_bus_error *error) {
        bool slot = kind == OP_SLOT_OFF || kind == OP_SLOT_ON;

        if ((kind == OP_SET_VF) != o->has_index)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "index");
        if ((kind == OP_SET_VF) != o->has_attrs)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "attributes");
        if ((kind == OP_ESWITCH) != o->has_mode)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "mode");
        if (kind == OP_SET_VFS && !o->has_count)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "count");
        if (o->has_count && kind != OP_SET_VFS)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "count");
        if (slot != o->has_slot)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "slot");
        if ((kind == OP_UNLOAD && !o->has_driver) ||
            (o->has_driver && kind != OP_UNLOAD && kind != OP_BIND && kind != OP_SET_VFS))
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "driver");
        if ((slot || kind == OP_UNLOAD) && o->function[0] != '\0')
                return bus_ask_refuse(error, FAULT_BAD_OPTION, "function");
        return 0;
}

/* What a plan is made of; with policies and attributes in it a child looked at its PF just now. */
static int plan_and_reply(Manager *m, sd_bus_message *message, const Op *op, sd_bus_error *error) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        Fault fault;
        int r;

        r = op->kind == OP_APPLY ? wards_check(m, op->fn, &fault) : 0;
        if (r == 0)
                r = ladder_plan(m->snapshot, op, NULL, &plan, &fault);
        if (r < 0)
                return r;
        return r > 0 ? bus_fault(error, &fault) : reply_plan(message, plan);
}

int bus_manager_plan(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;
        const char *name;
        OpKind kind;
        Options o;
        Fault fault;
        int r;

        r = sd_bus_message_read(message, "s", &name);
        if (r < 0)
                return r;
        kind = op_kind_from_string(name);
        if (kind == OP_FOREIGN)
                kind = _OP_INVALID;
        if (kind == _OP_INVALID)
                return bus_ask_refuse(error, FAULT_BAD_OPTION, name);
        r = options_read(message, options_of(kind) | OPTIONS_PLAN, &o, error);
        if (r >= 0)
                r = check_arguments(kind, &o, error);
        if (r < 0)
                return r;
        watch_flush(m);
        r = bus_ask_complete(m, kind, &o, error);
        if (r >= 0 && o.wish.persist && persist_check(m, o.wish.op.fn, &fault) > 0)
                r = bus_fault(error, &fault);
        if (r < 0)
                return r;
        /* While something is stuck, from what was seen last: a child would be stuck as well. */
        if ((kind == OP_APPLY || kind == OP_SET_VF || kind == OP_ESWITCH) &&
            manager_state(m) != MANAGER_WEDGED)
                return inquiry_see(m, message, near_pf(m->snapshot, &o.wish.op), &o.wish.op,
                                   plan_and_reply, error);
        return plan_and_reply(m, message, &o.wish.op, error);
}

int bus_manager_list_pfs(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *m = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(so)");
        if (r < 0)
                return r;
        FOREACH_FN (f, m->snapshot) {
                _cleanup_free_ char *path = NULL;

                if (!(f->flags & FN_PF))
                        continue;
                path = bus_fn_path(f->bdf, f->flags);
                r = path ? sd_bus_message_append(reply, "(so)", BDF_STR(f->bdf), path) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int append_jobs(sd_bus_message *reply, const Manager *m, bool ended) {
        FOREACH_RECORD (r, &m->records) {
                _cleanup_free_ char *path = NULL;
                int k;

                if ((r->state == JOB_ENDED) != ended)
                        continue;
                path = bus_job_path(r->id);
                k = path ? sd_bus_message_append(reply, "(usoss)", r->id,
                                                 job_state_to_string(r->state), path,
                                                 op_kind_to_string(r->op.kind), RECORD_OBJECT(r))
                         : -ENOMEM;
                if (k < 0)
                        return k;
        }
        return 0;
}

int bus_manager_list_jobs(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Manager *m = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(usoss)");
        if (r >= 0)
                r = append_jobs(reply, m, false);
        if (r >= 0)
                r = append_jobs(reply, m, true);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus: org.sriovd1.Manager, Check()
 *
 * What the policy files would come to on the PFs that are there, if they were loaded now. They are not: what counts stays as it is.
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "base/utf8.h"

#include "conf/policy.h"

#include "daemon/bus-policy.h"

typedef struct Check {
        const Manager *manager;
        Policies policies;
        Mistakes mistakes;
        sd_bus_message *reply;
} Check;

static void check_done(Check *k) {
        policies_done(&k->policies);
        mistakes_done(&k->mistakes);
        sd_bus_message_unref(k->reply);
}

static int append_mistake(const Check *k, const Mistake *x) {
        char file[sizeof(x->error.text)], why[sizeof(x->error.text)];

        snprintf(file, sizeof(file), "%.*s", (int) x->file_length, x->error.text);
        (void) str_copy(why, sizeof(why), mistake_why(x));
        utf8_clean(file);
        utf8_clean(why);
        return sd_bus_message_append(k->reply, "a{sv}", 4, "file", "s", file, "line", "u", x->line,
                                     "error", "s", fault_bus_name(FAULT_BAD_OPTION), "message", "s",
                                     why);
}

/* Of a PF: what is refused for that policy. */
static int append_refusal(const Check *k, const Fn *pf, const Policy *p, const Fault *fault) {
        char file[512], text[FAULT_STR_MAX];

        return sd_bus_message_append(k->reply, "a{sv}", 6, "pf", "s", BDF_STR(pf->bdf), "policy",
                                     "s", p->name, "file", "s",
                                     utf8_copy(file, sizeof(file), p->file), "line", "u", p->line,
                                     "error", "s", fault_bus_name(fault->reason), "message", "s",
                                     fault_format(fault, text, sizeof(text)));
}

/* A world in which that is wanted and nothing else: the plan is made as an apply would make it. */
static int plan(const Check *k, const Policy *p, const Fn *pf, Fault *ret_fault) {
        Snapshot world = *k->manager->snapshot;
        _cleanup_(plan_freep) Plan *plan = NULL;
        Wanteds wanteds = {};
        Wanted w;
        Op op = { .kind = OP_APPLY, .fn = pf->bdf };
        int r = policy_want(p, pf, &w);

        if (r < 0)
                return r;
        op.flags = w.flags;
        r = wanteds_put(&wanteds, &w);
        wanted_done(&w);
        world.wanted = &wanteds;
        if (r >= 0)
                r = ladder_plan(&world, &op, NULL, &plan, ret_fault);
        wanteds_done(&wanteds);
        return r;
}

static int append_pf(const Check *k, const Fn *pf) {
        const Ward *w = wards_find(&k->manager->wards, pf->bdf);
        const Policy *p = NULL, *other = NULL;
        char both[POLICIES_BOTH_MAX];
        Fault fault;
        int r = policy_find(&k->policies, k->manager->snapshot, pf,
                            w && w->has_facts ? &w->facts : NULL, &p, &other);

        if (r == POLICY_E_CONFLICT) {
                fault = fault_text(FAULT(FAULT_POLICY_CONFLICT, .fn = pf->bdf),
                                   policies_name_both(p, other, both));
                return append_refusal(k, pf, other, &fault);
        }
        r = r == 0 ? plan(k, p, pf, &fault) : 0;
        return r > 0 ? append_refusal(k, pf, p, &fault) : r;
}

static int reply_check(Manager *m, sd_bus_message *message, const Op *op _unused_,
                       sd_bus_error *error _unused_) {
        _cleanup_(check_done) Check k = { .manager = m };
        int r = policies_load(&k.policies, &k.mistakes);

        /* With mistakes in some files the others are looked at all the same. */
        r = r == -ENOMEM ? r : sd_bus_message_new_method_return(message, &k.reply);
        if (r >= 0)
                r = sd_bus_message_open_container(k.reply, 'a', "a{sv}");
        for (size_t i = 0; r >= 0 && i < k.mistakes.n; i++)
                r = append_mistake(&k, k.mistakes.items + i);
        FOREACH_FN (f, m->snapshot)
                if (r >= 0 && f->flags & FN_PF)
                        r = append_pf(&k, f);
        if (r >= 0)
                r = sd_bus_message_close_container(k.reply);
        return r < 0 ? r : sd_bus_send(NULL, k.reply, NULL);
}

/* A child looks first, for what it is known by and what its VFs have may be new. */
int bus_policy_check(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        Manager *m = userdata;

        watch_flush(m);
        if (manager_state(m) == MANAGER_WEDGED)
                return reply_check(m, message, NULL, error);
        return inquiry_see(m, message, BDF_NONE, &(Op){ .fn = BDF_NONE }, reply_check, error);
}

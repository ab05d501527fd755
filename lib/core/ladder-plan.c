/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ladder: the walk that makes a plan
 *
 * Once from the top of the table to its end, so that no step of a plan ever stands before one of an earlier rung. It knows how
 * places are found and steps are named, and nothing of why.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/ladder-row.h"
#include "core/near.h"

static void name_vf(Step *step, const Place *p) {
        const Fn *pf = snapshot_find(p->s, p->vf->pf);

        step->fn = p->vf->pf;
        step->identity = pf ? pf->identity : 0;
        step->vf = p->vf->bdf;
        step->n = p->vf->vf_index;
        memcpy(step->was, p->vf->driver, sizeof(step->was));
}

static void name_subject(Step *step, const Place *p) {
        const Fn *fn = p->subject->fn;

        step->fn = fn->bdf;
        step->identity = fn->identity;
        memcpy(step->was, fn->driver, sizeof(step->was));
        if (step->rung == RUNG_VFS_ON)
                step->n = p->subject->vfs_come;
        if (step->rung == RUNG_VFS_OFF)
                step->n = fn->n_vfs;
        if (step->rung == RUNG_RESET)
                step->n = (fn->flags & FN_VF) != 0;
}

/* The value that goes with the rung: a driver, slot or service. */
static const char *name_of(Rung rung, const Place *p) {
        switch (rung) {
        case RUNG_LOAD_DRIVER:
                return p->driver;
        case RUNG_UNLOAD:
                return p->op->driver;
        case RUNG_ADMIT:
                return p->op->slot[0] != '\0' ? p->op->slot : p->op->driver;
        case RUNG_SLOT_OFF:
        case RUNG_SLOT_ON:
                return p->op->slot;
        case RUNG_QUIET_PORT:
                return p->service->name;
        case RUNG_BIND:
                return p->subject->driver_comes;
        case RUNG_ESWITCH:
        case RUNG_ESWITCH_VFS:
                return eswitch_to_string(p->subject->eswitch);
        case RUNG_OVERRIDE_VF:
        case RUNG_BIND_VF:
                return place_driver(p);
        default:
                return "";
        }
}

static int climb_place(Rung rung, const Place *p, Plan *plan) {
        Step step = { .rung = rung, .fn = BDF_NONE, .vf = BDF_NONE };

        if (!ladder_row(rung)->when(p))
                return 0;
        if (p->vf)
                name_vf(&step, p);
        else if (p->subject)
                name_subject(&step, p);
        else
                step.fn = p->service ? p->service->port : p->op->fn;
        if (!p->vf && p->subject &&
            (ladder_row(rung)->each == EACH_NEW_VF || ladder_row(rung)->each == EACH_ATTR))
                step.n = p->index;
        if (rung == RUNG_REFUSE_IF_HELD && p->vf) {
                step.fn = p->vf->bdf;
                step.identity = p->vf->identity;
        }
        if (rung == RUNG_CONFIGURE_VF) {
                vfattrs_format(place_attrs(p), p->attr, step.name, sizeof(step.name));
                return plan_push(plan, &step);
        }
        /* Names are bounded where they come in; a longer one cannot be here. */
        if (str_copy(step.name, sizeof(step.name), name_of(rung, p)) < 0)
                return -ENAMETOOLONG;
        return plan_push(plan, &step);
}

/* The VFs that the subject has now, then the subject itself where the rung is for both. */
static int climb_old_vfs(Rung rung, Place place, Plan *plan) {
        const Subject *subject = place.subject;
        int r;

        FOREACH_FN (f, place.s) {
                if (!(f->flags & FN_VF) || f->flags & FN_ORPHAN ||
                    !bdf_equal(f->pf, subject->fn->bdf))
                        continue;
                place.vf = f;
                r = climb_place(rung, &place, plan);
                if (r < 0)
                        return r;
        }
        place.vf = NULL;
        return rung == RUNG_REFUSE_IF_HELD ? climb_place(rung, &place, plan) : 0;
}

/* The VF at this place: once, or once for each attribute. */
static int climb_vf(Rung rung, Place place, Plan *plan) {
        int r = 0;

        if (ladder_row(rung)->each != EACH_ATTR)
                return climb_place(rung, &place, plan);
        for (place.attr = 0; r >= 0 && place.attr < _VFATTR_MAX; place.attr++)
                r = climb_place(rung, &place, plan);
        return r;
}

/* VFs by number: those that vfs-on makes, or the one VF that is the subject. */
static int climb_new_vfs(Rung rung, Place place, Plan *plan) {
        int r = 0;

        if (place.subject->fn->flags & FN_VF) {
                place.vf = place.subject->fn;
                place.index = place.vf->vf_index;
                return climb_vf(rung, place, plan);
        }
        for (place.index = 0; r >= 0 && place.index < place.subject->vfs_come; place.index++)
                r = climb_vf(rung, place, plan);
        return r;
}

static int climb_subject(Rung rung, Place place, Plan *plan) {
        switch (ladder_row(rung)->each) {
        case EACH_OLD_VF:
                return climb_old_vfs(rung, place, plan);
        case EACH_NEW_VF:
        case EACH_ATTR:
                return climb_new_vfs(rung, place, plan);
        default:
                return climb_place(rung, &place, plan);
        }
}

static bool is_to_be_quiet(const Place *p, const Subjects *subjects, Bdf port) {
        if (p->op->kind == OP_REMOVE || p->op->door == DOOR_REMOVE)
                return near_takes_away(p->s, p->op, port);
        return snapshot_is_below(p->s, port, subjects->top);
}

/* Bus numbers grow downwards, so the highest port is the innermost. */
static int climb_ports(Rung rung, Place place, const Subjects *subjects, Plan *plan) {
        Bdf last = BDF_NONE;
        int r;

        for (;;) {
                place.service = NULL;
                for (size_t i = 0; i < place.s->n_services; i++) {
                        const Service *v = place.s->services + i;

                        if (bdf_compare(v->port, last) >= 0 ||
                            !is_to_be_quiet(&place, subjects, v->port) ||
                            (subjects->slot && bdf_equal(v->port, subjects->top)))
                                continue;
                        if (!place.service || bdf_compare(v->port, place.service->port) > 0)
                                place.service = v;
                }
                if (!place.service)
                        return 0;
                last = place.service->port;
                r = climb_place(rung, &place, plan);
                if (r < 0)
                        return r;
        }
}

static bool has_step(const Plan *plan, Rung rung, const char *name) {
        for (size_t i = 0; i < plan->n_steps; i++)
                if (plan->steps[i].rung == rung && streq(plan->steps[i].name, name))
                        return true;
        return false;
}

static int climb_driver(Rung rung, Place place, const char *driver, Plan *plan) {
        place.driver = driver ? driver : "";
        place.subject = NULL;
        return has_step(plan, rung, place.driver) ? 0 : climb_place(rung, &place, plan);
}

/* The operation names one itself, or what is wanted of the subjects' VFs does. */
static int climb_drivers(Rung rung, Place place, const Subjects *subjects, Plan *plan) {
        int r = climb_driver(rung, place, place.op->driver, plan);

        for (size_t i = 0; r >= 0 && i < subjects->n_items; i++) {
                const Subject *subject = subjects->items + i;

                r = climb_driver(rung, place, subject->driver_comes, plan);
                for (uint32_t v = 0; r >= 0 && subject->wanted && v < subject->vfs_come; v++)
                        r = climb_driver(rung, place, wanted_vf(subject->wanted, v)->driver, plan);
        }
        return r;
}

static int climb_rung(Rung rung, Place place, const Subjects *subjects, Plan *plan) {
        int r;

        if (!(ladder_row(rung)->ops & 1u << place.op->kind))
                return 0;
        if (ladder_row(rung)->each == ONCE)
                return climb_place(rung, &place, plan);
        if (ladder_row(rung)->each == EACH_DRIVER)
                return climb_drivers(rung, place, subjects, plan);
        if (ladder_row(rung)->each == EACH_PORT)
                return bdf_is_none(subjects->top) ? 0 : climb_ports(rung, place, subjects, plan);
        for (size_t i = 0; i < subjects->n_items; i++) {
                place.subject = subjects->items + i;
                r = climb_subject(rung, place, plan);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * Where there is nothing to do, nobody can be in the way. And whoever is let in as he is, with nothing done for him
 * before, waits for nobody's look at all of /proc: a gate that nobody is at costs next to nothing.
 */
static void skip_empty_way(Plan *plan) {
        if (plan->n_steps == 0 || plan->steps[0].rung != RUNG_CLEAR_WAY)
                return;
        if (plan->n_steps == 1)
                plan->n_steps = 0;
        else if (plan->n_steps == 2 && plan->steps[1].rung == RUNG_ADMIT) {
                plan->steps[0] = plan->steps[1];
                plan->n_steps = 1;
        }
}

int ladder_plan(const Snapshot *s, const Op *op, const Bdf *keeper, Plan **ret, Fault *ret_fault) {
        _cleanup_(subjects_done) Subjects subjects = {};
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = subjects_of(s, op, keeper, &subjects, ret_fault);
        if (r != 0)
                return r;
        plan = plan_new();
        if (!plan)
                return -ENOMEM;
        for (Rung rung = 0; rung < _RUNG_MAX; rung++) {
                r = climb_rung(rung, (Place){ .s = s, .op = op }, &subjects, plan);
                if (r < 0)
                        return r;
        }
        skip_empty_way(plan);
        *ret = TAKE_PTR(plan);
        return 0;
}

bool ladder_fails_alone(const Op *op, const Plan *plan, const Step *step) {
        size_t n = 0;

        switch (op->kind) {
        case OP_SET_VFS:
        case OP_APPLY:
                return step->rung == RUNG_BIND_VF || step->rung == RUNG_OVERRIDE_VF ||
                       step->rung == RUNG_UNBIND_VF || step->rung == RUNG_CONFIGURE_VF;
        case OP_ESWITCH: /* one that was made anew for it; the others are there and have theirs to come back to */
                return step->rung == RUNG_BIND_VF && bdf_is_none(step->vf);
        case OP_SET_VF:
                for (size_t i = 0; i < plan->n_steps; i++)
                        n += plan->steps[i].rung == RUNG_CONFIGURE_VF;
                return step->rung == RUNG_CONFIGURE_VF && n > 1;
        default:
                return false;
        }
}

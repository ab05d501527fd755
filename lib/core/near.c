/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Near
 */
#include "base/str.h"

#include "core/near.h"

static Bdf pf_of(const Snapshot *s, Bdf fn) {
        const Fn *f = snapshot_find(s, fn);

        return f && f->flags & FN_VF ? f->pf : fn;
}

Bdf near_pf(const Snapshot *s, const Op *op) {
        if (op->kind == OP_RESCAN || op->door == DOOR_RESCAN || bdf_is_none(op->fn))
                return BDF_NONE;
        return pf_of(s, op->fn);
}

bool near_is_local(const Op *op) {
        return op->kind == OP_SET_VFS || op->kind == OP_BIND || op->kind == OP_UNBIND ||
               op->kind == OP_RESET || op->kind == OP_APPLY || op->kind == OP_SET_VF ||
               op->kind == OP_ESWITCH || (op->kind == OP_FOREIGN && door_is_local(op->door));
}

/* The PF counts where fn is its VF. */
static bool is_in_slot(const Snapshot *s, const char *name, Bdf fn) {
        const Slot *slot = snapshot_find_slot(s, name);

        return slot && (snapshot_in_slot(slot, fn) || snapshot_in_slot(slot, pf_of(s, fn)));
}

/* Below any function of the device that has this one, or one of them. */
static bool is_below_device(const Snapshot *s, Bdf fn, Bdf of) {
        FOREACH_FN (f, s)
                if (bdf_same_device(f->bdf, of) && snapshot_is_below(s, fn, f->bdf))
                        return true;
        return bdf_same_device(fn, of);
}

bool near_takes_away(const Snapshot *s, const Op *op, Bdf fn) {
        if (bdf_is_none(fn))
                return false;
        if (op->kind == OP_REMOVE || op->door == DOOR_REMOVE)
                return snapshot_is_below(s, fn, op->fn) ||
                       (op->flags & OP_ALL_FUNCTIONS && is_below_device(s, fn, op->fn));
        return (op->kind == OP_SLOT_OFF || op->door == DOOR_SLOT) && is_in_slot(s, op->slot, fn);
}

/* A bridge in the slot has more below it. */
static bool is_below_slot(const Snapshot *s, const char *name, Bdf fn) {
        const Slot *slot = snapshot_find_slot(s, name);

        FOREACH_FN (f, s)
                if (slot && snapshot_in_slot(slot, f->bdf) && snapshot_is_below(s, fn, f->bdf))
                        return true;
        return is_in_slot(s, name, fn);
}

static Bdf parent_of(const Snapshot *s, Bdf fn) {
        const Fn *f = snapshot_find(s, fn);

        return f ? f->parent : BDF_NONE;
}

static bool has_driver(const Snapshot *s, Bdf pf, const char *driver) {
        FOREACH_FN (f, s)
                if (streq(f->driver, driver) && (bdf_equal(f->bdf, pf) || bdf_equal(f->pf, pf)))
                        return true;
        return false;
}

/* Drives a bridge above fn. */
static bool drives_above(const Snapshot *s, Bdf fn, const char *driver) {
        FOREACH_FN (f, s)
                if (f->flags & FN_BRIDGE && streq(f->driver, driver) &&
                    snapshot_is_below(s, fn, f->bdf))
                        return true;
        return false;
}

/* The function that a driver's file will be told is not known when it is opened, so that it may be this one. */
static bool door_meets(const Snapshot *s, const Op *op, const Step *stuck, Bdf pf, Bdf port) {
        switch (op->door) {
        case DOOR_REMOVE:
                return near_takes_away(s, op, pf);
        case DOOR_SLOT:
                return is_below_slot(s, op->slot, pf);
        case DOOR_UNBIND:
                /* The link to a driver goes before its remove() is called, which may be stuck (drivers/base/dd.c). */
                return streq(op->driver, stuck->was) || has_driver(s, pf, op->driver) ||
                       drives_above(s, pf, op->driver);
        case DOOR_RESET:
                return snapshot_is_below(s, pf, op->fn) ||
                       (!bdf_is_none(port) && bdf_equal(port, parent_of(s, near_pf(s, op))));
        default:
                return !door_names_function(op->door);
        }
}

static bool meets(const Snapshot *s, const Op *op, const Step *stuck) {
        Bdf pf = pf_of(s, stuck->fn), port = parent_of(s, pf);

        if (bdf_is_none(pf))
                return false;
        if (op->kind == OP_RESCAN || op->flags & OP_RESCAN_AFTER)
                return true;
        /* What is stuck at a bridge holds the locks of all below it. */
        if (!bdf_is_none(op->fn) && snapshot_is_below(s, near_pf(s, op), pf))
                return true;
        if (op->driver[0] != '\0' && !snapshot_has_driver(s, op->driver))
                return true; /* modprobe offers the driver every device that fits */
        if (op->kind == OP_FOREIGN)
                return door_meets(s, op, stuck, pf, port);
        switch (op->kind) {
        case OP_REMOVE:
                return near_takes_away(s, op, pf);
        case OP_SLOT_OFF:
        case OP_SLOT_ON:
                return is_below_slot(s, op->slot, pf);
        case OP_UNLOAD:
                return streq(op->driver, stuck->was) || streq(op->driver, stuck->name) ||
                       has_driver(s, pf, op->driver);
        case OP_RESET:
                return !bdf_is_none(port) && bdf_equal(port, parent_of(s, near_pf(s, op)));
        default:
                return false;
        }
}

bool near_stuck(const Snapshot *s, const Op *op, const Job *job) {
        const Climb *c = &job->climb;

        /* All of its plan: what it has done is half a thing, and what it has not done comes next. */
        for (size_t i = 0; c->plan && i < c->plan->n_steps; i++)
                if (meets(s, op, c->plan->steps + i))
                        return true;
        return false;
}

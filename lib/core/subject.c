/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subject
 *
 * One function an operation, and the refusals in the order in which a user would want to hear them: is there such
 * a device, can it do that, does the world allow it.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/subject-context.h"

int subject_refuse(Context *c, Fault fault) {
        *c->fault = fault;
        return LADDER_E_REFUSED;
}

int subject_add(Context *c, const Fn *fn, bool driver, Subject **ret) {
        Subjects *l = c->subjects;
        Subject *more;

        more = reallocarray(l->items, l->n_items + 1, sizeof(Subject));
        if (!more)
                return -ENOMEM;
        l->items = more;
        l->items[l->n_items] = (Subject){
                .fn = fn,
                .vfs_go = fn->n_vfs > 0,
                .keeps_vfs = fn->n_vfs > 0 && (fn->driver[0] == '\0' ||
                                               (c->keeper && bdf_equal(fn->bdf, *c->keeper))),
                .driver_goes = driver && fn->driver[0] != '\0',
        };
        *ret = l->items + l->n_items++;
        return 0;
}

static int refuse_orphans(Context *c, const Fn *fn) {
        const Fn *orphan = snapshot_orphan_near(c->s, fn);

        if (!orphan)
                return 0;
        return subject_refuse(c,
                              fault_text(FAULT(FAULT_ORPHANS, .fn = fn->bdf, .other = orphan->bdf),
                                         bdf_is_none(fn->parent) ? "BRIDGE" : BDF_STR(fn->parent)));
}

int subject_find(Context *c, const Fn **ret) {
        const Fn *fn = snapshot_find(c->s, c->op->fn);

        if (!fn)
                return subject_refuse(c,
                                      fault_text(FAULT(FAULT_NO_SUCH_DEVICE), BDF_STR(c->op->fn)));
        *ret = fn;
        return fn->flags & FN_BRIDGE ? 0 : refuse_orphans(c, fn);
}

int subject_find_pf(Context *c, const Fn **ret) {
        const Fn *pf;
        int r = subject_find(c, &pf);

        if (r != 0)
                return r;
        if (pf->flags & FN_VF)
                return subject_refuse(c, FAULT(FAULT_NOT_PF, .fn = pf->bdf, .other = pf->pf));
        if (!(pf->flags & FN_PF))
                return subject_refuse(c, FAULT(FAULT_NOT_SRIOV, .fn = pf->bdf));
        *ret = pf;
        return 0;
}

int subject_check_driver(Context *c) {
        if (c->op->driver[0] != '\0' && !name_is_valid(c->op->driver))
                return subject_refuse(c, fault_text(FAULT(FAULT_BAD_NAME), c->op->driver));
        return 0;
}

int subject_set_count(Context *c, const Fn *pf, uint32_t count, Subject **ret) {
        Subject *subject;
        int r;

        if (count > pf->total_vfs)
                return subject_refuse(c, FAULT(FAULT_TOO_MANY_VFS, .fn = pf->bdf, .number = count,
                                               .limit = pf->total_vfs));
        /* A PF whose driver was unbound for its stubbornness a moment ago has one again when VFs are to come. */
        if (count > 0 && pf->driver[0] == '\0')
                return subject_refuse(c, FAULT(FAULT_NO_DRIVER, .fn = pf->bdf));
        r = subject_add(c, pf, false, &subject);
        if (r < 0)
                return r;
        subject->vfs_come = count;
        if (subject->keeps_vfs && pf->driver[0] != '\0')
                subject->driver_comes = pf->driver;
        *ret = subject;
        return 0;
}

/* The count is right already, and VFs of another driver than the wanted one are bound anew, those only. */
static int rebind_vfs(Context *c, const Fn *pf) {
        Subject *subject;
        int r;

        FOREACH_FN (f, c->s) {
                if (!(f->flags & FN_VF) || !bdf_equal(f->pf, pf->bdf) ||
                    streq(f->driver, c->op->driver))
                        continue;
                r = subject_add(c, f, true, &subject);
                if (r < 0)
                        return r;
                subject->driver_comes = c->op->driver;
        }
        return 0;
}

static int set_vfs(Context *c) {
        uint32_t count = c->op->count;
        Subject *subject;
        const Fn *pf;
        int r;

        r = subject_find_pf(c, &pf);
        if (r == 0)
                r = subject_check_driver(c);
        if (r != 0)
                return r;
        if (count > 0 && count == pf->n_vfs)
                return c->op->driver[0] != '\0' ? rebind_vfs(c, pf) : 0;
        return subject_set_count(c, pf, count, &subject);
}

static int bind(Context *c) {
        Subject *subject;
        const Fn *fn;
        int r;

        r = subject_find(c, &fn);
        if (r != 0)
                return r;
        if (fn->flags & FN_BRIDGE)
                return subject_refuse(c, FAULT(FAULT_FOREIGN_BRIDGE, .fn = fn->bdf));
        r = subject_check_driver(c);
        if (r != 0)
                return r;
        if (c->op->driver[0] != '\0' && streq(fn->driver, c->op->driver))
                return 0;
        r = subject_add(c, fn, true, &subject);
        if (r < 0)
                return r;
        subject->driver_comes = c->op->driver;
        return 0;
}

static int unbind(Context *c) {
        Subject *subject;
        const Fn *fn;
        int r;

        r = subject_find(c, &fn);
        if (r != 0)
                return r;
        if (fn->flags & FN_BRIDGE)
                return subject_refuse(c, FAULT(FAULT_FOREIGN_BRIDGE, .fn = fn->bdf));
        return fn->driver[0] != '\0' ? subject_add(c, fn, true, &subject) : 0;
}

/* Everything at or below top. Bridges keep their driver; orphans are endpoints like others here. */
static int add_below(Context *c, Bdf top) {
        Subject *subject;
        int r;

        FOREACH_FN (f, c->s) {
                if (f->flags & FN_VF && !(f->flags & FN_ORPHAN))
                        continue;
                if (!snapshot_is_below(c->s, f->flags & FN_ORPHAN ? f->parent : f->bdf, top))
                        continue;
                r = subject_add(c, f, !(f->flags & FN_BRIDGE), &subject);
                if (r < 0)
                        return r;
                subject->goes = bdf_equal(f->bdf, top);
        }
        return 0;
}

/* A PF of the same device that would stay, if fn is the lowest function of it (KERNEL.md 4.7). */
static const Fn *pf_left_behind(const Snapshot *s, const Fn *fn) {
        const Fn *other = NULL;

        FOREACH_FN (f, s) {
                if (f == fn || f->flags & FN_VF || !bdf_same_device(f->bdf, fn->bdf))
                        continue;
                if (bdf_compare(f->bdf, fn->bdf) < 0)
                        return NULL;
                if (f->flags & FN_PF)
                        other = f;
        }
        return other;
}

static int remove_function(Context *c) {
        const Fn *fn, *other;
        int r;

        r = subject_find(c, &fn);
        if (r != 0)
                return r;
        if (fn->flags & FN_VF)
                return subject_refuse(
                        c, FAULT(FAULT_VF_HAS_NO_REMOVE, .fn = fn->bdf, .other = fn->pf));
        c->subjects->top = fn->flags & FN_BRIDGE ? fn->bdf : BDF_NONE;
        if (!(c->op->flags & OP_ALL_FUNCTIONS)) {
                other = pf_left_behind(c->s, fn);
                /* Another program removes it all the same: then with its VFs and driver gone before. */
                if (other && (c->op->kind != OP_FOREIGN || c->op->flags & OP_PROTECT))
                        return subject_refuse(c, FAULT(FAULT_LOWEST_FUNCTION, .fn = fn->bdf,
                                                       .other = other->bdf));
                return add_below(c, fn->bdf);
        }
        FOREACH_FN (f, c->s) {
                if (f->flags & FN_VF || !bdf_same_device(f->bdf, fn->bdf))
                        continue;
                r = add_below(c, f->bdf);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int rescan(Context *c) {
        /* A rescan beside orphans is the Oops of KERNEL.md 2.4. */
        FOREACH_FN (f, c->s)
                if (f->flags & FN_ORPHAN)
                        return refuse_orphans(c, f);
        return 0;
}

static int reset(Context *c) {
        Subject *subject;
        const Fn *fn;
        int r;

        r = subject_find(c, &fn);
        if (r != 0)
                return r;
        if (fn->n_vfs > 0)
                return subject_refuse(c, FAULT(FAULT_HAS_VFS, .fn = fn->bdf, .number = fn->n_vfs));
        if (fn->flags & FN_BRIDGE || !(fn->flags & FN_RESET))
                return subject_refuse(c, FAULT(FAULT_NO_RESET, .fn = fn->bdf));
        /* Without its driver, which might wait for ever for what a reset takes away (KERNEL.md 4.14). */
        r = subject_add(c, fn, true, &subject);
        if (r < 0)
                return r;
        subject->resets = subject->returns = true;
        subject->must_be_up =
                fn->flags & FN_VF && quirks_of(c->s->quirks, fn->driver) & QUIRK_RESET_NEEDS_UP;
        subject->driver_comes = fn->driver[0] != '\0' ? fn->driver : NULL;
        return 0;
}

static int slot_power(Context *c) {
        const Slot *slot = snapshot_find_slot(c->s, c->op->slot);
        int r;

        if (!slot)
                return subject_refuse(c, fault_text(FAULT(FAULT_NO_SUCH_SLOT), c->op->slot));
        if (c->op->kind == OP_SLOT_ON)
                return 0;
        c->subjects->slot = slot;
        FOREACH_FN (f, c->s) {
                if (f->flags & FN_VF || !snapshot_in_slot(slot, f->bdf))
                        continue;
                r = refuse_orphans(c, f);
                if (r != 0)
                        return r;
                r = add_below(c, f->bdf);
                if (r < 0)
                        return r;
                c->subjects->top = f->parent;
        }
        for (size_t i = 0; i < c->subjects->n_items; i++)
                c->subjects->items[i].goes = false; /* pciehp removes them */
        return 0;
}

static int unload(Context *c) {
        Subject *subject;
        int r;

        r = subject_check_driver(c);
        if (r != 0)
                return r;
        if (!snapshot_has_driver(c->s, c->op->driver))
                return subject_refuse(c, fault_text(FAULT(FAULT_NOT_BOUND), c->op->driver));
        FOREACH_FN (f, c->s) {
                const Fn *pf = f->flags & FN_VF ? snapshot_find(c->s, f->pf) : NULL;

                if (!streq(f->driver, c->op->driver) || (pf && streq(pf->driver, c->op->driver)))
                        continue;
                r = refuse_orphans(c, f);
                if (r != 0)
                        return r;
                r = subject_add(c, f, true, &subject);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Nothing is known but the driver: its PFs with VFs would lose them unseen (KERNEL.md 4.3). */
static int refuse_driver_with_vfs(Context *c) {
        FOREACH_FN (f, c->s)
                if (f->n_vfs > 0 && streq(f->driver, c->op->driver))
                        return subject_refuse(c, fault_text(FAULT(FAULT_DRIVER_HAS_VFS,
                                                                  .fn = f->bdf, .number = f->n_vfs),
                                                            f->driver));
        return 0;
}

/* Who uses it is asked, and nothing is done to it. */
static int ask(Context *c, const Fn *fn, bool vfs) {
        Subject *subject;
        int r;

        r = subject_add(c, fn, false, &subject);
        if (r < 0)
                return r;
        subject->vfs_go = subject->keeps_vfs = false;
        subject->vfs_asked = vfs;
        return 0;
}

/* With VFs present whatever the kernel takes destroys them. The PF stays, whoever uses it. */
static int ask_vfs(Context *c) {
        const Fn *fn;
        int r;

        r = subject_find(c, &fn);
        return r == 0 && fn->n_vfs > 0 ? ask(c, fn, true) : r;
}

/* A reset of a bridge's other side resets all below, as that of a function does itself. */
static int ask_what_is_reset(Context *c) {
        const Fn *fn;
        int r;

        r = subject_find(c, &fn);
        if (r != 0)
                return r;
        FOREACH_FN (f, c->s) {
                if (f != fn && (f->flags & FN_VF || !snapshot_is_below(c->s, f->bdf, fn->bdf)))
                        continue;
                if (f->n_vfs > 0)
                        return subject_refuse(
                                c, FAULT(FAULT_HAS_VFS, .fn = f->bdf, .number = f->n_vfs));
                r = ask(c, f, false);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What a program that opens this door takes along. Where the door does not tell, nothing is done for it. */
static int foreign_door(Context *c) {
        bool protect = c->op->flags & OP_PROTECT;

        switch (c->op->door) {
        case DOOR_REMOVE:
                return remove_function(c);
        case DOOR_SLOT:
                return slot_power(c);
        case DOOR_COUNT:
                return protect ? ask_vfs(c) : 0;
        case DOOR_RESET:
                return protect ? ask_what_is_reset(c) : 0;
        case DOOR_RESCAN:
                return protect ? rescan(c) : 0;
        case DOOR_UNBIND:
                return protect ? refuse_driver_with_vfs(c) : 0;
        default:
                return 0;
        }
}

/* What cannot be done in order is left to him who asked the kernel for it, unless the host is to be protected from him. */
static int foreign(Context *c) {
        int r = foreign_door(c);

        if (r != LADDER_E_REFUSED || c->op->flags & OP_PROTECT)
                return r;
        subjects_done(c->subjects);
        *c->subjects = (Subjects){ .top = BDF_NONE };
        return 0;
}

static int (*const meanings[_OP_MAX])(Context *c) = {
        [OP_SET_VFS] = set_vfs,         [OP_BIND] = bind,           [OP_UNBIND] = unbind,
        [OP_REMOVE] = remove_function,  [OP_RESCAN] = rescan,       [OP_RESET] = reset,
        [OP_SLOT_OFF] = slot_power,     [OP_SLOT_ON] = slot_power,  [OP_UNLOAD] = unload,
        [OP_FOREIGN] = foreign,         [OP_APPLY] = subject_apply, [OP_SET_VF] = subject_set_vf,
        [OP_ESWITCH] = subject_eswitch,
};

static int highest_first(const void *a, const void *b) {
        return -bdf_compare(((const Subject *) a)->fn->bdf, ((const Subject *) b)->fn->bdf);
}

int subjects_of(const Snapshot *s, const Op *op, const Bdf *keeper, Subjects *ret,
                Fault *ret_fault) {
        Subjects subjects = { .top = BDF_NONE };
        Context c = { s, op, keeper, &subjects, ret_fault };
        int r;

        r = meanings[op->kind](&c);
        if (r != 0) {
                subjects_done(&subjects);
                return r;
        }
        if (subjects.n_items > 0)
                qsort(subjects.items, subjects.n_items, sizeof(Subject), highest_first);
        *ret = subjects;
        return 0;
}

void subjects_done(Subjects *subjects) {
        free(subjects->items);
        *subjects = (Subjects){ .top = BDF_NONE };
}

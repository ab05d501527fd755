/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subject: what is wanted of a PF, and what is not so yet
 *
 * The fewest functions that have to be touched: a VF that is as wanted is no subject at all, and one that differs in what the
 * kernel changes under its driver keeps that driver.
 */
#include "base/macro.h"
#include "base/str.h"

#include "core/subject-context.h"

/*
 * What only a VF without a driver can be given. Where it cannot be seen its PF cannot give it either, and no driver is taken for
 * what will be refused. An NVMe controller that is offline has none to be seen, which is a number: 0.
 */
static bool must_be_unbound(const VfAttrs *wanted, const VfAttrs *seen) {
        for (VfAttr a = 0; a < _VFATTR_MAX; a++)
                if (vfattr_needs_unbound(a) && vfattrs_have(seen, a) &&
                    vfattrs_differ(wanted, seen, a))
                        return true;
        return false;
}

static bool any_differs(const Context *c, const VfAttrs *wanted, const Fn *vf) {
        for (VfAttr a = 0; a < _VFATTR_MAX; a++)
                if (vfattrs_differ(wanted, &vf->attrs, a) &&
                    !(c->op->flags & OP_LEAVE_OWN && wanted_is_own(vf, a)))
                        return true;
        return false;
}

/* One that is to have another driver, or what it cannot get while it has one, loses the one that it has. */
static int add_vf(Context *c, const Fn *vf, const char *driver, const VfAttrs *attrs, bool unbind) {
        bool other = driver && wanted_other_driver(driver, c->s, vf),
             gives = any_differs(c, attrs, vf);
        Subject *subject;
        int r;

        unbind = unbind || other || must_be_unbound(attrs, &vf->attrs);
        if (!gives && !other && (!unbind || vf->driver[0] == '\0'))
                return 0;
        r = subject_add(c, vf, unbind, &subject);
        if (r < 0)
                return r;
        subject->gives = gives ? attrs : NULL;
        if (other)
                subject->driver_comes = driver;
        else if (subject->driver_goes)
                subject->driver_comes = vf->driver;
        subject->returns = !other;
        return 0;
}

/*
 * Some drivers let their eswitch change only while no VF has a driver: quirk eswitch_unbinds_vfs. One whose mode could not be seen
 * may have the wanted one, or none at all.
 */
static bool eswitch_unbinds(const Context *c, const Fn *pf) {
        return pf->eswitch != ESWITCH_KEEP &&
               quirks_of(c->s->quirks, pf->driver) & QUIRK_ESWITCH_UNBINDS_VFS;
}

/* Others only while there are no VFs at all: then as many are made anew behind it. */
static bool eswitch_takes_vfs(const Context *c, const Fn *pf) {
        return pf->n_vfs > 0 && pf->eswitch != ESWITCH_KEEP &&
               quirks_of(c->s->quirks, pf->driver) & QUIRK_ESWITCH_WITHOUT_VFS;
}

/* And others have nothing to switch without: bnxt_dl_eswitch_mode_set() says EPERM then. */
static int refuse_eswitch(Context *c, const Fn *pf, Eswitch mode, uint32_t n_vfs) {
        if (mode != ESWITCH_SWITCHDEV || n_vfs > 0 ||
            !(quirks_of(c->s->quirks, pf->driver) & QUIRK_ESWITCH_AFTER_VFS))
                return 0;
        return subject_refuse(c, fault_text(FAULT(FAULT_ESWITCH_NEEDS_VFS, .fn = pf->bdf),
                                            eswitch_to_string(mode)));
}

/* The VFs stay: each is compared with its wish. */
static int add_vfs(Context *c, const Fn *pf, const Wanted *w, bool unbind) {
        static const VfWish nothing;
        int r = 0;

        FOREACH_FN (f, c->s)
                if (r == 0 && f->flags & FN_VF && bdf_equal(f->pf, pf->bdf)) {
                        const VfWish *wish = w ? wanted_vf(w, f->vf_index) : &nothing;

                        r = add_vf(c, f, wish->has_driver ? wish->driver : NULL, &wish->attrs,
                                   unbind);
                }
        return r;
}

/* A switch that changes its mode under VFs takes their traffic: whoever uses one is asked. */
static int add_eswitch(Context *c, const Fn *pf, Eswitch mode) {
        Subject *subject;
        int r = subject_add(c, pf, false, &subject);

        if (r < 0)
                return r;
        subject->vfs_go = subject->keeps_vfs = false;
        subject->vfs_asked = pf->n_vfs > 0;
        subject->eswitch = mode;
        return 0;
}

/* w NULL: nothing is wanted of the VFs. */
static int remake(Context *c, const Fn *pf, uint32_t n, const Wanted *w, Eswitch mode) {
        Subject *subject;
        int r = subject_set_count(c, pf, n, &subject);

        if (r != 0)
                return r;
        subject->wanted = w;
        subject->eswitch = mode;
        return 0;
}

int subject_apply(Context *c) {
        const Wanted *w = wanteds_find(c->s->wanted, c->op->fn);
        Eswitch mode;
        const Fn *pf;
        uint32_t n;
        int r;

        r = subject_find_pf(c, &pf);
        if (r != 0)
                return r;
        if (!w)
                return subject_refuse(c, FAULT(FAULT_NO_POLICY, .fn = pf->bdf));
        n = wanted_count_differs(w, pf) ? w->count : pf->n_vfs;
        mode = wanted_eswitch_differs(w, pf) ? w->eswitch : ESWITCH_KEEP;
        r = refuse_eswitch(c, pf, mode, n);
        if (r != 0)
                return r;
        if (n != pf->n_vfs || (mode != ESWITCH_KEEP && eswitch_takes_vfs(c, pf)))
                return remake(c, pf, n, w, mode);
        if (mode != ESWITCH_KEEP)
                r = add_eswitch(c, pf, mode);
        return r == 0 ? add_vfs(c, pf, w, mode != ESWITCH_KEEP && eswitch_unbinds(c, pf)) : r;
}

int subject_set_vf(Context *c) {
        const Op *op = c->op;
        const char *driver = op->flags & OP_HAS_DRIVER ? op->driver : NULL;
        const Fn *pf, *vf;
        int r;

        r = subject_find_pf(c, &pf);
        if (r == 0)
                r = subject_check_driver(c);
        if (r != 0)
                return r;
        vf = snapshot_find_vf(c->s, pf->bdf, op->count);
        if (!vf)
                return subject_refuse(c, FAULT(FAULT_NO_SUCH_VF, .fn = pf->bdf, .number = op->count,
                                               .limit = pf->n_vfs));
        return add_vf(c, vf, driver, &op->attrs, false);
}

int subject_eswitch(Context *c) {
        const Fn *pf;
        int r;

        r = subject_find_pf(c, &pf);
        if (r != 0)
                return r;
        if (pf->driver[0] == '\0')
                return subject_refuse(c, FAULT(FAULT_NO_DRIVER, .fn = pf->bdf));
        if (c->op->eswitch == pf->eswitch)
                return 0;
        r = refuse_eswitch(c, pf, c->op->eswitch, pf->n_vfs);
        if (r != 0)
                return r;
        if (eswitch_takes_vfs(c, pf))
                return remake(c, pf, pf->n_vfs, NULL, c->op->eswitch);
        r = add_eswitch(c, pf, c->op->eswitch);
        return r == 0 && eswitch_unbinds(c, pf) ? add_vfs(c, pf, NULL, true) : r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rungs of what a PF and its VFs are given: the eswitch's mode, the net device up, one attribute of one VF
 *
 * None of them takes the global lock; all may wait for RTNL, for devlink or for the card. What is so already is not written, so
 * that a plan made with an old look does no harm.
 */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/look.h"
#include "kernel/prove.h"
#include "kernel/rungs.h"

int climb_eswitch(Kernel *k, const Step *step, StepResult *ret) {
        Eswitch wanted = eswitch_from_string(step->name), now = ESWITCH_KEEP;
        Proof p;
        int r;

        (void) ret;
        if (wanted == ESWITCH_KEEP || wanted == _ESWITCH_MAX)
                return -EINVAL;
        r = k->eswitch_get(k, step->fn, &now);
        if (r < 0 || now == wanted)
                return r;
        r = k->eswitch_set(k, step->fn, wanted);
        if (r < 0)
                return r;
        p = proof_begin(k, PROOF_SYNC_MS);
        while ((r = k->eswitch_get(k, step->fn, &now)) < 0 || now != wanted)
                if (!proof_again(&p))
                        return r < 0 ? r : STEP_UNPROVEN;
        return STEP_DONE;
}

/* 1: all are up; 0: at least one is not. */
static int is_up(Kernel *k, Bdf fn) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = k->list(k, ATTR_FN(ATTR_NET, fn), &names);
        if (r == -ENOENT || (r >= 0 && !names[0]))
                return -ENODEV;
        if (r < 0)
                return r;
        STRV_FOREACH (name, names) {
                r = look_is_up(k, fn, *name);
                if (r <= 0)
                        return r;
        }
        return 1;
}

int climb_up_pf(Kernel *k, const Step *step, StepResult *ret) {
        Proof p;
        int r;

        (void) ret;
        r = is_up(k, step->fn);
        if (r != 0)
                return MIN2(r, STEP_DONE);
        r = k->up(k, step->fn);
        if (r < 0)
                return r;
        p = proof_begin(k, PROOF_SYNC_MS);
        while (is_up(k, step->fn) <= 0)
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        return STEP_DONE;
}

/* The one attribute that the step names. */
static int parse_attr(const char *text, VfAttrs *ret, VfAttr *ret_attr) {
        VfAttrs attrs = {};
        VfAttr attr = 0, other;

        if (vfattrs_parse(text, &attrs) < 0)
                return -EINVAL;
        while (attr < _VFATTR_MAX && !vfattrs_have(&attrs, attr))
                attr++;
        other = attr + 1;
        while (other < _VFATTR_MAX && !vfattrs_have(&attrs, other))
                other++;
        if (attr == _VFATTR_MAX || other < _VFATTR_MAX)
                return -EINVAL;
        *ret = attrs;
        *ret_attr = attr;
        return 0;
}

/* 1: it shows; 0: it does not, and *ret_told says whether any value of it does. */
static int shows(Kernel *k, const Step *step, VfAttr attr, const VfAttrs *wanted, bool *ret_told) {
        VfAttrs seen = {};
        int r = k->vf_attrs(k, step->fn, step->n, 1, &seen);

        *ret_told = r >= 0 && vfattrs_have(&seen, attr);
        return r < 0 ? r : !vfattrs_differ(wanted, &seen, attr);
}

/*
 * Taking a driver away from a VF is what other rungs are for: who planned this one saw none. Or he saw that its PF tells nothing of
 * this attribute, and so gives none to any VF. The kernel asks in this order as well: drivers/pci/iov.c,
 * sriov_vf_msix_count_store().
 */
static int refuse_bound(Kernel *k, Bdf vf, bool told, StepResult *ret) {
        char driver[NAME_MAX_LENGTH];
        int r;

        r = look_driver(k, vf, driver);
        if (r < 0 || driver[0] == '\0')
                return r;
        if (!told)
                return -EOPNOTSUPP;
        snprintf(ret->text, sizeof(ret->text), "it is bound to %s", driver);
        return -EBUSY;
}

/*
 * A card that resets itself when its VFs are made takes no rate before it has its link again: igb_ndo_set_vf_bw() in
 * drivers/net/ethernet/intel/igb/igb_main.c says EINVAL. One that is down gets no link, and is not waited for.
 */
static int set(Kernel *k, const Step *step, VfAttr attr, const VfAttrs *wanted) {
        Proof p = proof_begin(k, PROOF_LINK_MS);
        int r;

        do
                r = k->vf_set(k, step->fn, step->n, attr, wanted);
        while (r == -EINVAL && attr == VFATTR_RATE && is_up(k, step->fn) > 0 && proof_again(&p));
        return r;
}

int climb_configure_vf(Kernel *k, const Step *step, StepResult *ret) {
        VfAttrs wanted;
        VfAttr attr;
        bool told;
        Proof p;
        Bdf vf;
        int r;

        if (look_vf(k, step->fn, step->n, &vf) < 0)
                return STEP_GONE;
        r = parse_attr(step->name, &wanted, &attr);
        if (r < 0)
                return r;
        r = shows(k, step, attr, &wanted, &told);
        if (r != 0)
                return MIN2(r, STEP_DONE);
        r = vfattr_needs_unbound(attr) ? refuse_bound(k, vf, told, ret) : 0;
        if (r >= 0)
                r = set(k, step, attr, &wanted);
        if (r < 0)
                return r;
        p = proof_begin(k, PROOF_SYNC_MS);
        while ((r = shows(k, step, attr, &wanted, &told)) <= 0)
                if (!proof_again(&p))
                        return r < 0 ? r : STEP_UNPROVEN;
        return STEP_DONE;
}

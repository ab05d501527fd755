/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards: what is refused for a policy, or for want of one
 *
 * In the words of who asked for it by hand. It changes nothing.
 */
#include "base/macro.h"
#include "base/str.h"

#include "daemon/manager.h"
#include "daemon/ward.h"

/* What has no VFs to make can have no policy: that is no want of one. */
static int check_pf(const Manager *m, Bdf bdf, Fault *ret_fault) {
        const Fn *fn = snapshot_find(m->snapshot, bdf);

        if (!fn || fn->flags & FN_PF)
                return 0;
        *ret_fault = fn->flags & FN_VF ? FAULT(FAULT_NOT_PF, .fn = bdf, .other = fn->pf)
                                       : FAULT(FAULT_NOT_SRIOV, .fn = bdf);
        return 1;
}

int wards_check(const Manager *m, Bdf pf, Fault *ret_fault) {
        const Ward *w = wards_find(&m->wards, pf);

        if (w && (w->state == WARD_WANTED || w->state == WARD_UNKNOWN))
                return 0;
        if (check_pf(m, pf, ret_fault) > 0)
                return 1;
        *ret_fault = FAULT(FAULT_NO_POLICY, .fn = pf);
        if (w && w->state == WARD_CONFLICT)
                *ret_fault = fault_text(FAULT(FAULT_POLICY_CONFLICT, .fn = pf), w->conflict);
        else if (w && w->hands_off[0] != '\0')
                *ret_fault = fault_text(FAULT(FAULT_HANDS_OFF, .fn = pf), w->hands_off);
        return 1;
}

const char *wards_policy_state(const Manager *m, Bdf pf) {
        static const char *const names[] = {
                [WARD_FREE] = "",
                [WARD_WANTED] = "wanted",
                [WARD_UNKNOWN] = "unknown",
                [WARD_CONFLICT] = "conflict",
        };
        const Ward *w = wards_find(&m->wards, pf);

        if (!w)
                return "";
        return w->hands_off[0] != '\0' ? "hands-off" : names[w->state];
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wards: what was agreed
 *
 * A policy that was changed is not drift: nobody asked yet for what it says now, and to make it so may take all VFs away. What was
 * asked for last is kept as a number, also for the next daemon: a package that restarts it does not ask either.
 */
#include "daemon/hash.h"
#include "daemon/manager.h"
#include "daemon/ward.h"

static uint64_t hash_vf(uint64_t h, size_t index, const VfWish *vf) {
        if (!vf->has_driver && vf->attrs.has == 0)
                return h;
        h = hash_number(hash_number(h, index), vf->has_driver);
        h = hash_number(hash_string(h, vf->driver), vf->attrs.has);
        for (VfKey k = 0; k < _VFKEY_MAX; k++)
                h = hash_number(h, vf->attrs.value[k]);
        return h;
}

/* Of what is made of the PF and its VFs, and not of how. */
static uint64_t hash_of(const Wanted *wanted) {
        uint64_t h = hash_number(HASH_START, wanted->has_count);

        h = hash_number(hash_number(h, wanted->count), wanted->eswitch);
        for (size_t i = 0; i < wanted->n_vfs; i++)
                h = hash_vf(h, i, wanted->vfs + i);
        return h;
}

void wards_take_wish(Manager *m, Ward *w, const Wanted *wanted) {
        w->wish = wanted ? hash_of(wanted) : 0;
        if (!w->has_agreed)
                wards_agree(m, w);
}

void wards_agree(Manager *m, Ward *w) {
        if (w->has_agreed && w->agreed == w->wish)
                return;
        w->agreed = w->wish;
        w->has_agreed = true;
        m->wards.unkept = true;
}

bool wards_is_unasked(const Ward *w) {
        return w->agreed != w->wish;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wanted
 *
 * The comparisons that planning, diff and drift share. Nothing here knows files or patterns.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/snapshot.h"
#include "core/wanted.h"

void wanted_done(Wanted *w) {
        free(w->vfs);
        w->vfs = NULL;
        w->n_vfs = 0;
}

void wanteds_done(Wanteds *all) {
        for (size_t i = 0; i < all->n; i++)
                wanted_done(all->items + i);
        free(all->items);
        *all = (Wanteds){};
}

int wanteds_put(Wanteds *all, Wanted *w) {
        size_t at = 0;
        Wanted *more;

        while (at < all->n && bdf_compare(all->items[at].pf, w->pf) < 0)
                at++;
        if (at < all->n && bdf_equal(all->items[at].pf, w->pf)) {
                wanted_done(all->items + at);
        } else {
                more = reallocarray(all->items, all->n + 1, sizeof(Wanted));
                if (!more)
                        return -ENOMEM;
                all->items = more;
                memmove(more + at + 1, more + at, (all->n - at) * sizeof(Wanted));
                all->n++;
        }
        all->items[at] = *w;
        w->vfs = NULL;
        w->n_vfs = 0;
        return 0;
}

const Wanted *wanteds_find(const Wanteds *all, Bdf pf) {
        for (size_t i = 0; all && i < all->n; i++)
                if (bdf_equal(all->items[i].pf, pf))
                        return all->items + i;
        return NULL;
}

const VfWish *wanted_vf(const Wanted *w, uint32_t index) {
        static const VfWish nothing;

        return index < w->n_vfs ? w->vfs + index : &nothing;
}

bool wanted_count_differs(const Wanted *w, const Fn *pf) {
        return w->has_count && w->count != pf->n_vfs;
}

bool wanted_eswitch_differs(const Wanted *w, const Fn *pf) {
        return w->eswitch != ESWITCH_KEEP && w->eswitch != pf->eswitch;
}

static bool is_not_the_kernels_choice(const Snapshot *s, const Fn *vf) {
        const Fn *pf = snapshot_find(s, vf->pf);

        if (vf->flags & FN_OVERRIDDEN)
                return true;
        return vf->driver[0] == '\0' && pf && pf->flags & FN_AUTOPROBE;
}

bool wanted_other_driver(const char *driver, const Snapshot *s, const Fn *vf) {
        if (driver[0] == '\0')
                return is_not_the_kernels_choice(s, vf);
        return streq(driver, DRIVER_NONE) ? vf->driver[0] != '\0' : !streq(driver, vf->driver);
}

bool wanted_driver_differs(const VfWish *wish, const Snapshot *s, const Fn *vf) {
        return wish->has_driver && wanted_other_driver(wish->driver, s, vf);
}

bool wanted_needs_sight(const Wanted *w) {
        for (size_t i = 0; i < w->n_vfs; i++)
                if (w->vfs[i].attrs.has != 0 ||
                    (w->vfs[i].has_driver && w->vfs[i].driver[0] == '\0'))
                        return true;
        return w->eswitch != ESWITCH_KEEP;
}

void differences_done(Differences *d) {
        free(d->items);
        *d = (Differences){};
}

static int add(Differences *all, const Difference *d) {
        Difference *more = reallocarray(all->items, all->n + 1, sizeof(Difference));

        if (!more)
                return -ENOMEM;
        all->items = more;
        more[all->n++] = *d;
        return 0;
}

static int add_count(const Wanted *w, const Fn *pf, Differences *ret) {
        Difference d = { .pf = pf->bdf, .vf = -1, .what = "vfs", .disruptive = pf->n_vfs > 0 };

        snprintf(d.wanted, sizeof(d.wanted), "%u", w->count);
        snprintf(d.seen, sizeof(d.seen), "%u", pf->n_vfs);
        return add(ret, &d);
}

static int add_eswitch(const Wanted *w, const Fn *pf, Differences *ret) {
        Difference d = { .pf = pf->bdf, .vf = -1, .what = "eswitch", .disruptive = pf->n_vfs > 0 };

        snprintf(d.wanted, sizeof(d.wanted), "%s", eswitch_to_string(w->eswitch));
        snprintf(d.seen, sizeof(d.seen), "%s", eswitch_to_string(pf->eswitch));
        return add(ret, &d);
}

static int add_driver(const VfWish *wish, const Fn *vf, Differences *ret) {
        Difference d = { .pf = vf->pf,
                         .vf = vf->vf_index,
                         .what = "driver",
                         .disruptive = vf->driver[0] != '\0' };

        (void) str_copy(d.wanted, sizeof(d.wanted),
                        wish->driver[0] != '\0' ? wish->driver : DRIVER_DEFAULT);
        (void) str_copy(d.seen, sizeof(d.seen), vf->driver[0] != '\0' ? vf->driver : DRIVER_NONE);
        return add(ret, &d);
}

bool wanted_is_own(const Fn *vf, VfAttr attr) {
        return attr == VFATTR_MAC && vfattrs_have(&vf->attrs, VFATTR_TRUST) &&
               vf->attrs.value[VFKEY_TRUST] != 0;
}

static int add_attr(const VfWish *wish, const Fn *vf, VfAttr attr, Differences *ret) {
        Difference d = { .pf = vf->pf,
                         .vf = vf->vf_index,
                         .own = wanted_is_own(vf, attr),
                         /* Who is bound and does not show it is not unbound for it. */
                         .disruptive = vfattr_needs_unbound(attr) && vf->driver[0] != '\0' &&
                                       vfattrs_have(&vf->attrs, attr) };

        snprintf(d.what, sizeof(d.what), "%s", vfattr_to_string(attr));
        vfattrs_format(&wish->attrs, attr, d.wanted, sizeof(d.wanted));
        vfattrs_format(&vf->attrs, attr, d.seen, sizeof(d.seen));
        return add(ret, &d);
}

static int add_vf(const VfWish *wish, const Snapshot *s, const Fn *vf, Differences *ret) {
        int r = wanted_driver_differs(wish, s, vf) ? add_driver(wish, vf, ret) : 0;

        for (VfAttr a = 0; r >= 0 && a < _VFATTR_MAX; a++)
                if (vfattrs_differ(&wish->attrs, &vf->attrs, a))
                        r = add_attr(wish, vf, a, ret);
        return r;
}

int wanted_minus_seen(const Wanted *w, const Snapshot *s, Differences *ret) {
        const Fn *pf = snapshot_find(s, w->pf);
        int r = 0;

        if (!pf)
                return 0;
        if (wanted_eswitch_differs(w, pf))
                r = add_eswitch(w, pf, ret);
        /* The VFs of another number are others. */
        if (r >= 0 && wanted_count_differs(w, pf))
                return add_count(w, pf, ret);
        FOREACH_FN (f, s)
                if (r >= 0 && f->flags & FN_VF && bdf_equal(f->pf, w->pf))
                        r = add_vf(wanted_vf(w, f->vf_index), s, f, ret);
        return r;
}

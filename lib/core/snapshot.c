/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshot
 *
 * A sorted array and the questions that are asked of it. It looks at nothing but itself.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/snapshot.h"

Snapshot *snapshot_new(void) {
        return calloc(1, sizeof(Snapshot));
}

Snapshot *snapshot_free(Snapshot *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_fns; i++)
                free(s->fns[i].netdevs);
        free(s->fns);
        free(s->slots);
        free(s->services);
        strv_free(s->drivers);
        free(s);
        return NULL;
}

/* Room for one more at powers of two: how many there are tells how many fit. */
static int make_room(void *array, size_t n, size_t size) {
        void **p = array, *more;

        if (n != 0 && (n & (n - 1)) != 0)
                return 0;
        more = reallocarray(*p, n == 0 ? 1 : n * 2, size);
        if (!more)
                return -ENOMEM;
        *p = more;
        return 0;
}

/* The index of the first function that is not before bdf. */
static size_t lower_bound(const Snapshot *s, Bdf bdf) {
        size_t low = 0, high = s->n_fns;

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (bdf_compare(s->fns[mid].bdf, bdf) < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

void snapshot_inherit(Fn *fn, const Fn *old) {
        if (old && old->identity == fn->identity) {
                fn->attrs = old->attrs;
                fn->eswitch = old->eswitch;
                fn->flags |= old->flags & FN_OVERRIDDEN;
        }
        if (!(fn->flags & FN_AUTOPROBE_UNSEEN))
                return;
        fn->flags &= ~(uint32_t) FN_AUTOPROBE_UNSEEN;
        fn->flags |=
                old && old->identity == fn->identity ? old->flags & FN_AUTOPROBE : FN_AUTOPROBE;
}

/* The function at that address, if it is still the same. */
static Fn *find_same(Snapshot *s, Bdf bdf, uint64_t identity) {
        size_t at = lower_bound(s, bdf);
        bool same =
                at < s->n_fns && bdf_equal(s->fns[at].bdf, bdf) && s->fns[at].identity == identity;

        return same ? s->fns + at : NULL;
}

void snapshot_tell(Snapshot *s, Bdf bdf, uint64_t identity, const VfAttrs *attrs, Eswitch eswitch) {
        Fn *fn = find_same(s, bdf, identity);

        if (!fn)
                return;
        fn->attrs = *attrs;
        fn->eswitch = eswitch;
}

void snapshot_tell_override(Snapshot *s, Bdf bdf, uint64_t identity, bool set) {
        Fn *fn = find_same(s, bdf, identity);

        if (fn && set)
                fn->flags |= FN_OVERRIDDEN;
        else if (fn)
                fn->flags &= ~(uint32_t) FN_OVERRIDDEN;
}

int snapshot_append(Snapshot *s, Fn *fn) {
        int r;

        r = make_room(&s->fns, s->n_fns, sizeof(Fn));
        if (r < 0)
                return r;
        s->fns[s->n_fns++] = *fn;
        fn->netdevs = NULL;
        return 0;
}

int snapshot_put(Snapshot *s, Fn *fn) {
        size_t at = lower_bound(s, fn->bdf);
        int r;

        if (at < s->n_fns && bdf_equal(s->fns[at].bdf, fn->bdf)) {
                free(s->fns[at].netdevs);
                s->fns[at] = *fn;
                fn->netdevs = NULL;
                return 0;
        }
        r = make_room(&s->fns, s->n_fns, sizeof(Fn));
        if (r < 0)
                return r;
        memmove(s->fns + at + 1, s->fns + at, (s->n_fns - at) * sizeof(Fn));
        s->fns[at] = *fn;
        s->n_fns++;
        fn->netdevs = NULL;
        return 0;
}

static int compare_fns(const void *a, const void *b) {
        return bdf_compare(((const Fn *) a)->bdf, ((const Fn *) b)->bdf);
}

void snapshot_seal(Snapshot *s) {
        if (s->n_fns > 0)
                qsort(s->fns, s->n_fns, sizeof(Fn), compare_fns);
        for (size_t i = 0; i < s->n_fns; i++) {
                Fn *f = s->fns + i;

                if (f->flags & FN_VF && !snapshot_find(s, f->pf))
                        f->flags |= FN_ORPHAN;
        }
}

void snapshot_drop(Snapshot *s, Bdf bdf) {
        size_t at = lower_bound(s, bdf);

        if (at == s->n_fns || !bdf_equal(s->fns[at].bdf, bdf))
                return;
        free(s->fns[at].netdevs);
        s->n_fns--;
        memmove(s->fns + at, s->fns + at + 1, (s->n_fns - at) * sizeof(Fn));
}

int snapshot_add_slot(Snapshot *s, const Slot *slot) {
        int r;

        r = make_room(&s->slots, s->n_slots, sizeof(Slot));
        if (r < 0)
                return r;
        s->slots[s->n_slots++] = *slot;
        return 0;
}

int snapshot_add_service(Snapshot *s, const Service *service) {
        int r;

        r = make_room(&s->services, s->n_services, sizeof(Service));
        if (r < 0)
                return r;
        s->services[s->n_services++] = *service;
        return 0;
}

const Fn *snapshot_find(const Snapshot *s, Bdf bdf) {
        size_t at = lower_bound(s, bdf);

        return at < s->n_fns && bdf_equal(s->fns[at].bdf, bdf) ? s->fns + at : NULL;
}

const Fn *snapshot_find_vf(const Snapshot *s, Bdf pf, uint32_t index) {
        FOREACH_FN (f, s)
                if (f->flags & FN_VF && !(f->flags & FN_ORPHAN) && f->vf_index == index &&
                    bdf_equal(f->pf, pf))
                        return f;
        return NULL;
}

const Slot *snapshot_find_slot(const Snapshot *s, const char *name) {
        for (size_t i = 0; i < s->n_slots; i++)
                if (streq(s->slots[i].name, name))
                        return s->slots + i;
        return NULL;
}

bool snapshot_has_driver(const Snapshot *s, const char *driver) {
        STRV_FOREACH (d, s->drivers)
                if (streq(*d, driver))
                        return true;
        return false;
}

/* VFs on a bus of their own have no bridge there: the way up leads over their PF. */
static Bdf above(const Fn *f) {
        return f->flags & FN_VF ? f->pf : f->parent;
}

bool snapshot_is_below(const Snapshot *s, Bdf fn, Bdf top) {
        /* The depth of a PCI tree is bounded by its 256 buses; a loop in a broken snapshot ends here. */
        for (unsigned depth = 0; depth <= 256 && !bdf_is_none(fn); depth++) {
                const Fn *f;

                if (bdf_equal(fn, top))
                        return true;
                f = snapshot_find(s, fn);
                if (!f)
                        return false;
                fn = above(f);
        }
        return false;
}

bool snapshot_in_slot(const Slot *slot, Bdf fn) {
        return fn.domain == slot->domain && bdf_bus(fn) == slot->bus &&
               ((fn.rid >> 3) & 0x1fu) == slot->device;
}

const Fn *snapshot_orphan_near(const Snapshot *s, const Fn *fn) {
        FOREACH_FN (f, s) {
                if (!(f->flags & FN_ORPHAN) || f->bdf.domain != fn->bdf.domain)
                        continue;
                if (bdf_bus(f->bdf) == bdf_bus(fn->bdf) || bdf_equal(f->pf, fn->bdf))
                        return f;
        }
        return NULL;
}

static bool has_netdev(const Fn *f, const char *name, size_t length) {
        for (const char *p = f->netdevs; p && *p;) {
                size_t n = strcspn(p, " ");

                if (n == length && strncmp(p, name, n) == 0)
                        return true;
                p += n + (p[n] == ' ');
        }
        return false;
}

/* Whole names only: "pci/" is devlink's way to write an address. */
static int resolve_plain(const Snapshot *s, const char *name, size_t length, const Fn **ret) {
        char word[NAME_MAX_LENGTH];
        const char *address;
        int found = 0;
        Bdf bdf;

        if (length >= sizeof(word))
                return 0;
        memcpy(word, name, length);
        word[length] = '\0';
        address = startswith(word, "pci/");
        if (bdf_parse(address ? address : word, &bdf) >= 0) {
                const Fn *f = snapshot_find(s, bdf);

                if (f)
                        *ret = f;
                return f != NULL;
        }
        FOREACH_FN (f, s)
                if (has_netdev(f, word, length) && found++ == 0)
                        *ret = f;
        return found;
}

int snapshot_resolve(const Snapshot *s, const char *name, const Fn **ret) {
        const char *slash = strrchr(name, '/'), *index;
        const Fn *pf = NULL, *vf;
        uint32_t n;
        int r;

        index = slash ? startswith(slash, "/vf") : NULL;
        if (!index)
                return resolve_plain(s, name, strlen(name), ret);
        if (parse_u32(index, UINT16_MAX, &n) < 0)
                return 0;
        r = resolve_plain(s, name, (size_t) (slash - name), &pf);
        if (r != 1)
                return r;
        vf = snapshot_find_vf(s, pf->bdf, n);
        if (!vf)
                return 0;
        *ret = vf;
        return 1;
}

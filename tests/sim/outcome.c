/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outcome
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/look.h"
#include "tests/sim/outcome.h"

static char text[256];

static bool note_vf(VfBefore *v, Kernel *k, Bdf vf) {
        *v = (VfBefore){ .bdf = vf };
        return k->identity(k, ATTR_FN(ATTR_DIRECTORY, vf), &v->identity) >= 0 &&
               look_driver(k, vf, v->driver) >= 0 && override_read(k, vf, v->override) >= 0;
}

void before_note(Before *b, Sim *sim, Bdf pf) {
        Kernel *k = sim_kernel(sim);
        Bdf vf;

        *b = (Before){ .pf = pf, .autoprobe = "1" };
        (void) k->identity(k, ATTR_FN(ATTR_DIRECTORY, pf), &b->identity);
        (void) k->read(k, ATTR_FN(ATTR_AUTOPROBE, pf), b->autoprobe, sizeof(b->autoprobe));
        (void) k->read(k, ATTR_FN(ATTR_NUMVFS, pf), b->numvfs, sizeof(b->numvfs));
        for (uint32_t i = 0; i < OUTCOME_VFS_MAX && look_vf(k, pf, i, &vf) >= 0; i++)
                if (note_vf(b->vfs + b->n_vfs, k, vf))
                        b->n_vfs++;
}

static bool is_ours(const char *override) {
        return streq(override, PARK_OVERRIDE) || streq(override, STUB_DRIVER);
}

const char *outcome_left_parked(Sim *sim) {
        _cleanup_strv_ char **names = NULL;
        Kernel *k = sim_kernel(sim);

        if (k->list(k, ATTR_BUS(ATTR_DEVICES), &names) < 0)
                return "no devices";
        STRV_FOREACH (name, names) {
                char override[NAME_MAX_LENGTH];
                Bdf fn;

                if (bdf_parse(*name, &fn) < 0 || override_read(k, fn, override) < 0 ||
                    !is_ours(override))
                        continue;
                snprintf(text, sizeof(text), "%s is left with override %s", *name, override);
                return text;
        }
        return NULL;
}

const char *outcome_left_probe(const Before *b, Sim *sim) {
        Kernel *k = sim_kernel(sim);
        uint64_t identity = 0;
        char now[8];

        if (k->read(k, ATTR_FN(ATTR_AUTOPROBE, b->pf), now, sizeof(now)) < 0)
                return NULL;
        (void) k->identity(k, ATTR_FN(ATTR_DIRECTORY, b->pf), &identity);
        return streq(now, identity == b->identity ? b->autoprobe : "1")
                       ? NULL
                       : "autoprobe is left changed";
}

/* The operation as a policy would have it, so that there is one question to ask. vfs has room for all. */
static Wanted goal_of(const Case *c, VfWish vfs[static OUTCOME_VFS_MAX]) {
        const Op *op = &c->op;
        Wanted w = { .pf = op->fn, .vfs = vfs };

        switch (op->kind) {
        case OP_APPLY:
                return c->wanted ? *c->wanted : w;
        case OP_SET_VFS:
                w.has_count = true;
                w.count = w.n_vfs = op->count;
                break;
        case OP_SET_VF:
                w.n_vfs = op->count + 1;
                vfs[op->count].attrs = op->attrs;
                break;
        default:
                w.eswitch = op->eswitch;
                return w;
        }
        for (size_t i = op->kind == OP_SET_VF ? op->count : 0; i < w.n_vfs; i++) {
                vfs[i].has_driver = op->driver[0] != '\0';
                memcpy(vfs[i].driver, op->driver, sizeof(vfs[i].driver));
        }
        return w;
}

/* The driver that is asked for by name, or "". */
static const char *wish_of(const Case *c, const Wanted *w, uint32_t index, Bdf vf) {
        const VfWish *wish = wanted_vf(w, index);

        if (c->op.kind == OP_BIND)
                return bdf_equal(vf, c->op.fn) ? c->op.driver : "";
        return wish->has_driver ? wish->driver : "";
}

/* What was at that address before, the same one or not. */
static const VfBefore *find(const Before *b, Bdf vf) {
        static const VfBefore nothing;

        for (size_t i = 0; i < b->n_vfs; i++)
                if (bdf_equal(b->vfs[i].bdf, vf))
                        return b->vfs + i;
        return &nothing;
}

/* With its PF's autoprobe at 0 a VF that was without its driver for a while keeps the override that it comes back by. */
static bool is_own_driver(const Before *b, const VfBefore *old, const VfBefore *now) {
        return streq(b->autoprobe, "0") && old->identity == now->identity &&
               streq(now->override, old->driver) && streq(now->driver, old->driver);
}

static bool may_have_override(const Before *b, const VfBefore *now, const char *wish) {
        const VfBefore *old = find(b, now->bdf);

        if (streq(now->override, old->override) || is_own_driver(b, old, now))
                return true;
        if (now->override[0] == '\0')
                return old->identity != now->identity;
        return streq(now->override, wish) && (old->identity != now->identity ||
                                              streq(wish, DRIVER_NONE) || streq(now->driver, wish));
}

const char *outcome_left_override(const Before *b, const Case *c, Sim *sim, const char *excuse) {
        VfWish vfs[OUTCOME_VFS_MAX] = {};
        Wanted w = goal_of(c, vfs);
        Before now;

        before_note(&now, sim, b->pf);
        for (uint32_t i = 0; i < now.n_vfs; i++) {
                const VfBefore *v = now.vfs + i;
                const char *wish = wish_of(c, &w, i, v->bdf);

                if (may_have_override(b, v, wish) || strstr(excuse, BDF_STR(v->bdf)))
                        continue;
                snprintf(text, sizeof(text), "%s has '%s' as its override, and '%s' as its driver",
                         BDF_STR(v->bdf), v->override, v->driver);
                return text;
        }
        return NULL;
}

const char *outcome_lost_driver(const Before *b, const Case *c, Sim *sim, const char *excuse) {
        VfWish vfs[OUTCOME_VFS_MAX] = {};
        Wanted w = goal_of(c, vfs);
        Before now;

        before_note(&now, sim, b->pf);
        for (uint32_t i = 0; i < now.n_vfs; i++) {
                const VfBefore *v = now.vfs + i, *old = find(b, v->bdf);

                if (v->driver[0] != '\0' || old->driver[0] == '\0' ||
                    old->identity != v->identity || strstr(excuse, BDF_STR(v->bdf)) ||
                    streq(wish_of(c, &w, i, v->bdf), DRIVER_NONE))
                        continue;
                snprintf(text, sizeof(text), "%s has lost %s", BDF_STR(v->bdf), old->driver);
                return text;
        }
        return NULL;
}

const char *outcome_changed(const Before *b, Sim *sim) {
        Before now;

        before_note(&now, sim, b->pf);
        if (!streq(now.numvfs, b->numvfs)) {
                snprintf(text, sizeof(text), "%s VFs before, and %s now", b->numvfs, now.numvfs);
                return text;
        }
        for (size_t i = 0; i < now.n_vfs; i++) {
                const VfBefore *v = now.vfs + i, *old = find(b, v->bdf);

                if (old->identity != v->identity ||
                    (streq(v->driver, old->driver) && streq(v->override, old->override)))
                        continue;
                snprintf(text, sizeof(text), "%s: '%s' by '%s' before, and '%s' by '%s' now",
                         BDF_STR(v->bdf), old->driver, old->override, v->driver, v->override);
                return text;
        }
        return NULL;
}

const char *outcome_differs(const Case *c, Sim *sim) {
        _cleanup_(differences_done) Differences all = {};
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        VfWish vfs[OUTCOME_VFS_MAX] = {};
        Wanted w = goal_of(c, vfs);

        s = host_see(sim_kernel(sim), w.pf);
        if (wanted_minus_seen(&w, s, &all) < 0)
                return "no memory";
        if (all.n == 0)
                return NULL;
        snprintf(text, sizeof(text), "VF %" PRId32 ": %s is '%s', not '%s'", all.items[0].vf,
                 all.items[0].what, all.items[0].seen, all.items[0].wanted);
        return text;
}

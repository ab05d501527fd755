/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Persist
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "conf/policy-write.h"

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/persist.h"

#define PRIORITY_DEFAULT 50

static const char *folder(void) {
        const char *path = getenv(POLICY_ENV);

        return path ? path : POLICY_FOLDER;
}

static bool is_file(const char *path, const char *name) {
        const char *slash = strrchr(path, '/');

        return streq(slash ? slash + 1 : path, name);
}

/* Above whatever else has the PF, so that it is this one that counts. -EPERM: another one says that it is not ours to manage. */
static int priority_of(const Manager *m, const Fn *pf, const char *file, int32_t *ret) {
        const Policy *p = NULL, *other = NULL;
        const Ward *w = wards_find(&m->wards, pf->bdf);
        int r = policy_find(&m->wards.policies, m->snapshot, pf,
                            w && w->has_facts ? &w->facts : NULL, &p, &other);

        *ret = PRIORITY_DEFAULT;
        if (r == POLICY_E_NONE && p)
                return -EPERM;
        if (p)
                *ret = p->priority + (!is_file(p->file, file) && p->priority < POLICY_PRIORITY_MAX);
        return 0;
}

static int save(Manager *m, const Fn *pf, const Wanted *wanted, const char *by, bool dry,
                char **ret_path, char **ret_text) {
        _cleanup_free_ char *text = NULL, *path = NULL;
        char name[POLICY_FILE_MAX];
        SettingsError error;
        int32_t priority;
        int r;

        policy_file_name(pf->bdf, name);
        r = priority_of(m, pf, name, &priority);
        if (r >= 0)
                r = policy_text(wanted, priority, by, &text);
        if (r >= 0 && asprintf(&path, "%s/%s", folder(), name) < 0)
                r = -ENOMEM;
        if (r >= 0 && !dry)
                r = policy_save(folder(), name, text);
        if (r < 0)
                return r;
        if (!dry) {
                log_line(LOG_NOTICE, NULL, "%s: wrote %s", BDF_STR(pf->bdf), path);
                (void) wards_load(m, &error);
        }
        *ret_path = TAKE_PTR(path);
        *ret_text = TAKE_PTR(text);
        return 0;
}

/* Room for the wishes of that many VFs, with what is wanted of them already. */
static int grow(Wanted *w, const Wanted *old, uint32_t n) {
        w->vfs = calloc((size_t) n + 1, sizeof(VfWish));
        if (!w->vfs)
                return -ENOMEM;
        w->n_vfs = n;
        for (uint32_t i = 0; old && i < n; i++)
                w->vfs[i] = *wanted_vf(old, i);
        return 0;
}

static int save_count(Manager *m, const Record *r) {
        const Fn *pf = snapshot_find(m->snapshot, r->op.fn);
        const Wanted *old = wards_wanted(m, r->op.fn);
        _cleanup_(wanted_done) Wanted w = old ? *old : (Wanted){ .reconcile = true };
        _cleanup_free_ char *path = NULL, *text = NULL;
        int k;

        w.vfs = NULL;
        w.n_vfs = 0;
        if (!pf)
                return -ENOENT;
        w.pf = pf->bdf;
        w.policy[0] = '\0';
        w.has_count = true;
        w.count = r->op.count;
        k = grow(&w, old, w.count);
        for (uint32_t i = 0; k >= 0 && r->op.driver[0] != '\0' && i < w.count; i++) {
                w.vfs[i].has_driver = true;
                memcpy(w.vfs[i].driver, r->op.driver, sizeof(w.vfs[i].driver));
        }
        return k < 0 ? k : save(m, pf, &w, "sriovctl set --persist", false, &path, &text);
}

void persist_count(Manager *m, Record *r) {
        char warning[256];
        int k = save_count(m, r);

        if (k >= 0)
                return;
        log_error_errno(k, "%s: job %u: cannot write a policy below %s", BDF_STR(r->op.fn), r->id,
                        folder());
        snprintf(warning, sizeof(warning),
                 "%s: done, but not persistent: cannot write a policy below %s (%s)",
                 BDF_STR(r->op.fn), folder(), strerror(-k));
        (void) record_warn(r, warning);
        r->news |= NEWS_WARNINGS;
        r->persist = false; /* and so it is by hand */
}

/* What a VF has without anybody's having given it is no wish. */
static void drop_defaults(VfAttrs *a) {
        static const VfAttr plain[] = { VFATTR_MAC,        VFATTR_VLAN,      VFATTR_RATE,
                                        VFATTR_LINK_STATE, VFATTR_NODE_GUID, VFATTR_PORT_GUID };

        for (size_t i = 0; i < ELEMENTSOF(plain); i++) {
                uint64_t any = 0;

                for (VfKey k = 0; k < _VFKEY_MAX; k++)
                        any |= vfkey_attr(k) == plain[i] ? a->value[k] : 0;
                for (VfKey k = 0; any == 0 && k < _VFKEY_MAX; k++)
                        if (vfkey_attr(k) == plain[i])
                                a->has &= ~(1u << k);
        }
}

static void wish_what_is(const Fn *vf, VfWish *ret) {
        ret->has_driver = true;
        (void) str_copy(ret->driver, sizeof(ret->driver),
                        vf->driver[0] != '\0' ? vf->driver : DRIVER_NONE);
        ret->attrs = vf->attrs;
        drop_defaults(&ret->attrs);
}

int persist_adopt(Manager *m, Bdf bdf, bool dry, char **ret_path, char **ret_text) {
        const Fn *pf = snapshot_find(m->snapshot, bdf);
        _cleanup_(wanted_done) Wanted w = { .pf = bdf, .has_count = true, .reconcile = true };
        int r;

        if (!pf)
                return -ENOENT;
        w.count = pf->n_vfs;
        w.eswitch = pf->eswitch;
        r = grow(&w, NULL, pf->n_vfs);
        FOREACH_FN (f, m->snapshot)
                if (r >= 0 && f->flags & FN_VF && bdf_equal(f->pf, bdf) && f->vf_index < w.n_vfs)
                        wish_what_is(f, w.vfs + f->vf_index);
        return r < 0 ? r : save(m, pf, &w, "sriovctl adopt", dry, ret_path, ret_text);
}

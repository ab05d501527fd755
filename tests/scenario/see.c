/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See: is the world as it should be?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "kernel/scan.h"
#include "tests/scenario/scenario.h"

static int differs(Run *run, const char *name, const char *what, const char *is) {
        snprintf(run->why, sizeof(run->why), "%s: %s, but it is %s", name, what, is);
        return 0;
}

static unsigned count_orphans(const Snapshot *s) {
        unsigned n = 0;

        FOREACH_FN (f, s)
                n += (f->flags & FN_ORPHAN) != 0;
        return n;
}

static int see_host(Run *run, const Snapshot *s, const char *want) {
        const char *v = startswith(want, "orphans=");
        char is[16];

        if (!v)
                return -EINVAL;
        snprintf(is, sizeof(is), "%u", count_orphans(s));
        return streq(v, is) ? 1 : differs(run, "host", want, is);
}

static int see_override(Run *run, const char *name, Bdf bdf, const char *want, const char *v) {
        char buf[NAME_MAX_LENGTH + 16];
        int r = process_read(run, ATTR_FN(ATTR_OVERRIDE, bdf), buf, sizeof(buf));

        if (r < 0)
                return differs(run, name, want, strerror(-r));
        if (streq(buf, "(null)") || buf[0] == '\0')
                snprintf(buf, sizeof(buf), "none");
        return streq(v, buf) ? 1 : differs(run, name, want, buf);
}

/* "vlan=100", "eswitch=switchdev": asked anew, for the scan does not wait for RTNL. */
static int see_given(Run *run, const char *name, const Fn *f, const char *want) {
        char is[NAME_MAX_LENGTH] = "none";
        Eswitch mode = ESWITCH_KEEP;
        VfAttrs attrs = {};
        const char *v;
        VfKey key;
        int r;

        if ((v = startswith(want, "eswitch="))) {
                r = run->kernel->eswitch_get(run->kernel, f->bdf, &mode);
                if (r >= 0)
                        snprintf(is, sizeof(is), "%s", eswitch_to_string(mode));
                return streq(v, is) ? 1 : differs(run, name, want, is);
        }
        v = strchr(want, '=');
        snprintf(is, sizeof(is), "%.*s", v ? (int) (v - want) : 0, want);
        key = vfkey_from_string(is);
        if (!v || key == _VFKEY_MAX || !(f->flags & FN_VF))
                return -EINVAL;
        r = run->kernel->vf_attrs(run->kernel, f->pf, f->vf_index, 1, &attrs);
        if (r < 0)
                return differs(run, name, want, strerror(-r));
        if (attrs.has & 1u << key)
                vfattrs_get(&attrs, key, is);
        else
                snprintf(is, sizeof(is), "none");
        return streq(v + 1, is) ? 1 : differs(run, name, want, is);
}

static int see_fn(Run *run, const char *name, Bdf bdf, const Fn *f, const char *want) {
        const char *v;
        char is[32];

        if (streq(want, "gone"))
                return f ? differs(run, name, want, "there") : 1;
        if (!f)
                return differs(run, name, want, "gone");
        if (streq(want, "here"))
                return 1;
        if ((v = startswith(want, "vfs="))) {
                snprintf(is, sizeof(is), "%u", f->n_vfs);
                return streq(v, is) ? 1 : differs(run, name, want, is);
        }
        if ((v = startswith(want, "driver="))) {
                const char *driver = f->driver[0] ? f->driver : "none";

                return streq(v, driver) ? 1 : differs(run, name, want, driver);
        }
        if ((v = startswith(want, "autoprobe="))) {
                snprintf(is, sizeof(is), "%d", (f->flags & FN_AUTOPROBE) != 0);
                return streq(v, is) ? 1 : differs(run, name, want, is);
        }
        if ((v = startswith(want, "override=")))
                return see_override(run, name, bdf, want, v);
        return see_given(run, name, f, want);
}

int see(Run *run, const Line *line) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        const char *name = line->words[1];
        Bdf bdf = BDF_NONE;
        int r;

        if (scan_all(run->kernel, &s) < 0)
                return differs(run, name, "to be seen", "not");
        for (size_t i = 2; i < line->n; i++) {
                if (streq(name, "host")) {
                        r = see_host(run, s, line->words[i]);
                } else {
                        bool there = name_resolve(run, name, &bdf) >= 0;

                        r = see_fn(run, name, bdf, there ? snapshot_find(s, bdf) : NULL,
                                   line->words[i]);
                }
                if (r != 1)
                        return r;
        }
        return 1;
}

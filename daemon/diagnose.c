/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Diagnose
 *
 * One function a check, in a table. A check that finds nothing says that all is well.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "core/stack.h"

#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/scan.h"

#include "daemon/diagnose.h"

/* Whoever is at the same place a second later does not just pass through. */
#define SECOND_LOOK_MS 1000

typedef struct Look {
        Kernel *kernel;
        const Snapshot *snapshot;
        Tasks first, second;
        bool busy; /* jobs are at work */
        int tasks_error; /* 0, or why tasks cannot be told */
        bool stuck; /* somebody is inside the kernel's paths at both looks */
        Findings *ret;
} Look;

void findings_done(Findings *all) {
        free(all->items);
        *all = (Findings){};
}

int findings_add(Findings *all, const Finding *f) {
        Finding *more = reallocarray(all->items, all->n + 1, sizeof(Finding));

        if (!more)
                return -ENOMEM;
        all->items = more;
        all->items[all->n++] = *f;
        return 0;
}

static const char *const state_names[_FINDING_STATE_MAX] = {
        [FINDING_OK] = "ok",
        [FINDING_WARN] = "warn",
        [FINDING_BAD] = "bad",
};

const char *finding_state_to_string(FindingState s) {
        return s < _FINDING_STATE_MAX ? state_names[s] : NULL;
}

static int tell(const Look *l, const char *check, FindingState state, const char *subject,
                const char *format, ...) _printf_(5, 6);
static int tell(const Look *l, const char *check, FindingState state, const char *subject,
                const char *format, ...) {
        Finding f = { .state = state };
        va_list ap;

        snprintf(f.check, sizeof(f.check), "%s", check);
        snprintf(f.subject, sizeof(f.subject), "%s", subject);
        va_start(ap, format);
        vsnprintf(f.text, sizeof(f.text), format, ap);
        va_end(ap);
        return findings_add(l->ret, &f);
}

static const Task *find_task(const Tasks *all, const Task *t) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].pid == t->pid && all->items[i].place == t->place)
                        return all->items + i;
        return NULL;
}

static int look_at_tasks(Look *l) {
        int r = l->kernel->tasks(l->kernel, &l->first);

        if (r >= 0 && l->first.n > 0) {
                l->kernel->pause(l->kernel, SECOND_LOOK_MS);
                r = l->kernel->tasks(l->kernel, &l->second);
        }
        if (r == -ENOMEM)
                return r;
        l->tasks_error = MIN2(r, 0);
        for (size_t i = 0; i < l->second.n; i++)
                l->stuck = l->stuck || find_task(&l->first, l->second.items + i);
        return 0;
}

static int tell_task(const Look *l, const char *check, const Task *t) {
        bool global = t->place == STACK_GLOBAL;
        char entry[STACK_FRAME_MAX], subject[sizeof(t->command) + 32];

        snprintf(subject, sizeof(subject), "%s (pid %u)", t->command, t->pid);
        return tell(l, check, global ? FINDING_BAD : FINDING_WARN, subject,
                    "in the kernel at %s%s%s, %s (%s)", stack_entry(t->stack, entry),
                    bdf_is_none(t->fn) ? "" : " of ", bdf_is_none(t->fn) ? "" : BDF_STR(t->fn),
                    global ? "holds or waits for the global lock: nothing of PCI can be changed "
                             "until it comes back"
                           : "holds or waits for a device's lock: that device cannot be changed "
                             "until it comes back",
                    t->stack);
}

static int check_tasks(const Look *l, const char *check) {
        int r = 0;

        if (l->tasks_error < 0)
                return tell(l, check, FINDING_WARN, "", "other tasks cannot be looked at: %s",
                            strerror(-l->tasks_error));
        for (size_t i = 0; r >= 0 && i < l->second.n; i++)
                if (find_task(&l->first, l->second.items + i))
                        r = tell_task(l, check, l->second.items + i);
        return r;
}

static int check_orphans(const Look *l, const char *check) {
        int r = 0;

        FOREACH_FN (f, l->snapshot)
                if (r >= 0 && f->flags & FN_ORPHAN)
                        r = tell(l, check, FINDING_BAD, BDF_STR(f->bdf),
                                 "a VF that its PF does not know, and making VFs near it crashes "
                                 "some kernels; remove the bridge above and rescan");
        return r;
}

/*
 * Left by a job that was broken off. On 6.1 reading it takes the device's lock, so that nobody who is stuck may have that
 * (KERNEL.md 2.2). One with a driver is not parked.
 */
static int check_parked(const Look *l, const char *check) {
        int r = 0;

        if (l->stuck)
                return tell(l, check, FINDING_WARN, "",
                            "not looked at, for that might wait behind the task that is stuck");
        if (l->busy)
                return tell(l, check, FINDING_OK, "",
                            "not looked at, for jobs are at work, which park functions");
        FOREACH_FN (f, l->snapshot) {
                char override[NAME_MAX_LENGTH];

                if (r < 0 || f->driver[0] != '\0' ||
                    override_read(l->kernel, f->bdf, override) < 0 ||
                    !streq(override, PARK_OVERRIDE))
                        continue;
                r = tell(l, check, FINDING_WARN, BDF_STR(f->bdf),
                         "parked: no driver takes it, for its driver_override is " PARK_OVERRIDE
                         "; 'sriovctl bind %s default' gives it back",
                         BDF_STR(f->bdf));
        }
        return r;
}

static int check_stub(const Look *l, const char *check) {
        int r = 0;

        FOREACH_FN (f, l->snapshot)
                if (r >= 0 && f->flags & FN_PF && streq(f->driver, STUB_DRIVER))
                        r = tell(l, check, FINDING_WARN, BDF_STR(f->bdf),
                                 "bound to " STUB_DRIVER
                                 ", which makes VFs and serves nobody; if that was not meant, "
                                 "'sriovctl bind %s default'",
                                 BDF_STR(f->bdf));
        return r;
}

static int check_driverless(const Look *l, const char *check) {
        int r = 0;

        FOREACH_FN (f, l->snapshot)
                if (r >= 0 && f->flags & FN_PF && f->n_vfs > 0 && f->driver[0] == '\0')
                        r = tell(l, check, FINDING_WARN, BDF_STR(f->bdf),
                                 "has %u VF(s) and no driver, so that nobody can change their "
                                 "number; 'sriovctl set %s 0' takes them down",
                                 f->n_vfs, BDF_STR(f->bdf));
        return r;
}

static int check_autoprobe(const Look *l, const char *check) {
        int r = 0;

        FOREACH_FN (f, l->snapshot)
                if (r >= 0 && f->flags & FN_PF && !(f->flags & FN_AUTOPROBE))
                        r = tell(l, check, FINDING_OK, BDF_STR(f->bdf),
                                 "off: its VFs get a driver only where one is asked for");
        return r;
}

static int check_iommu(const Look *l, const char *check) {
        FOREACH_FN (f, l->snapshot)
                if (f->iommu_group >= 0)
                        return 0;
        return tell(
                l, check, FINDING_WARN, "",
                "no function has an IOMMU group, and vfio needs one; switch the IOMMU on in the "
                "firmware and on the kernel's command line");
}

static const struct {
        const char *name;
        int (*run)(const Look *l, const char *check);
        const char *good;
} checks[] = {
        { "stuck-tasks", check_tasks, "no other task is stuck in the kernel's PCI paths" },
        { "orphan-vfs", check_orphans, "each VF is known to its PF" },
        { "parked", check_parked, "no function is kept from its driver" },
        { "pf-on-stub", check_stub, "no PF is bound to " STUB_DRIVER },
        { "pf-without-driver", check_driverless, "each PF with VFs has a driver" },
        { "autoprobe", check_autoprobe, "on for each PF" },
        { "iommu", check_iommu, "there are IOMMU groups" },
};

static int run_checks(const Look *l) {
        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                size_t before = l->ret->n;
                int r = checks[i].run(l, checks[i].name);

                if (r >= 0 && l->ret->n == before)
                        r = tell(l, checks[i].name, FINDING_OK, "", "%s", checks[i].good);
                if (r < 0)
                        return r;
        }
        return 0;
}

int diagnose(Kernel *k, bool busy, Findings *ret) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;
        Look l = { .kernel = k, .busy = busy, .ret = ret };
        int r;

        r = scan_all(k, &s);
        if (r < 0)
                return r == -ENOMEM ? r
                                    : tell(&l, "functions", FINDING_BAD, "",
                                           "the PCI functions cannot be listed: %s", strerror(-r));
        l.snapshot = s;
        r = look_at_tasks(&l);
        if (r >= 0)
                r = run_checks(&l);
        tasks_done(&l.first);
        tasks_done(&l.second);
        return r;
}

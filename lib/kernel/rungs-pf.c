/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rungs of a PF: its driver, its stub, the number of its VFs
 *
 * Never is a PF let go while VFs are there, but by the one rung that exists for a driver that keeps them.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/look.h"
#include "kernel/prove.h"
#include "kernel/rungs.h"

/*
 * The plan took the VFs down; whoever made new ones since then would lose them in the worst way there is: in the
 * driver's remove(), without the global lock on some kernels, never on others (KERNEL.md 2.4, 4.4).
 */
int climb_unbind(Kernel *k, const Step *step, StepResult *ret) {
        int r;

        r = grip_refuse_vfs(k, step->fn, &ret->n);
        return r < 0 ? r : grip_unbind(k, step->fn);
}

int climb_unbind_keeper(Kernel *k, const Step *step, StepResult *ret) {
        (void) ret;
        return grip_unbind(k, step->fn);
}

/*
 * It claims one device by itself, so that any other needs the override (KERNEL.md 4.6). Whoever has the PF is let go on
 * the rung before; one that took it since then is not ours to take it from.
 */
int climb_stub_pf(Kernel *k, const Step *step, StepResult *ret) {
        char driver[NAME_MAX_LENGTH];
        int r;

        (void) ret;
        r = look_driver(k, step->fn, driver);
        if (r < 0)
                return r;
        if (driver[0] != '\0' && !streq(driver, STUB_DRIVER))
                return -EBUSY;
        if (!look_exists(k, ATTR_NAME(ATTR_DRIVERS, STUB_DRIVER))) {
                r = k->load_module(k, STUB_DRIVER);
                if (r < 0)
                        return r;
        }
        r = override_write(k, step->fn, STUB_DRIVER);
        if (r < 0)
                return r;
        r = grip_bind(k, step->fn, STUB_DRIVER);
        if (r < 0)
                (void) override_write(k, step->fn, "");
        return r;
}

/* On a way back there may be no stub yet, and a driver that came by itself stays. */
int climb_unstub_pf(Kernel *k, const Step *step, StepResult *ret) {
        char driver[NAME_MAX_LENGTH];
        int r;

        (void) ret;
        r = look_driver(k, step->fn, driver);
        if (r < 0)
                return r;
        if (streq(driver, STUB_DRIVER)) {
                r = grip_unbind(k, step->fn);
                if (r != STEP_DONE)
                        return r;
        }
        return override_write(k, step->fn, "");
}

/*
 * The link to a VF's driver goes before the driver's remove() runs: a VF may look free while another program's unbind of it
 * still waits for its user, and the write of 0 would wait behind that inside the global lock.
 */
static int refuse_unfinished(Kernel *k, Bdf pf, StepResult *ret) {
        _cleanup_(tasks_done) Tasks tasks = {};
        Bdf of;
        int r;

        r = k->tasks(k, &tasks);
        for (size_t i = 0; r >= 0 && i < tasks.n; i++) {
                const Task *t = tasks.items + i;

                if (look_physfn(k, t->fn, &of) == 0 || !bdf_equal(of, pf))
                        continue;
                ret->n = OP_FORCE_IN_USE;
                snprintf(ret->text, sizeof(ret->text),
                         "%.31s (pid %" PRIu32 ") is still at work on %s", t->command, t->pid,
                         BDF_STR(t->fn));
                return STEP_IN_USE;
        }
        return r == -ENOMEM ? r : STEP_DONE;
}

/*
 * The plan parked them all. One that has a driver again was given it by somebody since, perhaps while no sriovd ran, and may have
 * a user by now, who would be waited for inside the global lock (KERNEL.md part 1 rule 3).
 */
static int refuse_driven_vfs(Kernel *k, Bdf pf, StepResult *ret) {
        char driver[NAME_MAX_LENGTH];
        uint32_t n;
        Bdf vf;
        int r;

        r = look_count_vfs(k, pf, &n);
        for (uint32_t i = 0; r >= 0 && i < n; i++) {
                if (look_vf(k, pf, i, &vf) < 0 || look_driver(k, vf, driver) < 0 ||
                    driver[0] == '\0')
                        continue;
                ret->n = OP_FORCE_IN_USE;
                snprintf(ret->text, sizeof(ret->text), "%s was given driver %.40s meanwhile",
                         BDF_STR(vf), driver);
                return STEP_IN_USE;
        }
        return MIN2(r, 0);
}

/* Some drivers take the 0 and keep their VFs: igb those that it did not make (KERNEL.md 2.3). */
int climb_vfs_off(Kernel *k, const Step *step, StepResult *ret) {
        Proof p = proof_begin(k, PROOF_SYNC_MS);
        uint32_t children;
        int r;

        r = refuse_driven_vfs(k, step->fn, ret);
        if (r == STEP_DONE)
                r = refuse_unfinished(k, step->fn, ret);
        if (r != STEP_DONE)
                return r;
        r = k->write(k, ATTR_FN(ATTR_NUMVFS, step->fn), "0");
        if (r < 0)
                return r;
        for (;;) {
                r = look_count_vfs(k, step->fn, &ret->n);
                if (r < 0)
                        return r;
                if (ret->n == 0)
                        break;
                if (!proof_again(&p))
                        return STEP_KEPT;
        }
        for (p = proof_begin(k, PROOF_MS);;) {
                r = prove_count_children(k, step->fn, &children);
                if (r < 0)
                        return r;
                if (children == 0)
                        return STEP_DONE;
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        }
}

/* Others take the count and make another number: bnxt none while its netdev is down, qat always all of them. */
int climb_vfs_on(Kernel *k, const Step *step, StepResult *ret) {
        char count[16];
        Proof p = proof_begin(k, PROOF_SYNC_MS);
        int r;

        snprintf(count, sizeof(count), "%" PRIu32, step->n);
        r = k->write(k, ATTR_FN(ATTR_NUMVFS, step->fn), count);
        if (r < 0)
                return r;
        do {
                r = look_count_vfs(k, step->fn, &ret->n);
                if (r < 0)
                        return r;
        } while (ret->n != step->n && proof_again(&p));
        if (ret->n != step->n)
                return STEP_WRONG;
        for (p = proof_begin(k, PROOF_MS); !prove_vfs(k, step->fn, step->n);)
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        return STEP_DONE;
}

static int set_probe(Kernel *k, Bdf pf, const char *value) {
        int r;

        r = k->write(k, ATTR_FN(ATTR_AUTOPROBE, pf), value);
        if (r < 0)
                return r;
        return prove_reads(k, ATTR_FN(ATTR_AUTOPROBE, pf), value) ? STEP_DONE : STEP_UNPROVEN;
}

int climb_hold_probe(Kernel *k, const Step *step, StepResult *ret) {
        (void) ret;
        return set_probe(k, step->fn, "0");
}

int climb_free_probe(Kernel *k, const Step *step, StepResult *ret) {
        (void) ret;
        return set_probe(k, step->fn, "1");
}

/*
 * A driver that knows the device is bound as it is. Only one that does not, or that an older override keeps out, gets
 * an override of its own: what was never written need not be taken back after a reset.
 */
int climb_bind(Kernel *k, const Step *step, StepResult *ret) {
        char before[NAME_MAX_LENGTH];
        Bdf pf;
        int r;

        (void) ret;
        if (step->name[0] == '\0')
                return grip_probe(k, step->fn);
        r = grip_bind(k, step->fn, step->name);
        if (r != -ENODEV)
                return r;
        r = override_read(k, step->fn, before);
        if (r < 0)
                return r;
        if (streq(before, step->name))
                return -ENODEV;
        r = override_write(k, step->fn, step->name);
        if (r < 0)
                return r;
        r = grip_bind(k, step->fn, step->name);
        /* A VF comes here on a way back alone, where only its PF's autoprobe keeps its old driver out. */
        if (r < 0 || look_physfn(k, step->fn, &pf) > 0)
                (void) override_write(k, step->fn, before);
        return r;
}

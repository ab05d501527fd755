/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grip
 *
 * `bind` and `unbind` of a driver, never `new_id`: that one grabs every function that fits, those of others and
 * those to come as well (KERNEL.md 4.6).
 */
#include <errno.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/look.h"
#include "kernel/prove.h"

int override_read(Kernel *k, Bdf fn, char ret[static NAME_MAX_LENGTH]) {
        char text[NAME_MAX_LENGTH + 1];
        int r;

        r = k->read(k, ATTR_FN(ATTR_OVERRIDE, fn), text, sizeof(text));
        if (r < 0)
                return r;
        /* An override that is not set is a NULL that the kernel prints. */
        return str_copy(ret, NAME_MAX_LENGTH, streq(text, "(null)") ? "" : text);
}

/* A write of nothing never reaches the kernel's handler (KERNEL.md 2.1): a newline alone takes an override away. */
int override_write(Kernel *k, Bdf fn, const char *name) {
        return k->write(k, ATTR_FN(ATTR_OVERRIDE, fn), isempty(name) ? "\n" : name);
}

static bool is_bound_to(Kernel *k, Bdf fn, const char *driver) {
        char now[NAME_MAX_LENGTH];

        return look_driver(k, fn, now) >= 0 && streq(now, driver);
}

/* driver "": until any driver has it. */
static bool wait_for_driver(Kernel *k, Bdf fn, const char *driver, unsigned ms) {
        Proof p = proof_begin(k, ms);
        char now[NAME_MAX_LENGTH];

        do {
                if (look_driver(k, fn, now) >= 0 && now[0] != '\0' &&
                    (isempty(driver) || streq(now, driver)))
                        return true;
        } while (proof_again(&p));
        return false;
}

int grip_refuse_vfs(Kernel *k, Bdf fn, uint32_t *ret_n) {
        int r;

        r = look_count_vfs(k, fn, ret_n);
        if (r < 0)
                return r;
        return *ret_n > 0 ? -EBUSY : 0;
}

int grip_unbind(Kernel *k, Bdf fn) {
        char driver[NAME_MAX_LENGTH];
        Proof p;
        int r, written;

        r = look_driver(k, fn, driver);
        if (r < 0 || driver[0] == '\0')
                return r;
        written = k->write(k, ATTR_NAME(ATTR_DRIVER_UNBIND, driver), BDF_STR(fn));
        /* ENODEV: not bound to this driver. Fine if it is bound to none by now; so is a driver that was unloaded. */
        if (written == -ENODEV || written == -ENOENT)
                return is_bound_to(k, fn, "") ? STEP_DONE : written;
        if (written < 0)
                return written;
        /* The link goes before the driver's remove() runs, and the write returns after it: both are needed. */
        p = proof_begin(k, PROOF_MS);
        while (!is_bound_to(k, fn, ""))
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        return STEP_DONE;
}

int grip_bind(Kernel *k, Bdf fn, const char *driver) {
        char now[NAME_MAX_LENGTH];
        int r;

        r = look_driver(k, fn, now);
        if (r < 0)
                return r;
        if (streq(now, driver))
                return STEP_DONE;
        if (now[0] != '\0') {
                r = grip_unbind(k, fn);
                if (r != STEP_DONE)
                        return r;
        }
        r = k->write(k, ATTR_NAME(ATTR_DRIVER_BIND, driver), BDF_STR(fn));
        /* Bound in between, by udev or by an asynchronous probe; or deferred, which the kernel tries again itself. */
        if (r == -EBUSY || r == -EAGAIN)
                return wait_for_driver(k, fn, driver, PROOF_PROBE_MS) ? STEP_DONE : r;
        if (r < 0)
                return r;
        return wait_for_driver(k, fn, driver, PROOF_MS) ? STEP_DONE : STEP_UNPROVEN;
}

int grip_probe(Kernel *k, Bdf fn) {
        char override[NAME_MAX_LENGTH];
        int r;

        r = override_read(k, fn, override);
        if (r < 0 || override[0] != '\0')
                r = override_write(k, fn, "");
        if (r < 0)
                return r;
        if (!is_bound_to(k, fn, ""))
                return STEP_DONE;
        r = k->write(k, ATTR_BUS(ATTR_DRIVERS_PROBE), BDF_STR(fn));
        if (r < 0)
                return r;
        /* The write succeeds whether a driver was found or not (KERNEL.md 2.2). */
        return wait_for_driver(k, fn, "", PROOF_PROBE_MS) ? STEP_DONE : STEP_NO_DRIVER;
}

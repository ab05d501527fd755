/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rungs of the host: modules, ports, slots, removal, reset, rescan
 *
 * Here the global rescan/remove lock is taken, and here nothing is left to do under it but the thing itself.
 */
#include <errno.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/grip.h"
#include "kernel/look.h"
#include "kernel/prove.h"
#include "kernel/rungs.h"

int climb_load_driver(Kernel *k, const Step *step, StepResult *ret) {
        int r;

        (void) ret;
        if (look_exists(k, ATTR_NAME(ATTR_DRIVERS, step->name)))
                return STEP_DONE;
        r = k->load_module(k, step->name);
        if (r < 0)
                return r;
        /* A module of that name that is no PCI driver. */
        return look_exists(k, ATTR_NAME(ATTR_DRIVERS, step->name)) ? STEP_DONE : -ENOENT;
}

/* Its interrupt thread wants the global lock, and removal of the port waits for the thread (KERNEL.md 3.3). */
int climb_quiet_port(Kernel *k, const Step *step, StepResult *ret) {
        const char *service = ATTR_NAME(ATTR_SERVICES, step->name);
        Proof p = proof_begin(k, PROOF_MS);
        int r;

        (void) ret;
        if (!look_exists(k, service))
                return STEP_DONE;
        r = k->write(k, ATTR_BUS(ATTR_SERVICE_UNBIND), step->name);
        if (r == -ENODEV && !look_exists(k, service))
                return STEP_DONE;
        if (r < 0)
                return r;
        while (look_exists(k, service))
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        return STEP_DONE;
}

/* `remove` returns success also when another one was faster and nothing was done here. */
static int prove_removed(Kernel *k, Bdf fn, uint64_t identity) {
        Proof p = proof_begin(k, PROOF_MS);
        uint32_t orphans;
        int r;

        while (!prove_gone(k, fn, identity))
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        r = prove_count_children(k, fn, &orphans);
        if (r < 0)
                return r;
        return orphans == 0 ? STEP_DONE : STEP_UNPROVEN;
}

static int write_remove(Kernel *k, Bdf fn, uint64_t identity) {
        int r;

        r = k->write(k, ATTR_FN(ATTR_REMOVE, fn), "1");
        return r < 0 ? r : prove_removed(k, fn, identity);
}

/*
 * The override keeps a driver that is being loaded from taking the function in the last moment. It is given back to a
 * function that stayed, whatever kept it.
 */
int climb_remove(Kernel *k, const Step *step, StepResult *ret) {
        char before[NAME_MAX_LENGTH] = "";
        uint64_t identity;
        int r, parked;

        r = k->identity(k, ATTR_FN(ATTR_DIRECTORY, step->fn), &identity);
        if (r < 0)
                return r;
        /* With VFs it would hang by itself on some kernels and leave orphans on the others (KERNEL.md 2.4). */
        r = grip_refuse_vfs(k, step->fn, &ret->n);
        if (r < 0)
                return r;
        parked = override_read(k, step->fn, before);
        if (parked >= 0)
                parked = override_write(k, step->fn, PARK_OVERRIDE);
        if (parked < 0 && parked != -ENOENT)
                return parked;
        r = write_remove(k, step->fn, identity);
        if (r != STEP_DONE && parked >= 0 && !prove_gone(k, step->fn, identity))
                (void) override_write(k, step->fn, streq(before, PARK_OVERRIDE) ? "" : before);
        return r;
}

/* True if a function sits in the slot's device. */
static bool slot_is_taken(Kernel *k, const char *address) {
        _cleanup_strv_ char **names = NULL;

        if (k->list(k, ATTR_BUS(ATTR_DEVICES), &names) < 0)
                return true;
        STRV_FOREACH (name, names) {
                const char *function = startswith(*name, address);

                if (function && function[0] == '.')
                        return true;
        }
        return false;
}

/*
 * The kernel takes any text for a number and any nonsense for 0 = off, so these are exact. ENODEV means that
 * the slot is there already, or on its way to somewhere (KERNEL.md 4.12): only its power tells.
 */
static int set_power(Kernel *k, const char *slot, const char *value) {
        Proof p = proof_begin(k, PROOF_MS);
        const char *power = ATTR_NAME(ATTR_SLOT_POWER, slot);
        int r;

        if (prove_reads(k, power, value))
                return STEP_DONE;
        r = k->write(k, power, value);
        if (r < 0 && r != -ENODEV)
                return r;
        while (!prove_reads(k, power, value))
                if (r < 0 || !proof_again(&p))
                        return r < 0 ? r : STEP_UNPROVEN;
        return STEP_DONE;
}

int climb_slot_off(Kernel *k, const Step *step, StepResult *ret) {
        Proof p = proof_begin(k, PROOF_MS);
        char address[BDF_MAX];
        int r;

        (void) ret;
        r = k->read(k, ATTR_NAME(ATTR_SLOT_ADDRESS, step->name), address, sizeof(address));
        if (r < 0)
                return r;
        r = set_power(k, step->name, "0");
        if (r != STEP_DONE)
                return r;
        while (slot_is_taken(k, address))
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        return STEP_DONE;
}

int climb_slot_on(Kernel *k, const Step *step, StepResult *ret) {
        (void) ret;
        return set_power(k, step->name, "1");
}

/* Unloading unbinds what is bound, one after the other and with its VFs: nothing may be left by now. */
static int refuse_bound(Kernel *k, const char *driver) {
        _cleanup_strv_ char **names = NULL;
        Bdf fn;

        if (k->list(k, ATTR_NAME(ATTR_DRIVERS, driver), &names) < 0)
                return STEP_DONE;
        STRV_FOREACH (name, names)
                if (bdf_parse(*name, &fn) >= 0)
                        return -EBUSY;
        return STEP_DONE;
}

int climb_unload(Kernel *k, const Step *step, StepResult *ret) {
        const char *directory = ATTR_NAME(ATTR_DRIVERS, step->name);
        Proof p = proof_begin(k, PROOF_MS);
        char module[NAME_MAX_LENGTH];
        int r;

        if (!look_exists(k, directory))
                return STEP_DONE;
        r = refuse_bound(k, step->name);
        if (r != STEP_DONE)
                return r;
        /* Names of drivers and of their modules differ: vfio-pci and vfio_pci. No link: it is built in, -ENOENT. */
        r = k->link(k, ATTR_NAME(ATTR_DRIVER_MODULE, step->name), module, sizeof(module));
        if (r < 0)
                return r;
        r = k->unload_module(k, module);
        if (r == -EWOULDBLOCK) {
                snprintf(ret->text, sizeof(ret->text), "%s", module);
                return STEP_IN_USE;
        }
        if (r < 0)
                return r;
        while (look_exists(k, directory))
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        return STEP_DONE;
}

/* A function without net devices has none that is down: one that was moved elsewhere is refused as in use. */
int climb_refuse_if_down(Kernel *k, const Step *step, StepResult *ret) {
        _cleanup_strv_ char **names = NULL;
        int r;

        r = k->list(k, ATTR_FN(ATTR_NET, step->fn), &names);
        if (r < 0)
                return r == -ENOENT ? STEP_DONE : r;
        STRV_FOREACH (name, names) {
                r = look_is_up(k, step->fn, *name);
                if (r < 0)
                        return r;
                if (r == 0) {
                        snprintf(ret->text, sizeof(ret->text), "%s", *name);
                        return STEP_DOWN;
                }
        }
        return STEP_DONE;
}

/*
 * From 7.x on VFs offer "flr bus", and the second resets the whole slot with the PF in it, as soon as the first
 * fails (KERNEL.md 4.14). A kernel before 5.15 has no such file; an empty one was switched off by somebody.
 */
static int only_flr(Kernel *k, Bdf vf) {
        char methods[128];
        int r;

        r = k->read(k, ATTR_FN(ATTR_RESET_METHOD, vf), methods, sizeof(methods));
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        if (methods[0] == '\0' || streq(methods, "flr"))
                return 0;
        return k->write(k, ATTR_FN(ATTR_RESET_METHOD, vf), "flr");
}

int climb_reset(Kernel *k, const Step *step, StepResult *ret) {
        int r;

        (void) ret;
        r = step->n == 1 ? only_flr(k, step->fn) : 0;
        if (r < 0)
                return r;
        r = k->write(k, ATTR_FN(ATTR_RESET, step->fn), "1");
        return MIN2(r, 0);
}

/* The bus type's own file: a device's can deadlock with its removal (KERNEL.md part 1 rule 5). */
int climb_rescan(Kernel *k, const Step *step, StepResult *ret) {
        Proof p = proof_begin(k, PROOF_MS);
        int r;

        (void) ret;
        r = k->write(k, ATTR_BUS(ATTR_RESCAN), "1");
        if (r < 0 || bdf_is_none(step->fn))
                return MIN2(r, 0);
        while (!look_exists(k, ATTR_FN(ATTR_DIRECTORY, step->fn)))
                if (!proof_again(&p))
                        return STEP_UNPROVEN;
        return STEP_DONE;
}

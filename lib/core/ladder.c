/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Ladder
 *
 * The safe order, as one table. Users, VFs, driver, device: down in this order, up in the reverse. A plan is
 * made by walking the table once from the top, so that two operations cannot disagree about the order, and
 * no step of a plan ever stands before one of an earlier rung.
 *
 * Why it is safe on every kernel (KERNEL.md 4.0): VFs lose their drivers under their own locks alone, so nobody
 * can be waited for inside the global rescan/remove lock; sriov_numvfs is written with no user left; a PF is unbound
 * with no VFs left, which takes the global lock on no variant; and `remove` finds nothing to do but to take the
 * device away, 3 ms in place of 1.8 s.
 */
#include "base/macro.h"
#include "base/str.h"

#include "core/ladder-row.h"

#define SET (1u << OP_SET_VFS)
#define BIND (1u << OP_BIND)
#define UNBIND (1u << OP_UNBIND)
#define REMOVE (1u << OP_REMOVE)
#define RESCAN (1u << OP_RESCAN)
#define RESET (1u << OP_RESET)
#define SLOT_OFF (1u << OP_SLOT_OFF)
#define SLOT_ON (1u << OP_SLOT_ON)
#define UNLOAD (1u << OP_UNLOAD)
#define FOREIGN (1u << OP_FOREIGN)
#define APPLY (1u << OP_APPLY)
#define SET_VF (1u << OP_SET_VF)
#define ESWITCH (1u << OP_ESWITCH)
/* What makes VFs, what may have to make them anew, and what gives one that is there something. */
#define MAKE (SET | APPLY)
#define REMAKE (MAKE | ESWITCH)
#define GIVE (MAKE | SET_VF)
#define VFS_DOWN (GIVE | BIND | UNBIND | REMOVE | SLOT_OFF | UNLOAD | FOREIGN | ESWITCH)
#define DOWN (VFS_DOWN | RESET)
#define ALL (DOWN | RESCAN | SLOT_ON)

static bool is_vf(const Place *p) {
        return p->subject->fn->flags & FN_VF;
}

static bool always(const Place *p) {
        (void) p;
        return true;
}

static bool driver_missing(const Place *p) {
        return p->driver[0] != '\0' && !streq(p->driver, DRIVER_NONE) &&
               !snapshot_has_driver(p->s, p->driver);
}

static bool vfs_go(const Place *p) {
        return p->subject->vfs_go;
}

static bool driver_keeps_vfs(const Place *p) {
        return p->subject->keeps_vfs && p->subject->fn->driver[0] != '\0';
}

/* A VF that goes with its PF, or the subject itself. One without a driver may be held by a word alone. */
static bool is_taken(const Place *p) {
        if (p->vf)
                return p->subject->vfs_go || p->subject->vfs_asked;
        if (p->subject->vfs_asked)
                return false;
        return p->subject->driver_goes || p->subject->resets || driver_keeps_vfs(p) ||
               (!(GIVE & 1u << p->op->kind) && p->op->kind != OP_ESWITCH &&
                !(p->subject->fn->flags & FN_BRIDGE) && !p->subject->driver_comes);
}

static bool must_be_up(const Place *p) {
        return p->subject->must_be_up;
}

static bool needs_stub(const Place *p) {
        return p->subject->keeps_vfs;
}

/* One that kept its VFs was unbound on an earlier rung. */
static bool driver_goes(const Place *p) {
        return p->subject->driver_goes && !driver_keeps_vfs(p);
}

static bool port_sleeps(const Place *p) {
        return p->service != NULL;
}

static bool goes(const Place *p) {
        return p->subject->goes;
}

static bool resets(const Place *p) {
        return p->subject->resets;
}

static bool wants_rescan(const Place *p) {
        return p->op->kind == OP_RESCAN || p->op->flags & OP_RESCAN_AFTER;
}

static bool driver_comes(const Place *p) {
        return p->subject->driver_comes && !is_vf(p);
}

static uint32_t quirks(const Place *p) {
        return quirks_of(p->s->quirks, p->subject->fn->driver);
}

static bool eswitch_changes(const Place *p) {
        return p->subject->eswitch != ESWITCH_KEEP;
}

static bool eswitch_goes_first(const Place *p) {
        return eswitch_changes(p) && !(quirks(p) & QUIRK_ESWITCH_AFTER_VFS);
}

static bool eswitch_goes_last(const Place *p) {
        return eswitch_changes(p) && quirks(p) & QUIRK_ESWITCH_AFTER_VFS;
}

static bool vfs_come(const Place *p) {
        return p->subject->vfs_come > 0;
}

static bool vfs_need_up(const Place *p) {
        return vfs_come(p) && quirks(p) & QUIRK_VFS_NEED_UP;
}

/* Held only if it is on: what was off before is left off. */
static bool probe_is_on(const Place *p) {
        return vfs_come(p) && p->subject->fn->flags & FN_AUTOPROBE &&
               !(quirks(p) & QUIRK_KEEP_AUTOPROBE);
}

/* What is wanted of the VF that comes at this index; NULL: what the operation says of all. */
static const VfWish *wish_of(const Place *p) {
        return vfs_come(p) && p->subject->wanted ? wanted_vf(p->subject->wanted, p->index) : NULL;
}

const char *place_driver(const Place *p) {
        const VfWish *wish = wish_of(p);

        if (!vfs_come(p))
                return p->subject->driver_comes;
        return !wish ? p->op->driver : wish->has_driver ? wish->driver : "";
}

/*
 * A VF that is given a driver by name needs the override: without one the PCI core refuses it while the PF's
 * autoprobe is 0 (KERNEL.md 2.2, bind), and any driver may take it while it is 1. One that is to have none gets a name that
 * nobody has. A VF that only gets its old driver back keeps the override that it has.
 */
static bool override_comes(const Place *p) {
        const Fn *pf;

        if (vfs_come(p))
                return place_driver(p)[0] != '\0';
        if (!is_vf(p) || !p->subject->driver_comes)
                return false;
        pf = snapshot_find(p->s, p->subject->fn->pf);
        return !p->subject->returns || (pf && !(pf->flags & FN_AUTOPROBE));
}

const VfAttrs *place_attrs(const Place *p) {
        const VfWish *wish = wish_of(p);

        return wish ? &wish->attrs : p->subject->gives;
}

/* A VF that is not there yet has nothing of it. */
static bool attr_comes(const Place *p) {
        static const VfAttrs unseen;

        if (p->vf && p->op->flags & OP_LEAVE_OWN && wanted_is_own(p->vf, p->attr))
                return false;
        return place_attrs(p) &&
               vfattrs_differ(place_attrs(p), p->vf ? &p->vf->attrs : &unseen, p->attr);
}

static bool has_what_needs_unbound(const VfAttrs *attrs) {
        for (VfAttr a = 0; attrs && a < _VFATTR_MAX; a++)
                if (vfattr_needs_unbound(a) && vfattrs_have(attrs, a))
                        return true;
        return false;
}

/*
 * Where autoprobe is not held the kernel has bound a new VF as it was made. One that is to have none loses that again, and so does
 * one for what it can be given only without; bind-vf takes it from any other driver itself.
 */
static bool new_vf_is_freed(const Place *p) {
        return vfs_come(p) && quirks(p) & QUIRK_KEEP_AUTOPROBE &&
               (streq(place_driver(p), DRIVER_NONE) || has_what_needs_unbound(place_attrs(p)));
}

/* New VFs without a wish are left to the kernel's choice, and left alone where the PF's autoprobe was off. */
static bool vf_driver_comes(const Place *p) {
        if (!vfs_come(p) && !(is_vf(p) && p->subject->driver_comes))
                return false;
        if (streq(place_driver(p), DRIVER_NONE))
                return false;
        return !vfs_come(p) || place_driver(p)[0] != '\0' || probe_is_on(p) ||
               (new_vf_is_freed(p) && p->subject->fn->flags & FN_AUTOPROBE);
}

/* clang-format off */
static const Row ladder[_RUNG_MAX] = {
        /*                         name              for                            each          when                text                                           fans   global  deadline */
        [RUNG_CLEAR_WAY]      = { "clear-way",      ALL,                           ONCE,         always,             "see that nobody is stuck in the kernel",      false, false,  60, 0 },
        [RUNG_LOAD_DRIVER]    = { "load-driver",    GIVE | BIND,                   EACH_DRIVER,  driver_missing,     "modprobe {name}",                             false, false,  60, 0 },
        [RUNG_REFUSE_IF_HELD] = { "refuse-if-held", DOWN,                          EACH_OLD_VF,  is_taken,           "refuse if somebody uses it",                  false, false,  30, 0 },
        [RUNG_REFUSE_IF_DOWN] = { "refuse-if-down", RESET,                         EACH_SUBJECT, must_be_up,         "refuse if its net device is down",            false, false,  30, 0 },
        [RUNG_PARK_VF]        = { "park-vf",        VFS_DOWN,                      EACH_OLD_VF,  vfs_go,             "driver_override = " PARK_OVERRIDE ", unbind", true,  false,  30, 0 },
        [RUNG_UNBIND_KEEPER]  = { "unbind-keeper",  VFS_DOWN,                      EACH_SUBJECT, driver_keeps_vfs,   "unbind from {was}, which kept the VFs",       false, true,   60, 0 },
        [RUNG_STUB_PF]        = { "stub-pf",        VFS_DOWN,                      EACH_SUBJECT, needs_stub,         "bind to " STUB_DRIVER,                        false, false,  30, 0 },
        [RUNG_VFS_OFF]        = { "vfs-off",        VFS_DOWN,                      EACH_SUBJECT, vfs_go,             "sriov_numvfs = 0",                            false, true,   60, 2 },
        [RUNG_UNSTUB_PF]      = { "unstub-pf",      VFS_DOWN,                      EACH_SUBJECT, needs_stub,         "unbind from " STUB_DRIVER,                    false, false,  30, 0 },
        [RUNG_UNBIND]         = { "unbind",         DOWN,                          EACH_SUBJECT, driver_goes,        "unbind from {was}",                           false, true,   60, 0 },
        [RUNG_QUIET_PORT]     = { "quiet-port",     REMOVE | SLOT_OFF | FOREIGN,   EACH_PORT,    port_sleeps,        "unbind {name} from pciehp",                   false, false,  30, 0 },
        [RUNG_REMOVE]         = { "remove",         REMOVE,                        EACH_SUBJECT, goes,               "remove = 1",                                  false, true,   60, 0 },
        [RUNG_SLOT_OFF]       = { "slot-off",       SLOT_OFF,                      ONCE,         always,             "slot {name}: power = 0",                      false, true,   60, 0 },
        [RUNG_UNLOAD]         = { "unload",         UNLOAD,                        ONCE,         always,             "delete_module {name}",                        false, true,   60, 0 },
        [RUNG_ADMIT]          = { "admit",          FOREIGN,                       ONCE,         always,             "let the program in that waits",               false, true,   60, 0 },
        [RUNG_RESET]          = { "reset",          RESET,                         EACH_SUBJECT, resets,             "reset = 1",                                   false, false,  90, 0 },
        [RUNG_RESCAN]         = { "rescan",         RESCAN | REMOVE,               ONCE,         wants_rescan,       "/sys/bus/pci/rescan = 1",                     false, true,   120, 0 },
        [RUNG_SLOT_ON]        = { "slot-on",        SLOT_ON,                       ONCE,         always,             "slot {name}: power = 1",                      false, true,   60, 0 },
        [RUNG_BIND]           = { "bind",           REMAKE | BIND | RESET,         EACH_SUBJECT, driver_comes,       "bind to {name}",                              false, true,   60, 0 },
        [RUNG_ESWITCH]        = { "eswitch",        APPLY | ESWITCH,               EACH_SUBJECT, eswitch_goes_first, "eswitch mode {name}",                         false, false,  60, 5 },
        [RUNG_UP_PF]          = { "up-pf",          REMAKE,                        EACH_SUBJECT, vfs_need_up,        "bring its net device up",                     false, false,  30, 0 },
        [RUNG_HOLD_PROBE]     = { "hold-probe",     REMAKE,                        EACH_SUBJECT, probe_is_on,        "sriov_drivers_autoprobe = 0",                 false, false,  30, 0 },
        [RUNG_VFS_ON]         = { "vfs-on",         REMAKE,                        EACH_SUBJECT, vfs_come,           "sriov_numvfs = {n}",                          false, true,   60, 5 },
        [RUNG_ESWITCH_VFS]    = { "eswitch-vfs",    APPLY | ESWITCH,               EACH_SUBJECT, eswitch_goes_last,  "eswitch mode {name}",                         false, false,  60, 5 },
        [RUNG_OVERRIDE_VF]    = { "override-vf",    GIVE | BIND | RESET | ESWITCH, EACH_NEW_VF,  override_comes,     "driver_override = {name}",                    true,  false,  30, 0 },
        [RUNG_UNBIND_VF]      = { "unbind-vf",      MAKE,                          EACH_NEW_VF,  new_vf_is_freed,    "unbind from the driver that the kernel chose", true, false,  60, 0 },
        [RUNG_CONFIGURE_VF]   = { "configure-vf",   APPLY | SET_VF,                EACH_ATTR,    attr_comes,         "{name}",                                      false, false,  30, 0 },
        [RUNG_FREE_PROBE]     = { "free-probe",     REMAKE,                        EACH_SUBJECT, probe_is_on,        "sriov_drivers_autoprobe = 1",                 false, false,  30, 0 },
        [RUNG_BIND_VF]        = { "bind-vf",        GIVE | BIND | RESET | ESWITCH, EACH_NEW_VF,  vf_driver_comes,    "bind to {name}",                              true,  false,  60, 0 },
        [RUNG_UNPARK_VF]      = { "unpark-vf",      0,                             EACH_OLD_VF,  NULL,               "driver_override as before, bind to {name}",   true,  false,  60, 0 },
};
/* clang-format on */

const Row *ladder_row(Rung rung) {
        return ladder + rung;
}

const char *rung_to_string(Rung rung) {
        return rung < _RUNG_MAX ? ladder[rung].name : NULL;
}

Rung rung_from_string(const char *s) {
        Rung r = 0;

        while (r < _RUNG_MAX && !streq(s, ladder[r].name))
                r++;
        return r;
}

const char *rung_text(Rung rung) {
        return ladder[rung].text;
}

bool rung_fans_out(Rung rung) {
        return ladder[rung].fans_out;
}

bool rung_takes_global_lock(Rung rung) {
        return ladder[rung].global_lock;
}

uint32_t rung_base_sec(Rung rung) {
        return ladder[rung].deadline_sec;
}

uint32_t rung_per_vf_sec(Rung rung) {
        return ladder[rung].per_vf_sec;
}

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
#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/ladder.h"
#include "core/near.h"
#include "core/subject.h"

/* One place at which a rung may be climbed. vf is NULL where the rung is not about a VF that is there now. */
typedef struct Place {
        const Snapshot *s;
        const Op *op;
        const Subject *subject;
        const Fn *vf;
        uint32_t index;
        const Service *service;
} Place;

typedef enum Each {
        EACH_SUBJECT,
        EACH_OLD_VF, /* of each subject, as the snapshot has them */
        EACH_NEW_VF, /* of each subject, by index */
        EACH_PORT, /* pciehp services at or below the top, innermost first */
        ONCE,
} Each;

typedef struct Row {
        const char *name;
        uint32_t ops; /* the operations that tick this rung, as 1 << OP_* */
        Each each;
        bool (*when)(const Place *); /* is there anything to do here */
        const char *text; /* for people; see plan.c */
        bool fans_out;
        bool global_lock;
        uint16_t deadline_sec, per_vf_sec;
} Row;

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
#define VFS_DOWN (SET | BIND | UNBIND | REMOVE | SLOT_OFF | UNLOAD | FOREIGN)
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
        return p->op->driver[0] != '\0' && !snapshot_has_driver(p->s, p->op->driver);
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
               (p->op->kind != OP_SET_VFS && !(p->subject->fn->flags & FN_BRIDGE) &&
                !p->subject->driver_comes);
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

/* Held only if it is on: what was off before is left off. */
static bool probe_is_on(const Place *p) {
        return p->subject->vfs_come > 0 && p->subject->fn->flags & FN_AUTOPROBE;
}

static bool vfs_come(const Place *p) {
        return p->subject->vfs_come > 0;
}

/*
 * A VF that is given a driver by name needs the override: without one the PCI core refuses it while the PF's
 * autoprobe is 0 (KERNEL.md 2.2, bind), and any driver may take it while it is 1. A VF that only gets its old
 * driver back after a reset keeps the override that it has.
 */
static bool override_comes(const Place *p) {
        const Fn *pf;

        if (p->subject->vfs_come > 0)
                return p->op->driver[0] != '\0';
        if (!is_vf(p) || !p->subject->driver_comes)
                return false;
        pf = snapshot_find(p->s, p->subject->fn->pf);
        return !p->subject->resets || (pf && !(pf->flags & FN_AUTOPROBE));
}

/* New VFs without a wish are left to the kernel's choice, and left alone where the PF's autoprobe was off. */
static bool vf_driver_comes(const Place *p) {
        if (p->subject->vfs_come > 0)
                return p->op->driver[0] != '\0' || p->subject->fn->flags & FN_AUTOPROBE;
        return is_vf(p) && p->subject->driver_comes;
}

/* clang-format off */
static const Row ladder[_RUNG_MAX] = {
        /*                         name               for                    each         when              text                                       fans   global deadline */
        [RUNG_CLEAR_WAY]      = { "clear-way",       ALL,                   ONCE,        always,           "see that nobody is stuck in the kernel",  false, false, 60, 0 },
        [RUNG_LOAD_DRIVER]    = { "load-driver",     SET | BIND,            ONCE,        driver_missing,   "modprobe {name}",                         false, false, 60, 0 },
        [RUNG_REFUSE_IF_HELD] = { "refuse-if-held",  DOWN,                  EACH_OLD_VF, is_taken,         "refuse if somebody uses it",              false, false, 30, 0 },
        [RUNG_REFUSE_IF_DOWN] = { "refuse-if-down",  RESET,                 EACH_SUBJECT, must_be_up,      "refuse if its net device is down",        false, false, 30, 0 },
        [RUNG_PARK_VF]        = { "park-vf",         VFS_DOWN,              EACH_OLD_VF, vfs_go,           "driver_override = " PARK_OVERRIDE ", unbind", true, false, 30, 0 },
        [RUNG_UNBIND_KEEPER]  = { "unbind-keeper",   VFS_DOWN,              EACH_SUBJECT, driver_keeps_vfs, "unbind from {was}, which kept the VFs",  false, true,  60, 0 },
        [RUNG_STUB_PF]        = { "stub-pf",         VFS_DOWN,              EACH_SUBJECT, needs_stub,      "bind to " STUB_DRIVER,                    false, false, 30, 0 },
        [RUNG_VFS_OFF]        = { "vfs-off",         VFS_DOWN,              EACH_SUBJECT, vfs_go,          "sriov_numvfs = 0",                        false, true,  60, 2 },
        [RUNG_UNSTUB_PF]      = { "unstub-pf",       VFS_DOWN,              EACH_SUBJECT, needs_stub,      "unbind from " STUB_DRIVER,                false, false, 30, 0 },
        [RUNG_UNBIND]         = { "unbind",          DOWN,                  EACH_SUBJECT, driver_goes,     "unbind from {was}",                       false, true,  60, 0 },
        [RUNG_QUIET_PORT]     = { "quiet-port",      REMOVE | SLOT_OFF | FOREIGN, EACH_PORT,   port_sleeps,      "unbind {name} from pciehp",               false, false, 30, 0 },
        [RUNG_REMOVE]         = { "remove",          REMOVE,                EACH_SUBJECT, goes,            "remove = 1",                              false, true,  60, 0 },
        [RUNG_SLOT_OFF]       = { "slot-off",        SLOT_OFF,              ONCE,        always,           "slot {name}: power = 0",                  false, true,  60, 0 },
        [RUNG_UNLOAD]         = { "unload",          UNLOAD,                ONCE,        always,           "delete_module {name}",                    false, true,  60, 0 },
        [RUNG_ADMIT]          = { "admit",           FOREIGN,               ONCE,        always,           "let the program in that waits",           false, true,  60, 0 },
        [RUNG_RESET]          = { "reset",           RESET,                 EACH_SUBJECT, resets,          "reset = 1",                               false, false, 90, 0 },
        [RUNG_RESCAN]         = { "rescan",          RESCAN | REMOVE,       ONCE,        wants_rescan,     "/sys/bus/pci/rescan = 1",                 false, true,  120, 0 },
        [RUNG_SLOT_ON]        = { "slot-on",         SLOT_ON,               ONCE,        always,           "slot {name}: power = 1",                  false, true,  60, 0 },
        [RUNG_BIND]           = { "bind",            SET | BIND | RESET,    EACH_SUBJECT, driver_comes,    "bind to {name}",                          false, true,  60, 0 },
        [RUNG_ESWITCH]        = { "eswitch",         0,                     EACH_SUBJECT, NULL,            "eswitch mode {name}",                     false, false, 60, 5 },
        [RUNG_UP_PF]          = { "up-pf",           0,                     EACH_SUBJECT, NULL,            "bring its net device up",                 false, false, 30, 0 },
        [RUNG_HOLD_PROBE]     = { "hold-probe",      SET,                   EACH_SUBJECT, probe_is_on,     "sriov_drivers_autoprobe = 0",             false, false, 30, 0 },
        [RUNG_VFS_ON]         = { "vfs-on",          SET,                   EACH_SUBJECT, vfs_come,        "sriov_numvfs = {n}",                      false, true,  60, 5 },
        [RUNG_ESWITCH_VFS]    = { "eswitch-vfs",     0,                     EACH_SUBJECT, NULL,            "eswitch mode {name}",                     false, false, 60, 5 },
        [RUNG_OVERRIDE_VF]    = { "override-vf",     SET | BIND | RESET,    EACH_NEW_VF, override_comes,   "driver_override = {name}",                true,  false, 30, 0 },
        [RUNG_CONFIGURE_VF]   = { "configure-vf",    0,                     EACH_NEW_VF, NULL,             "{name}",                                  false, false, 30, 0 },
        [RUNG_FREE_PROBE]     = { "free-probe",      SET,                   EACH_SUBJECT, probe_is_on,     "sriov_drivers_autoprobe = 1",             false, false, 30, 0 },
        [RUNG_BIND_VF]        = { "bind-vf",         SET | BIND | RESET,    EACH_NEW_VF, vf_driver_comes,  "bind to {name}",                          true,  false, 60, 0 },
        [RUNG_UNPARK_VF]      = { "unpark-vf",       0,                     EACH_OLD_VF, NULL,             "driver_override as before, bind to {name}", true, false, 60, 0 },
};
/* clang-format on */

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

static void name_vf(Step *step, const Place *p) {
        const Fn *pf = snapshot_find(p->s, p->vf->pf);

        step->fn = p->vf->pf;
        step->identity = pf ? pf->identity : 0;
        step->vf = p->vf->bdf;
        step->n = p->vf->vf_index;
        memcpy(step->was, p->vf->driver, sizeof(step->was));
}

static void name_subject(Step *step, const Place *p) {
        const Fn *fn = p->subject->fn;

        step->fn = fn->bdf;
        step->identity = fn->identity;
        memcpy(step->was, fn->driver, sizeof(step->was));
        if (step->rung == RUNG_VFS_ON)
                step->n = p->subject->vfs_come;
        if (step->rung == RUNG_VFS_OFF)
                step->n = fn->n_vfs;
        if (step->rung == RUNG_RESET)
                step->n = (fn->flags & FN_VF) != 0;
}

/* The value that goes with the rung: a driver, slot or service. */
static const char *name_of(Rung rung, const Place *p) {
        switch (rung) {
        case RUNG_LOAD_DRIVER:
        case RUNG_UNLOAD:
                return p->op->driver;
        case RUNG_ADMIT:
                return p->op->slot[0] != '\0' ? p->op->slot : p->op->driver;
        case RUNG_SLOT_OFF:
        case RUNG_SLOT_ON:
                return p->op->slot;
        case RUNG_QUIET_PORT:
                return p->service->name;
        case RUNG_BIND:
                return p->subject->driver_comes;
        case RUNG_OVERRIDE_VF:
        case RUNG_BIND_VF:
                return p->subject->vfs_come > 0 ? p->op->driver : p->subject->driver_comes;
        default:
                return "";
        }
}

static int climb_place(Rung rung, const Place *p, Plan *plan) {
        Step step = { .rung = rung, .fn = BDF_NONE, .vf = BDF_NONE };

        if (!ladder[rung].when(p))
                return 0;
        if (p->vf)
                name_vf(&step, p);
        else if (p->subject)
                name_subject(&step, p);
        else
                step.fn = p->service ? p->service->port : p->op->fn;
        if (!p->vf && p->subject && ladder[rung].each == EACH_NEW_VF)
                step.n = p->index;
        if (rung == RUNG_REFUSE_IF_HELD && p->vf) {
                step.fn = p->vf->bdf;
                step.identity = p->vf->identity;
        }
        /* Names are bounded where they come in; a longer one cannot be here. */
        if (str_copy(step.name, sizeof(step.name), name_of(rung, p)) < 0)
                return -ENAMETOOLONG;
        return plan_push(plan, &step);
}

/* The VFs that the subject has now, then the subject itself where the rung is for both. */
static int climb_old_vfs(Rung rung, Place place, Plan *plan) {
        const Subject *subject = place.subject;
        int r;

        FOREACH_FN (f, place.s) {
                if (!(f->flags & FN_VF) || f->flags & FN_ORPHAN ||
                    !bdf_equal(f->pf, subject->fn->bdf))
                        continue;
                place.vf = f;
                r = climb_place(rung, &place, plan);
                if (r < 0)
                        return r;
        }
        place.vf = NULL;
        return rung == RUNG_REFUSE_IF_HELD ? climb_place(rung, &place, plan) : 0;
}

/* VFs by number: those that vfs-on makes, or the one VF that is the subject. */
static int climb_new_vfs(Rung rung, Place place, Plan *plan) {
        int r;

        if (is_vf(&place)) {
                place.vf = place.subject->fn;
                return climb_place(rung, &place, plan);
        }
        for (place.index = 0; place.index < place.subject->vfs_come; place.index++) {
                r = climb_place(rung, &place, plan);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int climb_subject(Rung rung, Place place, Plan *plan) {
        switch (ladder[rung].each) {
        case EACH_OLD_VF:
                return climb_old_vfs(rung, place, plan);
        case EACH_NEW_VF:
                return climb_new_vfs(rung, place, plan);
        default:
                return climb_place(rung, &place, plan);
        }
}

static bool is_to_be_quiet(const Place *p, const Subjects *subjects, Bdf port) {
        if (p->op->kind == OP_REMOVE || p->op->door == DOOR_REMOVE)
                return near_takes_away(p->s, p->op, port);
        return snapshot_is_below(p->s, port, subjects->top);
}

/* Bus numbers grow downwards, so the highest port is the innermost. */
static int climb_ports(Rung rung, Place place, const Subjects *subjects, Plan *plan) {
        Bdf last = BDF_NONE;
        int r;

        for (;;) {
                place.service = NULL;
                for (size_t i = 0; i < place.s->n_services; i++) {
                        const Service *v = place.s->services + i;

                        if (bdf_compare(v->port, last) >= 0 ||
                            !is_to_be_quiet(&place, subjects, v->port) ||
                            (subjects->slot && bdf_equal(v->port, subjects->top)))
                                continue;
                        if (!place.service || bdf_compare(v->port, place.service->port) > 0)
                                place.service = v;
                }
                if (!place.service)
                        return 0;
                last = place.service->port;
                r = climb_place(rung, &place, plan);
                if (r < 0)
                        return r;
        }
}

static int climb_rung(Rung rung, Place place, const Subjects *subjects, Plan *plan) {
        int r;

        if (!(ladder[rung].ops & 1u << place.op->kind))
                return 0;
        if (ladder[rung].each == ONCE)
                return climb_place(rung, &place, plan);
        if (ladder[rung].each == EACH_PORT)
                return bdf_is_none(subjects->top) ? 0 : climb_ports(rung, place, subjects, plan);
        for (size_t i = 0; i < subjects->n_items; i++) {
                place.subject = subjects->items + i;
                r = climb_subject(rung, place, plan);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * Where there is nothing to do, nobody can be in the way. And whoever is let in as he is, with nothing done for him
 * before, waits for nobody's look at all of /proc: a gate that nobody is at costs next to nothing.
 */
static void skip_empty_way(Plan *plan) {
        if (plan->n_steps == 0 || plan->steps[0].rung != RUNG_CLEAR_WAY)
                return;
        if (plan->n_steps == 1)
                plan->n_steps = 0;
        else if (plan->n_steps == 2 && plan->steps[1].rung == RUNG_ADMIT) {
                plan->steps[0] = plan->steps[1];
                plan->n_steps = 1;
        }
}

int ladder_plan(const Snapshot *s, const Op *op, const Bdf *keeper, Plan **ret, Fault *ret_fault) {
        _cleanup_(subjects_done) Subjects subjects = {};
        _cleanup_(plan_freep) Plan *plan = NULL;
        int r;

        r = subjects_of(s, op, keeper, &subjects, ret_fault);
        if (r != 0)
                return r;
        plan = plan_new();
        if (!plan)
                return -ENOMEM;
        for (Rung rung = 0; rung < _RUNG_MAX; rung++) {
                r = climb_rung(rung, (Place){ .s = s, .op = op }, &subjects, plan);
                if (r < 0)
                        return r;
        }
        skip_empty_way(plan);
        *ret = TAKE_PTR(plan);
        return 0;
}

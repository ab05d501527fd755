/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Given: what VFs have beside their drivers, the eswitch, the net device that is up, and what a PF is known by
 *
 * Who can do what is the driver table's. Errors and presets are those of net/core/rtnetlink.c and of the drivers: what a driver
 * cannot do is EOPNOTSUPP, and what nobody has set shows as the driver presets it. Faults go by paths as for files:
 * "0000:01:10.0/vlan", "0000:01:00.0/eswitch", "0000:01:00.0/up".
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/policy.h"
#include "kernel/attr.h"
#include "tests/sim/world.h"

#define ESWITCH_MS 200
#define MSIX_PRESET 8
#define MSIX_MAX 64
#define QUEUES_MAX 16

static const SimDriverInfo *info_of(const SimFn *fn) {
        return fn && fn->driver && !fn->unbinding ? fn->driver->info : NULL;
}

static bool gives(const SimFn *pf, VfAttr attr) {
        const SimDriverInfo *d = info_of(pf);

        return d && d->gives & 1u << attr;
}

static SimFn *find_fn(const Sim *sim, Bdf bdf) {
        SimFn *fn = world_find(sim, bdf);

        return fn && !fn->gone ? fn : NULL;
}

static SimFn *find_vf(const Sim *sim, Bdf pf, uint32_t index) {
        const SimFn *fn = find_fn(sim, pf);

        return fn && index < fn->n_vfs ? fn->vfs[index] : NULL;
}

static void wait_for_rtnl(Sim *sim) {
        if (sim->rtnl_held && sim->sched.current)
                sim_wait_until(SCHED(sim), &sim->rtnl_free);
}

/* All keys of the attribute: the kernel takes it in one piece. */
static void store(VfAttrs *to, VfAttr attr, const VfAttrs *from) {
        for (VfKey k = 0; k < _VFKEY_MAX; k++)
                if (vfkey_attr(k) == attr) {
                        to->has |= 1u << k;
                        to->value[k] = from->value[k];
                }
}

/* A switch that a driver does not know is not told, but a link state is. */
static bool is_told(const SimFn *pf, VfAttr attr) {
        if (attr == VFATTR_LINK_STATE)
                return fn_has_net(pf);
        return gives(pf, attr);
}

static VfAttrs seen_of(const SimFn *pf, const SimFn *vf) {
        VfAttrs preset = { .value = { [VFKEY_SPOOFCHK] = 1, [VFKEY_MSIX] = MSIX_PRESET } },
                ret = {};

        for (VfAttr a = 0; a < _VFATTR_MAX; a++)
                if (is_told(pf, a))
                        store(&ret, a, vfattrs_have(&vf->attrs, a) ? &vf->attrs : &preset);
        return ret;
}

int given_attrs(Sim *sim, Bdf bdf, uint32_t first, uint32_t n, VfAttrs *ret) {
        const SimFn *pf, *vf;
        char what[64], text[16];

        snprintf(what, sizeof(what), "%s/attributes", BDF_STR(bdf));
        sim_op_begin(SCHED(sim), SIM_OP_HARMLESS, bdf, what);
        wait_for_rtnl(sim);
        pf = find_fn(sim, bdf);
        /* The reader of that file takes the PF's lock. */
        if (pf && pf->n_vfs > 0)
                (void) files_read(sim, ATTR_FN(ATTR_TOTAL_MSIX, bdf), text, sizeof(text));
        for (uint32_t i = 0; i < n; i++) {
                pf = find_fn(sim, bdf);
                vf = find_vf(sim, bdf, first + i);
                ret[i] = pf && vf ? seen_of(pf, vf) : (VfAttrs){};
        }
        sim_op_end(SCHED(sim));
        return 0;
}

/* What is written, as files_write() has it for files. 0: go on; 1: pretend; -errno. */
static int begin(Sim *sim, SimOpClass class, Bdf fn, const char *path, const char *value) {
        char what[128];
        int r;

        snprintf(what, sizeof(what), "%.32s > %.80s", value, startswith(path, "bus/pci/devices/"));
        if (sim->on_write)
                sim->on_write(sim, path, value, 1, sim->on_write_arg);
        sim_op_begin(SCHED(sim), class, fn, what);
        r = inject_before(sim, path);
        if (r == 0) {
                inject_inside(sim);
                wait_for_rtnl(sim);
                r = inject_lie(sim, NULL);
        }
        return r;
}

static int end(Sim *sim, const char *path, const char *value, int r) {
        sim_op_end(SCHED(sim));
        if (sim->on_write)
                sim->on_write(sim, path, value, r, sim->on_write_arg);
        return r;
}

/* A controller that is online already goes offline for it, which its driver would not survive. */
static int give_queues(SimFn *vf, const VfAttrs *a) {
        if (vf->driver)
                return -EBUSY;
        vf->attrs.has &= ~(1u << VFKEY_QUEUES | 1u << VFKEY_INTERRUPTS);
        if (a->value[VFKEY_QUEUES] > QUEUES_MAX || a->value[VFKEY_INTERRUPTS] > QUEUES_MAX)
                return -ERANGE;
        /* The admin queue and one more, or it does not come online. */
        if (a->value[VFKEY_QUEUES] < 2 || a->value[VFKEY_INTERRUPTS] < 1)
                return -EBUSY;
        store(&vf->attrs, VFATTR_QUEUES, a);
        return 0;
}

/* As igb answers to what it cannot: measured, tests/vm/guest/given. */
static int refuse_value(const SimDriverInfo *d, VfAttr attr, const VfAttrs *a) {
        if (attr == VFATTR_VLAN && a->value[VFKEY_VLAN_PROTO] == VFATTR_PROTO_8021AD &&
            !(d->flags & DRIVER_QINQ))
                return -EPROTONOSUPPORT;
        return attr == VFATTR_RATE && a->value[VFKEY_MIN_RATE] > 0 && !(d->flags & DRIVER_MIN_RATE)
                       ? -EINVAL
                       : 0;
}

static int give(SimFn *pf, SimFn *vf, VfAttr attr, const VfAttrs *a) {
        int r;

        if (!gives(pf, attr))
                return -EOPNOTSUPP;
        if (!vf)
                return attr == VFATTR_QUEUES ? -ENOENT : -EINVAL;
        r = refuse_value(pf->driver->info, attr, a);
        if (r < 0)
                return r;
        if (attr == VFATTR_QUEUES)
                return give_queues(vf, a);
        store(&vf->attrs, attr, a);
        return 0;
}

/* In its PF's and its own lock, in the file of the VF: sriov_msix_store() leads here. */
int given_msix(SimFn *pf, SimFn *vf, unsigned n) {
        VfAttrs a = { .value = { [VFKEY_MSIX] = n == 0 ? MSIX_PRESET : n } };

        if (!gives(pf, VFATTR_MSIX))
                return -EOPNOTSUPP;
        if (vf->driver)
                return -EBUSY;
        if (n > MSIX_MAX)
                return -EINVAL;
        store(&vf->attrs, VFATTR_MSIX, &a);
        return 0;
}

static int set_msix(Sim *sim, const SimFn *vf, const VfAttrs *a) {
        char text[VFATTR_VALUE_MAX];

        return vf ? files_write(sim, ATTR_FN(ATTR_MSIX_COUNT, vf->bdf),
                                vfattrs_get(a, VFKEY_MSIX, text))
                  : -ENOENT;
}

int given_set(Sim *sim, Bdf pf, uint32_t index, VfAttr attr, const VfAttrs *a) {
        const SimFn *vf = find_vf(sim, pf, index);
        char path[ATTR_PATH_MAX + 16], value[VFATTRS_TEXT_MAX];
        int r;

        if (attr == VFATTR_MSIX)
                return set_msix(sim, vf, a);
        if (vf)
                attr_path_fn(ATTR_DIRECTORY, vf->bdf, path);
        else
                attr_path_virtfn(pf, index, path);
        snprintf(path + strlen(path), 16, "/%s", vfattr_to_string(attr));
        vfattrs_format(a, attr, value, sizeof(value));
        r = begin(sim, attr == VFATTR_QUEUES ? SIM_OP_VF_DRIVER : SIM_OP_HARMLESS,
                  vf ? vf->bdf : pf, path, value);
        if (r == 0)
                r = give(find_fn(sim, pf), find_vf(sim, pf, index), attr, a);
        return end(sim, path, value, MIN2(r, 0));
}

int given_eswitch(const Sim *sim, Bdf bdf, Eswitch *ret) {
        const SimFn *pf = find_fn(sim, bdf);
        const SimDriverInfo *d = info_of(pf);

        if (!d || !(d->flags & DRIVER_ESWITCH) || !pf->hw)
                return -EOPNOTSUPP;
        *ret = pf->eswitch;
        return 0;
}

static int change_mode(Sim *sim, Bdf bdf, Eswitch mode) {
        SimFn *pf = find_fn(sim, bdf);
        Eswitch now;
        int r = given_eswitch(sim, bdf, &now);

        if (r < 0)
                return r;
        if (mode == now)
                return 0;
        if (info_of(pf)->flags & DRIVER_ESWITCH_AFTER && mode == ESWITCH_SWITCHDEV &&
            pf->n_vfs == 0)
                return -EPERM;
        if (info_of(pf)->flags & DRIVER_ESWITCH_WITHOUT && pf->n_vfs > 0)
                return -EOPNOTSUPP;
        for (unsigned i = 0; i < pf->n_vfs; i++)
                if (info_of(pf)->flags & DRIVER_ESWITCH_ALONE && pf->vfs[i] && pf->vfs[i]->driver)
                        return -EBUSY;
        sim_sleep(SCHED(sim), ESWITCH_MS);
        pf->eswitch = mode;
        return 0;
}

int given_set_eswitch(Sim *sim, Bdf pf, Eswitch mode) {
        char path[ATTR_PATH_MAX];
        int r;

        snprintf(path, sizeof(path), "bus/pci/devices/%s/eswitch", BDF_STR(pf));
        r = begin(sim, SIM_OP_TOPOLOGY, pf, path, eswitch_to_string(mode));
        if (r == 0)
                r = change_mode(sim, pf, mode);
        return end(sim, path, eswitch_to_string(mode), MIN2(r, 0));
}

int given_up(Sim *sim, Bdf bdf) {
        char path[ATTR_PATH_MAX];
        SimFn *fn;
        int r;

        snprintf(path, sizeof(path), "bus/pci/devices/%s/up", BDF_STR(bdf));
        r = begin(sim, SIM_OP_HARMLESS, bdf, path, "up");
        fn = find_fn(sim, bdf);
        if (r == 0 && (!fn || !fn_has_net(fn)))
                r = -ENODEV;
        if (r == 0)
                fn->net_up = true;
        return end(sim, path, "up", MIN2(r, 0));
}

static char *text(const char *format, ...) _printf_(1, 2);
static char *text(const char *format, ...) {
        char *s = NULL;
        va_list ap;

        va_start(ap, format);
        if (vasprintf(&s, format, ap) < 0)
                abort();
        va_end(ap);
        return s;
}

/* Made of the address, so that a test can say what it expects. */
int given_facts(Sim *sim, Bdf bdf, PfFacts *ret) {
        const SimFn *fn;
        PfFacts f = { .pf = bdf };
        unsigned bus = bdf_bus(bdf), devfn = bdf.rid & 0xffU;

        wait_for_rtnl(sim);
        fn = find_fn(sim, bdf);
        if (!fn)
                return -ENOENT;
        f.identity = fn->ino;
        f.path = text("pci-%s", BDF_STR(bdf));
        f.serial = text("00-00-00-ff-ff-%02x-%02x-00", bus, devfn);
        if (fn_has_net(fn)) {
                _cleanup_free_ char *mac = text("52:54:00:%02x:%02x:00", bus, devfn);
                _cleanup_free_ char *name = text("lan%u-%u", bus, devfn);

                if (strv_push(&f.macs, mac) < 0 || strv_push(&f.altnames, name) < 0)
                        abort();
        }
        *ret = f;
        return 0;
}

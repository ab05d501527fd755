/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: the part of /sys that the simulated kernel shows, for reading
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

typedef enum Who {
        WHO_ALL = 0,
        WHO_PF = 1 << 0,
        WHO_VF = 1 << 1,
        WHO_NOT_VF = 1 << 2,
        WHO_NOT_BRIDGE = 1 << 3,
} Who;

static const struct {
        const char *name;
        Who who;
} attrs[] = {
        { "class", WHO_ALL },
        { "vendor", WHO_ALL },
        { "device", WHO_ALL },
        { "numa_node", WHO_ALL },
        { "uevent", WHO_ALL },
        { "driver_override", WHO_ALL },
        { "remove", WHO_NOT_VF },
        { "rescan", WHO_NOT_VF },
        { "reset", WHO_NOT_BRIDGE },
        { "reset_method", WHO_NOT_BRIDGE },
        { "sriov_totalvfs", WHO_PF },
        { "sriov_numvfs", WHO_PF },
        { "sriov_drivers_autoprobe", WHO_PF },
        { "sriov_vf_total_msix", WHO_PF },
        { "sriov_vf_msix_count", WHO_VF },
};

static bool is_who(const SimFn *fn, Who who) {
        switch (who) {
        case WHO_PF:
                return fn->hw && fn->kind->total_vfs > 0;
        case WHO_VF:
                return !fn->hw;
        case WHO_NOT_VF:
                return fn->hw;
        case WHO_NOT_BRIDGE:
                return fn->kind->class >> 16 != 0x06;
        case WHO_ALL:
                return true;
        }
        return false;
}

bool fn_has_attr(const SimFn *fn, const char *attr) {
        for (size_t i = 0; i < ELEMENTSOF(attrs); i++)
                if (streq(attrs[i].name, attr))
                        return is_who(fn, attrs[i].who) && !(fn->removing && streq(attr, "remove"));
        return false;
}

bool files_read_blocks(const Sim *sim, const char *path) {
        SimPath p = path_parse(sim, path);

        return p.kind == PATH_FN_ATTR &&
               (streq(p.attr, "sriov_numvfs") || streq(p.attr, "sriov_vf_total_msix") ||
                streq(p.attr, "driver_override") || streq(p.attr, "uevent"));
}

bool fn_has_net(const SimFn *fn) {
        return fn->driver && !fn->unbinding && (fn->driver->info->flags & DRIVER_NET);
}

#define NET_NAME 64

static const char *net_name(const SimFn *fn, char buf[static NET_NAME]) {
        Bdf b = fn->hw ? fn->bdf : fn->physfn;
        char domain[16] = "", function[8] = "", vf[16] = "";

        if (!fn->named) {
                snprintf(buf, NET_NAME, "eth%" PRIu64, fn->ino);
                return buf;
        }
        if (b.domain != 0)
                snprintf(domain, sizeof(domain), "P%u", b.domain);
        if (bdf_function(b) != 0)
                snprintf(function, sizeof(function), "f%u", bdf_function(b));
        if (!fn->hw)
                snprintf(vf, sizeof(vf), "v%u", fn->index);
        snprintf(buf, NET_NAME, "en%sp%us%u%s%s", domain, bdf_bus(b), (b.rid >> 3) & 31U, function,
                 vf);
        return buf;
}

/* A list that grows without counting itself anew: a directory may have 65,536 names. */
typedef struct Names {
        char **list;
        size_t n, room;
} Names;

static void add(Names *l, const char *name) {
        if (l->n + 2 > l->room) {
                l->room = l->room == 0 ? 16 : l->room * 2;
                l->list = reallocarray(l->list, l->room, sizeof(char *));
                if (!l->list)
                        abort();
        }
        l->list[l->n] = strdup(name);
        l->list[++l->n] = NULL;
}

static void list_fn(const SimFn *fn, Names *l) {
        char buf[SIM_NAME];

        for (size_t i = 0; i < ELEMENTSOF(attrs); i++)
                if (fn_has_attr(fn, attrs[i].name))
                        add(l, attrs[i].name);
        add(l, "subsystem");
        add(l, "iommu_group");
        if (driver_of(fn))
                add(l, "driver");
        if (!fn->hw)
                add(l, "physfn");
        if (fn_has_net(fn))
                add(l, "net");
        for (unsigned i = 0; i < fn->n_vfs; i++)
                if (fn->vfs[i]) {
                        snprintf(buf, sizeof(buf), "virtfn%u", i);
                        add(l, buf);
                }
}

static void list_driver(const Sim *sim, const SimDriver *d, Names *l) {
        add(l, "bind");
        add(l, "unbind");
        add(l, "uevent");
        if (d->info->module)
                add(l, "module");
        for (const SimFn *f = sim->fns; f; f = f->next)
                if (!f->gone && f->driver == d && !f->unbinding)
                        add(l, BDF_STR(f->bdf));
}

static void list_ports(const Sim *sim, bool services, Names *l) {
        char buf[SIM_NAME];

        for (const SimHw *h = sim->hw; h; h = h->next) {
                if (services && h->service)
                        add(l, service_name(h, buf));
                if (!services && h->slot_shown)
                        add(l, h->slot);
        }
}

static int list_names(Sim *sim, const SimPath *p, Names *l) {
        char buf[NET_NAME];

        switch (p->kind) {
        case PATH_DEVICES:
                for (const SimFn *f = sim->fns; f; f = f->next)
                        if (!f->gone)
                                add(l, BDF_STR(f->bdf));
                return 0;
        case PATH_FN:
                list_fn(p->fn, l);
                return 0;
        case PATH_FN_NET:
                if (!fn_has_net(p->fn))
                        return -ENOENT;
                /* The names of another namespace are not shown in ours. */
                if (!users_has(p->fn, HOLDER_NETNS))
                        add(l, net_name(p->fn, buf));
                return 0;
        case PATH_DRIVERS:
                for (size_t i = 0; i < sim->n_drivers; i++)
                        if (sim->drivers[i].loaded)
                                add(l, sim->drivers[i].info->name);
                return 0;
        case PATH_DRIVER:
                list_driver(sim, p->driver, l);
                return 0;
        case PATH_SLOTS:
                list_ports(sim, false, l);
                return 0;
        case PATH_SLOT:
                add(l, "address");
                add(l, "power");
                return 0;
        case PATH_SERVICES:
                add(l, "bind");
                add(l, "unbind");
                add(l, "uevent");
                list_ports(sim, true, l);
                return 0;
        default:
                return p->kind == PATH_NONE ? -ENOENT : -ENOTDIR;
        }
}

int files_list(Sim *sim, const char *path, char ***ret) {
        SimPath p = path_parse(sim, path);
        Names l = { NULL, 0, 0 };
        int r = list_names(sim, &p, &l);

        if (r < 0)
                return r;
        if (!l.list) {
                l.list = calloc(1, sizeof(char *));
                if (!l.list)
                        return -ENOMEM;
        }
        *ret = l.list;
        return 0;
}

static int read_locked(Sim *sim, SimFn *fn, const char *attr, char *buf, size_t size) {
        SimLock *ka = world_file(fn, attr);
        int r = 0;

        sim_lock_shared(SCHED(sim), ka);
        sim_lock(SCHED(sim), &fn->dl);
        if (streq(attr, "sriov_numvfs"))
                r = snprintf(buf, size, "%u", fn->n_vfs);
        else if (streq(attr, "sriov_vf_total_msix"))
                r = snprintf(buf, size, "%u",
                             fn->driver && fn->driver->info->gives & 1u << VFATTR_MSIX ? 512U : 0U);
        else if (streq(attr, "driver_override"))
                r = snprintf(buf, size, "%s", fn->override ? fn->override : "(null)");
        else
                r = snprintf(buf, size, "PCI_SLOT_NAME=%s", BDF_STR(fn->bdf));
        sim_unlock(SCHED(sim), &fn->dl);
        sim_unlock(SCHED(sim), ka);
        return r;
}

/* "net/NAME/flags" of its own net device: IFF_BROADCAST | IFF_MULTICAST, and IFF_UP. */
static int read_net(const SimFn *fn, const char *attr, char *buf, size_t size) {
        char name[NET_NAME];
        const char *rest = fn_has_net(fn) ? startswith(attr, net_name(fn, name)) : NULL;

        if (!rest || !streq(rest, "/flags"))
                return -ENOENT;
        return snprintf(buf, size, "0x%x", 0x1002 | fn->net_up);
}

static int read_fn(Sim *sim, SimFn *fn, const char *attr, char *buf, size_t size) {
        const char *net = startswith(attr, "net/");

        if (net)
                return read_net(fn, net, buf, size);
        if (!fn_has_attr(fn, attr))
                return -ENOENT;
        if (streq(attr, "class"))
                return snprintf(buf, size, "0x%06x", fn->kind->class);
        if (streq(attr, "vendor"))
                return snprintf(buf, size, "0x%04x", fn->kind->vendor);
        if (streq(attr, "device"))
                return snprintf(buf, size, "0x%04x",
                                fn->hw ? fn->kind->device : fn->kind->vf_device);
        if (streq(attr, "numa_node"))
                return snprintf(buf, size, "-1");
        if (streq(attr, "sriov_totalvfs"))
                return snprintf(buf, size, "%u", fn->kind->total_vfs);
        if (streq(attr, "sriov_drivers_autoprobe"))
                return snprintf(buf, size, "%d", fn->autoprobe);
        if (streq(attr, "reset_method"))
                return snprintf(buf, size, fn->hw ? "flr" : "flr bus");
        if (streq(attr, "remove") || streq(attr, "rescan") || streq(attr, "reset") ||
            streq(attr, "sriov_vf_msix_count"))
                return -EACCES;
        return read_locked(sim, fn, attr, buf, size);
}

int files_read(Sim *sim, const char *path, char *buf, size_t size) {
        SimPath p = path_parse(sim, path);
        char text[128] = "";
        int r;

        if (p.kind == PATH_FN_ATTR)
                r = read_fn(sim, p.fn, p.attr, text, sizeof(text));
        else if (p.kind == PATH_SLOT_ATTR && streq(p.attr, "power"))
                r = snprintf(text, sizeof(text), "%d", p.port->slot_on);
        else if (p.kind == PATH_SLOT_ATTR && streq(p.attr, "address"))
                r = snprintf(text, sizeof(text), "%04x:%02x:00", p.port->bdf.domain,
                             p.port->secondary);
        else if (p.kind == PATH_NONE)
                r = -ENOENT;
        else
                r = p.attr[0] == '\0' ? -EISDIR : -ENOENT;
        if (r < 0)
                return r;
        snprintf(buf, size, "%s", text);
        return strlen(buf);
}

int files_link(Sim *sim, const char *path, char *buf, size_t size) {
        SimPath p = path_parse(sim, path);
        const char *v;

        if (p.kind == PATH_DRIVER_ATTR && streq(p.attr, "module") && p.driver->info->module)
                return str_copy(buf, size, p.driver->info->module);
        if (p.kind == PATH_FN && startswith(path, "bus/pci/devices/"))
                return str_copy(buf, size, BDF_STR(p.fn->bdf));
        if (p.kind != PATH_FN_ATTR)
                return p.kind == PATH_NONE ? -ENOENT : -EINVAL;
        if (streq(p.attr, "driver"))
                return driver_of(p.fn) ? str_copy(buf, size, driver_of(p.fn)) : -ENOENT;
        if (streq(p.attr, "subsystem"))
                return str_copy(buf, size, "pci");
        if (streq(p.attr, "physfn"))
                return p.fn->hw ? -ENOENT : str_copy(buf, size, BDF_STR(p.fn->physfn));
        if (streq(p.attr, "iommu_group")) {
                snprintf(buf, size, "%d", p.fn->group);
                return 0;
        }
        v = startswith(p.attr, "virtfn");
        if (v) {
                unsigned i = strtoul(v, NULL, 10);

                if (i < p.fn->n_vfs && p.fn->vfs[i])
                        return str_copy(buf, size, BDF_STR(p.fn->vfs[i]->bdf));
                return -ENOENT;
        }
        return fn_has_attr(p.fn, p.attr) ? -EINVAL : -ENOENT;
}

static int full_path(const SimHw *hw, char *buf, size_t size) {
        int n;

        if (hw->parent)
                n = full_path(hw->parent, buf, size);
        else
                n = snprintf(buf, size, "devices/pci%04x:%02x", hw->bdf.domain, bdf_bus(hw->bdf));
        if (n < 0 || (size_t) n >= size)
                return -ENAMETOOLONG;
        return n + snprintf(buf + n, size - n, "/%s", BDF_STR(hw->bdf));
}

int files_path(Sim *sim, const char *path, char *buf, size_t size) {
        SimPath p = path_parse(sim, path);
        const SimFn *fn = p.fn;
        int n = 0;

        if (p.kind == PATH_FN_ATTR && streq(p.attr, "physfn"))
                fn = p.fn->pf;
        else if (p.kind != PATH_FN)
                return p.kind == PATH_NONE ? -ENOENT : -EINVAL;
        if (!fn)
                return -ENOENT;
        if (fn->hw)
                n = full_path(fn->hw, buf, size);
        else if (fn->parent && fn->parent->hw)
                n = full_path(fn->parent->hw, buf, size);
        else
                n = snprintf(buf, size, "devices/pci%04x:%02x", fn->bdf.domain, bdf_bus(fn->bdf));
        if (n < 0 || (size_t) n >= size)
                return -ENAMETOOLONG;
        if (!fn->hw)
                n += snprintf(buf + n, size - n, "/%s", BDF_STR(fn->bdf));
        return (size_t) n < size ? 0 : -ENAMETOOLONG;
}

/* Files and links of a function have a number of their own, but nobody asks for more than whether they are there. */
int files_identity(Sim *sim, const char *path, uint64_t *ret) {
        SimPath p = path_parse(sim, path);
        char buf[SIM_NAME * 2];

        if (p.kind == PATH_NONE)
                return -ENOENT;
        if (p.kind == PATH_FN_NET && !fn_has_net(p.fn))
                return -ENOENT;
        if (p.kind == PATH_FN_ATTR && !fn_has_attr(p.fn, p.attr)) {
                int r = files_link(sim, path, buf, sizeof(buf));

                if (r < 0)
                        return r;
        }
        *ret = p.fn ? p.fn->ino : 1;
        return 0;
}

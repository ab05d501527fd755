/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path: what a path below /sys stands for
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "tests/sim/world.h"

static SimPath parse_fn(const Sim *sim, const char *rest) {
        SimPath p = { .kind = PATH_NONE };
        char name[BDF_MAX];
        size_t n = strcspn(rest, "/");
        Bdf bdf;

        if (n >= sizeof(name))
                return p;
        memcpy(name, rest, n);
        name[n] = '\0';
        if (bdf_parse(name, &bdf) < 0)
                return p;
        p.fn = world_find(sim, bdf);
        if (!p.fn || p.fn->gone)
                return (SimPath){ .kind = PATH_NONE };
        rest += n + strspn(rest + n, "/");
        if (*rest == '\0')
                p.kind = PATH_FN;
        else if (streq(rest, "net"))
                p.kind = PATH_FN_NET;
        else if (str_copy(p.attr, sizeof(p.attr), rest) == 0)
                p.kind = PATH_FN_ATTR;
        return p;
}

/* NAME or NAME/attr, with NAME looked up by the caller. */
static const char *split(const char *rest, char name[static SIM_NAME], char *attr, size_t size) {
        size_t n = strcspn(rest, "/");

        if (n == 0 || n >= SIM_NAME)
                return NULL;
        memcpy(name, rest, n);
        name[n] = '\0';
        rest += n + strspn(rest + n, "/");
        snprintf(attr, size, "%s", rest);
        return name;
}

static SimPath parse_driver(const Sim *sim, const char *rest) {
        SimPath p = { .kind = PATH_NONE };
        char name[SIM_NAME];

        if (!split(rest, name, p.attr, sizeof(p.attr)))
                return p;
        p.driver = driver_find(sim, name);
        if (p.driver)
                p.kind = p.attr[0] == '\0' ? PATH_DRIVER : PATH_DRIVER_ATTR;
        return p;
}

static SimPath parse_slot(const Sim *sim, const char *rest) {
        SimPath p = { .kind = PATH_NONE };
        char name[SIM_NAME];

        if (!split(rest, name, p.attr, sizeof(p.attr)))
                return p;
        p.port = world_slot(sim, name);
        if (p.port)
                p.kind = p.attr[0] == '\0' ? PATH_SLOT : PATH_SLOT_ATTR;
        return p;
}

static SimPath parse_service(const Sim *sim, const char *rest) {
        SimPath p = { .kind = PATH_SERVICE_ATTR };

        snprintf(p.attr, sizeof(p.attr), "%s", rest);
        if (streq(rest, "bind") || streq(rest, "unbind") || streq(rest, "uevent"))
                return p;
        p.port = world_service(sim, rest);
        p.kind = p.port ? PATH_SERVICE : PATH_NONE;
        return p;
}

/* class/pci_bus/DDDD:BB/rescan */
static SimPath parse_bus(const Sim *sim, const char *rest) {
        unsigned domain, bus;
        int n = 0;

        if (sscanf(rest, "%x:%x/rescan%n", &domain, &bus, &n) == 2 && n > 0 && rest[n] == '\0')
                for (SimHw *h = sim->hw; h; h = h->next)
                        if (h->bdf.domain == domain && h->secondary == bus && h->fn)
                                return (SimPath){ .kind = PATH_BUS_RESCAN,
                                                  .port = h,
                                                  .attr = "rescan" };
        return (SimPath){ .kind = PATH_NONE };
}

/* devices/pci0000:00/0000:00:01.0/0000:01:00.0/attr: the last address in it is the function. */
static SimPath parse_devices(const Sim *sim, const char *rest) {
        SimPath p = { .kind = PATH_NONE };

        for (const char *c = strchr(rest, '/'); c; c = strchr(c + 1, '/')) {
                SimPath q = parse_fn(sim, c + 1);

                if (q.kind != PATH_NONE)
                        p = q;
        }
        return p;
}

SimPath path_parse(const Sim *sim, const char *path) {
        static const struct {
                const char *prefix;
                SimPath (*parse)(const Sim *sim, const char *rest);
        } below[] = {
                { "bus/pci/devices/", parse_fn },
                { "bus/pci/drivers/", parse_driver },
                { "bus/pci/slots/", parse_slot },
                { "bus/pci_express/drivers/pciehp/", parse_service },
                { "class/pci_bus/", parse_bus },
                { "devices/", parse_devices },
        };
        SimPath p = { .kind = PATH_NONE };

        for (size_t i = 0; i < ELEMENTSOF(below); i++) {
                const char *rest = startswith(path, below[i].prefix);

                if (rest)
                        return below[i].parse(sim, rest);
        }
        if (streq(path, "bus/pci/devices"))
                p.kind = PATH_DEVICES;
        else if (streq(path, "bus/pci/drivers"))
                p.kind = PATH_DRIVERS;
        else if (streq(path, "bus/pci/slots"))
                p.kind = PATH_SLOTS;
        else if (streq(path, "bus/pci_express/drivers/pciehp"))
                p.kind = PATH_SERVICES;
        else if (streq(path, "bus/pci/rescan") || streq(path, "bus/pci/drivers_probe")) {
                p.kind = PATH_BUS_ATTR;
                snprintf(p.attr, sizeof(p.attr), "%s", strrchr(path, '/') + 1);
        }
        return p;
}

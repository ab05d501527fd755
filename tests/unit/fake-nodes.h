/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fake kernel consists of: files, links and folders by their paths, and what a test tells it to do
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/macro.h"
#include "base/str.h"
#include "core/bdf.h"
#include "kernel/step.h"

#define PF "0000:01:00.0"
#define VF0 "0000:01:10.0"
#define VF1 "0000:01:10.2"
#define VF2 "0000:01:10.4"
#define PORT "0000:00:01.0"
#define SERVICE PORT ":pcie004"

typedef struct Node {
        char path[160];
        char kind; /* d, f, l */
        char value[96];
        uint64_t identity;
} Node;

typedef struct Fake {
        Kernel kernel;
        Node nodes[256];
        size_t n_nodes;
        uint64_t last_identity;
        char log[32][128]; /* writes, "PF/sriov_numvfs=4" */
        size_t n_log;
        const char *refuse; /* a write whose path ends so ... */
        int error; /* ... fails with that, */
        unsigned skip; /* after so many that went well */
        const char *ignore; /* a write whose path ends so succeeds, and that is all */
        int makes; /* sriov_numvfs makes so many, whatever was asked for; -1: no */
        const char *chooses; /* what drivers_probe binds; NULL: nothing */
        int group; /* what open_group returns */
        Holders users; /* what users finds; the test's */
        int users_error;
        unsigned n_users; /* so often was it asked, */
        UsersMode users_mode; /* last with that */
        Tasks tasks; /* what tasks finds; the test's */
        int tasks_error;
        VfAttrs given[3]; /* what VFs have, */
        int given_error; /* or why that is not told */
        Eswitch eswitch; /* ESWITCH_KEEP: it has none */
        int module; /* what load_module and unload_module return */
        unsigned now; /* ms that were waited */
        unsigned later_at;
        void (*later)(struct Fake *);
        unsigned n_calls; /* of the seam, */
        unsigned
                vanish_at; /* and before that one (from 1) all functions but the port go; 0: never */
        int vanish_error; /* what it returns then, and all later ones that would change anything */
} Fake;

static const Bdf pf = { 0, 0x0100 };
static const Bdf vf0 = { 0, 0x0180 };
static const Bdf port = { 0, 0x0008 };

static inline Fake *fake(Kernel *k) {
        return (Fake *) k;
}

static inline Node *find(Fake *f, const char *path) {
        for (size_t i = 0; i < f->n_nodes; i++)
                if (streq(f->nodes[i].path, path))
                        return f->nodes + i;
        return NULL;
}

static inline void _printf_(4, 5)
        put(Fake *f, char kind, const char *value, const char *format, ...) {
        char path[160];
        va_list ap;
        Node *n;

        va_start(ap, format);
        vsnprintf(path, sizeof(path), format, ap);
        va_end(ap);
        n = find(f, path);
        if (!n) {
                assert_true(f->n_nodes < ELEMENTSOF(f->nodes));
                n = f->nodes + f->n_nodes++;
                n->identity = ++f->last_identity;
                strcpy(n->path, path);
        }
        n->kind = kind;
        snprintf(n->value, sizeof(n->value), "%s", value);
}

/* With all that is below it. */
static inline void _printf_(2, 3) drop(Fake *f, const char *format, ...) {
        char path[160];
        va_list ap;
        size_t n = 0;

        va_start(ap, format);
        vsnprintf(path, sizeof(path), format, ap);
        va_end(ap);
        for (size_t i = 0; i < f->n_nodes; i++) {
                const char *rest = startswith(f->nodes[i].path, path);

                if (!rest || (*rest != '\0' && *rest != '/'))
                        f->nodes[n++] = f->nodes[i];
        }
        f->n_nodes = n;
}

static inline const char *value_of(Fake *f, const char *path) {
        Node *n = find(f, path);

        return n ? n->value : "";
}

#define DEVICES "bus/pci/devices/"
#define DRIVERS "bus/pci/drivers/"
#define SERVICES "bus/pci_express/drivers/pciehp"

static inline void put_function(Fake *f, const char *bdf) {
        put(f, 'd', "", DEVICES "%s", bdf);
        put(f, 'f', "(null)", DEVICES "%s/driver_override", bdf);
        put(f, 'f', "", DEVICES "%s/reset", bdf);
}

static inline void put_bound(Fake *f, const char *bdf, const char *driver) {
        put(f, 'l', driver, DEVICES "%s/driver", bdf);
        put(f, 'l', bdf, DRIVERS "%s/%s", driver, bdf);
}

static const char *const vf_names[] = { VF0, VF1, VF2 };

static inline void put_vfs(Fake *f, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                put_function(f, vf_names[i]);
                put(f, 'l', vf_names[i], DEVICES PF "/virtfn%u", i);
                put(f, 'l', PF, DEVICES "%s/physfn", vf_names[i]);
        }
}

static inline void drop_vfs(Fake *f) {
        for (unsigned i = 0; i < ELEMENTSOF(vf_names); i++) {
                drop(f, DEVICES "%s", vf_names[i]);
                drop(f, DEVICES PF "/virtfn%u", i);
        }
}

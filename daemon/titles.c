/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Titles
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "core/names.h"

#include "daemon/log.h"
#include "daemon/manager.h"

/* Reading a file of names takes milliseconds; one who is still at it after this is given up, not ended. */
#define TITLES_DEADLINE_USEC 0

void titles_done(Titles *t) {
        for (size_t i = 0; i < t->n; i++) {
                free(t->items[i].vendor_name);
                free(t->items[i].device_name);
        }
        free(t->items);
        *t = (Titles){};
}

static Title *find(const Titles *t, uint16_t vendor, uint16_t device) {
        for (Title *i = t->items; i && i < t->items + t->n; i++)
                if (i->vendor == vendor && i->device == device)
                        return i;
        return NULL;
}

static int add(Titles *t, uint16_t vendor, uint16_t device) {
        Title *more = reallocarray(t->items, t->n + 1, sizeof(Title));

        if (!more)
                return -ENOMEM;
        t->items = more;
        more[t->n++] = (Title){ .vendor = vendor, .device = device };
        return 0;
}

static void ask(Manager *m, const WorkerRequest *request) {
        Worker *w;

        /* Without an answer the names stay numbers; whoever started before us may be stuck. */
        if (workers_get(&m->workers, &w) >= 0 && worker_ask(w, request, TITLES_DEADLINE_USEC) >= 0)
                m->titles.asking = true;
}

void titles_ask(Manager *m) {
        WorkerRequest request = { .work = WORKER_NAMES };
        Titles *t = &m->titles;

        if (t->asking)
                return;
        FOREACH_FN (f, m->snapshot)
                if (f->flags & FN_PF && !find(t, f->vendor, f->device) &&
                    add(t, f->vendor, f->device) < 0)
                        return;
        for (size_t i = 0; i < t->n && request.n_ids < WORKER_IDS_MAX; i++) {
                if (t->items[i].asked)
                        continue;
                t->items[i].asked = true;
                request.ids[request.n_ids].vendor = t->items[i].vendor;
                request.ids[request.n_ids].device = t->items[i].device;
                request.n_ids++;
        }
        if (request.n_ids > 0)
                ask(m, &request);
}

static char *copy_name(const char *name) {
        return name[0] != '\0' ? strdup(name) : NULL;
}

static void tell(Manager *m, uint16_t vendor, uint16_t device) {
        static const char *const names[] = { "Vendor", "Device", NULL };

        FOREACH_FN (f, m->snapshot) {
                _cleanup_free_ char *path = NULL;

                if (!(f->flags & FN_PF) || f->vendor != vendor || f->device != device)
                        continue;
                path = bus_fn_path(f->bdf, f->flags);
                if (path)
                        bus_changed(&m->bus, path, BUS_PF, names);
        }
}

void titles_answered(Manager *m, const WorkerRequest *request, const WorkerReply *reply) {
        m->titles.asking = false;
        for (size_t i = 0; reply && i < request->n_ids; i++) {
                Title *t = find(&m->titles, request->ids[i].vendor, request->ids[i].device);

                if (!t || t->vendor_name || t->device_name)
                        continue;
                t->vendor_name = copy_name(reply->names[i].vendor);
                t->device_name = copy_name(reply->names[i].device);
                tell(m, t->vendor, t->device);
        }
}

static const char *hex(uint16_t n, char buf[static 8]) {
        snprintf(buf, 8, "%04x", n);
        return buf;
}

const char *titles_vendor(const Titles *t, const Fn *fn, char buf[static 8]) {
        const Title *i = find(t, fn->vendor, fn->device);

        return i && i->vendor_name ? i->vendor_name : hex(fn->vendor, buf);
}

const char *titles_device(const Titles *t, const Fn *fn, char buf[static 8]) {
        const Title *i = find(t, fn->vendor, fn->device);

        return i && i->device_name ? i->device_name : hex(fn->device, buf);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ready
 *
 * udev's file of a device that is gone stays until udev has taken in that it is gone, and the next device at the address, or
 * the next VF of that number, would pass for initialized by it. So the kernel's "remove" is remembered until udev's own has come:
 * both have the same number. A driver's link is there before the driver has made its net devices: really_probe() in
 * drivers/base/dd.c; the kernel's "bind" comes after. And udev writes its file before it loads the driver's module, for that is
 * among what it runs in the end: its event comes after.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#include "core/wanted.h"

#include "daemon/hash.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/ready.h"

struct ReadyFn {
        Bdf bdf;
        uint64_t identity; /* of what the snapshot had there last; 0: nothing yet */
        uint64_t looks; /* hash of its driver and net devices */
        uint64_t away, done; /* numbers of the kernel's last "remove", and of udev's last event */
        bool removed; /* that "remove" was of what the snapshot has, or had */
        bool unseen; /* another device sits there than was, or none, and its "remove" is still to come */
        bool missed; /* nothing was seen there for a while, which is why unseen is set */
        bool bound; /* its driver has finished its probe */
        bool finished; /* udev has told that it is through with it, or had nothing under way */
        bool checked; /* the next is of now */
        bool initialized;
        bool without; /* and there is no udev whose word could be waited for */
};

#define DOUBT_USEC (10 * UINT64_C(1000000))

void ready_done(Readiness *r) {
        sd_event_source_disable_unref(r->doubt);
        free(r->items);
        *r = (Readiness){};
}

static int compare(const void *a, const void *b) {
        return bdf_compare(((const ReadyFn *) a)->bdf, ((const ReadyFn *) b)->bdf);
}

static ReadyFn *find(const Readiness *r, Bdf bdf) {
        size_t n_sorted = r->n - r->n_new;
        ReadyFn *f = r->items ? bsearch(&(ReadyFn){ .bdf = bdf }, r->items, n_sorted,
                                        sizeof(ReadyFn), compare)
                              : NULL;

        for (size_t i = n_sorted; !f && i < r->n; i++)
                if (bdf_equal(r->items[i].bdf, bdf))
                        f = r->items + i;
        return f;
}

static ReadyFn *find_or_add(Readiness *r, Bdf bdf) {
        ReadyFn *f = find(r, bdf);

        if (f)
                return f;
        if (r->n == r->room) {
                size_t room = r->room > 0 ? r->room * 2 : 64;
                ReadyFn *more = reallocarray(r->items, room, sizeof(ReadyFn));

                if (!more)
                        return NULL;
                r->items = more;
                r->room = room;
        }
        r->n_new++;
        f = r->items + r->n++;
        *f = (ReadyFn){ .bdf = bdf };
        return f;
}

/* Events are missing: only what can be looked at is known. */
static void forget_events(Readiness *r) {
        for (ReadyFn *f = r->items; f < r->items + r->n; f++) {
                f->away = f->done = 0;
                f->removed = f->unseen = f->missed = f->checked = false;
                f->bound = f->finished = true;
        }
}

static void take_kernel(ReadyFn *f, const KernelEvent *e) {
        if (!e->own)
                return;
        if (streq(e->action, "remove")) {
                f->away = e->seq;
                /* Of the one that was, if another sits there already; if none does, of the one that the snapshot had. */
                f->removed = !f->unseen || f->missed;
                f->unseen = f->missed = f->bound = f->finished = false;
        } else if (streq(e->action, "bind"))
                f->bound = true;
        else if (streq(e->action, "unbind"))
                f->bound = false;
}

static void take_udev(ReadyFn *f, const KernelEvent *e) {
        if (!e->own || e->seq <= f->done)
                return;
        f->done = e->seq;
        f->finished = !streq(e->action, "remove") && e->seq > f->away;
}

void ready_event(Manager *m, const KernelEvent *e) {
        ReadyFn *f;

        if (e->kind == KERNEL_EVENT_LOST)
                forget_events(&m->ready);
        if (e->kind != KERNEL_EVENT_CHANGED && e->kind != KERNEL_EVENT_UDEV)
                return;
        f = find_or_add(&m->ready, e->bdf);
        if (!f) {
                log_error_errno(-ENOMEM, "cannot note what udev has done");
                forget_events(&m->ready);
                return;
        }
        f->checked = false;
        if (e->kind == KERNEL_EVENT_CHANGED)
                take_kernel(f, e);
        else
                take_udev(f, e);
}

/* udev's file may be that of another device, which is gone. */
static bool is_stale(const ReadyFn *f) {
        return f->unseen || f->away > f->done;
}

static void take_identity(ReadyFn *f, const Fn *fn) {
        bool missed = f->missed;

        f->missed = false;
        if (f->identity == fn->identity) {
                f->unseen = f->unseen && !missed;
                return;
        }
        if (f->identity != 0 && !f->removed) {
                f->unseen = true;
                f->bound = f->finished = false;
        }
        f->removed = false;
        f->identity = fn->identity;
        f->checked = false;
}

static void take_in(Manager *m, ReadyFn *f, const Fn *fn) {
        uint64_t looks =
                hash_string(hash_string(HASH_START, fn->driver), fn->netdevs ? fn->netdevs : "");
        int k;

        take_identity(f, fn);
        if (f->checked && looks == f->looks)
                return;
        k = m->kernel->initialized(m->kernel, fn->bdf);
        f->initialized = k > 0;
        f->without = k == KERNEL_NO_UDEV;
        f->finished = f->finished || k == KERNEL_UDEV_IDLE;
        f->looks = looks;
        f->checked = true;
}

static bool is_concerned(const Fn *fn) {
        return fn->flags & (FN_PF | FN_VF);
}

/* Those that the snapshot has no more are kept until udev knows, too. */
static void drop_gone(Manager *m) {
        Readiness *r = &m->ready;
        const Fn *fn = m->snapshot->fns, *end = fn + m->snapshot->n_fns;
        size_t n = 0;

        for (size_t i = 0; i < r->n; i++) {
                ReadyFn *f = r->items + i;
                bool there;

                while (fn < end && bdf_compare(fn->bdf, f->bdf) < 0)
                        fn++;
                there = fn < end && bdf_equal(fn->bdf, f->bdf) && is_concerned(fn);
                if (!there && f->identity != 0 && !f->removed && !f->unseen)
                        f->unseen = f->missed = true;
                if (there || (f->identity != 0 && !f->without && is_stale(f)))
                        r->items[n++] = *f;
        }
        r->n = n;
}

static int on_doubt(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Manager *m = userdata;

        for (ReadyFn *f = m->ready.items; f < m->ready.items + m->ready.n; f++)
                f->finished = f->finished || f->initialized;
        m->ready.doubt = sd_event_source_disable_unref(m->ready.doubt);
        manager_kick(m);
        return 0;
}

/*
 * Of those that udev had taken in before we came, it may have loaded the modules or be about to. No event will tell of those that
 * it was through with.
 */
static void doubt(Manager *m) {
        bool any = false;

        for (const ReadyFn *f = m->ready.items; f < m->ready.items + m->ready.n; f++)
                any = any || (f->initialized && !f->finished && !f->without);
        if (any && sd_event_add_time_relative(m->event, &m->ready.doubt, CLOCK_MONOTONIC,
                                              DOUBT_USEC, 0, on_doubt, m) < 0)
                forget_events(&m->ready);
}

void ready_refresh(Manager *m, bool all) {
        Readiness *r = &m->ready;

        FOREACH_FN (fn, m->snapshot) {
                ReadyFn *f = is_concerned(fn) ? find_or_add(r, fn->bdf) : NULL;

                if (!f)
                        continue;
                if (!r->looked)
                        f->bound = true;
                take_in(m, f, fn);
        }
        if (!r->looked)
                doubt(m);
        r->looked = true;
        if (r->n_new > 0)
                qsort(r->items, r->n, sizeof(ReadyFn), compare);
        r->n_new = 0;
        if (all)
                drop_gone(m);
}

bool ready_is_known(const Manager *m, const Fn *fn) {
        const ReadyFn *f = find(&m->ready, fn->bdf);

        return f && f->identity == fn->identity && f->initialized &&
               (f->without || (f->finished && !is_stale(f)));
}

/* Its driver and udev have done what they do with every device. */
static bool is_settled(const Manager *m, const Fn *fn) {
        return ready_is_known(m, fn) && (fn->driver[0] == '\0' || find(&m->ready, fn->bdf)->bound);
}

/* One that a job has made and not bound yet looks like one that is to have no driver. */
bool ready_vf(const Manager *m, const Fn *vf) {
        const Wanted *w = wanteds_find(m->snapshot->wanted, vf->pf);

        if (w && wanted_driver_differs(wanted_vf(w, vf->vf_index), m->snapshot, vf))
                return false;
        return is_settled(m, vf) && world_vf_is_at_rest(m, vf);
}

bool ready_pf_itself(const Manager *m, const Fn *pf) {
        const Wanted *w = wanteds_find(m->snapshot->wanted, pf->bdf);

        if (w && wanted_count_differs(w, pf))
                return false;
        return world_pf_state(m, pf) == PF_OK && is_settled(m, pf);
}

bool ready_pf(const Manager *m, const Fn *pf) {
        size_t n = 0;

        if (!ready_pf_itself(m, pf))
                return false;
        FOREACH_FN (vf, m->snapshot) {
                if (!(vf->flags & FN_VF) || !bdf_equal(vf->pf, pf->bdf))
                        continue;
                if (!ready_vf(m, vf))
                        return false;
                n++;
        }
        /* A link whose function was not seen yet. */
        return n == pf->n_vfs;
}

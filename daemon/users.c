/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/utf8.h"

#include "daemon/manager.h"
#include "daemon/parcel.h"
#include "daemon/users.h"

#define END(buf) (buf)[sizeof(buf) - 1] = '\0'

/* It came from a program of our own; strings are ended all the same, and a kind is one that there is. */
static void check(Holders *all) {
        for (Holder *h = all->items; h && h < all->items + all->n; h++) {
                END(h->command);
                END(h->detail);
                utf8_clean(h->command);
                utf8_clean(h->detail);
                if (h->kind >= _HOLDER_KIND_MAX)
                        h->kind = HOLDER_UNKNOWN;
        }
}

static bool is_our_guard(const Holder *h) {
        return h->kind == HOLDER_VFIO && h->pid == (uint32_t) getpid();
}

void users_drop_guards(Holders *all) {
        size_t kept = 0;

        for (size_t i = 0; i < all->n; i++)
                if (!is_our_guard(all->items + i))
                        all->items[kept++] = all->items[i];
        all->n = kept;
}

/*
 * A step that met a guard met that of another job, for under its own it does not test the group: that job has the group's
 * functions. And whoever is in the way is told of, if only by saying that he is not known.
 */
static int explain(const Step *step, Holders *all) {
        Holder unknown = { .kind = HOLDER_UNKNOWN, .fn = step->fn };

        for (size_t i = 0; i < all->n; i++)
                if (is_our_guard(all->items + i))
                        snprintf(all->items[i].detail, sizeof(all->items[i].detail),
                                 "guarded for another job");
        if (holders_force(all) != 0)
                return 0;
        snprintf(unknown.detail, sizeof(unknown.detail), "in use, by whom cannot be told");
        return holders_add(all, &unknown);
}

int users_unpack(const WorkerReply *reply, const WorkerFds *fds, Holders *ret) {
        Holders all = { .n = reply->n_list };
        void *items;
        int r;

        r = parcel_unpack(fds->list, reply->n_list, sizeof(Holder), &items);
        if (r < 0)
                return r;
        all.items = items;
        check(&all);
        *ret = all;
        return 0;
}

void users_complete(Manager *m, const WorkerRequest *request, const WorkerReply *reply,
                    const WorkerFds *fds, StepResult *result, Holders *ret) {
        size_t seen;
        int r;

        if (result->answer != STEP_DONE && result->answer != STEP_IN_USE)
                return;
        r = users_unpack(reply, fds, ret);
        if (r >= 0 && result->answer == STEP_IN_USE)
                r = explain(&request->step, ret);
        seen = ret->n;
        if (r >= 0)
                r = holds_find(&m->holds, request->step.fn, ret);
        if (r < 0) {
                *result = (StepResult){ .answer = STEP_FAILED, .error = -r };
                return;
        }
        if (ret->n == seen || holders_force(ret) == 0)
                return;
        result->answer = STEP_IN_USE;
        result->n |= holders_force(ret);
        holders_format(ret, result->text, sizeof(result->text));
}

static const char *force_word(HolderKind kind) {
        uint32_t force = holder_force(kind);

        return force & OP_FORCE_STORAGE ? "storage" : force & OP_FORCE_IN_USE ? "in-use" : "";
}

int users_append(sd_bus_message *message, const Holders *all) {
        int r = sd_bus_message_open_container(message, 'a', "a{sv}");

        for (size_t i = 0; r >= 0 && i < all->n; i++) {
                const Holder *h = all->items + i;

                r = sd_bus_message_append(message, "a{sv}", 6, "function", "s",
                                          bdf_is_none(h->fn) ? "" : BDF_STR(h->fn), "kind", "s",
                                          holder_kind_to_string(h->kind), "pid", "u", h->pid,
                                          "command", "s", h->command, "detail", "s", h->detail,
                                          "force", "s", force_word(h->kind));
        }
        return r < 0 ? r : sd_bus_message_close_container(message);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-fn
 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "daemon/bus-fn.h"

bool bus_fn_is_object(const Fn *f, uint32_t flag) {
        /* A VF of nobody has no PF to point at. */
        return f->flags & flag && !(flag == FN_VF && bdf_is_none(f->pf));
}

/* 0, or < 0: no function's. */
static int decode(const char *path, BusFnPath *ret) {
        _cleanup_free_ char *name = NULL;

        ret->flag = FN_PF;
        if (sd_bus_path_decode(path, BUS_PATH "/pf", &name) <= 0) {
                ret->flag = FN_VF;
                if (sd_bus_path_decode(path, BUS_PATH "/vf", &name) <= 0)
                        return -ENOENT;
        }
        return bdf_parse(name, &ret->bdf);
}

const Fn *bus_fn_find(Manager *m, const char *path) {
        BusFnPath *last = &m->bus_fn_path;
        const Fn *f;

        if (!streq(path, last->path)) {
                last->path[0] = '\0';
                if (decode(path, last) < 0)
                        return NULL;
                if (str_copy(last->path, sizeof(last->path), path) < 0)
                        last->path[0] = '\0';
        }
        f = snapshot_find(m->snapshot, last->bdf);
        return f && bus_fn_is_object(f, last->flag) ? f : NULL;
}

/* No object of ours has this path. */
const char *bus_fn_seek(Manager *m, const Fn *f, uint32_t flag) {
        m->bus_fn_path = (BusFnPath){ .path = "/", .bdf = f->bdf, .flag = flag };
        return m->bus_fn_path.path;
}

int bus_fn_found(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
                 void *userdata, void **ret_found, sd_bus_error *error _unused_) {
        if (!bus_fn_find(userdata, path))
                return 0;
        *ret_found = userdata;
        return 1;
}

int bus_fn_enumerate(const Manager *m, uint32_t flag, char ***ret) {
        char **paths = calloc(m->snapshot->n_fns + 1, sizeof(char *));
        size_t n = 0;

        if (!paths)
                return -ENOMEM;
        FOREACH_FN (f, m->snapshot) {
                if (!bus_fn_is_object(f, flag))
                        continue;
                paths[n] = bus_fn_path(f->bdf, flag);
                if (!paths[n++]) {
                        strv_free(paths);
                        return -ENOMEM;
                }
        }
        *ret = paths;
        return 0;
}

int bus_fn_append_netdevs(sd_bus_message *reply, const Fn *fn) {
        const char *p = fn->netdevs ? fn->netdevs : "";
        char name[NAME_MAX_LENGTH];
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        for (p += strspn(p, " "); r >= 0 && *p != '\0'; p += strspn(p, " ")) {
                size_t n = strcspn(p, " ");

                snprintf(name, sizeof(name), "%.*s", (int) n, p);
                r = sd_bus_message_append(reply, "s", name);
                p += n;
        }
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

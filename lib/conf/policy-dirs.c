/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: where they lie
 *
 * Which of the files in the folders count, and in which order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder.h"
#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "conf/policy.h"

/* The foremost first. */
static const char *const places[] = {
        "/etc/sriovd/policy.d",
        "/run/sriovd/policy.d",
        "/usr/lib/sriovd/policy.d",
        NULL,
};

typedef struct Found {
        char *name;
        const char *folder;
} Found;

typedef struct Search {
        Found *items;
        size_t n;
        const char *folder; /* that is looked through now */
} Search;

static void search_done(Search *s) {
        for (size_t i = 0; i < s->n; i++)
                free(s->items[i].name);
        free(s->items);
}

static bool is_policy(const char *name) {
        size_t n = strlen(name), suffix = strlen(".conf");

        return name[0] != '.' && n > suffix && streq(name + n - suffix, ".conf");
}

static int see(const char *name, void *userdata) {
        Search *s = userdata;
        Found *more;

        if (!is_policy(name))
                return 0;
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->items[i].name, name))
                        return 0;
        more = reallocarray(s->items, s->n + 1, sizeof(Found));
        if (!more)
                return -ENOMEM;
        s->items = more;
        more[s->n] = (Found){ strdup(name), s->folder };
        if (!more[s->n].name)
                return -ENOMEM;
        s->n++;
        return 0;
}

/* A folder that is not there has no files; one that cannot be read may have any. */
static int look(Search *s, const char *folder, Mistakes *mistakes) {
        _cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        SettingsError e;
        int r = fd < 0 ? -errno : 0;

        s->folder = folder;
        if (r == 0)
                r = folder_walk(fd, see, s);
        if (r >= 0 || r == -ENOENT || r == -ENOMEM)
                return r == -ENOENT ? 0 : r;
        snprintf(e.text, sizeof(e.text), "%s: %s", folder, strerror(-r));
        mistakes_add(mistakes, folder, &e);
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(((const Found *) a)->name, ((const Found *) b)->name);
}

static int read_found(const Found *f, Policies *all, Mistakes *mistakes) {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/%s", f->folder, f->name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return policies_read(path, all, mistakes);
}

static int load(Search *s, const char *const *folders, Policies *all, Mistakes *mistakes) {
        int r = 0;

        for (; *folders && r >= 0; folders++)
                r = look(s, *folders, mistakes);
        if (r >= 0 && s->n > 0)
                qsort(s->items, s->n, sizeof(Found), compare);
        for (size_t i = 0; i < s->n && r != -ENOMEM; i++)
                r = read_found(s->items + i, all, mistakes);
        return r == -ENOMEM ? r : 0;
}

int policies_load_from(const char *const *folders, Policies *ret, Mistakes *mistakes) {
        size_t before = mistakes->n_all;
        Policies all = {};
        Search s = {};
        int r = load(&s, folders, &all, mistakes);

        search_done(&s);
        if (r < 0)
                policies_done(&all);
        *ret = all;
        return r < 0 ? r : mistakes->n_all == before ? 0 : -EBADMSG;
}

int policies_load(Policies *ret, Mistakes *mistakes) {
        const char *one = secure_getenv(POLICY_ENV);
        const char *const only[] = { one, NULL };

        return policies_load_from(isempty(one) ? places : only, ret, mistakes);
}

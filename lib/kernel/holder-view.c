/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders: what all functions have in common
 *
 * One walk of /proc and one question to each network namespace, however many functions are asked for.
 */
#include <errno.h>
#include <time.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/holder.h"

/* Processes come and go: so often is the whole looked at anew. */
#define TRIES 3
/* No longer than what happens between a look and the act that rests on it anyway. */
#define KEPT_USEC 100000u

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

int net_links_add(NetLinks *all, const NetLink *link) {
        NetLink *more = all->items;

        if ((all->n & (all->n - 1)) == 0)
                more = reallocarray(all->items, all->n > 0 ? 2 * all->n : 1, sizeof(NetLink));
        if (!more)
                return -ENOMEM;
        all->items = more;
        all->items[all->n++] = *link;
        return 0;
}

void holder_view_done(HolderView *v) {
        census_done(&v->census);
        free(v->links.items);
        *v = (HolderView){};
}

bool holder_view_renew(HolderSearch *s) {
        bool kept = s->view->kept;

        if (kept)
                holder_view_done(s->view);
        return kept;
}

static int take_census(HolderSearch *s) {
        int r;

        holder_view_done(s->view);
        r = census_take(s->roots, &s->view->census);
        if (r < 0)
                return r;
        s->view->has_census = true;
        s->view->since = now_usec();
        return 0;
}

int holder_census(HolderSearch *s, const Census **ret) {
        int r = 0;

        if (s->view->kept && now_usec() - s->view->since > KEPT_USEC)
                holder_view_done(s->view);
        if (!s->view->has_census)
                r = take_census(s);
        if (r >= 0)
                *ret = &s->view->census;
        return r;
}

static int ask_space(HolderSearch *s, size_t i) {
        _cleanup_close_ int fd = census_open_space(s->roots, s->view->census.spaces + i);
        NetLinks *links = &s->view->links;
        size_t known = links->n;
        int r;

        r = fd < 0 ? fd : s->asks->links(fd, links);
        for (; known < links->n; known++)
                links->items[known].space = i;
        return r;
}

/* -ESTALE: one was gone before it was asked; it may live on elsewhere. */
static int ask_spaces(HolderSearch *s) {
        HolderView *v = s->view;
        bool moved = false;

        v->links_error = v->census.spaces_error;
        for (size_t i = 0; i < v->census.n_spaces; i++) {
                int r = ask_space(s, i);

                if (r == -ENOMEM)
                        return r;
                if (r == -ENOENT || r == -ESRCH)
                        moved = true;
                else if (r < 0 && v->links_error == 0)
                        v->links_error = r;
        }
        return moved ? -ESTALE : 0;
}

static bool tells_parents(const NetLinks *links) {
        for (size_t i = 0; i < links->n; i++)
                if (links->items[i].parent[0] != '\0')
                        return true;
        return false;
}

static bool leaves_untold(const NetLinks *links) {
        for (size_t i = 0; i < links->n; i++)
                if (links->items[i].untold)
                        return true;
        return false;
}

/* What no other namespace shows, those in our own may: a kernel that tells the parent of one link tells that of all. */
static int learn_parents(HolderSearch *s) {
        NetLinks ours = {};
        int r = 0;

        s->view->tells_parents = tells_parents(&s->view->links);
        if (s->view->tells_parents || !leaves_untold(&s->view->links))
                return 0;
        r = s->asks->links(-1, &ours);
        s->view->tells_parents = r >= 0 && tells_parents(&ours);
        free(ours.items);
        return r == -ENOMEM ? r : 0;
}

int holder_links(HolderSearch *s, const NetLinks **ret) {
        const Census *census;
        int r;

        r = holder_census(s, &census);
        for (unsigned i = 0; r >= 0 && !s->view->has_links; i++) {
                r = i > 0 ? take_census(s) : 0;
                if (r >= 0)
                        r = ask_spaces(s);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 && s->view->links_error == 0) {
                        s->view->links_error = r;
                        r = 0;
                        if (i + 1 < TRIES)
                                continue;
                }
                r = learn_parents(s);
                s->view->has_links = r >= 0;
        }
        if (r >= 0)
                *ret = &s->view->links;
        return r;
}

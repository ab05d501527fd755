/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rungs that ask: who is stuck in our way, and who uses what is to go
 *
 * They write nothing. What can be neither seen nor ruled out counts as in use; only where no other task can be seen at all
 * does the way count as clear, for that says nothing of any device.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/look.h"
#include "kernel/rungs.h"

/* clear-way */

#define CLEAR_WAY_MS 15000u
#define FIRST_PAUSE_MS 100u
#define LONGEST_PAUSE_MS 500u

/* Tasks that were seen in the way, and since when (ms from the first look). */
#define PILE_MAX 64
typedef struct Pile {
        struct {
                uint32_t pid;
                unsigned since;
        } seen[PILE_MAX];
        size_t n;
} Pile;

/* The one that the operation's function is below, in the tree of devices. */
static bool is_below(Kernel *k, Bdf fn, Bdf top) {
        char path[PATH_MAX], above[PATH_MAX];
        const char *rest;

        if (k->path(k, ATTR_FN(ATTR_DIRECTORY, fn), path, sizeof(path)) < 0 ||
            k->path(k, ATTR_FN(ATTR_DIRECTORY, top), above, sizeof(above)) < 0)
                return false;
        rest = startswith(path, above);
        return rest && rest[0] == '/';
}

/* A lock of fn is one that we may come to want. An operation of no one function may want any. */
static bool is_ours(Kernel *k, Bdf fn, Bdf ours) {
        Bdf pf;

        if (bdf_is_none(fn))
                return false;
        if (bdf_is_none(ours) || bdf_equal(fn, ours) || is_below(k, fn, ours))
                return true;
        if (look_physfn(k, ours, &pf) > 0)
                return bdf_equal(pf, fn);
        /* With --all-functions the others of the device go as well, and their VFs. */
        if (look_physfn(k, fn, &pf) > 0)
                fn = pf;
        return bdf_same_device(fn, ours);
}

static bool is_in_the_way(Kernel *k, const Task *t, Bdf ours) {
        return t->place == STACK_GLOBAL || (t->place == STACK_DEVICE && is_ours(k, t->fn, ours));
}

static unsigned pile_since(const Pile *p, uint32_t pid, unsigned now) {
        for (size_t i = 0; i < p->n; i++)
                if (p->seen[i].pid == pid)
                        return p->seen[i].since;
        return now;
}

/* The task that is in the way longest, NULL: none. Pile becomes what was seen this time. */
static const Task *find_blocker(Kernel *k, const Tasks *tasks, Bdf ours, unsigned now, Pile *pile) {
        const Task *longest = NULL;
        unsigned earliest = UINT_MAX;
        Pile before = *pile;

        pile->n = 0;
        for (size_t i = 0; i < tasks->n; i++) {
                const Task *t = tasks->items + i;
                unsigned since;

                if (!is_in_the_way(k, t, ours))
                        continue;
                since = pile_since(&before, t->pid, now);
                if (pile->n < PILE_MAX) {
                        pile->seen[pile->n].pid = t->pid;
                        pile->seen[pile->n++].since = since;
                }
                if (since < earliest) {
                        earliest = since;
                        longest = t;
                }
        }
        return longest;
}

static void tell_blocker(const Task *t, StepResult *ret) {
        char entry[STACK_FRAME_MAX];

        ret->n = t->pid;
        snprintf(ret->text, sizeof(ret->text), "%.31s, at %.59s", t->command,
                 stack_entry(t->stack, entry));
}

/*
 * One more writer behind a stuck one takes its own PF's lock with it into the queue (KERNEL.md 3.4): so none goes in.
 * One that comes and goes is the host at work; another one that follows it is waited for all the same.
 */
int climb_clear_way(Kernel *k, const Step *step, StepResult *ret) {
        unsigned waited = 0, pause = FIRST_PAUSE_MS;
        Pile pile = {};

        for (;;) {
                _cleanup_(tasks_done) Tasks tasks = {};
                const Task *t;
                int r;

                r = k->tasks(k, &tasks);
                if (r < 0)
                        return r == -ENOMEM ? r : STEP_DONE;
                t = find_blocker(k, &tasks, step->fn, waited, &pile);
                if (!t)
                        return STEP_DONE;
                if (waited >= CLEAR_WAY_MS) {
                        tell_blocker(t, ret);
                        return STEP_BLOCKED;
                }
                k->pause(k, pause);
                waited += pause;
                pause = MIN2(pause * 2, LONGEST_PAUSE_MS);
        }
}

/* refuse-if-held */

/* Somebody who lets go between the test and the look for his name: so often is it tried anew. */
#define GUARD_TRIES 3

/* True if the list says why the group is not free. */
static bool tells_of_vfio(const Holders *all) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i].kind == HOLDER_VFIO || all->items[i].kind == HOLDER_UNKNOWN)
                        return true;
        return false;
}

/*
 * Opening the group is an atomic test: the kernel lets in one at a time, whether through the group or
 * through the device's own node (KERNEL.md part 1 rule 3). 0: the guard is ours; -ENOENT: there is no group.
 */
static int take_guard(Kernel *k, Bdf fn, StepExtra *extra) {
        int32_t group;
        int fd, r;

        r = look_iommu_group(k, fn, &group);
        if (r < 0)
                return r;
        r = k->open_group(k, group, &fd);
        if (r < 0)
                return r;
        extra->guard = fd;
        extra->group = group;
        return 0;
}

/* What the search for users did not see, the test has proven. */
static int add_unseen(Bdf fn, int error, Holders *ret) {
        Holder h = { .kind = error == -EBUSY ? HOLDER_VFIO : HOLDER_UNKNOWN, .fn = fn };

        snprintf(h.detail, sizeof(h.detail), "%s",
                 error == -EBUSY ? "its vfio group is open; by whom cannot be told"
                                 : "its vfio group cannot be tested");
        return holders_add(ret, &h);
}

static int find_users_of_vfio(Kernel *k, Bdf fn, StepExtra *extra) {
        int r, guard;

        for (unsigned i = 0; i < GUARD_TRIES; i++) {
                guard = take_guard(k, fn, extra);
                holders_done(&extra->holders);
                r = k->users(k, &fn, 1, guard >= 0 ? USERS_TESTED : USERS_TEST, &extra->holders);
                if (r < 0 || guard >= 0 || guard == -ENOENT || tells_of_vfio(&extra->holders))
                        return r;
        }
        return add_unseen(fn, guard, &extra->holders);
}

/* The first who is in the way, and how many more are. */
static void tell_users(const Holders *all, StepResult *ret) {
        const Holder *first = NULL;
        char text[HOLDER_STR_MAX];
        unsigned n = 0;

        for (size_t i = 0; i < all->n; i++) {
                if (holder_force(all->items[i].kind) == 0)
                        continue;
                if (n++ == 0)
                        first = all->items + i;
        }
        if (n > 1)
                snprintf(ret->text, sizeof(ret->text), "%.78s, and %u more",
                         holder_format(first, text, sizeof(text)), MIN2(n - 1, 9999u));
        else
                snprintf(ret->text, sizeof(ret->text), "%.95s",
                         holder_format(first, text, sizeof(text)));
}

int climb_refuse_if_held(Kernel *k, const Step *step, StepResult *ret, StepExtra *extra) {
        char driver[NAME_MAX_LENGTH];
        int r;

        r = look_driver(k, step->fn, driver);
        if (r < 0)
                return r;
        if (look_is_vfio(driver) && !extra->guarded)
                r = find_users_of_vfio(k, step->fn, extra);
        else
                r = k->users(k, &step->fn, 1, extra->guarded ? USERS_TESTED : USERS_TEST,
                             &extra->holders);
        if (r < 0)
                return r;
        ret->n = holders_force(&extra->holders);
        if (ret->n == 0)
                return STEP_DONE;
        tell_users(&extra->holders, ret);
        return STEP_IN_USE;
}

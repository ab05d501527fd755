/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel of one PF, its VFs, a port and a slot, for the tests of the rungs
 *
 * It does what the real one does when a write goes well, keeps all writes in order, and can be told to refuse, to lie, or
 * to do something later. It has no locks: what may be in flight together is tests/sim's to know.
 */
#pragma once

#include <fcntl.h>

#include "tests/unit/fake-nodes.h"

/* A device that is pulled takes its VFs along. -errno: the call meets nothing any more. */
static inline int maybe_vanish(Fake *f) {
        if (++f->n_calls != f->vanish_at)
                return 0;
        drop_vfs(f);
        drop(f, DEVICES PF);
        return f->vanish_error;
}

static inline int fake_list(Kernel *k, const char *path, char ***ret) {
        Fake *f = fake(k);
        char **names = NULL;
        int r = maybe_vanish(f);
        Node *n = find(f, path);

        if (r < 0)
                return r;
        if (!n)
                return -ENOENT;
        if (n->kind != 'd')
                return -ENOTDIR;
        for (size_t i = 0; i < f->n_nodes; i++) {
                const char *rest = startswith(f->nodes[i].path, path);

                if (rest && rest[0] == '/' && !strchr(rest + 1, '/'))
                        assert_int_equal(strv_push(&names, rest + 1), 0);
        }
        *ret = names;
        return 0;
}

static inline int fake_read(Kernel *k, const char *path, char *buf, size_t size) {
        int r = maybe_vanish(fake(k));
        Node *n = find(fake(k), path);

        if (r < 0)
                return r;
        return n && n->kind == 'f' ? snprintf(buf, size, "%s", n->value) : -ENOENT;
}

static inline int fake_link(Kernel *k, const char *path, char *buf, size_t size) {
        int r = maybe_vanish(fake(k));
        Node *n = find(fake(k), path);

        if (r < 0)
                return r;
        if (!n)
                return -ENOENT;
        return n->kind == 'l' ? str_copy(buf, size, n->value) : -EINVAL;
}

/* Functions of one bus stand below their port, so that their path shows it. */
static inline int fake_path(Kernel *k, const char *path, char *buf, size_t size) {
        const char *bdf = startswith(path, DEVICES);
        int r = maybe_vanish(fake(k));

        if (r < 0)
                return r;
        if (!find(fake(k), path))
                return -ENOENT;
        assert_non_null(bdf);
        snprintf(buf, size, "devices/pci0000:00/" PORT "%s%s", streq(bdf, PORT) ? "" : "/",
                 streq(bdf, PORT) ? "" : bdf);
        return 0;
}

static inline int fake_identity(Kernel *k, const char *path, uint64_t *ret) {
        int r = maybe_vanish(fake(k));
        Node *n = find(fake(k), path);

        if (r < 0)
                return r;
        if (!n)
                return -ENOENT;
        *ret = n->identity;
        return 0;
}

static inline bool ends_with(const char *s, const char *end) {
        size_t n = strlen(s), m = strlen(end);

        return n >= m && streq(s + n - m, end);
}

static inline const char *sub(char *buf, const char *format, ...) _printf_(2, 3);
static inline const char *sub(char *buf, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        vsnprintf(buf, 160, format, ap);
        va_end(ap);
        return buf;
}
#define SUB(...) sub((char[160]){ 0 }, __VA_ARGS__)

/* An override wins; a VF of a PF with autoprobe 0 takes nothing else; two drivers know no device by themselves. */
static inline bool matches(Fake *f, const char *bdf, const char *driver) {
        const char *override = value_of(f, SUB(DEVICES "%s/driver_override", bdf));

        if (!streq(override, "(null)"))
                return streq(override, driver);
        if (find(f, SUB(DEVICES "%s/physfn", bdf)) &&
            streq(value_of(f, DEVICES PF "/sriov_drivers_autoprobe"), "0"))
                return false;
        return !streq(driver, "vfio-pci") && !streq(driver, "pci-pf-stub");
}

static inline int act_bind(Fake *f, const char *driver, const char *bdf) {
        if (!matches(f, bdf, driver))
                return -ENODEV;
        if (find(f, SUB(DEVICES "%s/driver", bdf)))
                return -EBUSY;
        put_bound(f, bdf, driver);
        return 0;
}

static inline int act_unbind(Fake *f, const char *driver, const char *bdf) {
        if (!streq(value_of(f, SUB(DEVICES "%s/driver", bdf)), driver))
                return -ENODEV;
        drop(f, DEVICES "%s/driver", bdf);
        drop(f, DRIVERS "%s/%s", driver, bdf);
        return 0;
}

static inline int act_numvfs(Fake *f, const char *value) {
        unsigned n = (unsigned) atoi(value);

        if (f->makes >= 0)
                n = (unsigned) f->makes;
        else if (n == 0)
                drop_vfs(f);
        put_vfs(f, n);
        return 0;
}

static inline int act_power(Fake *f, const char *path, const char *value) {
        if (streq(value_of(f, path), value))
                return -ENODEV;
        put(f, 'f', value, "%s", path);
        if (streq(value, "0"))
                drop(f, DEVICES PF);
        else
                put_function(f, PF);
        return 0;
}

/* What the write does. The path's end says what it is. */
static inline int act(Fake *f, const char *path, const char *value) {
        char owner[160];

        if (!find(f, path))
                return -ENOENT;
        strcpy(owner, path);
        *strrchr(owner, '/') = '\0';
        if (ends_with(path, "/driver_override"))
                put(f, 'f', streq(value, "\n") ? "(null)" : value, "%s", path);
        else if (streq(path, SERVICES "/unbind")) {
                if (!find(f, SUB(SERVICES "/%s", value)))
                        return -ENODEV;
                drop(f, SERVICES "/%s", value);
        } else if (ends_with(path, "/unbind"))
                return act_unbind(f, owner + strlen(DRIVERS), value);
        else if (ends_with(path, "/bind"))
                return act_bind(f, owner + strlen(DRIVERS), value);
        else if (ends_with(path, "/drivers_probe")) {
                if (f->chooses && matches(f, value, f->chooses))
                        put_bound(f, value, f->chooses);
        } else if (ends_with(path, "/sriov_numvfs"))
                return act_numvfs(f, value);
        else if (ends_with(path, "/power"))
                return act_power(f, path, value);
        else if (ends_with(path, "/remove"))
                drop(f, "%s", owner);
        else if (ends_with(path, "/rescan"))
                put_function(f, PF);
        else
                put(f, 'f', value, "%s", path);
        return 0;
}

/* Logs what is written, and refuses it where the test wants that. 1: and it is to have no effect. */
static inline int log_write(Fake *f, const char *path, const char *value) {
        const char *shown = startswith(path, DEVICES);

        if (!shown)
                shown = startswith(path, "bus/pci/");
        assert_true(f->n_log < ELEMENTSOF(f->log));
        snprintf(f->log[f->n_log++], sizeof(f->log[0]), "%s=%s", shown ? shown : path, value);
        if (f->refuse && ends_with(path, f->refuse)) {
                if (f->skip == 0) {
                        f->refuse = NULL;
                        return f->error;
                }
                f->skip--;
        }
        return f->ignore && ends_with(path, f->ignore);
}

static inline int fake_write(Kernel *k, const char *path, const char *value) {
        Fake *f = fake(k);
        int r = maybe_vanish(f), logged = log_write(f, path, value);

        if (logged < 0 || r < 0)
                return MIN2(logged, r);
        return logged > 0 ? 0 : act(f, path, value);
}

static inline int fake_open_group(Kernel *k, int group, int *ret_fd) {
        Fake *f = fake(k);
        int r = maybe_vanish(f);

        if (r < 0)
                return r;
        assert_int_equal(group, 12);
        if (f->group == 0)
                *ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return f->group;
}

static inline int fake_users(Kernel *k, const Bdf *fns, size_t n, UsersMode mode, Holders *ret) {
        Fake *f = fake(k);
        int r = maybe_vanish(f);

        f->n_users++;
        assert_int_equal(n, 1);
        f->users_mode = mode;
        if (r < 0)
                return r;
        if (!find(f, SUB(DEVICES "%s", BDF_STR(fns[0]))))
                return -ENOENT;
        for (size_t i = 0; i < f->users.n; i++)
                assert_int_equal(holders_add(ret, f->users.items + i), 0);
        return f->users_error;
}

static inline int fake_tasks(Kernel *k, Tasks *ret) {
        Fake *f = fake(k);
        int r = maybe_vanish(f);

        if (r < 0)
                return r;
        for (size_t i = 0; i < f->tasks.n; i++)
                assert_int_equal(tasks_add(ret, f->tasks.items + i), 0);
        return f->tasks_error;
}

/* What the PF itself does not tell any more is told by nobody. */
static inline int fake_vf_attrs(Kernel *k, Bdf bdf, uint32_t first, uint32_t n, VfAttrs *ret) {
        Fake *f = fake(k);
        int r = maybe_vanish(f);

        assert_true(bdf_equal(bdf, pf) && first + n <= ELEMENTSOF(f->given));
        if (r < 0 || f->given_error < 0)
                return MIN2(r, f->given_error);
        for (uint32_t i = 0; i < n; i++)
                ret[i] = find(f, DEVICES PF) ? f->given[first + i] : (VfAttrs){};
        return 0;
}

static inline int fake_vf_set(Kernel *k, Bdf bdf, uint32_t index, VfAttr attr, const VfAttrs *a) {
        Fake *f = fake(k);
        char text[VFATTRS_TEXT_MAX];
        int r = maybe_vanish(f), logged;

        assert_true(bdf_equal(bdf, pf) && index < ELEMENTSOF(f->given));
        logged = log_write(f, SUB(DEVICES PF "/vf%u", index),
                           vfattrs_format(a, attr, text, sizeof(text)));
        if (logged < 0 || r < 0)
                return MIN2(logged, r);
        if (!find(f, DEVICES PF))
                return -ENOENT;
        if (logged == 0)
                f->given[index] = vfattrs_overlay(f->given + index, a);
        return 0;
}

static inline int fake_eswitch_get(Kernel *k, Bdf bdf, Eswitch *ret) {
        Fake *f = fake(k);
        int r = maybe_vanish(f);

        assert_true(bdf_equal(bdf, pf));
        if (r < 0)
                return r;
        if (f->eswitch == ESWITCH_KEEP || !find(f, DEVICES PF))
                return -EOPNOTSUPP;
        *ret = f->eswitch;
        return 0;
}

static inline int fake_eswitch_set(Kernel *k, Bdf bdf, Eswitch mode) {
        Fake *f = fake(k);
        int r = maybe_vanish(f),
            logged = log_write(f, DEVICES PF "/eswitch", eswitch_to_string(mode));

        assert_true(bdf_equal(bdf, pf));
        if (logged < 0 || r < 0)
                return MIN2(logged, r);
        if (!find(f, DEVICES PF))
                return -EOPNOTSUPP;
        if (logged == 0)
                f->eswitch = mode;
        return 0;
}

static inline int fake_up(Kernel *k, Bdf bdf) {
        Fake *f = fake(k);
        int r = maybe_vanish(f), logged = log_write(f, DEVICES PF "/net/eth0", "up");

        assert_true(bdf_equal(bdf, pf));
        if (logged < 0 || r < 0)
                return MIN2(logged, r);
        if (!find(f, DEVICES PF "/net"))
                return -ENODEV;
        if (logged == 0)
                put(f, 'f', "0x1003", DEVICES PF "/net/eth0/flags");
        return 0;
}

static inline void put_netdev(Fake *f, const char *flags) {
        put(f, 'd', "", DEVICES PF "/net");
        put(f, 'd', "", DEVICES PF "/net/eth0");
        put(f, 'f', flags, DEVICES PF "/net/eth0/flags");
}

static inline void put_driver(Fake *f, const char *name, const char *module) {
        put(f, 'd', "", DRIVERS "%s", name);
        put(f, 'f', "", DRIVERS "%s/bind", name);
        put(f, 'f', "", DRIVERS "%s/unbind", name);
        put(f, 'l', module, DRIVERS "%s/module", name);
}

static inline int fake_load_module(Kernel *k, const char *name) {
        Fake *f = fake(k);
        int r = maybe_vanish(f);

        if (r < 0)
                return r;
        snprintf(f->log[f->n_log++], sizeof(f->log[0]), "modprobe %s", name);
        if (f->module == 0)
                put_driver(f, name, name);
        return f->module;
}

static inline int fake_unload_module(Kernel *k, const char *name) {
        Fake *f = fake(k);
        int r = maybe_vanish(f);

        if (r < 0)
                return r;
        snprintf(f->log[f->n_log++], sizeof(f->log[0]), "rmmod %s", name);
        if (f->module == 0)
                drop(f, DRIVERS "vfio-pci");
        return f->module;
}

static inline void fake_pause(Kernel *k, unsigned ms) {
        Fake *f = fake(k);

        f->now += ms;
        if (f->later && f->now >= f->later_at) {
                f->later(f);
                f->later = NULL;
        }
}

/* A PF without VFs, bound to igb; igbvf and vfio-pci loaded; a port with its service and a slot. */
static inline void fake_init(Fake *f) {
        memset(f, 0, sizeof(*f));
        f->kernel = (Kernel){
                .list = fake_list,
                .read = fake_read,
                .write = fake_write,
                .link = fake_link,
                .path = fake_path,
                .identity = fake_identity,
                .open_group = fake_open_group,
                .users = fake_users,
                .tasks = fake_tasks,
                .vf_attrs = fake_vf_attrs,
                .vf_set = fake_vf_set,
                .eswitch_get = fake_eswitch_get,
                .eswitch_set = fake_eswitch_set,
                .up = fake_up,
                .load_module = fake_load_module,
                .unload_module = fake_unload_module,
                .pause = fake_pause,
        };
        f->makes = -1;
        f->chooses = "igbvf";
        put(f, 'd', "", "bus/pci/devices");
        put(f, 'd', "", "bus/pci/drivers");
        put(f, 'd', "", SERVICES);
        put(f, 'f', "", SERVICES "/unbind");
        put(f, 'l', SERVICE, SERVICES "/" SERVICE);
        put(f, 'f', "", "bus/pci/drivers_probe");
        put(f, 'f', "", "bus/pci/rescan");
        put(f, 'f', "0000:01:00", "bus/pci/slots/1/address");
        put(f, 'f', "1", "bus/pci/slots/1/power");
        put_driver(f, "igb", "igb");
        put_driver(f, "igbvf", "igbvf");
        put_driver(f, "vfio-pci", "vfio_pci");
        put_function(f, PORT);
        put(f, 'f', "", DEVICES PORT "/remove");
        put_function(f, PF);
        put(f, 'f', "", DEVICES PF "/remove");
        put(f, 'f', "0", DEVICES PF "/sriov_numvfs");
        put(f, 'f', "1", DEVICES PF "/sriov_drivers_autoprobe");
        put_bound(f, PF, "igb");
}

static inline void assert_writes_of(Fake *f, const char *const *wanted, size_t n) {
        for (size_t i = 0; i < MIN2(n, f->n_log); i++)
                assert_string_equal(f->log[i], wanted[i]);
        assert_int_equal(f->n_log, n);
}
#define assert_writes(f, ...)                                                                      \
        assert_writes_of((f), (const char *const[]){ __VA_ARGS__ },                                \
                         sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static inline StepResult climb(Fake *f, Step step) {
        StepResult result;

        memset(&result, 0xee, sizeof(result));
        step_climb(&f->kernel, &step, &result, NULL);
        return result;
}

#define STEP(...) ((Step){ .fn = pf, .vf = BDF_NONE, __VA_ARGS__ })

static inline void assert_answer(StepResult result, StepAnswer answer, int error) {
        assert_string_equal(step_answer_to_string(result.answer), step_answer_to_string(answer));
        assert_int_equal(result.error, error);
}

static inline void assert_done(StepResult result) {
        assert_answer(result, STEP_DONE, 0);
}

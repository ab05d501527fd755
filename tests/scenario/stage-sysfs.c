/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage: the kernel and the daemon that run here, as root in a guest that may be lost
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/str.h"
#include "kernel/attr.h"
#include "kernel/scan.h"
#include "tests/scenario/counter.h"
#include "tests/scenario/holder.h"
#include "tests/scenario/scenario.h"
#include "tests/scenario/use.h"

#define HOLDERS_MAX 8

struct Stage {
        Kernel *kernel;
        Counter *counter;
        int kmsg_fd;
        struct {
                Bdf vf;
                pid_t pid; /* 0: free */
        } holders[HOLDERS_MAX];
};

const bool stage_is_sim = false;
const char *const stage_variants[] = { "", NULL };
const unsigned stage_stuck_ms = 10000;

/* Lines of the kernel's log that no scenario may cause. */
static const char *const alarms[] = {
        "WARNING:",
        "BUG:",
        "Oops",
        "left SR-IOV enabled",
        "blocked for more than",
        "general protection",
        "possible circular locking",
        "refcount_t",
};

Stage *stage_open(const char *variant, const char *topology) {
        Stage *s = calloc(1, sizeof(*s));

        (void) variant;
        (void) topology;
        if (!s)
                return NULL;
        s->kernel = kernel_open();
        s->counter = counter_new();
        s->kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (!s->kernel || !s->counter) {
                fprintf(stderr, "cannot look at sysfs: %s\n", strerror(errno));
                return stage_close(s);
        }
        if (s->kmsg_fd >= 0)
                lseek(s->kmsg_fd, 0, SEEK_END);
        return s;
}

Stage *stage_close(Stage *s) {
        if (!s)
                return NULL;
        for (size_t h = 0; h < HOLDERS_MAX; h++)
                if (s->holders[h].pid > 0)
                        holder_end(s->holders[h].pid);
        (void) use_end(BDF_NONE);
        if (s->counter)
                counter_free(s->counter);
        if (s->kernel)
                s->kernel->free(s->kernel);
        close_fd(s->kmsg_fd);
        free(s);
        return NULL;
}

Kernel *stage_kernel(Stage *s) {
        return s->kernel;
}

Kernel *stage_kernel_again(Stage *s) {
        (void) s;
        return kernel_open();
}

const char *stage_sriovctl(void) {
        return getenv("SRIOVCTL") ? getenv("SRIOVCTL") : "sriovctl";
}

void stage_environment(Stage *s) {
        (void) s;
        setenv("NO_COLOR", "1", 1);
}

static int shell(const char *command) {
        int status = system(command);

        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* The next line of the kernel's log that is an alarm; its text stands in record. NULL: no more. */
static const char *next_alarm(Stage *s, char *record, size_t size) {
        ssize_t n;

        while (s->kmsg_fd >= 0 &&
               ((n = read(s->kmsg_fd, record, size - 1)) > 0 || (n < 0 && errno == EPIPE))) {
                const char *text;

                record[n > 0 ? n : 0] = '\0';
                text = strchr(record, ';');
                for (size_t i = 0; i < ELEMENTSOF(alarms); i++)
                        if (strstr(record, alarms[i]))
                                return text ? text + 1 : record;
        }
        return NULL;
}

static int control_hold(Stage *s, Bdf vf, const char *rest, FILE *answer) {
        _cleanup_(snapshot_freep) Snapshot *now = NULL;
        const Fn *f;
        int r = scan_all(s->kernel, &now);

        (void) rest;
        (void) answer;
        if (r < 0)
                return r;
        f = snapshot_find(now, vf);
        for (size_t h = 0; f && h < HOLDERS_MAX; h++)
                if (s->holders[h].pid == 0) {
                        s->holders[h].vf = vf;
                        return holder_start(vf, f->iommu_group, &s->holders[h].pid);
                }
        return f ? -ENOSPC : -ENOENT;
}

/* "all" is for a VF that is on its way out and has lost its name. */
static int control_drop(Stage *s, Bdf vf, const char *rest, FILE *answer) {
        int r = -ENOENT;

        (void) rest;
        (void) answer;
        for (size_t h = 0; h < HOLDERS_MAX; h++) {
                if (s->holders[h].pid <= 0 ||
                    !(bdf_equal(vf, BDF_NONE) || bdf_equal(s->holders[h].vf, vf)))
                        continue;
                holder_end(s->holders[h].pid);
                s->holders[h].pid = 0;
                r = 0;
        }
        return r;
}

/* The kernel complains of a driver that leaves its VFs behind, which is what is wanted here. */
static int control_reports(Stage *s, Bdf bdf, const char *rest, FILE *answer) {
        char record[2048];
        const char *alarm;

        (void) bdf;
        (void) rest;
        while ((alarm = next_alarm(s, record, sizeof(record))))
                fputs(alarm, answer);
        return 0;
}

/* VFs that pci-pf-stub made and left behind; then the PF's own driver comes back, and does not know them (KERNEL.md 2.4). */
static int control_inherit(Stage *s, Bdf pf, const char *count, FILE *answer) {
        char driver[NAME_MAX_LENGTH];
        int r = s->kernel->link(s->kernel, ATTR_FN(ATTR_DRIVER, pf), driver, sizeof(driver));
        const struct {
                const char *path, *value;
        } writes[] = {
                { ATTR_NAME(ATTR_DRIVER_UNBIND, driver), BDF_STR(pf) },
                { ATTR_FN(ATTR_OVERRIDE, pf), "pci-pf-stub" },
                { ATTR_NAME(ATTR_DRIVER_BIND, "pci-pf-stub"), BDF_STR(pf) },
                { ATTR_FN(ATTR_NUMVFS, pf), count },
                { ATTR_NAME(ATTR_DRIVER_UNBIND, "pci-pf-stub"), BDF_STR(pf) },
                { ATTR_FN(ATTR_OVERRIDE, pf), "\n" },
                { ATTR_NAME(ATTR_DRIVER_BIND, driver), BDF_STR(pf) },
        };

        if (r >= 0)
                r = s->kernel->load_module(s->kernel, "pci-pf-stub");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(writes); i++)
                r = s->kernel->write(s->kernel, writes[i].path, writes[i].value);
        return r < 0 ? r : control_reports(s, pf, NULL, answer);
}

static int control_use(Stage *s, Bdf fn, const char *kind, FILE *answer) {
        (void) s;
        (void) answer;
        return use_begin(fn, kind);
}

static int control_unuse(Stage *s, Bdf fn, const char *rest, FILE *answer) {
        (void) s;
        (void) rest;
        (void) answer;
        return use_end(fn);
}

/* As the button of its slot, QEMU's way to take a device out: five seconds later it is off. */
static int control_unplug(Stage *s, Bdf fn, const char *id, FILE *answer) {
        char command[128];

        (void) s;
        (void) fn;
        (void) answer;
        snprintf(command, sizeof(command), "/lab/hmp device_del %.64s", id);
        return shell(command);
}

/* What was in the slot comes back, with words for QEMU's device_add. */
static int control_plug(Stage *s, Bdf bdf, const char *device, FILE *answer) {
        char command[512];

        (void) s;
        (void) bdf;
        (void) answer;
        snprintf(command, sizeof(command), "/lab/hmp device_add %s", device);
        return shell(command);
}

static const struct {
        const char *name;
        int (*handler)(Stage *s, Bdf bdf, const char *rest, FILE *answer);
} controls[] = {
        { "hold ", control_hold },       { "drop ", control_drop },
        { "inherit ", control_inherit }, { "plug ", control_plug },
        { "reports", control_reports },  { "use ", control_use },
        { "unuse ", control_unuse },     { "unplug ", control_unplug },
};

/* "NAME BDF REST" */
static int control(Stage *s, const char *command, FILE *answer) {
        for (size_t i = 0; i < ELEMENTSOF(controls); i++) {
                const char *words = startswith(command, controls[i].name);
                char address[BDF_MAX] = "";
                Bdf bdf = BDF_NONE;
                int n = 0;

                if (!words)
                        continue;
                if (sscanf(words, "%12s %n", address, &n) == 1 && !streq(address, "forget") &&
                    !streq(address, "all") && bdf_parse(address, &bdf) < 0)
                        return -ENOENT;
                return controls[i].handler(s, bdf, words + n, answer);
        }
        return -EOPNOTSUPP;
}

int stage_control(Stage *s, const char *command, char **ret) {
        const char *attribute = startswith(command, "writes ");
        size_t size;
        FILE *answer = open_memstream(ret, &size);
        int r = 0;

        if (!answer)
                return -errno;
        if (attribute)
                fprintf(answer, "%u", counter_count(s->counter, attribute));
        else
                r = control(s, command, answer);
        fclose(answer);
        return r;
}

int stage_kill_daemon(Stage *s) {
        (void) s;
        if (shell("systemctl kill --signal=KILL --kill-who=main sriovd.service") < 0)
                return -EIO;
        sleep_ms(500);
        return shell("systemctl start sriovd.service");
}

bool stage_complains(Stage *s, char *why, size_t size) {
        char record[2048];
        const char *alarm = next_alarm(s, record, sizeof(record));

        if (alarm)
                snprintf(why, size, "the kernel said: %s", alarm);
        return alarm;
}

static void sriovctl(Run *run, const char *verb, const char *a, const char *b) {
        char *argv[] = { (char *) verb, (char *) a, (char *) b, NULL };
        int exit = run->exit;

        (void) process_sriovctl(run, argv);
        run->exit = exit;
}

static void put_back_fn(Run *run, const Fn *f) {
        char address[BDF_MAX];

        bdf_format(f->bdf, address);
        if (f->n_vfs > 0)
                sriovctl(run, "set", address, "0");
        if (!(f->flags & FN_AUTOPROBE))
                process_start_raw(run, ATTR_FN(ATTR_AUTOPROBE, f->bdf), "1");
        if (f->driver[0] == '\0' || streq(f->driver, "vfio-pci") ||
            streq(f->driver, "pci-pf-stub")) {
                process_start_raw(run, ATTR_FN(ATTR_OVERRIDE, f->bdf), "\n");
                sleep_ms(100);
                sriovctl(run, "bind", address, "default");
        }
}

/* Through sriovd, where it can: a scenario that leaves it unable to is one that failed. */
void stage_put_back(Run *run) {
        _cleanup_(snapshot_freep) Snapshot *s = NULL;

        (void) use_end(BDF_NONE);
        sriovctl(run, "rescan", NULL, NULL);
        if (scan_all(run->kernel, &s) < 0)
                return;
        FOREACH_FN (f, s)
                if (f->flags & FN_PF)
                        put_back_fn(run, f);
}

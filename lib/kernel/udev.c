/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch
 *
 * libudev's monitors, and nothing else of libudev: enumeration and the properties of a device that was not received
 * open `uevent`, whose reader takes the device lock on 6.1 (KERNEL.md 2.2). All that is asked of a device here came
 * with the message.
 */
#include <errno.h>

#include <libudev.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/udev.h"

/*
 * A snapshot is made right by "kernel" events and not by "udev" ones, because it must be right soon: udev sends its own after
 * the rules have run, and one rule that reads sriov_numvfs sits in the kernel until a write of it has ended. What udev adds is
 * not needed there: a renamed netdev is told by the kernel too (action "move"). udev's own say when it has done with a device.
 */
typedef enum Source {
        SOURCE_KERNEL,
        SOURCE_UDEV,
        _SOURCE_MAX,
} Source;

static const char *const source_names[_SOURCE_MAX] = {
        [SOURCE_KERNEL] = "kernel",
        [SOURCE_UDEV] = "udev",
};

/* An enable of 256 VFs with their netdevs sends thousands of messages before a busy loop reads the first. */
#define RECEIVE_BUFFER (128 * 1024 * 1024)

/* pci_express: pciehp's services. slots: hot-plug slots. drivers: of all buses; those of PCI's are picked below. */
static const char *const subsystems[] = { "pci", "net", "pci_express", "slots", "drivers" };

/* Of functions and their net devices, which are all that udev's part is waited for. */
static bool is_of_functions(const char *subsystem) {
        return streq(subsystem, "pci") || streq(subsystem, "net");
}

struct Watch {
        struct udev *udev;
        struct udev_monitor *monitors[_SOURCE_MAX];
        int fd; /* of an epoll with both */
};

Watch *watch_free(Watch *w) {
        if (!w)
                return NULL;
        close_fd(w->fd);
        for (Source s = 0; s < _SOURCE_MAX; s++)
                udev_monitor_unref(w->monitors[s]);
        udev_unref(w->udev);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(Watch, watch_free);

static int open_monitor(Watch *w, Source source) {
        struct epoll_event event = { .events = EPOLLIN };
        struct udev_monitor *m;
        int r;

        errno = 0;
        m = w->monitors[source] = udev_monitor_new_from_netlink(w->udev, source_names[source]);
        if (!m)
                return errno != 0 ? -errno : -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(subsystems); i++) {
                if (source == SOURCE_UDEV && !is_of_functions(subsystems[i]))
                        continue;
                r = udev_monitor_filter_add_match_subsystem_devtype(m, subsystems[i], NULL);
                if (r < 0)
                        return r;
        }
        /* Needs CAP_NET_ADMIN; with the default size events are only lost sooner, which is told. */
        (void) udev_monitor_set_receive_buffer_size(m, RECEIVE_BUFFER);
        r = udev_monitor_enable_receiving(m);
        if (r < 0)
                return r;
        return epoll_ctl(w->fd, EPOLL_CTL_ADD, udev_monitor_get_fd(m), &event) < 0 ? -errno : 0;
}

int watch_open(Watch **ret) {
        _cleanup_(watch_freep) Watch *w = calloc(1, sizeof(Watch));
        int r = 0;

        if (!w)
                return -ENOMEM;
        w->fd = epoll_create1(EPOLL_CLOEXEC);
        if (w->fd < 0)
                return -errno;
        w->udev = udev_new();
        if (!w->udev)
                return -ENOMEM;
        for (Source s = 0; r >= 0 && s < _SOURCE_MAX; s++)
                r = open_monitor(w, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

int watch_fd(const Watch *w) {
        return w->fd;
}

bool watch_parse_devpath(const char *devpath, Bdf *ret) {
        const char *end = devpath + strlen(devpath);

        while (end > devpath) {
                const char *slash = memrchr(devpath, '/', (size_t) (end - devpath));
                const char *start = slash ? slash + 1 : devpath;
                size_t n = (size_t) (end - start);
                char word[BDF_MAX];

                if (n < sizeof(word)) {
                        *(char *) mempcpy(word, start, n) = '\0';
                        if (bdf_parse(word, ret) >= 0)
                                return true;
                }
                end = slash ? slash : devpath;
        }
        return false;
}

static const char *or_empty(const char *s) {
        return s ? s : "";
}

/*
 * What `udevadm trigger` has the kernel say again did not happen: Documentation/ABI/testing/sysfs-uevent. An "add" is as good
 * as a "change" to whoever looks, and is told as it comes.
 */
static const char *action_of(struct udev_device *d) {
        const char *action = or_empty(udev_device_get_action(d));

        return udev_device_get_property_value(d, "SYNTH_UUID") && !streq(action, "add") ? "change"
                                                                                        : action;
}

/* True if the message is about something that a snapshot holds. */
static bool parse_event(struct udev_device *d, Source source, KernelEvent *ret) {
        const char *subsystem = or_empty(udev_device_get_subsystem(d));
        const char *devpath = or_empty(udev_device_get_devpath(d));
        const char *slot_name = udev_device_get_property_value(d, "PCI_SLOT_NAME");
        KernelEvent event = { .bdf = BDF_NONE, .seq = udev_device_get_seqnum(d) };

        snprintf(event.action, sizeof(event.action), "%s", action_of(d));
        if (is_of_functions(subsystem)) {
                event.kind = source == SOURCE_UDEV ? KERNEL_EVENT_UDEV : KERNEL_EVENT_CHANGED;
                event.own = streq(subsystem, "pci");
                if (!watch_parse_devpath(devpath, &event.bdf) &&
                    (!slot_name || bdf_parse(slot_name, &event.bdf) < 0))
                        return false; /* a bridge or bond of the network, which is no device */
        } else {
                event.kind = KERNEL_EVENT_OTHER;
                if (streq(subsystem, "drivers") && !startswith(devpath, "/bus/pci/drivers/"))
                        return false;
        }
        *ret = event;
        return true;
}

static int next_of(const Watch *w, Source source, KernelEvent *ret) {
        for (;;) {
                struct udev_device *d;
                bool ours;

                errno = 0;
                d = udev_monitor_receive_device(w->monitors[source]);
                if (!d) {
                        if (errno == EINTR)
                                continue;
                        if (errno == ENOBUFS) {
                                *ret = (KernelEvent){ .kind = KERNEL_EVENT_LOST, .bdf = BDF_NONE };
                                return 1;
                        }
                        return errno == 0 || errno == EAGAIN ? 0 : -errno;
                }
                ours = parse_event(d, source, ret);
                udev_device_unref(d);
                if (ours)
                        return 1;
        }
}

int watch_next(Watch *w, KernelEvent *ret) {
        int r = next_of(w, SOURCE_KERNEL, ret);

        return r != 0 ? r : next_of(w, SOURCE_UDEV, ret);
}

static bool has_file(const char *run, const char *kind, const char *name) {
        char path[PATH_MAX];

        return snprintf(path, sizeof(path), "%s/%s%s", run, kind, name) < (int) sizeof(path) &&
               access(path, F_OK) >= 0;
}

static bool is_named(Kernel *k, const char *run, Bdf fn, const char *netdev) {
        char index[16];

        return k->read(k, ATTR_NETDEV(ATTR_IFINDEX, fn, netdev), index, sizeof(index)) > 0 &&
               has_file(run, "data/n", index);
}

int udev_initialized(Kernel *k, const char *run, Bdf fn) {
        _cleanup_strv_ char **netdevs = NULL;

        if (!run || !has_file(run, "control", ""))
                return KERNEL_NO_UDEV;
        if (!has_file(run, "data/+pci:", BDF_STR(fn)))
                return 0;
        if (k->list(k, ATTR_FN(ATTR_NET, fn), &netdevs) >= 0)
                STRV_FOREACH (netdev, netdevs)
                        if (!is_named(k, run, fn, *netdev))
                                return 0;
        /* There for as long as an event is: event_queue_start() in src/udev/udevd.c, udev-manager.c since. */
        return has_file(run, "queue", "") ? 1 : KERNEL_UDEV_IDLE;
}

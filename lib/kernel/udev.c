/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch
 *
 * libudev's monitor, and nothing else of libudev: enumeration and the properties of a device that was not received
 * open `uevent`, whose reader takes the device lock on 6.1 (KERNEL.md 2.2). All that is asked of a device here came
 * with the message.
 */
#include <errno.h>

#include <libudev.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/udev.h"

/*
 * "kernel" events and not "udev" ones, because a snapshot must be right soon: udev sends its own after the rules have
 * run, and one rule that reads sriov_numvfs sits in the kernel until a write of it has ended. What udev
 * adds is not needed: a renamed netdev is told by the kernel too (action "move").
 */
#define SOURCE "kernel"

/* An enable of 256 VFs with their netdevs sends thousands of messages before a busy loop reads the first. */
#define RECEIVE_BUFFER (128 * 1024 * 1024)

/* pci_express: pciehp's services. slots: hot-plug slots. drivers: of all buses; those of PCI's are picked below. */
static const char *const subsystems[] = { "pci", "net", "pci_express", "slots", "drivers" };

struct Watch {
        struct udev *udev;
        struct udev_monitor *monitor;
};

Watch *watch_free(Watch *w) {
        if (!w)
                return NULL;
        udev_monitor_unref(w->monitor);
        udev_unref(w->udev);
        free(w);
        return NULL;
}
DEFINE_CLEANUP(Watch, watch_free);

int watch_open(Watch **ret) {
        _cleanup_(watch_freep) Watch *w = calloc(1, sizeof(Watch));
        int r;

        if (!w)
                return -ENOMEM;
        w->udev = udev_new();
        if (!w->udev)
                return -ENOMEM;
        errno = 0;
        w->monitor = udev_monitor_new_from_netlink(w->udev, SOURCE);
        if (!w->monitor)
                return errno != 0 ? -errno : -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(subsystems); i++) {
                r = udev_monitor_filter_add_match_subsystem_devtype(w->monitor, subsystems[i],
                                                                    NULL);
                if (r < 0)
                        return r;
        }
        /* Needs CAP_NET_ADMIN; with the default size events are only lost sooner, which is told. */
        (void) udev_monitor_set_receive_buffer_size(w->monitor, RECEIVE_BUFFER);
        r = udev_monitor_enable_receiving(w->monitor);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

int watch_fd(const Watch *w) {
        return udev_monitor_get_fd(w->monitor);
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

/* True if the message is about something that a snapshot holds. */
static bool parse_event(struct udev_device *d, KernelEvent *ret) {
        const char *subsystem = or_empty(udev_device_get_subsystem(d));
        const char *devpath = or_empty(udev_device_get_devpath(d));
        const char *slot_name = udev_device_get_property_value(d, "PCI_SLOT_NAME");
        KernelEvent event = { .bdf = BDF_NONE };

        snprintf(event.action, sizeof(event.action), "%s", or_empty(udev_device_get_action(d)));
        if (streq(subsystem, "pci") || streq(subsystem, "net")) {
                event.kind = KERNEL_EVENT_CHANGED;
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

int watch_next(Watch *w, KernelEvent *ret) {
        for (;;) {
                struct udev_device *d;
                bool ours;

                errno = 0;
                d = udev_monitor_receive_device(w->monitor);
                if (!d) {
                        if (errno == EINTR)
                                continue;
                        if (errno == ENOBUFS) {
                                *ret = (KernelEvent){ .kind = KERNEL_EVENT_LOST, .bdf = BDF_NONE };
                                return 1;
                        }
                        return errno == 0 || errno == EAGAIN ? 0 : -errno;
                }
                ours = parse_event(d, ret);
                udev_device_unref(d);
                if (ours)
                        return 1;
        }
}

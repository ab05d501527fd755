/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-user: a program in the guest that uses a VF through vfio, as a virtual machine would
 *
 * usage: vfio-user [--guard | --polite] ADDRESS
 *
 * Opens container, group and device of ADDRESS, prints "holding", and keeps them until it is killed. --guard opens the group
 * alone, which keeps others out and lets the driver go. --polite lets the device go once the kernel asks for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int fail(const char *what) {
        fprintf(stderr, "vfio-user: %s: %s\n", what, strerror(errno));
        return errno == EBUSY ? 2 : 1;
}

static int open_group(const char *address) {
        char link[128], target[256], path[64];
        ssize_t n;

        snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", address);
        n = readlink(link, target, sizeof(target) - 1);
        if (n < 0)
                return -1;
        target[n] = '\0';
        snprintf(path, sizeof(path), "/dev/vfio/%s", basename(target));
        return open(path, O_RDWR | O_CLOEXEC);
}

/* The kernel writes to the descriptor every ten seconds, as long as somebody waits for the device. */
static int wait_for_request(int device) {
        char set[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
        struct vfio_irq_set *irq = (struct vfio_irq_set *) set;
        int32_t fd = eventfd(0, EFD_CLOEXEC);
        uint64_t n;

        *irq = (struct vfio_irq_set){
                .argsz = sizeof(set),
                .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                .index = VFIO_PCI_REQ_IRQ_INDEX,
                .count = 1,
        };
        memcpy(irq->data, &fd, sizeof(fd));
        if (fd < 0 || ioctl(device, VFIO_DEVICE_SET_IRQS, irq) < 0)
                return fail("request interrupt");
        return read(fd, &n, sizeof(n)) == sizeof(n) ? 0 : fail("eventfd");
}

int main(int argc, char **argv) {
        bool guard = argc == 3 && strcmp(argv[1], "--guard") == 0;
        bool polite = argc == 3 && strcmp(argv[1], "--polite") == 0;
        int container, group, device = -1;

        if (argc != 2 && !guard && !polite)
                return 64;
        group = open_group(argv[argc - 1]);
        if (group < 0)
                return fail("group");
        if (!guard) {
                container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
                if (container < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0 ||
                    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) < 0)
                        return fail("container");
                device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[argc - 1]);
                if (device < 0)
                        return fail("device");
        }
        printf("holding\n");
        fflush(stdout);
        if (polite)
                return wait_for_request(device);
        for (;;)
                pause();
}

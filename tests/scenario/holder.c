/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holder: a program that uses a VF through vfio, as a virtual machine would
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"
#include "tests/scenario/holder.h"

/* The group alone would be a guard and keep nobody from unbinding; the device is what vfio waits for. */
static int take(Bdf vf, int group) {
        char path[32];
        int container, fd;

        snprintf(path, sizeof(path), "/dev/vfio/%d", group);
        container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
        fd = open(path, O_RDWR | O_CLOEXEC);
        if (container < 0 || fd < 0 || ioctl(fd, VFIO_GROUP_SET_CONTAINER, &container) < 0 ||
            ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) < 0 ||
            ioctl(fd, VFIO_GROUP_GET_DEVICE_FD, BDF_STR(vf)) < 0)
                return -errno;
        return 0;
}

static _Noreturn void hold(Bdf vf, int group, int answer_fd) {
        int r;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        r = take(vf, group);
        if (write(answer_fd, &r, sizeof(r)) == sizeof(r) && r >= 0)
                for (;;)
                        pause();
        _exit(1);
}

int holder_start(Bdf vf, int group, pid_t *ret) {
        int fds[2], r = -EIO;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        pid = fork();
        if (pid == 0)
                hold(vf, group, fds[1]);
        close_fd(fds[1]);
        if (pid < 0 || read(fds[0], &r, sizeof(r)) != sizeof(r))
                r = -EIO;
        close_fd(fds[0]);
        if (r < 0 && pid > 0)
                holder_end(pid);
        *ret = r < 0 ? 0 : pid;
        return r;
}

void holder_end(pid_t pid) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

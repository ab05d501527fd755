/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare loop: the same writes that sriovd makes for `set PF N`, by the shortest program there is
 *
 * usage: raw-set PF N [DRIVER]. Probing held, VFs made, overrides, probing freed, VFs bound; no proof, no order, no safety.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *path, const char *value) {
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t) strlen(value))
                fprintf(stderr, "raw-set: %s > %s: %s\n", value, path, strerror(errno));
        if (fd >= 0)
                close(fd);
}

static void put_fn(const char *fn, const char *attr, const char *value) {
        char path[256];

        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", fn, attr);
        put(path, value);
}

/* "0000:01:10.0" behind virtfnN, or NULL. */
static const char *virtfn(const char *pf, int n) {
        static char target[256];
        char path[256];
        ssize_t length;

        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%d", pf, n);
        length = readlink(path, target, sizeof(target) - 1);
        if (length < 0)
                return NULL;
        target[length] = '\0';
        return strrchr(target, '/') + 1;
}

int main(int argc, char **argv) {
        const char *pf, *driver = argc > 3 ? argv[3] : NULL;
        char bind[256];
        int n;

        if (argc < 3)
                return 2;
        pf = argv[1];
        n = atoi(argv[2]);
        snprintf(bind, sizeof(bind), "/sys/bus/pci/drivers/%s/bind", driver ? driver : "");
        if (n > 0)
                put_fn(pf, "sriov_drivers_autoprobe", "0");
        put_fn(pf, "sriov_numvfs", argv[2]);
        for (int i = 0; driver && i < n; i++)
                if (virtfn(pf, i))
                        put_fn(virtfn(pf, i), "driver_override", driver);
        if (n > 0)
                put_fn(pf, "sriov_drivers_autoprobe", "1");
        for (int i = 0; i < n; i++)
                if (virtfn(pf, i))
                        put(driver ? bind : "/sys/bus/pci/drivers_probe", virtfn(pf, i));
        return 0;
}

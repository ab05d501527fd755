/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate-probe: what the gate costs, measured in the guest
 *
 * usage: gate-probe open FILE ROUNDS       opens FILE to write (to read where its mode has no w), closes it, and prints the
 *                                          median of open() in microseconds
 *        gate-probe appear ADDRESS PID     waits for the kernel's "add" of that PCI function, then until process PID has a mark
 *                                          on its `remove`, and prints the microseconds in between
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 1000
/* A mark that has not come by then will not come. */
#define APPEAR_MAX_USEC (20 * UINT64_C(1000000))
#define PAUSE_USEC 200000

static int fail(const char *what) {
        fprintf(stderr, "gate-probe: %s: %s\n", what, strerror(errno));
        return 1;
}

static uint64_t now_nsec(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000 + (uint64_t) t.tv_nsec;
}

static int compare(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return x < y ? -1 : x > y;
}

/* A turn ends when the daemon has seen the close: a pause between the rounds, long in emulation, so that each finds the
 * gate idle. */
static int measure_open(const char *path, unsigned rounds) {
        uint64_t took[ROUNDS_MAX];
        struct stat st;
        int flags;

        if (stat(path, &st) < 0)
                return fail(path);
        flags = (st.st_mode & S_IWUSR ? O_WRONLY : O_RDONLY) | O_CLOEXEC;
        for (unsigned i = 0; i < rounds; i++) {
                uint64_t begin = now_nsec();
                int fd = open(path, flags);

                took[i] = now_nsec() - begin;
                if (fd < 0)
                        return fail(path);
                close(fd);
                usleep(PAUSE_USEC);
        }
        qsort(took, rounds, sizeof(took[0]), compare);
        printf("%" PRIu64 ".%" PRIu64 "\n", took[rounds / 2] / 1000, took[rounds / 2] / 100 % 10);
        return 0;
}

/* fanotify ino:1a3 sdev:16 mflags:0 mask:10008 ignored_mask:0 */
static bool has_mark(const char *path, uint64_t ino) {
        FILE *f = fopen(path, "re");
        char line[256];
        uint64_t number;
        bool found = false;

        while (f && !found && fgets(line, sizeof(line), f))
                found = sscanf(line, "fanotify ino:%" SCNx64, &number) == 1 && number == ino;
        if (f)
                fclose(f);
        return found;
}

/* The fdinfo of the process's one fanotify group. */
static int find_group(const char *pid, char *ret, size_t size) {
        char folder[64], link[128], target[64];
        struct dirent *e;
        DIR *d;

        snprintf(folder, sizeof(folder), "/proc/%.16s/fd", pid);
        d = opendir(folder);
        while (d && (e = readdir(d))) {
                ssize_t n;

                snprintf(link, sizeof(link), "%s/%.16s", folder, e->d_name);
                n = readlink(link, target, sizeof(target) - 1);
                target[n < 0 ? 0 : n] = '\0';
                if (strcmp(target, "anon_inode:[fanotify]") != 0)
                        continue;
                snprintf(ret, size, "/proc/%.16s/fdinfo/%.16s", pid, e->d_name);
                closedir(d);
                return 0;
        }
        if (d)
                closedir(d);
        errno = ENOENT;
        return -1;
}

static int open_uevents(void) {
        struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
        int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

        if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return -1;
        return fd;
}

/* "add@/devices/pci0000:00/0000:00:02.0/0000:01:00.0" */
static int wait_for_add(int fd, const char *address, char *ret_path, size_t size) {
        char message[8192];

        for (;;) {
                ssize_t n = recv(fd, message, sizeof(message) - 1, 0);
                const char *last;

                if (n < 0)
                        return -1;
                message[n] = '\0';
                last = strrchr(message, '/');
                if (strncmp(message, "add@", 4) == 0 && last && strcmp(last + 1, address) == 0) {
                        snprintf(ret_path, size, "/sys%.4000s/remove", message + 4);
                        return 0;
                }
        }
}

static int measure_appear(const char *address, const char *pid) {
        char group[128], path[4096];
        int fd = open_uevents();
        struct stat st;
        uint64_t begin;

        if (fd < 0 || find_group(pid, group, sizeof(group)) < 0)
                return fail("cannot listen");
        printf("listening\n");
        fflush(stdout);
        if (wait_for_add(fd, address, path, sizeof(path)) < 0)
                return fail("uevents");
        begin = now_nsec();
        if (stat(path, &st) < 0)
                return fail(path);
        while (!has_mark(group, st.st_ino))
                if (now_nsec() - begin > APPEAR_MAX_USEC * 1000) {
                        fprintf(stderr, "gate-probe: no mark\n");
                        return 1;
                }
        printf("%" PRIu64 "\n", (now_nsec() - begin) / 1000);
        return 0;
}

int main(int argc, char **argv) {
        unsigned rounds = argc == 4 ? (unsigned) strtoul(argv[3], NULL, 10) : 0;

        if (argc == 4 && strcmp(argv[1], "appear") == 0)
                return measure_appear(argv[2], argv[3]);
        if (argc == 4 && strcmp(argv[1], "open") == 0 && rounds > 0 && rounds <= ROUNDS_MAX)
                return measure_open(argv[2], rounds);
        return 64;
}

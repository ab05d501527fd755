/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that opens files in every way there is, as it is told on its standard input
 *
 * One line in, one line out:
 *   open HOW PATH            "fd N" or "error ERRNO"
 *   threaded HOW PATH        the same, in a thread of its own: "fd N", "error ERRNO"
 *   start TAG PATH BOOK      "ok"; a thread opens PATH to write, notes TAG in BOOK, closes PATH
 *   write FD TEXT, close FD  "ok" or "error ERRNO"
 *   child                    forks one that has all files, too, and does nothing: "child PID"
 * At the end of input it ends. "none" is said of a way that this kernel or machine does not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macro.h"

#define NONE (-10000)

static int result(long r) {
        return r < 0 ? -errno : (int) r;
}

static int plain(const char *path, int flags) {
        return result(syscall(SYS_openat, AT_FDCWD, path, flags, 0600));
}

static int by_creat(const char *path, int flags _unused_) {
#ifdef SYS_creat
        return result(syscall(SYS_creat, path, 0600));
#else
        (void) path;
        return NONE;
#endif
}

static int by_openat2(const char *path, int flags) {
        struct open_how how = { .flags = (uint64_t) flags };

        return result(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
}

typedef struct Ring {
        int fd;
        struct io_uring_params p;
        char *sq, *cq;
        struct io_uring_sqe *sqes;
} Ring;

static void *map(int fd, size_t size, uint64_t offset) {
        return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                    (off_t) offset);
}

static int ring_open(Ring *r) {
        r->fd = (int) syscall(SYS_io_uring_setup, 4, &r->p);
        if (r->fd < 0)
                return NONE;
        r->sq = map(r->fd, r->p.sq_off.array + r->p.sq_entries * sizeof(uint32_t),
                    IORING_OFF_SQ_RING);
        r->cq = map(r->fd, r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe),
                    IORING_OFF_CQ_RING);
        r->sqes = map(r->fd, r->p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
        return r->sq == MAP_FAILED || r->cq == MAP_FAILED || (void *) r->sqes == MAP_FAILED ? -errno
                                                                                            : 0;
}

static uint32_t *word(char *ring, uint32_t offset) {
        return (uint32_t *) (void *) (ring + offset);
}

static int by_ring(const char *path, int flags) {
        Ring r = {};
        struct io_uring_cqe *cqes;
        int k = ring_open(&r);

        if (k < 0)
                return k;
        r.sqes[0] = (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
                                           .flags = IOSQE_ASYNC,
                                           .fd = AT_FDCWD,
                                           .addr = (uintptr_t) path,
                                           .len = 0600,
                                           .open_flags = (uint32_t) flags };
        *word(r.sq, r.p.sq_off.array) = 0;
        __atomic_store_n(word(r.sq, r.p.sq_off.tail), 1, __ATOMIC_RELEASE);
        k = result(syscall(SYS_io_uring_enter, r.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
        cqes = (struct io_uring_cqe *) (void *) (r.cq + r.p.cq_off.cqes);
        if (k >= 0)
                k = cqes[0].res;
        close(r.fd);
        return k;
}

#ifdef __x86_64__
/* Where the kernel was built or started without them, the instruction is no answer but the end of the program. */
static bool has_compat(void) {
        long r = 20; /* getpid */
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                (void) signal(SIGSEGV, SIG_DFL);
                __asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
                _exit(r > 0 ? 0 : 1);
        }
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
               WEXITSTATUS(status) == 0;
}
#endif

/* The calls of 32-bit programs have other numbers. */
static int compat(long number, const char *path, long second, long third) {
#ifdef __x86_64__
        char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        long r, first = number == 295 ? AT_FDCWD : (long) (intptr_t) low;

        if (low == MAP_FAILED || !has_compat())
                return NONE;
        snprintf(low, 4096, "%s", path);
        if (number == 295)
                second = (long) (intptr_t) low;
        __asm__ volatile("int $0x80"
                         : "=a"(r)
                         : "a"(number), "b"(first), "c"(second), "d"(third)
                         : "memory", "r8", "r9", "r10", "r11");
        munmap(low, 4096);
        return (int) r == -ENOSYS ? NONE : (int) r;
#else
        (void) number, (void) path, (void) second, (void) third;
        return NONE;
#endif
}

static int by_compat_open(const char *path, int flags) {
        return compat(5, path, flags, 0600);
}

static int by_compat_openat(const char *path, int flags) {
        return compat(295, path, 0, flags);
}

static int by_compat_creat(const char *path, int flags _unused_) {
        return compat(8, path, 0600, 0);
}

static const struct {
        const char *name;
        int (*open)(const char *path, int flags);
        int flags;
} ways[] = {
        { "rdonly", plain, O_RDONLY },
        { "wronly", plain, O_WRONLY },
        { "rdwr", plain, O_RDWR },
        { "append", plain, O_WRONLY | O_APPEND },
        { "nonblock", plain, O_WRONLY | O_NONBLOCK },
        { "both", plain, O_ACCMODE },
        { "path", plain, O_PATH },
        { "creat", by_creat, 0 },
        { "openat2-rdonly", by_openat2, O_RDONLY },
        { "openat2-wronly", by_openat2, O_WRONLY },
        { "ring-rdonly", by_ring, O_RDONLY },
        { "ring-wronly", by_ring, O_WRONLY },
        { "compat-open-rdonly", by_compat_open, O_RDONLY },
        { "compat-open-wronly", by_compat_open, O_WRONLY },
        { "compat-openat-rdonly", by_compat_openat, O_RDONLY },
        { "compat-openat-wronly", by_compat_openat, O_WRONLY },
        { "compat-creat", by_compat_creat, 0 },
};

typedef struct Task {
        char how[32], path[512], tag[32], book[512];
        int answer;
} Task;

static int open_as(const char *how, const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(ways); i++)
                if (strcmp(ways[i].name, how) == 0)
                        return ways[i].open(path, ways[i].flags);
        return NONE;
}

static void *in_thread(void *userdata) {
        Task *t = userdata;

        t->answer = open_as(t->how, t->path);
        return NULL;
}

static void *visit(void *userdata) {
        Task *t = userdata;
        int fd = plain(t->path, O_WRONLY), book = open(t->book, O_WRONLY | O_APPEND | O_CLOEXEC);

        dprintf(book, "%s %d\n", t->tag, fd < 0 ? -fd : 0);
        close(book);
        close(fd);
        free(t);
        return NULL;
}

static void say(int r) {
        if (r == NONE)
                printf("none\n");
        else if (r < 0)
                printf("error %d\n", -r);
        else
                printf("fd %d\n", r);
}

static void say_done(long r) {
        if (r < 0)
                say(-errno);
        else
                printf("ok\n");
}

static void child(void) {
        pid_t pid = fork();

        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, 0);
                close(STDIN_FILENO);
                close(STDOUT_FILENO);
                for (;;)
                        pause();
        }
        printf("child %d\n", (int) pid);
}

static void start(const Task *t) {
        Task *own = malloc(sizeof(Task));
        pthread_t thread;

        if (!own)
                abort();
        *own = *t;
        if (pthread_create(&thread, NULL, visit, own) != 0)
                abort();
        pthread_detach(thread);
        printf("ok\n");
}

static void obey(const char *line) {
        Task t = {};
        pthread_t thread;
        int fd;

        if (sscanf(line, "open %31s %511s", t.how, t.path) == 2) {
                say(open_as(t.how, t.path));
        } else if (sscanf(line, "threaded %31s %511s", t.how, t.path) == 2) {
                if (pthread_create(&thread, NULL, in_thread, &t) != 0)
                        abort();
                pthread_join(thread, NULL);
                say(t.answer);
        } else if (sscanf(line, "start %31s %511s %511s", t.tag, t.path, t.book) == 3) {
                start(&t);
        } else if (sscanf(line, "write %d %31s", &fd, t.tag) == 2) {
                say_done(write(fd, t.tag, strlen(t.tag)));
        } else if (sscanf(line, "close %d", &fd) == 1) {
                say_done(close(fd));
        } else if (strncmp(line, "child", 5) == 0) {
                child();
        } else {
                printf("what?\n");
        }
        fflush(stdout);
}

int main(void) {
        char line[2048];

        prctl(PR_SET_PDEATHSIG, 9);
        while (fgets(line, sizeof(line), stdin))
                obey(line);
        return 0;
}

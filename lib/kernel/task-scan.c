/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task scan
 *
 * A host has thousands of threads, and nearly all of them wait in one of a few places that no PCI path goes through. Those are
 * told by state and wchan alone; only of the others is the stack read. wchan names the caller of the lock that is waited
 * for (KERNEL.md 2.1), which may be any driver's function: so it rules out by a list, and never rules in.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/proc.h"
#include "kernel/task-scan.h"
#include "kernel/udev.h"

/* Where tasks sleep (interruptibly) for what user space, a timer or more work will bring. A * ends a prefix. */
static const char *const idle_places[] = {
        "0",
        "do_epoll_wait*",
        "ep_poll",
        "futex_*",
        "do_futex*",
        "poll_schedule_timeout*",
        "do_sys_poll",
        "do_poll*",
        "do_select",
        "do_wait",
        "hrtimer_nanosleep",
        "do_nanosleep",
        "do_sigtimedwait*",
        "sigsuspend*",
        "__do_sys_pause",
        "pipe_*",
        "anon_pipe_*",
        "unix_stream_*",
        "unix_wait_for_peer",
        "skb_wait_for_more_packets",
        "__skb_wait_for_more_packets",
        "inet_csk_accept",
        "tcp_recvmsg*",
        "sk_wait_data",
        "n_tty_read",
        "io_cqring_wait",
        "io_sq_thread",
        "io_wq_worker",
        "read_events",
        "signalfd_*",
        "eventfd_*",
        "inotify_read",
        "fanotify_read",
        "do_syslog",
        "devkmsg_read",
        "syslog_print",
        "kthreadd",
        "rescuer_thread",
        "worker_thread",
        "kthread_worker_fn",
        "smpboot_thread_fn",
        "irq_thread",
        "kvm_vcpu_block",
        "kvm_vcpu_halt",
};

static bool is_idle_place(const char *wchan) {
        for (size_t i = 0; i < ELEMENTSOF(idle_places); i++) {
                size_t n = strlen(idle_places[i]);

                if (idle_places[i][n - 1] == '*' ? strncmp(wchan, idle_places[i], n - 1) == 0
                                                 : streq(wchan, idle_places[i]))
                        return true;
        }
        return false;
}

/*
 * A wait for a vfio user is interruptible until the first signal (KERNEL.md 2.1), a wait for a lock is not. One
 * that runs shows no stack to speak of, and one that is idle or stopped holds nothing that we would wait for.
 */
static bool may_be_inside(const char *proc, uint32_t tid, char state) {
        char wchan[64];

        if (state == 'D')
                return true;
        if (state != 'S')
                return false;
        return proc_read(proc, tid, "wchan", wchan, sizeof(wchan)) < 0 || !is_idle_place(wchan);
}

/* From "1 0x5 0x7ffd3c 0xd 0x0 0x0 0x0 0x7ffc 0x7f2a": number and arguments. */
typedef struct Call {
        long number;
        unsigned long long arguments[3];
} Call;

static bool read_call(const char *proc, uint32_t tid, Call *ret) {
        char text[256];

        return proc_read(proc, tid, "syscall", text, sizeof(text)) > 0 &&
               sscanf(text, "%ld %llx %llx %llx", &ret->number, ret->arguments, ret->arguments + 1,
                      ret->arguments + 2) == 4;
}

/* `bind`, `unbind` and their like are told the function in what is written. */
static bool read_written(const char *proc, uint32_t tid, const Call *call, Bdf *ret) {
        _cleanup_close_ int fd = -EBADF;
        char path[PATH_MAX], text[BDF_MAX];
        ssize_t n;

        snprintf(path, sizeof(path), "%s/%" PRIu32 "/mem", proc, tid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        n = pread(fd, text, MIN2(sizeof(text) - 1, call->arguments[2]), (off_t) call->arguments[1]);
        if (n < 0)
                return false;
        text[n] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return bdf_parse(text, ret) >= 0;
}

/* The function whose file the task writes or reads: it stands in the path, or in what is written. */
static Bdf function_of(const char *proc, uint32_t tid) {
        char name[32], link[PATH_MAX];
        Bdf fn = BDF_NONE;
        Call call;

        if (!read_call(proc, tid, &call) || (call.number != SYS_write && call.number != SYS_read))
                return BDF_NONE;
        snprintf(name, sizeof(name), "fd/%llu", call.arguments[0]);
        if (proc_link(proc, tid, name, link, sizeof(link)) < 0)
                return BDF_NONE;
        if (watch_parse_devpath(link, &fn))
                return fn;
        if (call.number == SYS_write && strstr(link, "/bus/") &&
            read_written(proc, tid, &call, &fn))
                return fn;
        return BDF_NONE;
}

typedef struct Scan {
        const char *proc;
        uint32_t self, parent;
        Tasks *found;
} Scan;

/* What we and our siblings do, the queue knows. Init's children have nothing in common. */
static bool is_family(const Scan *s, const ProcStat *stat, uint32_t pid) {
        return pid == s->self || (s->parent > 1 && stat->parent == s->parent);
}

/*
 * What was asked for stands near the outer end of a stack, where a long one is cut: it is put at the end of what is
 * kept. What is further out, the system call, says nothing.
 */
static void keep_stack(Task *t, const char *stack) {
        char entry[STACK_FRAME_MAX];
        size_t room = sizeof(t->stack) - sizeof(entry) - sizeof(" < ... < ");
        const char *end;

        stack_entry(stack, entry);
        end = strstr(stack, entry);
        end += strcspn(end, " ");
        if ((size_t) (end - stack) < sizeof(t->stack))
                snprintf(t->stack, sizeof(t->stack), "%.*s", (int) (end - stack), stack);
        else
                snprintf(t->stack, sizeof(t->stack), "%.*s < ... < %s", (int) room, stack, entry);
}

static int scan_task(const Scan *s, uint32_t pid, uint32_t tid, const ProcStat *stat) {
        Task t = { .pid = tid, .state = stat->state };
        char stack[2048];
        int r;

        if (is_family(s, stat, pid) || !may_be_inside(s->proc, tid, stat->state))
                return 0;
        r = proc_stack(s->proc, tid, stack, sizeof(stack));
        if (r < 0)
                return r == -ESRCH ? 0 : r;
        t.place = stack_place(stack);
        if (t.place == STACK_ELSEWHERE)
                return 0;
        keep_stack(&t, stack);
        snprintf(t.command, sizeof(t.command), "%s", stat->command);
        t.fn = function_of(s->proc, tid);
        return tasks_add(s->found, &t);
}

static int scan_threads(const Scan *s, uint32_t pid) {
        _cleanup_(proc_close_folder) DIR *d = NULL;
        int r, worst = 0;
        ProcStat stat;
        uint32_t tid;

        d = proc_open_folder(s->proc, pid, "task");
        if (!d)
                return errno == ENOENT ? 0 : -errno;
        while (proc_next(d, &tid) > 0) {
                r = proc_stat(s->proc, tid, &stat);
                if (r >= 0)
                        r = scan_task(s, pid, tid, &stat);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 && r != -ESRCH)
                        worst = r;
        }
        return worst;
}

/* Most have one thread, and their folder of threads says nothing new. A first thread that ended may have left others. */
static int scan_process(const Scan *s, uint32_t pid) {
        ProcStat stat;
        int r;

        r = proc_stat(s->proc, pid, &stat);
        if (r >= 0 && stat.n_threads == 1)
                return scan_task(s, pid, pid, &stat);
        return r < 0 && r != -ESRCH ? r : scan_threads(s, pid);
}

int task_scan(const char *proc, Tasks *ret) {
        Scan s = { proc, (uint32_t) getpid(), (uint32_t) getppid(), ret };
        _cleanup_(proc_close_folder) DIR *d = NULL;
        unsigned n_seen = 0;
        int r, worst = 0;
        uint32_t pid;

        d = proc_open_folder(proc, 0, "");
        if (!d)
                return -errno;
        while (proc_next(d, &pid) > 0) {
                r = scan_process(&s, pid);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        worst = r;
                else
                        n_seen++;
        }
        return n_seen == 0 ? worst : 0;
}

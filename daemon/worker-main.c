/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers: the child's side
 *
 * Waits for a request, does it, says so in a file and then to the daemon, which may be dead by then. Ends when the
 * socket does. It may sleep in the kernel for ever, and it is in nobody's way there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/attr.h"
#include "kernel/elsewhere.h"
#include "kernel/kernel.h"
#include "kernel/look.h"
#include "kernel/pci.h"
#include "kernel/step.h"

#include "conf/policy-write.h"

#include "daemon/diagnose.h"
#include "daemon/ledger.h"
#include "daemon/log.h"
#include "daemon/parcel.h"
#include "daemon/sight.h"
#include "daemon/worker.h"

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}

/*
 * A first signal would turn an interruptible wait (for a vfio user, KERNEL.md 2.6) into one that cannot be ended, and
 * end nothing. The daemon's death is no reason to break off either.
 */
static void block_signals(void) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGHUP);
        sigaddset(&set, SIGQUIT);
        sigaddset(&set, SIGPIPE);
        sigprocmask(SIG_BLOCK, &set, NULL);
}

static int open_results(const char *runtime) {
        char path[4096];
        int fd;

        if ((size_t) snprintf(path, sizeof(path), "%s/results", runtime) >= sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* What an answer is made of: the struct, and what goes beside it. */
typedef struct Answer {
        WorkerReply reply;
        int guard, list;
} Answer;

static void answer_done(Answer *a) {
        close_fd(a->guard);
        close_fd(a->list);
}

static int pack(Answer *a, const void *items, size_t n, size_t size) {
        int r = n > 0 ? parcel_pack(items, n, size, &a->list) : 0;

        if (r >= 0)
                a->reply.n_list = n;
        return r;
}

/* Who is in the way must reach the daemon whole, or it must not go on. */
static void take_extra(StepExtra *extra, Answer *a) {
        int r = pack(a, extra->holders.items, extra->holders.n, sizeof(Holder));

        if (r < 0) {
                a->reply.result = (StepResult){ .answer = STEP_FAILED, .error = -r };
                return;
        }
        a->guard = TAKE_FD(extra->guard);
        a->reply.has_guard = a->guard >= 0;
        a->reply.group = extra->group;
}

/*
 * Somebody outside the queue may be at the kernel: as for those who are stuck, none of ours goes in behind him. False: the
 * answer says who is in the way.
 */
static bool wait_for_unordered(Kernel *k, const Step *step, StepResult *ret) {
        Step way = { .rung = RUNG_CLEAR_WAY, .fn = step->fn, .vf = BDF_NONE };

        step_climb(k, &way, ret, NULL);
        return ret->answer == STEP_DONE;
}

static void do_step(Kernel *k, int results, const WorkerRequest *request, Answer *a) {
        StepExtra extra = STEP_EXTRA_EMPTY;
        uint64_t start = now_usec();
        Outcome outcome;
        int r;

        extra.guarded = request->guarded;
        k->unlocks = request->unlocks;
        if (!request->unordered || wait_for_unordered(k, &request->step, &a->reply.result))
                step_climb(k, &request->step, &a->reply.result, &extra);
        take_extra(&extra, a);
        step_extra_done(&extra);
        a->reply.usec = now_usec() - start;
        outcome = (Outcome){ request->index, a->reply.result, a->reply.usec };
        r = result_write(results, request->job, getpid(), &outcome);
        if (r < 0)
                log_error_errno(r, "job %u: cannot keep what came of a step for the next daemon",
                                request->job);
}

/* Functions that a question is about. */
typedef struct Asked {
        Bdf *items;
        size_t n;
} Asked;

static int asked_add(Asked *all, Bdf fn) {
        Bdf *more = reallocarray(all->items, all->n + 1, sizeof(Bdf));

        if (!more)
                return -ENOMEM;
        all->items = more;
        all->items[all->n++] = fn;
        return 0;
}

static int compare(const void *a, const void *b) {
        return bdf_compare(*(const Bdf *) a, *(const Bdf *) b);
}

/* No more is asked of each function than whether it counts: a scan would read ten files of all. */
static int ask_for_all(Kernel *k, Asked *all) {
        _cleanup_strv_ char **names = NULL;
        char text[16];
        Bdf fn, pf;
        int r;

        r = k->list(k, ATTR_BUS(ATTR_DEVICES), &names);
        STRV_FOREACH (name, names) {
                if (bdf_parse(*name, &fn) < 0 ||
                    (look_physfn(k, fn, &pf) <= 0 &&
                     k->read(k, ATTR_FN(ATTR_TOTALVFS, fn), text, sizeof(text)) < 0))
                        continue;
                r = asked_add(all, fn);
                if (r < 0)
                        return r;
        }
        if (all->n > 0)
                qsort(all->items, all->n, sizeof(Bdf), compare);
        return r;
}

/* A PF's VFs are lost with it. */
static int ask_for(Kernel *k, Bdf fn, Asked *all) {
        VfLinks links = {};
        int r;

        r = asked_add(all, fn);
        if (r >= 0)
                r = look_vf_links(k, fn, &links, NULL);
        if (r == -ENOENT)
                r = 0;
        for (size_t i = 0; i < links.n_items && r >= 0; i++)
                r = asked_add(all, links.items[i].vf);
        vf_links_done(&links);
        return r;
}

static int find_users(Kernel *k, const WorkerRequest *request, Answer *a) {
        Bdf fn = request->step.fn;
        Holders found = {};
        Asked asked = {};
        int r;

        r = bdf_is_none(fn) ? ask_for_all(k, &asked) : ask_for(k, fn, &asked);
        if (r >= 0)
                r = k->users(k, asked.items, asked.n, request->glance ? USERS_GLANCE : USERS_LOOK,
                             &found);
        /* Where all are asked for, there may be none. */
        if (r == -ENOENT && bdf_is_none(fn))
                r = 0;
        if (r >= 0)
                r = pack(a, found.items, found.n, sizeof(Holder));
        holders_done(&found);
        free(asked.items);
        return r;
}

static int find_faults(Kernel *k, const WorkerRequest *request, Answer *a) {
        Findings found = {};
        int r;

        r = diagnose(k, request->busy, &found);
        if (r >= 0)
                r = pack(a, found.items, found.n, sizeof(Finding));
        findings_done(&found);
        return r;
}

static int see(Kernel *k, Bdf pf, Answer *a) {
        SightItems seen = {};
        int r = sight_look(k, pf, &seen);

        if (r >= 0)
                r = pack(a, seen.items, seen.n, sizeof(SightItem));
        sight_items_done(&seen);
        return r;
}

static int find_elsewhere(const Kernel *k, size_t n, Answer *a) {
        Elsewhere e;
        struct statfs fs;
        struct stat st;
        int r;

        if (!k->sys)
                return 0;
        if (stat(k->sys, &st) < 0 || statfs(k->sys, &fs) < 0)
                return -errno;
        /* A tree of files that stands for one has none beside it: the real ones are not its own. */
        if (fs.f_type != SYSFS_MAGIC)
                return 0;
        r = elsewhere_find("/proc", st.st_dev, n, &e, &a->guard);
        if (r <= 0)
                return r;
        r = pack(a, &e, 1, sizeof(e));
        a->reply.has_guard = a->guard >= 0;
        return r;
}

static void find_names(const WorkerRequest *request, WorkerReply *reply) {
        for (size_t i = 0; i < MIN2(request->n_ids, (size_t) WORKER_IDS_MAX); i++)
                (void) pci_names(request->ids[i].vendor, request->ids[i].device,
                                 reply->names[i].vendor, sizeof(reply->names[i].vendor),
                                 reply->names[i].device, sizeof(reply->names[i].device));
}

static bool is_question(const WorkerRequest *request) {
        return request->work == WORKER_USERS || request->work == WORKER_ELSEWHERE ||
               request->work == WORKER_SIGHT || request->work == WORKER_DIAGNOSE;
}

static int keep_policy(const WorkerRequest *request, int fd) {
        _cleanup_free_ void *text = NULL;
        char name[POLICY_FILE_MAX];
        int r;

        r = parcel_unpack(fd, request->n_text, 1, &text);
        if (r < 0)
                return r;
        return policy_save(policy_folder(), policy_file_name(request->step.fn, name), text);
}

static void answer(Kernel *k, int results, const WorkerRequest *request, int text, Answer *ret) {
        (void) prctl(PR_SET_NAME, is_question(request) ? PROCESS_ASKER : PROCESS_WORKER);
        switch (request->work) {
        case WORKER_STEP:
                do_step(k, results, request, ret);
                break;
        case WORKER_NAMES:
                find_names(request, &ret->reply);
                break;
        case WORKER_USERS:
                ret->reply.error = find_users(k, request, ret);
                break;
        case WORKER_ELSEWHERE:
                ret->reply.error = find_elsewhere(k, request->index, ret);
                break;
        case WORKER_SIGHT:
                ret->reply.error = see(k, request->step.fn, ret);
                break;
        case WORKER_DIAGNOSE:
                ret->reply.error = find_faults(k, request, ret);
                break;
        case WORKER_KEEP:
                ret->reply.error = keep_policy(request, text);
                break;
        }
}

/* As recv(), and what came beside it. */
static ssize_t receive(WorkerRequest *ret, int *ret_text) {
        struct pollfd readable = { .fd = WORKER_FD, .events = POLLIN };
        int fds[PARCEL_FDS_MAX];
        ssize_t n;

        do {
                (void) poll(&readable, 1, -1);
                n = parcel_receive(WORKER_FD, ret, sizeof(*ret), fds);
        } while (n == -EINTR || n == -EAGAIN);
        *ret_text = fds[0];
        close_fd(fds[1]);
        return n;
}

static int serve(Kernel *k, int results) {
        for (;;) {
                Answer a = { .guard = -EBADF, .list = -EBADF };
                _cleanup_close_ int text = -EBADF;
                WorkerRequest request;
                ssize_t n;
                int r;

                n = receive(&request, &text);
                if (n != sizeof(request))
                        return n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
                answer(k, results, &request, text, &a);
                (void) prctl(PR_SET_NAME, PROCESS_WORKER);
                r = parcel_send(WORKER_FD, &a.reply, sizeof(a.reply), (int[]){ a.guard, a.list },
                                2);
                answer_done(&a);
                if (r < 0)
                        return EXIT_SUCCESS;
        }
}

int worker_main(const char *runtime) {
        _cleanup_(kernel_freep) Kernel *k = NULL;
        _cleanup_close_ int results = -EBADF;

        (void) prctl(PR_SET_NAME, PROCESS_WORKER);
        block_signals();
        if (fcntl(WORKER_FD, F_SETFD, FD_CLOEXEC) < 0) {
                log_error_errno(-errno, "--worker is for sriovd's own use");
                return 2;
        }
        results = open_results(runtime);
        if (results < 0) {
                log_error_errno(results, "cannot open %s/results", runtime);
                return EXIT_FAILURE;
        }
        k = kernel_open();
        if (!k) {
                log_error_errno(-errno, "cannot reach the kernel");
                return EXIT_FAILURE;
        }
        return serve(k, results);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers: the child's side
 *
 * Waits for a request, does it, says so in a file and then to the daemon, which may be dead by then. Ends when the
 * socket does. It may sleep in the kernel for ever, and it is in nobody's way there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/macro.h"

#include "kernel/kernel.h"
#include "kernel/pci.h"
#include "kernel/step.h"

#include "daemon/ledger.h"
#include "daemon/log.h"
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

static void do_step(Kernel *k, int results, const WorkerRequest *request, WorkerReply *reply) {
        uint64_t start = now_usec();
        Outcome outcome;
        int r;

        step_climb(k, &request->step, &reply->result);
        reply->usec = now_usec() - start;
        outcome = (Outcome){ request->index, reply->result, reply->usec };
        r = result_write(results, request->job, getpid(), &outcome);
        if (r < 0)
                log_error_errno(r, "job %u: cannot keep what came of a step for the next daemon",
                                request->job);
}

static void find_names(const WorkerRequest *request, WorkerReply *reply) {
        for (size_t i = 0; i < MIN2(request->n_ids, (size_t) WORKER_IDS_MAX); i++)
                (void) pci_names(request->ids[i].vendor, request->ids[i].device,
                                 reply->names[i].vendor, sizeof(reply->names[i].vendor),
                                 reply->names[i].device, sizeof(reply->names[i].device));
}

static int serve(Kernel *k, int results) {
        for (;;) {
                WorkerRequest request;
                WorkerReply reply = {};
                ssize_t n;

                n = recv(WORKER_FD, &request, sizeof(request), 0);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n != sizeof(request))
                        return n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
                if (request.work == WORKER_STEP)
                        do_step(k, results, &request, &reply);
                else
                        find_names(&request, &reply);
                if (send(WORKER_FD, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
                        return EXIT_SUCCESS;
        }
}

int worker_main(const char *runtime) {
        _cleanup_(kernel_freep) Kernel *k = NULL;
        _cleanup_close_ int results = -EBADF;

        (void) prctl(PR_SET_NAME, "sriovd-worker");
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

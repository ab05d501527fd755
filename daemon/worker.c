/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers: the daemon's side
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/names.h"

#include "daemon/log.h"
#include "daemon/parcel.h"
#include "daemon/worker.h"

static void worker_free(Worker *w) {
        for (size_t i = 0; i < WORKERS_MAX; i++)
                if (w->all->items[i] == w)
                        w->all->items[i] = NULL;
        sd_event_source_disable_unref(w->io);
        sd_event_source_disable_unref(w->deadline);
        close_fd(w->fd);
        free(w);
}

void workers_done(Workers *all) {
        for (size_t i = 0; i < WORKERS_MAX; i++)
                if (all->items[i])
                        worker_free(all->items[i]);
}

#define NO_FDS ((WorkerFds){ -EBADF, -EBADF })

/* Tells of the answer when the worker can be used again, for that is what comes next. */
static void worker_over(Worker *w, const WorkerReply *reply, WorkerFds fds, bool gone) {
        WorkerRequest request = w->request;
        pid_t pid = w->process.pid;
        Workers *all = w->all;
        bool busy = w->busy;

        w->busy = false;
        w->deadline = sd_event_source_disable_unref(w->deadline);
        if (gone)
                worker_free(w);
        if (busy)
                all->answered(pid, &request, reply, &fds, all->userdata);
        close_fd(fds.guard);
        close_fd(fds.list);
}

/* As many as the reply says, or none. */
static int sort_fds(const WorkerReply *reply, int fds[static PARCEL_FDS_MAX], WorkerFds *ret) {
        size_t n = 0, want = (size_t) reply->has_guard + (reply->n_list > 0);

        while (n < PARCEL_FDS_MAX && fds[n] >= 0)
                n++;
        if (n != want) {
                for (size_t i = 0; i < n; i++)
                        close_fd(fds[i]);
                return -EBADMSG;
        }
        n = 0;
        *ret = NO_FDS;
        if (reply->has_guard)
                ret->guard = fds[n++];
        if (reply->n_list > 0)
                ret->list = fds[n];
        return 0;
}

/* Who uses a function, or its guard, did not reach us: as good as not asked, and nothing may rest on it. */
static void forget_answer(WorkerReply *reply) {
        *reply = (WorkerReply){ .result = { .answer = STEP_FAILED, .error = EMFILE },
                                .error = -EMFILE };
}

static int on_socket(sd_event_source *source _unused_, int fd, uint32_t revents _unused_,
                     void *userdata) {
        int raw[PARCEL_FDS_MAX];
        WorkerFds fds = NO_FDS;
        Worker *w = userdata;
        WorkerReply reply;
        ssize_t n;

        n = parcel_receive(fd, &reply, sizeof(reply), raw);
        if (n == -EAGAIN || n == -EINTR)
                return 0;
        if (n == -EBADMSG || (n == sizeof(reply) && sort_fds(&reply, raw, &fds) < 0)) {
                forget_answer(&reply);
                worker_over(w, &reply, NO_FDS, false);
                return 0;
        }
        /* Reset means that it ended without having read the request: nothing was begun. */
        if (n == -ECONNRESET) {
                reply = (WorkerReply){ .result = { .answer = STEP_FAILED, .error = ECHILD },
                                       .error = -ECHILD };
                worker_over(w, &reply, NO_FDS, true);
                return 0;
        }
        if (n == sizeof(reply)) {
                worker_over(w, &reply, fds, false);
                return 0;
        }
        /* The end of the socket is the end of the child: nobody else has the other end. */
        for (size_t i = 0; n > 0 && i < PARCEL_FDS_MAX; i++)
                close_fd(raw[i]);
        worker_over(w, NULL, NO_FDS, true);
        return 0;
}

static int on_deadline(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Worker *w = userdata;

        w->all->overdue(w, w->all->userdata);
        return 0;
}

/* Ours but for what belongs to the service manager's talk with us. */
static char **child_environment(void) {
        static const char *const ours[] = { "NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=",
                                            "LISTEN_" };
        char **env = calloc(strv_length(environ) + 1, sizeof(char *));
        size_t n = 0;

        STRV_FOREACH (s, environ) {
                bool skip = false;

                for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                        skip = skip || startswith(*s, ours[i]);
                if (env && !skip)
                        env[n++] = *s;
        }
        return env;
}

/*
 * A session of its own keeps a terminal's Ctrl-C away. All signals are as at birth, for a SIGCHLD that we ignore
 * would be ignored there too, and modprobe could not be waited for.
 */
static int set_attributes(posix_spawnattr_t *attr) {
        sigset_t none, all;

        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(attr, &none);
        posix_spawnattr_setsigdefault(attr, &all);
        return -posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                       POSIX_SPAWN_SETSIGDEF);
}

static int spawn(const char *runtime, int fd, pid_t *ret) {
        char *argv[] = { (char *) "sriovd", (char *) "--worker", (char *) runtime, NULL };
        _cleanup_free_ char **env = child_environment();
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        int r;

        if (!env)
                return -ENOMEM;
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attr);
        r = -posix_spawn_file_actions_adddup2(&actions, fd, WORKER_FD);
        if (r == 0)
                r = -posix_spawn_file_actions_addclosefrom_np(&actions, WORKER_FD + 1);
        if (r == 0)
                r = set_attributes(&attr);
        /* The running program, also when another version lies on the disk by now. */
        if (r == 0)
                r = -posix_spawn(ret, "/proc/self/exe", &actions, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        return r;
}

static int worker_new(Workers *all, Worker **ret) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        _cleanup_free_ Worker *w = calloc(1, sizeof(Worker));
        int pair[2], r;
        pid_t pid;

        if (!w)
                return -ENOMEM;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        r = spawn(all->runtime, theirs, &pid);
        if (r < 0)
                return r;
        /* If this fails the socket is closed, and the child goes as it came. */
        r = process_read(pid, &w->process);
        if (r < 0)
                return r;
        r = sd_event_add_io(all->event, &w->io, ours, EPOLLIN, on_socket, w);
        if (r < 0)
                return r;
        w->all = all;
        w->fd = TAKE_FD(ours);
        *ret = TAKE_PTR(w);
        return 0;
}

int workers_get(Workers *all, Worker **ret) {
        size_t place = WORKERS_MAX;
        int r;

        for (size_t i = 0; i < WORKERS_MAX; i++) {
                if (!all->items[i]) {
                        place = i;
                } else if (!all->items[i]->busy) {
                        *ret = all->items[i];
                        return 0;
                }
        }
        if (place == WORKERS_MAX)
                return -EAGAIN;
        r = worker_new(all, all->items + place);
        if (r < 0)
                return r;
        *ret = all->items[place];
        return 0;
}

/* Who is idle has an empty socket: nobody waits here. */
static int send_request(Worker *w, const WorkerRequest *request, int fd) {
        int r = parcel_send(w->fd, request, sizeof(*request), &fd, 1);

        if (r < 0) {
                worker_free(w);
                return r;
        }
        w->request = *request;
        w->busy = true;
        return 0;
}

int worker_ask(Worker *w, const WorkerRequest *request, uint64_t deadline_usec) {
        int r;

        if (deadline_usec > 0) {
                r = sd_event_add_time_relative(w->all->event, &w->deadline, CLOCK_MONOTONIC,
                                               deadline_usec, 0, on_deadline, w);
                if (r < 0) {
                        worker_free(w);
                        return r;
                }
        }
        return send_request(w, request, -EBADF);
}

int worker_hand(Worker *w, const WorkerRequest *request, const char *text) {
        _cleanup_close_ int fd = -EBADF;
        int r = parcel_pack(text, request->n_text, 1, &fd);

        return r < 0 ? r : send_request(w, request, fd);
}

void workers_let_go(Workers *all) {
        for (size_t i = 0; i < WORKERS_MAX; i++)
                if (all->items[i] && !all->items[i]->busy)
                        worker_free(all->items[i]);
}

void workers_keep_one(Workers *all) {
        Worker *w;

        /* Without it the next question starts one, if it can. */
        (void) workers_get(all, &w);
}

static size_t count(const Workers *all, WorkerWork work) {
        size_t n = 0;

        for (size_t i = 0; i < WORKERS_MAX; i++)
                n += all->items[i] && all->items[i]->busy && all->items[i]->request.work == work;
        return n;
}

size_t workers_busy(const Workers *all) {
        return count(all, WORKER_STEP);
}

size_t workers_asked(const Workers *all) {
        size_t n = count(all, WORKER_USERS) + count(all, WORKER_DIAGNOSE);

        for (size_t i = 0; i < WORKERS_MAX; i++)
                n += all->items[i] && all->items[i]->busy &&
                     all->items[i]->request.work == WORKER_SIGHT &&
                     all->items[i]->request.for_client;
        return n;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Process: sriovctl, and others who write and read without asking
 *
 * Whatever may get stuck in a kernel does so in a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/str.h"
#include "tests/scenario/scenario.h"

#define SRIOVCTL_MS 180000

uint64_t now_ms(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void sleep_ms(unsigned ms) {
        nanosleep(&(struct timespec){ ms / 1000, (ms % 1000) * 1000000L }, NULL);
}

int process_wait(pid_t pid, unsigned ms, int *ret_status) {
        uint64_t until = now_ms() + ms;

        for (;;) {
                int status;

                if (waitpid(pid, &status, WNOHANG) == pid) {
                        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
                        return 1;
                }
                if (now_ms() >= until)
                        return 0;
                sleep_ms(5);
        }
}

void process_end(pid_t pid) {
        int status;

        kill(pid, SIGKILL);
        process_wait(pid, 2000, &status);
}

static void become_sriovctl(Run *run, char **argv, int out, int err) {
        char *full[WORDS_MAX + 2] = { (char *) stage_sriovctl() };

        for (size_t i = 0; argv[i] && i < WORDS_MAX; i++)
                full[i + 1] = argv[i];
        stage_environment(run->stage);
        dup2(open("/dev/null", O_RDONLY), 0);
        if (out >= 0)
                dup2(out, 1);
        else
                dup2(open("/dev/null", O_WRONLY), 1);
        dup2(err >= 0 ? err : 1, 2);
        execvp(full[0], full);
        fprintf(stderr, "%s: %s\n", full[0], strerror(errno));
        _exit(127);
}

static char *text_of(FILE *f) {
        char *text = calloc(1, 1 << 16);

        if (!text)
                abort();
        rewind(f);
        if (fread(text, 1, (1 << 16) - 1, f) == 0)
                text[0] = '\0';
        return text;
}

int process_sriovctl(Run *run, char **argv) {
        _cleanup_fclose_ FILE *out = tmpfile(), *err = tmpfile();
        pid_t pid;

        if (!out || !err)
                return -errno;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                become_sriovctl(run, argv, fileno(out), fileno(err));
        if (process_wait(pid, SRIOVCTL_MS, &run->exit) == 0) {
                process_end(pid);
                return -ETIMEDOUT;
        }
        free(run->out);
        free(run->err);
        run->out = text_of(out);
        run->err = text_of(err);
        return 0;
}

bool process_is_over(pid_t pid) {
        siginfo_t info = {};

        return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
               info.si_pid == pid;
}

static Child *child_add(Run *run, pid_t pid, bool raw, const char *what) {
        Child *c = &run->children[run->n_children++];

        *c = (Child){ .pid = pid, .raw = raw };
        snprintf(c->what, sizeof(c->what), "%s", what);
        return c;
}

int process_start_sriovctl(Run *run, char **argv) {
        pid_t pid;

        if (run->n_children == CHILDREN_MAX)
                return -ENOSPC;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                become_sriovctl(run, argv, -1, -1);
        child_add(run, pid, false, argv[0]);
        return 0;
}

int process_start_raw(Run *run, const char *path, const char *value) {
        char what[128];
        pid_t pid;

        if (run->n_children == CHILDREN_MAX)
                return -ENOSPC;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                Kernel *k = stage_kernel_again(run->stage);
                int r = k ? k->write(k, path, value) : -errno;

                _exit(r < 0 ? -r : 0);
        }
        snprintf(what, sizeof(what), "%.20s > %.90s", value, path);
        child_add(run, pid, true, what);
        return 0;
}

int process_read(Run *run, const char *path, char *buf, size_t size) {
        int pipe_fds[2], status;
        ssize_t n = 0;
        pid_t pid;

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                Kernel *k = stage_kernel_again(run->stage);
                int r = k ? k->read(k, path, buf, size) : -errno;

                if (r >= 0 && write(pipe_fds[1], buf, strlen(buf)) < 0)
                        r = -errno;
                _exit(r < 0 ? -r : 0);
        }
        close_fd(pipe_fds[1]);
        if (pid < 0 || process_wait(pid, 5000, &status) == 0) {
                status = -1;
                if (pid > 0)
                        process_end(pid);
        }
        if (status == 0)
                n = read(pipe_fds[0], buf, size - 1);
        close_fd(pipe_fds[0]);
        if (status != 0)
                return status < 0 ? -ETIMEDOUT : -status;
        buf[n > 0 ? n : 0] = '\0';
        return 0;
}

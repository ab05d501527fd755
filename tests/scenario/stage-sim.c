/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage: a simulated kernel, the real daemon on it, in a folder of their own
 *
 * SRIOVD_SIM_SERVER, SRIOVD and SRIOVCTL say where the programs are.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/str.h"
#include "tests/scenario/scenario.h"
#include "tests/sim/remote.h"

#define READY_MS 30000

struct Stage {
        char dir[64];
        pid_t server, daemon;
        int notify_fd;
        Kernel *kernel;
};

const bool stage_is_sim = true;
const char *const stage_variants[] = { "O", "A", "C", "R", NULL };
const unsigned stage_stuck_ms = 1000; /* 100 s of the simulator's time */

static const char *program(const char *variable, const char *otherwise) {
        const char *v = getenv(variable);

        return v ? v : otherwise;
}

const char *stage_sriovctl(void) {
        return program("SRIOVCTL", "./sriovctl");
}

static const char *below(const Stage *s, const char *name, char buf[static 128]) {
        snprintf(buf, 128, "%s/%s", s->dir, name);
        return buf;
}

#define BELOW(s, name) below((s), (name), (char[128]){ 0 })

void stage_environment(Stage *s) {
        char bus[160];

        snprintf(bus, sizeof(bus), "unix:path=%s", BELOW(s, "no-bus"));
        setenv("SRIOVD_SIM", BELOW(s, "sim"), 1);
        setenv("SRIOVD_RUNTIME_DIRECTORY", BELOW(s, "run"), 1);
        setenv("DBUS_SYSTEM_BUS_ADDRESS", bus, 1);
        setenv("NO_COLOR", "1", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
}

/* Dies with us, so that a test that is killed leaves nothing behind. */
static void prepare_child(const Stage *s, const char *log) {
        int fd = open(BELOW(s, log), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
        dup2(fd, 1);
        dup2(fd, 2);
}

static int start_server(Stage *s, const char *variant, const char *topology) {
        char v[32], t[128];

        snprintf(v, sizeof(v), "--variant=%s", variant);
        snprintf(t, sizeof(t), "--topology=%s", topology);
        s->server = fork();
        if (s->server == 0) {
                const char *path = program("SRIOVD_SIM_SERVER", "./sim-server");

                prepare_child(s, "server.log");
                execl(path, path, BELOW(s, "sim"), v, t, NULL);
                _exit(127);
        }
        for (uint64_t until = now_ms() + READY_MS; now_ms() < until; sleep_ms(5)) {
                s->kernel = remote_open(BELOW(s, "sim"));
                if (s->kernel)
                        return 0;
        }
        return -ETIMEDOUT;
}

/* Closed again when the daemon is ready: nobody would read on, and a full socket stops who writes to it. */
static int notify_listen(Stage *s) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", s->dir);
        unlink(a.sun_path);
        s->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (s->notify_fd < 0 || bind(s->notify_fd, (struct sockaddr *) &a, sizeof(a)) < 0)
                return -errno;
        return 0;
}

static int wait_until_ready(Stage *s) {
        uint64_t until = now_ms() + READY_MS;
        char buf[1024];

        while (now_ms() < until) {
                struct pollfd p = { .fd = s->notify_fd, .events = POLLIN };
                ssize_t n;
                int status;

                if (process_wait(s->daemon, 0, &status) == 1) {
                        s->daemon = 0;
                        return -ECHILD;
                }
                if (poll(&p, 1, 100) <= 0)
                        continue;
                n = recv(s->notify_fd, buf, sizeof(buf) - 1, 0);
                buf[n > 0 ? n : 0] = '\0';
                if (strstr(buf, "READY=1"))
                        return 0;
        }
        return -ETIMEDOUT;
}

static int start_daemon(Stage *s) {
        int r = notify_listen(s);

        if (r < 0)
                return r;
        s->daemon = fork();
        if (s->daemon < 0)
                return -errno;
        if (s->daemon == 0) {
                const char *path = program("SRIOVD", "./sriovd-sim");

                prepare_child(s, "daemon.log");
                stage_environment(s);
                setenv("NOTIFY_SOCKET", BELOW(s, "notify"), 1);
                execl(path, path, NULL);
                _exit(127);
        }
        r = wait_until_ready(s);
        s->notify_fd = close_fd(s->notify_fd);
        return r;
}

static void show_log(const Stage *s, const char *name) {
        _cleanup_fclose_ FILE *f = fopen(BELOW(s, name), "re");
        char line[512];

        for (unsigned n = 0; f && n < 60 && fgets(line, sizeof(line), f); n++)
                fprintf(stderr, "%s: %s", name, line);
}

Stage *stage_open(const char *variant, const char *topology) {
        Stage *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return NULL;
        s->notify_fd = -EBADF;
        snprintf(s->dir, sizeof(s->dir), "/tmp/scenario.XXXXXX");
        if (!mkdtemp(s->dir) || mkdir(BELOW(s, "run"), 0755) < 0) {
                fprintf(stderr, "%s: %s\n", s->dir, strerror(errno));
                free(s);
                return NULL;
        }
        r = start_server(s, variant, topology);
        if (r >= 0)
                r = start_daemon(s);
        if (r < 0) {
                fprintf(stderr, "cannot set the stage: %s\n", strerror(-r));
                show_log(s, "server.log");
                show_log(s, "daemon.log");
                return stage_close(s);
        }
        return s;
}

static int remove_tree(const char *dir) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                execlp("rm", "rm", "-rf", "--", dir, NULL);
                _exit(127);
        }
        return process_wait(pid, 10000, &status) == 1 ? status : -1;
}

Stage *stage_close(Stage *s) {
        int status;

        if (!s)
                return NULL;
        if (s->daemon > 0) {
                kill(s->daemon, SIGTERM);
                if (process_wait(s->daemon, 5000, &status) == 0)
                        process_end(s->daemon);
        }
        if (s->kernel)
                s->kernel->free(s->kernel);
        if (s->server > 0) {
                kill(s->server, SIGTERM);
                if (process_wait(s->server, 5000, &status) == 0)
                        process_end(s->server);
        }
        close_fd(s->notify_fd);
        if (!getenv("SCENARIO_KEEP"))
                remove_tree(s->dir);
        else
                fprintf(stderr, "kept: %s\n", s->dir);
        free(s);
        return NULL;
}

Kernel *stage_kernel(Stage *s) {
        return s->kernel;
}

Kernel *stage_kernel_again(Stage *s) {
        return remote_open(BELOW(s, "sim"));
}

int stage_control(Stage *s, const char *command, char **ret) {
        return remote_control(s->kernel, command, ret);
}

int stage_kill_daemon(Stage *s) {
        int status;

        kill(s->daemon, SIGKILL);
        process_wait(s->daemon, 5000, &status);
        return start_daemon(s);
}

bool stage_complains(Stage *s, char *why, size_t size) {
        _cleanup_free_ char *text = NULL;
        int status;

        if (s->daemon <= 0 || process_wait(s->daemon, 0, &status) == 1) {
                s->daemon = 0;
                snprintf(why, size, "the daemon has died");
                show_log(s, "daemon.log");
                return true;
        }
        if (stage_control(s, "reports", &text) < 0) {
                snprintf(why, size, "the simulator does not answer");
                return true;
        }
        snprintf(why, size, "the simulator saw:%s", text);
        return text[0] != '\0';
}

/* The next one has a world of its own. */
void stage_put_back(Run *run) {
        (void) run;
}

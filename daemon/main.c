/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovd
 *
 * The loop and what it ends on. A stop is at once: what a child has begun in the kernel it ends there by itself,
 * and the next daemon finds it in the ledger.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/str.h"

#include "core/names.h"

#include "daemon/exclusive.h"
#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/recover.h"
#include "daemon/stuck.h"

#include "config.h"

static int help(void) {
        printf("sriovd [OPTION]\n\n"
               "The one place through which this host changes its PCI topology. Started by "
               "systemd; sriovctl(1) is\n"
               "how it is asked.\n\n"
               "      --unlock    give doors back that an exclusive gate locked; for "
               "ExecStopPost=\n"
               "      --version   say which version this is\n"
               "  -h, --help      say this\n\n"
               "Environment: " RUNTIME_DIRECTORY_ENV " (" RUNTIME_DIRECTORY "), " CONFIG_ENV
               ", " DRIVERS_ENV ", " POLICY_ENV "\n");
        return EXIT_SUCCESS;
}

static int usage(const char *why) {
        fprintf(stderr, "sriovd: %s; 'sriovd --help' tells what there is\n", why);
        return 2;
}

/* A signal is an end only for the loop; children are in sessions of their own and are not told. */
static int handle_signals(sd_event *event) {
        static const int ends[] = { SIGTERM, SIGINT };
        sigset_t set;
        int r = 0;

        /* Children are known to be gone by their sockets; nobody has to wait for them. */
        signal(SIGCHLD, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(ends); i++)
                sigaddset(&set, ends[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(ends) && r >= 0; i++)
                r = sd_event_add_signal(event, NULL, ends[i], NULL, NULL);
        return r < 0 ? r : 0;
}

static void say_goodbye(const Manager *m) {
        size_t n = workers_busy(&m->workers) + recover_n_left(m->recovery);

        (void) sd_notify(0, "STOPPING=1");
        if (n == 0)
                return;
        (void) sd_notifyf(
                0,
                "STATUS=stopping, with %zu process(es) left in the kernel; the next sriovd "
                "waits for them",
                n);
        stuck_goodbye(m);
        recover_goodbye(m->recovery);
}

static int run(sd_event *event, const char *runtime) {
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        r = manager_new(event, runtime, &m);
        if (r < 0)
                return log_error_errno(r, "cannot start");
        r = manager_start(m);
        if (r < 0)
                return r;
        (void) sd_notify(0, "READY=1");
        r = sd_event_loop(event);
        say_goodbye(m);
        return r < 0 ? log_error_errno(r, "the event loop failed") : r;
}

static int daemon_main(void) {
        const char *runtime = getenv(RUNTIME_DIRECTORY_ENV);
        sd_event *event = NULL;
        int r;

        r = sd_event_new(&event);
        if (r >= 0)
                r = handle_signals(event);
        if (r >= 0)
                r = sd_event_set_watchdog(event, true);
        if (r < 0)
                log_error_errno(r, "cannot set up the event loop");
        else
                r = run(event, isempty(runtime) ? RUNTIME_DIRECTORY : runtime);
        sd_event_unref(event);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Whatever ended the daemon, the next program that writes must not be refused for its sake. */
static int unlock(void) {
        const char *runtime = getenv(RUNTIME_DIRECTORY_ENV);
        _cleanup_close_ int dir = open(isempty(runtime) ? RUNTIME_DIRECTORY : runtime,
                                       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        Kernel *k = kernel_open();

        if (dir >= 0 && k)
                exclusive_undo(dir, k->sys);
        if (k)
                k->free(k);
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { "unlock", no_argument, NULL, 'U' },
                { "worker", required_argument, NULL, 'W' },
                {},
        };
        const char *worker = NULL;
        int c;

        log_open();
        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
                switch (c) {
                case 'h':
                        return help();
                case 'V':
                        printf("sriovd %s\n", SRIOVD_VERSION);
                        return EXIT_SUCCESS;
                case 'U':
                        return unlock();
                case 'W':
                        worker = optarg;
                        break;
                default:
                        return 2;
                }
        }
        if (optind < argc)
                return usage("takes no arguments");
        return worker ? worker_main(worker) : daemon_main();
}

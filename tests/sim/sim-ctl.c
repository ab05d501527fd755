/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim-ctl: one call or command to the sim-server at $SRIOVD_SIM
 *
 *      sim-ctl read PATH | write PATH VALUE | list PATH | COMMAND of control.h
 *
 * Says what came back. Exit status 0, or 1 with the errno's name on stderr.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/fault.h"
#include "tests/sim/remote.h"

#define _cleanup_kernel_ _cleanup_(kernel_freep)

static int control(Kernel *k, int argc, char **argv) {
        char command[512] = "";
        _cleanup_free_ char *text = NULL;
        int r;

        for (int i = 1; i < argc; i++) {
                strncat(command, i > 1 ? " " : "", sizeof(command) - strlen(command) - 1);
                strncat(command, argv[i], sizeof(command) - strlen(command) - 1);
        }
        r = remote_control(k, command, &text);
        if (r >= 0)
                fputs(text, stdout);
        return r;
}

static int run(Kernel *k, int argc, char **argv) {
        _cleanup_strv_ char **list = NULL;
        char buf[4096];
        int r;

        if (argc == 3 && streq(argv[1], "read")) {
                r = k->read(k, argv[2], buf, sizeof(buf));
                if (r >= 0)
                        puts(buf);
                return r;
        }
        if (argc == 4 && streq(argv[1], "write"))
                return k->write(k, argv[2], argv[3]);
        if (argc == 3 && streq(argv[1], "list")) {
                r = k->list(k, argv[2], &list);
                STRV_FOREACH (s, list)
                        puts(*s);
                return r;
        }
        return control(k, argc, argv);
}

int main(int argc, char **argv) {
        _cleanup_kernel_ Kernel *k = kernel_open();
        int r;

        if (!k || argc < 2) {
                fprintf(stderr, "sim-ctl: %s\n", k ? "what?" : strerror(errno));
                return 2;
        }
        r = run(k, argc, argv);
        if (r < 0)
                fprintf(stderr, "%s\n", errno_name(-r));
        return r < 0;
}

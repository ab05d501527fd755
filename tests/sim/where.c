/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where: where in the simulated kernel a child of sriovd stands
 *
 * Linked with --wrap=process_where: a child that waits for the simulator sleeps in the real kernel on a socket, and only the
 * simulator knows what that stands for.
 */
#include <stdio.h>

#include "base/str.h"
#include "daemon/process.h"
#include "tests/sim/remote.h"

const char *__wrap_process_where(pid_t pid, char *buf, size_t size);

const char *__wrap_process_where(pid_t pid, char *buf, size_t size) {
        _cleanup_(kernel_freep) Kernel *k = kernel_open();
        _cleanup_free_ char *text = NULL;
        char command[32];

        snprintf(command, sizeof(command), "where %d", (int) pid);
        if (k && remote_control(k, command, &text) >= 0)
                snprintf(buf, size, "%s", text);
        else
                snprintf(buf, size, "unknown");
        return buf;
}

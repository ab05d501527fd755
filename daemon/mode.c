/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/log.h"
#include "daemon/manager.h"
#include "daemon/mode.h"

#define FILE_NAME "gate"
#define TEMPORARY "." FILE_NAME

GateMode mode_read(int runtime, GateMode configured) {
        _cleanup_close_ int fd = openat(runtime, FILE_NAME, O_RDONLY | O_CLOEXEC);
        char text[64], mode[32], said[32];
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        GateMode wanted;

        text[MAX2(n, 0)] = '\0';
        if (sscanf(text, "%31s %31s", mode, said) != 2)
                return configured;
        wanted = gate_mode_from_string(mode);
        return wanted == _GATE_MODE_INVALID || gate_mode_from_string(said) != configured
                       ? configured
                       : wanted;
}

static int write_temporary(int runtime, GateMode mode, GateMode configured) {
        _cleanup_close_ int fd =
                openat(runtime, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0)
                return -errno;
        return dprintf(fd, "%s %s\n", gate_mode_to_string(mode), gate_mode_to_string(configured)) <
                               0
                       ? -errno
                       : 0;
}

static int keep(int runtime, GateMode mode, GateMode configured) {
        int r = write_temporary(runtime, mode, configured);

        if (r == 0 && renameat(runtime, TEMPORARY, runtime, FILE_NAME) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(runtime, TEMPORARY, 0);
        return r;
}

/* First what the next daemon is to do, then what this one does: a crash in between leaves what was asked for. */
int mode_set(Manager *m, GateMode mode) {
        int r = keep(m->ledger.fd, mode, m->settings.gate);

        if (r < 0)
                return log_error_errno(r, "cannot keep the gate's mode in %s", m->runtime);
        r = gate_set_mode(m, mode);
        if (r < 0) {
                (void) keep(m->ledger.fd, m->gate.wanted, m->settings.gate);
                return r;
        }
        m->gate.wanted = mode;
        manager_kick(m);
        return 0;
}

void mode_reload(Manager *m, GateMode before) {
        Gate *g = &m->gate;
        int r;

        if (m->settings.gate != before) {
                (void) unlinkat(m->ledger.fd, FILE_NAME, 0);
                g->wanted = m->settings.gate;
        }
        r = gate_set_mode(m, g->wanted);
        if (r < 0 && g->mode == GATE_OFF && m->kernel->sys)
                snprintf(g->why_off, sizeof(g->why_off), "%s", strerror(-r));
        manager_kick(m);
}

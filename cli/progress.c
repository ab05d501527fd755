/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Progress
 *
 * Cut at the terminal's width: a line that wraps could not be taken away again.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/str.h"

#include "cli/progress.h"

static char shown[512]; /* "" = no line is there */

static int terminal_width(void) {
        struct winsize ws;

        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) < 0 || ws.ws_col < 2)
                return 79;
        return ws.ws_col - 1;
}

void progress_show(const char *format, ...) {
        char line[sizeof(shown)];
        va_list ap;

        if (!isatty(STDERR_FILENO))
                return;
        va_start(ap, format);
        vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        if (streq(line, shown))
                return;
        fprintf(stderr, "\r\033[K%.*s", terminal_width(), line);
        fflush(stderr);
        memcpy(shown, line, sizeof(shown));
}

void progress_clear(void) {
        if (isempty(shown))
                return;
        fputs("\r\033[K", stderr);
        fflush(stderr);
        shown[0] = '\0';
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Say
 *
 * The only file that writes to stderr, but for the progress line.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

#include "core/fault.h"

#include "cli/progress.h"
#include "cli/say.h"

#define LINE_MAX_LENGTH 2048

const char *say_clean(const char *s, char *buf, size_t size) {
        size_t n = 0;

        for (; *s && n + 1 < size; s++)
                buf[n++] = (unsigned char) *s < ' ' || *s == 127 ? '?' : *s;
        buf[n] = '\0';
        return buf;
}

static void say_line(const char *start, const char *message) {
        char line[LINE_MAX_LENGTH];

        progress_clear();
        fflush(stdout);
        fprintf(stderr, "%s%s\n", start, say_clean(message, line, sizeof(line)));
}

int say_error_with(const Cli *c, int status, const char *bus_name, const char *message,
                   json_object *details) {
        _cleanup_json_ json_object *o = details;

        say_line("sriovctl: ", message);
        if (c->json == JSON_OFF)
                return status;
        if (!o)
                o = json_object_new_object();
        json_object_object_add(o, "error", bus_name ? json_object_new_string(bus_name) : NULL);
        json_object_object_add(o, "message", json_object_new_string(message));
        json_object_object_add(o, "exit", json_object_new_int(status));
        say_json(c, o);
        return status;
}

static int say_errorv(const Cli *c, int status, const char *bus_name, const char *format,
                      va_list ap) {
        char message[LINE_MAX_LENGTH];

        vsnprintf(message, sizeof(message), format, ap);
        return say_error_with(c, status, bus_name, message, NULL);
}

int say_error(const Cli *c, int status, const char *bus_name, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say_errorv(c, status, bus_name, format, ap);
        va_end(ap);
        return status;
}

int say_usage(const Cli *c, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        say_errorv(c, STATUS_USAGE, NULL, format, ap);
        va_end(ap);
        return STATUS_USAGE;
}

int say_oom(const Cli *c) {
        return say_error(c, STATUS_FAILED, NULL, "out of memory");
}

void say_note(const char *format, ...) {
        char message[LINE_MAX_LENGTH];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        say_line("sriovctl: ", message);
}

void say_below(const char *format, ...) {
        char message[LINE_MAX_LENGTH];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        say_line("  ", message);
}

void say_json(const Cli *c, json_object *o) {
        int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

        if (c->json == JSON_OFF)
                return;
        flags |= c->json == JSON_PRETTY ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
                                        : JSON_C_TO_STRING_PLAIN;
        puts(json_object_to_json_string_ext(o, flags));
}

int say_flush(int status) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        if (errno != EPIPE)
                fprintf(stderr, "sriovctl: cannot write the output: %s\n", strerror(errno));
        return status == STATUS_OK ? STATUS_FAILED : status;
}

bool say_colors(void) {
        const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && isempty(no) && !isempty(term) && !streq(term, "dumb");
}

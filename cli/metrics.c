/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl metrics
 *
 * The daemon's text as it is. A file is written beside and renamed, so that a collector never reads half of it; the name beside
 * does not end as the file's does, or it would be collected as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"

static int write_all(int fd, const char *text) {
        for (size_t n = strlen(text); n > 0;) {
                ssize_t k = write(fd, text, n);

                if (k < 0)
                        return -errno;
                text += k;
                n -= (size_t) k;
        }
        return 0;
}

/* Readable for the collector, which is not root. */
static int write_and_rename(const char *path, char *beside, const char *text) {
        _cleanup_close_ int fd = mkostemp(beside, O_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        r = write_all(fd, text);
        if (r >= 0 && (fchmod(fd, 0644) < 0 || rename(beside, path) < 0))
                r = -errno;
        if (r < 0)
                (void) unlink(beside);
        return r;
}

static int write_file(const Cli *c, const char *path, const char *text) {
        _cleanup_free_ char *beside = NULL;
        int r;

        if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
                beside = NULL;
                return say_oom(c);
        }
        r = write_and_rename(path, beside, text);
        return r < 0 ? say_error(c, STATUS_FAILED, NULL, "cannot write %s: %s; it is as it was",
                                 path, strerror(-r))
                     : 0;
}

static int print_json(const Cli *c, const char *text) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o)
                return say_oom(c);
        if (c->file)
                record_set_text(o, "file", c->file);
        else
                record_set_text(o, "metrics", text);
        say_json(c, o);
        return 0;
}

int verb_metrics(Cli *c, _unused_ int argc, _unused_ char **argv) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *text;
        int r;

        if (c->file && (isempty(c->file) || c->file[strlen(c->file) - 1] == '/'))
                return say_usage(c, "--file: '%s' is not the name of a file", c->file);
        r = client_call(c, BUS_PATH, BUS_MANAGER, "Metrics", &m, NULL);
        if (r > 0)
                return r;
        r = sd_bus_message_read_basic(m, 's', &text);
        if (r < 0)
                return client_fail(c, r, NULL);
        r = c->file ? write_file(c, c->file, text) : 0;
        if (r > 0)
                return r;
        if (c->json != JSON_OFF)
                return print_json(c, text);
        if (!c->file)
                fputs(text, stdout);
        return 0;
}

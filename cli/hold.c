/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl hold
 *
 * We become the command: the pid that others are shown is its own, and so are its signals and its
 * status. The hold is a file descriptor that it inherits, and lasts as long as it and its children.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/str.h"
#include "base/utf8.h"

#include "core/names.h"

#include "cli/client.h"
#include "cli/name.h"
#include "cli/say.h"

#define WHO_MAX 31 /* bytes that sriovd keeps */

/* As env(1) has them. */
#define STATUS_CANNOT_RUN 126
#define STATUS_NOT_FOUND 127

static const char *who_of(const char *command, char *buf, size_t size) {
        const char *slash = strrchr(command, '/');

        (void) utf8_copy(buf, size, slash && slash[1] != '\0' ? slash + 1 : command);
        return say_clean(buf, buf, size);
}

/* The descriptor stays open across exec, and above those that the command takes for its own. */
static int ask(Cli *c, const char *function, const char *command) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char who[WHO_MAX + 1];
        int fd, r;

        r = client_call(c, BUS_PATH, BUS_MANAGER, "Hold", &reply, "ssss", function,
                        who_of(command, who, sizeof(who)), c->why ? c->why : "",
                        c->mode ? c->mode : "block");
        if (r > 0)
                return r;
        r = sd_bus_message_read_basic(reply, 'h', &fd);
        if (r < 0)
                return client_fail(c, r, NULL);
        r = fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
        return r < 0 ? client_fail(c, -errno, NULL) : 0;
}

static int become(const Cli *c) {
        int error;

        execvp(c->command[0], c->command);
        error = errno;
        return say_error(c, error == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN, NULL,
                         "hold: cannot run '%s': %s", c->command[0], strerror(error));
}

int verb_hold(Cli *c, _unused_ int argc, char **argv) {
        Name name;
        int r;

        if (c->command != argv + 2 || isempty(c->command[0]))
                return say_usage(c, "usage: sriovctl hold DEV -- COMMAND...");
        if (c->host)
                return say_usage(c, "hold: holds for a command of this host only, not through -H");
        r = name_parse(c, argv[1], &name);
        if (r == 0)
                r = ask(c, name.text, c->command[0]);
        if (r > 0)
                return r;
        client_close(c);
        return become(c);
}

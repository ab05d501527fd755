/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mount
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "kernel/mount.h"

static bool is_octal(char c) {
        return c >= '0' && c <= '7';
}

static char *unescape(char *s) {
        char *to = s;

        for (char *from = s; *from != '\0'; to++) {
                if (from[0] == '\\' && is_octal(from[1]) && is_octal(from[2]) &&
                    is_octal(from[3])) {
                        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 |
                                      (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }
        *to = '\0';
        return s;
}

static char *next_word(char **rest) {
        char *word;

        do
                word = strsep(rest, " \n");
        while (word && word[0] == '\0');
        return word;
}

/* "36 35 98:0 /root /point options optional:1 - type source options"; of the optional ones there may be any number. */
int mount_parse(char *line, Mount *ret) {
        static char nothing[] = "";
        char *number, *word, *rest = line;
        Mount m;

        (void) next_word(&rest);
        (void) next_word(&rest);
        number = next_word(&rest);
        m.root = next_word(&rest);
        m.point = next_word(&rest);
        do
                word = next_word(&rest);
        while (word && !streq(word, "-"));
        m.type = next_word(&rest);
        m.source = next_word(&rest);
        if (!number || !m.root || !m.point || !m.type ||
            sscanf(number, "%u:%u", &m.major, &m.minor) != 2)
                return -EBADMSG;
        unescape(m.root);
        unescape(m.point);
        m.source = m.source ? unescape(m.source) : nothing;
        *ret = m;
        return 0;
}

int mount_each(const char *proc, uint32_t pid, int (*each)(void *arg, const Mount *m), void *arg) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *line = NULL;
        char path[PATH_MAX];
        size_t room = 0;
        int r;

        if (pid == 0)
                snprintf(path, sizeof(path), "%s/self/mountinfo", proc);
        else
                snprintf(path, sizeof(path), "%s/%" PRIu32 "/mountinfo", proc, pid);
        f = fopen(path, "re");
        /* A zombie has no mounts any more, and says so with EINVAL. */
        if (!f)
                return errno == ENOENT || errno == EINVAL ? -ESRCH : -errno;
        for (;;) {
                Mount m;

                errno = 0;
                if (getline(&line, &room, f) < 0)
                        break;
                r = mount_parse(line, &m);
                if (r < 0)
                        return r;
                r = each(arg, &m);
                if (r < 0)
                        return r;
        }
        return -errno;
}

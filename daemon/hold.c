/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/macro.h"
#include "base/str.h"

#include "daemon/hold.h"
#include "daemon/log.h"
#include "daemon/text.h"

/* The last close is told before the lock is let go (fs/file_table.c, __fput()); and many may go at once. */
#define SETTLE_USEC 100000

static const char *const modes[] = { [false] = "note", [true] = "block" };

int hold_mode_parse(const char *mode, bool *ret_blocks) {
        for (size_t i = 0; i < ELEMENTSOF(modes); i++)
                if (streq(modes[i], mode)) {
                        *ret_blocks = i > 0;
                        return 0;
                }
        return -EINVAL;
}

bool hold_text_is_valid(const char *s, size_t size) {
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 0x7f)
                        return false;
        return strlen(s) < size;
}

static const char *hold_name(uint32_t id, char buf[static 16]) {
        snprintf(buf, 16, "%" PRIu32, id);
        return buf;
}

static void put(FILE *f, const char *key, const char *word) {
        fputs(key, f);
        text_put(f, word);
        fputc('\n', f);
}

static void format(FILE *f, const Hold *h) {
        put(f, "function", BDF_STR(h->fn));
        put(f, "who", h->who);
        put(f, "why", h->why);
        put(f, "mode", modes[h->blocks]);
        fprintf(f, "pid %" PRIu32 "\nuid %" PRIu32 "\n", h->pid, h->uid);
}

static int parse_mode(char **words, bool *ret) {
        char mode[8];
        int r = text_get(words, mode, sizeof(mode));

        return r < 0 ? r : hold_mode_parse(mode, ret);
}

static int parse_number(char **words, uint32_t *ret) {
        uint64_t number;
        int r = text_get_number(words, UINT32_MAX, &number);

        if (r >= 0)
                *ret = (uint32_t) number;
        return r;
}

/* Keys of a later version are passed over. */
static int parse_line(Hold *h, char *line) {
        size_t n = strcspn(line, " ");
        char *words = line[n] == '\0' ? line + n : line + n + 1;

        line[n] = '\0';
        if (streq(line, "function"))
                return text_get_bdf(&words, &h->fn);
        if (streq(line, "who"))
                return text_get(&words, h->who, sizeof(h->who));
        if (streq(line, "why"))
                return text_get(&words, h->why, sizeof(h->why));
        if (streq(line, "mode"))
                return parse_mode(&words, &h->blocks);
        if (streq(line, "pid"))
                return parse_number(&words, &h->pid);
        return streq(line, "uid") ? parse_number(&words, &h->uid) : 0;
}

/* Takes over the fd. */
static int read_hold(int fd, Hold *ret) {
        _cleanup_fclose_ FILE *f = fdopen(fd, "re");
        Hold h = { .fn = BDF_NONE };
        char line[1024];

        if (!f) {
                close_fd(fd);
                return -ENOMEM;
        }
        while (fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = '\0';
                if (parse_line(&h, line) < 0)
                        return -EBADMSG;
        }
        if (bdf_is_none(h.fn) || h.who[0] == '\0')
                return -EBADMSG;
        *ret = h;
        return 0;
}

static Holder to_holder(const Hold *h) {
        Holder holder = { .kind = h->blocks ? HOLDER_HOLD : HOLDER_NOTE,
                          .fn = h->fn,
                          .pid = h->pid };

        (void) str_copy(holder.command, sizeof(holder.command), h->who);
        (void) str_copy(holder.detail, sizeof(holder.detail), h->why);
        return holder;
}

/* Its holder can write to the file. What it was for cannot be told then, and so it is in everybody's way. */
static Holder unreadable(uint32_t id, Bdf fn) {
        Holder holder = { .kind = HOLDER_UNKNOWN, .fn = fn };

        snprintf(holder.detail, sizeof(holder.detail),
                 "hold %" PRIu32 " cannot be read, and its holder is there", id);
        return holder;
}

static void clear_away(const Holds *all, const char *name, int fd) {
        Hold h;

        (void) unlinkat(all->dir, name, 0);
        if (read_hold(fd, &h) >= 0)
                log_line(LOG_INFO, NULL, "%s: hold %s by %s is over", BDF_STR(h.fn), name, h.who);
}

static int find_one(const Holds *all, const char *name, Bdf fn, Holders *ret) {
        Holder holder;
        uint32_t id;
        Hold h;
        int fd;

        if (parse_u32(name, UINT32_MAX, &id) < 0)
                return 0;
        fd = openat(all->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) >= 0) {
                clear_away(all, name, fd);
                return 0;
        }
        if (errno != EWOULDBLOCK) {
                close_fd(fd);
                return -errno;
        }
        holder = read_hold(fd, &h) >= 0 ? to_holder(&h) : unreadable(id, fn);
        if (!bdf_is_none(fn) && !bdf_equal(fn, holder.fn))
                return 0;
        return ret ? holders_add(ret, &holder) : 0;
}

typedef struct Search {
        const Holds *all;
        Bdf fn;
        Holders *found;
} Search;

static int see_one(const char *name, void *userdata) {
        const Search *s = userdata;

        return find_one(s->all, name, s->fn, s->found);
}

int holds_find(Holds *all, Bdf fn, Holders *ret) {
        return folder_walk(all->dir, see_one, &(Search){ all, fn, ret });
}

static int see_id(const char *name, void *userdata) {
        uint32_t *next = userdata, id;

        if (parse_u32(name, UINT32_MAX - 1, &id) >= 0 && id >= *next)
                *next = id + 1;
        return 0;
}

static int on_settled(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        Holds *all = userdata;
        int r;

        all->soon = sd_event_source_disable_unref(all->soon);
        r = holds_find(all, BDF_NONE, NULL);
        if (r < 0)
                log_error_errno(r, "cannot look at the declared holds");
        return 0;
}

static int on_close(sd_event_source *source _unused_, const struct inotify_event *event _unused_,
                    void *userdata) {
        Holds *all = userdata;

        if (!all->soon)
                (void) sd_event_add_time_relative(all->event, &all->soon, CLOCK_MONOTONIC,
                                                  SETTLE_USEC, 0, on_settled, all);
        return 0;
}

int holds_open(Holds *all, sd_event *event, int runtime) {
        int r;

        all->event = event;
        if (mkdirat(runtime, "holds", 0700) < 0 && errno != EEXIST)
                return -errno;
        all->dir = openat(runtime, "holds", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (all->dir < 0)
                return -errno;
        all->next_id = 1;
        r = folder_walk(all->dir, see_id, &all->next_id);
        if (r < 0)
                return r;
        r = sd_event_add_inotify_fd(event, &all->watch, all->dir, IN_CLOSE_WRITE, on_close, all);
        return r < 0 ? r : holds_find(all, BDF_NONE, NULL);
}

void holds_done(Holds *all) {
        sd_event_source_disable_unref(all->watch);
        sd_event_source_disable_unref(all->soon);
        close_fd(all->dir);
        *all = HOLDS_EMPTY;
}

/* Made in memory first: one write has it whole. */
static int write_hold(int fd, const Hold *h) {
        char *text = NULL;
        size_t n = 0;
        ssize_t k;
        FILE *f;

        f = open_memstream(&text, &n);
        if (!f)
                return -ENOMEM;
        format(f, h);
        if (fclose(f) < 0) {
                free(text);
                return -ENOMEM;
        }
        k = write(fd, text, n);
        free(text);
        if (k < 0)
                return -errno;
        return (size_t) k == n ? 0 : -ENOSPC;
}

int holds_new(Holds *all, Hold *hold, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        char name[16];
        int r;

        hold->id = all->next_id++;
        hold_name(hold->id, name);
        fd = openat(all->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : write_hold(fd, hold);
        if (r < 0) {
                (void) unlinkat(all->dir, name, 0);
                return r;
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}

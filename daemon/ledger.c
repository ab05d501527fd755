/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger: writing
 *
 * On /run, a tmpfs: nothing here needs an fsync, only the right order.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/ledger.h"
#include "daemon/ledger-format.h"
#include "daemon/text.h"

static int open_directory(int fd, const char *name) {
        int r;

        if (mkdirat(fd, name, 0700) < 0 && errno != EEXIST)
                return -errno;
        r = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return r < 0 ? -errno : r;
}

/*
 * The lock is a process's own: one of flock()'s kind would be held on by a child between fork and exec when we are killed
 * there, and keep the next daemon out.
 */
int ledger_open(Ledger *l, const char *runtime) {
        struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        *l = LEDGER_EMPTY;
        if (mkdir(runtime, 0755) < 0 && errno != EEXIST)
                return -errno;
        l->fd = open(runtime, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (l->fd < 0)
                return -errno;
        l->lock = openat(l->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (l->lock < 0)
                return -errno;
        if (fcntl(l->lock, F_SETLK, &whole) < 0)
                return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
        l->jobs = open_directory(l->fd, "jobs");
        if (l->jobs < 0)
                return l->jobs;
        l->results = open_directory(l->fd, "results");
        return l->results < 0 ? l->results : 0;
}

void ledger_done(Ledger *l) {
        close_fd(l->results);
        close_fd(l->jobs);
        close_fd(l->lock);
        close_fd(l->fd);
        *l = LEDGER_EMPTY;
}

/* Writes what `fill` says into a file that is there whole or not at all. */
static int write_file(int dir, const char *name, void (*fill)(FILE *f, const void *what),
                      const void *what) {
        _cleanup_fclose_ FILE *f = NULL;
        char temporary[64];
        int fd, r;

        snprintf(temporary, sizeof(temporary), ".%s", name);
        fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "we");
        if (!f) {
                r = -errno;
                close_fd(fd);
                return r;
        }
        fill(f, what);
        if (fflush(f) < 0 || ferror(f)) {
                r = errno > 0 ? -errno : -EIO;
                unlinkat(dir, temporary, 0);
                return r;
        }
        return renameat(dir, temporary, dir, name) < 0 ? -errno : 0;
}

static const char *job_name(uint32_t id, char buf[static 16]) {
        snprintf(buf, 16, "%" PRIu32, id);
        return buf;
}

typedef struct Whole {
        const Record *record;
        const Climb *climb;
} Whole;

static void fill_job(FILE *f, const void *what) {
        const Whole *w = what;

        format_head(f, w->record);
        format_acts(f, w->record);
        format_holders(f, &w->record->holders);
        for (size_t i = 0; w->climb && w->climb->plan && i < w->climb->plan->n_steps; i++)
                format_step(f, w->climb->plan->steps + i, w->climb->states[i]);
        format_whole(f);
}

int ledger_write(const Ledger *l, const Record *r, const Climb *climb) {
        return write_file(l->jobs, job_name(r->id, (char[16]){ 0 }), fill_job,
                          &(Whole){ r, climb });
}

/* One write() of one line: it is there with its newline, or it does not count. */
static int append(const Ledger *l, uint32_t id, const char *line, size_t n) {
        _cleanup_close_ int fd = -EBADF;
        ssize_t k;

        fd = openat(l->jobs, job_name(id, (char[16]){ 0 }), O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        k = write(fd, line, n);
        if (k < 0)
                return -errno;
        if ((size_t) k == n)
                return 0;
        /* The next line would go on in the middle of this one, and cost the whole job. */
        if (ftruncate(fd, lseek(fd, 0, SEEK_CUR) - k) < 0)
                return -errno;
        return -ENOSPC;
}

int ledger_begin(const Ledger *l, uint32_t id, size_t index, const Process *child) {
        char line[96];
        int n;

        n = snprintf(line, sizeof(line), "begin %zu %d %" PRIu64 "\n", index, (int) child->pid,
                     child->start_time);
        return append(l, id, line, (size_t) n);
}

/* Adds what `fill` says, made in memory first. */
static int append_text(const Ledger *l, uint32_t id, void (*fill)(FILE *f, const void *what),
                       const void *what) {
        char *text = NULL;
        size_t n = 0;
        FILE *f;
        int r;

        f = open_memstream(&text, &n);
        if (!f)
                return -errno;
        fill(f, what);
        r = fclose(f) < 0 ? -ENOMEM : append(l, id, text, n);
        free(text);
        return r;
}

static void fill_outcome(FILE *f, const void *what) {
        format_outcome(f, what);
}

static void fill_head(FILE *f, const void *what) {
        format_head(f, what);
}

int ledger_end(const Ledger *l, uint32_t id, const Outcome *outcome) {
        return append_text(l, id, fill_outcome, outcome);
}

static void fill_holders(FILE *f, const void *what) {
        format_holders(f, what);
}

int ledger_holders(const Ledger *l, uint32_t id, const Holders *holders) {
        return append_text(l, id, fill_holders, holders);
}

int ledger_note(const Ledger *l, const Record *r) {
        return append_text(l, r->id, fill_head, r);
}

void ledger_forget(const Ledger *l, uint32_t id) {
        (void) unlinkat(l->jobs, job_name(id, (char[16]){ 0 }), 0);
}

static void fill_number(FILE *f, const void *what) {
        fprintf(f, "%" PRIu32 "\n", *(const uint32_t *) what);
}

int ledger_write_next_id(const Ledger *l, uint32_t id) {
        return write_file(l->fd, "next-id", fill_number, &id);
}

int ledger_read_next_id(const Ledger *l, uint32_t *ret) {
        _cleanup_fclose_ FILE *f = NULL;
        uint32_t id;
        int fd;

        *ret = 1;
        fd = openat(l->fd, "next-id", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        f = fdopen(fd, "re");
        if (!f) {
                close_fd(fd);
                return -ENOMEM;
        }
        if (fscanf(f, "%" SCNu32, &id) == 1 && id > 0)
                *ret = id;
        return 0;
}

static const char *result_name(uint32_t id, pid_t pid, char buf[static 32]) {
        snprintf(buf, 32, "%" PRIu32 "-%d", id, (int) pid);
        return buf;
}

int result_write(int results, uint32_t id, pid_t pid, const Outcome *outcome) {
        return write_file(results, result_name(id, pid, (char[32]){ 0 }), fill_outcome, outcome);
}

int result_read(int results, uint32_t id, pid_t pid, Outcome *ret) {
        _cleanup_free_ char *line = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        size_t size = 0;
        ssize_t n;
        int fd;

        fd = openat(results, result_name(id, pid, (char[32]){ 0 }), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "re");
        if (!f) {
                close_fd(fd);
                return -ENOMEM;
        }
        n = getline(&line, &size, f);
        if (n < 0 && !feof(f))
                return errno > 0 ? -errno : -EIO;
        if (n <= 0 || line[n - 1] != '\n')
                return -EBADMSG;
        line[n - 1] = '\0';
        return startswith(line, "end ") ? parse_outcome(line + strlen("end "), ret) : -EBADMSG;
}

void result_forget(int results, uint32_t id, pid_t pid) {
        (void) unlinkat(results, result_name(id, pid, (char[32]){ 0 }), 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledger: reading it back at the start
 *
 * A file that makes no sense is never fatal: it is put aside under another name, for people to look at.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/macro.h"
#include "base/str.h"

#include "daemon/ledger-format.h"
#include "daemon/log.h"

static int check_record(const Record *r, uint32_t id) {
        if (!r->whole || r->id != id || !op_kind_to_string(r->op.kind) || r->state == JOB_FREE)
                return -EBADMSG;
        return r->state == JOB_ENDED && r->result == RESULT_NONE ? -EBADMSG : 0;
}

static int read_job(int jobs, const char *name, uint32_t id, Record **ret) {
        _cleanup_(record_freep) Record *record = record_new();
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        off_t whole = 0;
        ssize_t n;
        int fd, r;

        if (!record)
                return -ENOMEM;
        fd = openat(jobs, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        f = fdopen(fd, "re");
        if (!f) {
                close_fd(fd);
                return -ENOMEM;
        }
        while ((n = getline(&line, &size, f)) > 0) {
                /* The last line of one who was killed in the middle of it: it was never acted upon, and goes, or the next would join it. */
                if (line[n - 1] != '\n') {
                        if (ftruncate(fileno(f), whole) < 0)
                                return -errno;
                        break;
                }
                whole += n;
                line[n - 1] = '\0';
                r = parse_line(record, line);
                if (r < 0)
                        return r;
        }
        /* Not the end of the file: what was begun may stand behind it. */
        if (n < 0 && !feof(f))
                return errno > 0 ? -errno : -EIO;
        r = check_record(record, id);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(record);
        return 0;
}

static void put_aside(int jobs, const char *name, int error) {
        char aside[NAME_MAX + 8];

        snprintf(aside, sizeof(aside), ".%s.bad", name);
        log_line(LOG_ERR, NULL, "ledger: job %s cannot be read (%s), keeping it as jobs/%s", name,
                 strerror(-error), aside);
        (void) renameat(jobs, name, jobs, aside);
}

/* It says nothing of the file: another day it can be read. */
static bool is_passing(int error) {
        return error == -ENOMEM || error == -EMFILE || error == -ENFILE || error == -EINTR;
}

typedef struct Load {
        const Ledger *ledger;
        Records all;
} Load;

static int load_job(const char *name, void *userdata) {
        _cleanup_(record_freep) Record *record = NULL;
        Load *load = userdata;
        uint32_t id;
        int r;

        if (name[0] == '.')
                return 0;
        r = parse_u32(name, UINT32_MAX, &id);
        if (r >= 0)
                r = read_job(load->ledger->jobs, name, id, &record);
        if (r < 0 && is_passing(r))
                return r;
        if (r < 0) {
                put_aside(load->ledger->jobs, name, r);
                return 0;
        }
        r = records_add(&load->all, record);
        if (r < 0)
                return r;
        record = NULL;
        return 0;
}

int ledger_load(const Ledger *l, Records *ret) {
        Load load = { .ledger = l };
        int r;

        r = folder_walk(l->jobs, load_job, &load);
        if (r < 0) {
                records_done(&load.all);
                return r;
        }
        *ret = load.all;
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kmsg
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "base/str.h"

#include "daemon/kmsg.h"

/* A record's greatest length; read() refuses to give a part of one. */
#define RECORD_MAX 8192
/* A log that grows faster than it is read must not keep the loop. */
#define RECORDS_MAX 16384

int kmsg_open(void) {
        int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        if (lseek(fd, 0, SEEK_END) < 0) {
                int r = -errno;

                close_fd(fd);
                return r;
        }
        return fd;
}

/* The next address in the text at *p, "0000:01:00.0" or "01:00.0". False if there is none. */
static bool next_bdf(const char **p, Bdf *ret) {
        static const char letters[] = "0123456789abcdefABCDEF:.";

        while (**p != '\0') {
                char word[BDF_MAX];
                const char *start;
                size_t n;

                *p += strcspn(*p, letters);
                n = strspn(*p, letters);
                start = *p;
                *p += n;
                for (; n > 0 && strchr(":.", start[n - 1]); n--)
                        ;
                for (; n > 0 && strchr(":.", *start); start++)
                        n--;
                if (n == 0 || n >= sizeof(word))
                        continue;
                memcpy(word, start, n);
                word[n] = '\0';
                if (bdf_parse(word, ret) == 0)
                        return true;
        }
        return false;
}

static bool is_wanted(const KmsgFilter *f, Bdf bdf) {
        for (size_t i = 0; i < f->n_fns; i++)
                if (bdf_equal(f->fns[i], bdf))
                        return true;
        return false;
}

static bool is_part_of_name(char c) {
        return isalnum((unsigned char) c) || c == '_' || c == '-';
}

static bool has_word(const char *text, const char *word) {
        size_t n = strlen(word);

        for (const char *p = text; n > 0 && (p = strstr(p, word)); p += n)
                if ((p == text || !is_part_of_name(p[-1])) && !is_part_of_name(p[n]))
                        return true;
        return false;
}

/* "INFO: task sriovd-worker:4711 blocked for more than 120 seconds." and the heads of stack dumps, "... pid:4711 ...". */
static bool names_child(const char *text, pid_t pid) {
        char words[3][40];

        if (pid == 0)
                return false;
        snprintf(words[0], sizeof(words[0]), "sriovd-worker:%d", (int) pid);
        snprintf(words[1], sizeof(words[1]), "pid:%d", (int) pid);
        snprintf(words[2], sizeof(words[2]), "PID: %d", (int) pid);
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (has_word(text, words[i]))
                        return true;
        return false;
}

bool kmsg_matches(const char *record, const KmsgFilter *filter) {
        const char *text = strchr(record, ';'), *p;
        bool any = false;
        Bdf bdf;

        if (!text)
                return false;
        p = ++text;
        /* Also in the lines behind: DEVICE=+pci:0000:01:00.0 is there where the text has no address. */
        while (next_bdf(&p, &bdf)) {
                if (is_wanted(filter, bdf))
                        return true;
                any = true;
        }
        return (any && filter->driver && has_word(text, filter->driver)) ||
               names_child(text, filter->pid);
}

/* "[   12.345678] text". */
static void put_line(FILE *f, const char *record) {
        const char *text = strchr(record, ';') + 1;
        uint64_t usec = 0;

        (void) sscanf(record, "%*u,%*u,%" SCNu64, &usec);
        fprintf(f, "[%5" PRIu64 ".%06" PRIu64 "] %.*s", usec / 1000000, usec % 1000000,
                (int) strcspn(text, "\n"), text);
}

/* The next record, or false if there is none now. */
static bool next_record(int fd, char buf[static RECORD_MAX]) {
        ssize_t n;

        do
                n = read(fd, buf, RECORD_MAX - 1);
        /* Overwritten before it was read: the next read() gives the oldest that is left. */
        while (n < 0 && (errno == EPIPE || errno == EINTR));
        if (n <= 0)
                return false;
        buf[n] = '\0';
        return true;
}

char *kmsg_read(int fd, const KmsgFilter *filter) {
        char record[RECORD_MAX], *text = NULL;
        size_t size = 0, lines = 0, more = 0;
        FILE *f;

        if (fd < 0)
                return NULL;
        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        for (size_t i = 0; i < RECORDS_MAX && next_record(fd, record); i++) {
                if (!kmsg_matches(record, filter))
                        continue;
                fflush(f);
                if (lines == KMSG_LINES_MAX || size + strlen(record) > KMSG_TEXT_MAX) {
                        more++;
                        continue;
                }
                if (lines++ > 0)
                        fputc('\n', f);
                put_line(f, record);
        }
        if (more > 0)
                fprintf(f, "%sand %zu more", lines > 0 ? "\n" : "", more);
        if (fclose(f) != 0 || size == 0) {
                free(text);
                return NULL;
        }
        return text;
}

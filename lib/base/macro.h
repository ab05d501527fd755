/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cleanup attributes and the few macros everyone uses
 *
 * Ownership is written in the declaration: _cleanup_(x_freep) frees on every way out, TAKE_PTR() is the
 * one line where a value leaves.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))
#define _const_ __attribute__((const))
#define _pure_ __attribute__((pure))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))
#define MIN2(a, b) ((a) < (b) ? (a) : (b))
#define MAX2(a, b) ((a) > (b) ? (a) : (b))

#define TAKE_PTR(p)                                                                                \
        __extension__({                                                                            \
                __typeof__(p) *_pp = &(p), _p = *_pp;                                              \
                *_pp = NULL;                                                                       \
                _p;                                                                                \
        })

#define TAKE_FD(fd)                                                                                \
        __extension__({                                                                            \
                int *_pfd = &(fd), _fd = *_pfd;                                                    \
                *_pfd = -EBADF;                                                                    \
                _fd;                                                                               \
        })

static inline void freep(void *p) {
        free(*(void **) p);
}

/* Keeps errno, so that it can stand between a failed call and the line that reads its reason. */
static inline int close_fd(int fd) {
        if (fd >= 0) {
                int saved = errno;

                close(fd);
                errno = saved;
        }
        return -EBADF;
}

static inline void closep(int *fd) {
        close_fd(*fd);
}

static inline void fclosep(FILE **f) {
        if (*f)
                fclose(*f);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)

#define DEFINE_CLEANUP(type, function)                                                             \
        static inline void function##p(type **p) {                                                 \
                if (*p)                                                                            \
                        function(*p);                                                              \
        }                                                                                          \
        struct _useless_struct_to_allow_a_semicolon

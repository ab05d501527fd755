/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Census: what all processes have, in one walk of /proc
 *
 * Open device nodes, and which network and mount namespaces there are. Questions about a hundred functions, and the steps
 * of a job that come one upon the other, are answered from one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/bdf.h"
#include "kernel/sysfs.h"

/* A device node that a process has open, or a vfio device. */
typedef struct CensusFile {
        uint32_t pid;
        char *path; /* owned: as the kernel tells it */
        bool has_number, block;
        unsigned major, minor;
        Bdf vfio; /* the function that the open vfio device is; BDF_NONE: it is none, or the kernel does not tell */
} CensusFile;

/* A network namespace but our own. */
typedef struct CensusSpace {
        uint64_t number;
        uint32_t pid; /* of one in it, or of one that has it open; 0: none */
        char *mount; /* owned: where it is mounted, NULL: nowhere */
        char name[32]; /* below PROC/PID: "ns/net", "fd/7" */
} CensusSpace;

/* A mount namespace, and one that lives in it. */
typedef struct CensusMounts {
        uint64_t number;
        uint32_t pid;
} CensusMounts;

typedef struct Census {
        CensusFile *files;
        CensusSpace *spaces;
        CensusMounts *mounts;
        size_t n_files, n_spaces, n_mounts;
        int files_error, spaces_error, mounts_error; /* 0: all were seen; -errno: why one was not */
        uint64_t own_net, own_mounts;
} Census;

/* 0, -ENOMEM. What cannot be seen stands in the errors. */
int census_take(const Roots *roots, Census *ret);
void census_done(Census *c);
/* The namespace itself. An fd, -errno. */
int census_open_space(const Roots *roots, const CensusSpace *space);

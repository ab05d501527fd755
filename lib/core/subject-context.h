/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subject, inside: what the meanings of operations share
 *
 * Only subject.c and subject-wanted.c include this. Each function returns 0, LADDER_E_REFUSED with c->fault set, or -ENOMEM.
 */
#pragma once

#include "core/subject.h"

typedef struct Context {
        const Snapshot *s;
        const Op *op;
        const Bdf *keeper;
        Subjects *subjects;
        Fault *fault;
} Context;

int subject_refuse(Context *c, Fault fault);

/* Appends fn going down: VFs that it has now and, if `driver` says so, its driver. *ret is valid until the next call. */
int subject_add(Context *c, const Fn *fn, bool driver, Subject **ret);

/* The function of the operation, there and with no orphan beside it; it must be a PF for the second one. */
int subject_find(Context *c, const Fn **ret);
int subject_find_pf(Context *c, const Fn **ret);

/* Op.driver can be the name of one. */
int subject_check_driver(Context *c);

/* Its VFs go, and that many come. */
int subject_set_count(Context *c, const Fn *pf, uint32_t count, Subject **ret);

int subject_apply(Context *c);
int subject_set_vf(Context *c);
int subject_eswitch(Context *c);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ladder, inside: one row of the table, and the place at which it is asked whether there is anything to do
 *
 * ladder.c has the rows, ladder-plan.c walks them; nobody else includes this.
 */
#pragma once

#include "core/ladder.h"
#include "core/subject.h"

/* One place at which a rung may be climbed. vf is NULL where the rung is not about a VF that is there now. */
typedef struct Place {
        const Snapshot *s;
        const Op *op;
        const Subject *subject;
        const Fn *vf;
        uint32_t index;
        VfAttr attr;
        const Service *service;
        const char *driver; /* EACH_DRIVER */
} Place;

typedef enum Each {
        EACH_SUBJECT,
        EACH_OLD_VF, /* of each subject, as the snapshot has them */
        EACH_NEW_VF, /* of each subject, by index */
        EACH_ATTR, /* of each of these, in the order in which they are set */
        EACH_DRIVER, /* that a function is to get, by name, each once */
        EACH_PORT, /* pciehp services at or below the top, innermost first */
        ONCE,
} Each;

typedef struct Row {
        const char *name;
        uint32_t ops; /* the operations that tick this rung, as 1 << OP_* */
        Each each;
        bool (*when)(const Place *); /* is there anything to do here */
        const char *text; /* for people; see plan.c */
        bool fans_out;
        bool global_lock;
        uint16_t deadline_sec, per_vf_sec;
} Row;

const Row *ladder_row(Rung rung) __attribute__((const));

/* What the VF at this place gets: its driver ("" = the kernel's choice), and the attributes of which Place.attr is one. */
const char *place_driver(const Place *p);
const VfAttrs *place_attrs(const Place *p);

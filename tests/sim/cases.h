/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases: every operation, in each state of the world in which it goes another way
 */
#pragma once

#include "core/queue.h"
#include "tests/sim/sim.h"

#define IGB0 ((Bdf){ 0, 0x0100 })
#define IGB1 ((Bdf){ 0, 0x0200 })
#define NVME ((Bdf){ 0, 0x0300 })
#define PORT0 ((Bdf){ 0, 0x0008 })
#define VF0 ((Bdf){ 0, 0x0180 })

typedef struct Case {
        const char *name;
        void (*before)(Sim *);
        Op op;
        JobResult result; /* when all goes well; _RESULT_MAX: it depends */
        const char *topology;
        /* Of OP_FOREIGN: what it writes, as host_submit_foreign() takes it; and what of the kernel's dangers is its own doing. */
        const char *value;
        uint32_t allows; /* 1 << SIM_* */
        /* IGB0 afterwards, when all goes well; NULL: not looked at, "" = none. */
        const char *numvfs, *driver;
} Case;

extern const Case cases[];
extern const size_t n_cases;

/* The world that it begins in. */
Sim *case_world(const Case *c, SimVariant v);
/* A function that is left parked or with the stub's override, in words; NULL: none. */
const char *case_left_parked(Sim *sim);

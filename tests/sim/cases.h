/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cases: every operation, in each state of the world in which it goes another way
 */
#pragma once

#include "base/macro.h"
#include "core/queue.h"
#include "core/wanted.h"
#include "tests/sim/host.h"

#define IGB0 ((Bdf){ 0, 0x0100 })
#define IGB1 ((Bdf){ 0, 0x0200 })
#define NVME ((Bdf){ 0, 0x0300 })
#define PORT0 ((Bdf){ 0, 0x0008 })
#define VF0 ((Bdf){ 0, 0x0180 })
/* Of the topology "given", where IGB0 and VF0 are what they are in the default one. */
#define MLX ((Bdf){ 0, 0x0200 })
#define BNXT ((Bdf){ 0, 0x0300 })
#define SSD ((Bdf){ 0, 0x0400 })
#define ICE ((Bdf){ 0, 0x0500 })

typedef struct Case {
        const char *name;
        void (*before)(Sim *);
        Op op;
        JobResult result; /* when all goes well; _RESULT_MAX: it depends */
        const char *topology; /* NULL = default */
        const Wanted *wanted; /* what OP_APPLY finds to be wanted; NULL = nothing */
        Quirk quirk; /* in place of what drivers.conf says of that driver; "": none */
        /* Of OP_FOREIGN: what it writes, as host_submit_foreign() takes it; and what of the kernel's dangers is its own doing. */
        const char *value;
        uint32_t allows; /* 1 << SIM_* */
        /* IGB0 afterwards, when all goes well; NULL: not looked at, "" = none. */
        const char *numvfs, *driver;
} Case;

/* NULL: the first one; returned: that was the last. */
const Case *case_next(const Case *c) __attribute__((const));

/* The world that it begins in, and the host that it is given to. */
Sim *case_world(const Case *c, SimVariant v);
void case_host(const Case *c, Sim *sim, Host *h);
/* The PF that it is about, IGB0 where it is about more than one or about what is around it. */
Bdf case_pf(const Case *c, Sim *sim);

/* cases-wanted.c: the operations that give something */
extern const Case cases_wanted[];
extern const size_t n_cases_wanted;

/* What worlds begin with; they fail the test where that cannot be had. */
void must(int r);
void fresh(Sim *sim);
void with_vfs(Sim *sim); /* 3 of IGB0, of igbvf */
void with_vfio_vfs(Sim *sim); /* 2 of IGB0, autoprobe being 0 */
void with_held_vf(Sim *sim); /* so, and the first of them is in use */
void inherited(Sim *sim);
void driverless(Sim *sim);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fact: what a PF is known by beyond what a scan sees
 *
 * Behind the seam's facts(). Asks rtnetlink (RTNL), configuration space, and udev's database through libudev, which reads `uevent`
 * (the device lock on 6.1): children only.
 */
#pragma once

#include <linux/netlink.h>

#include "core/policy.h"
#include "kernel/kernel.h"

/* sys: where sysfs is mounted. 0 and *ret, the caller's to pf_facts_done(); -ENOMEM; -ENOENT, ...: the PF cannot be seen. */
int fact_read(Kernel *k, const char *sys, Bdf pf, PfFacts *ret);

/* Adds what one link says of itself to the lists. 0, -ENOMEM. */
int fact_parse_link(const struct nlmsghdr *m, char ***altnames, char ***macs);

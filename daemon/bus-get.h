/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-get: getters of properties without the noise
 *
 * sd-bus gives each getter seven arguments, of which ours need three.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "base/macro.h"

/* Defines the getter `name`, a function of (Manager *m, const TYPE *object, sd_bus_message *reply). */
#define DEFINE_GETTER(name, find, type)                                                            \
        static int name##_of(const Manager *m, const type *object, sd_bus_message *reply);         \
        static int name(sd_bus *bus _unused_, const char *path, const char *interface _unused_,    \
                        const char *property _unused_, sd_bus_message *reply, void *userdata,      \
                        sd_bus_error *error _unused_) {                                            \
                const type *object = find(userdata, path);                                         \
                                                                                                   \
                return object ? name##_of(userdata, object, reply) : -ESRCH;                       \
        }                                                                                          \
        static int name##_of(const Manager *m, const type *object, sd_bus_message *reply)

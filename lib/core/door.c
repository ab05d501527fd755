/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Door
 */
#include "base/str.h"

#include "core/door.h"

static const struct {
        const char *name;
        bool names_function, local;
} doors[_DOOR_MAX] = {
        [DOOR_NONE] = { "none", false, false },    [DOOR_COUNT] = { "count", true, true },
        [DOOR_REMOVE] = { "remove", true, false }, [DOOR_RESCAN] = { "rescan", false, false },
        [DOOR_RESET] = { "reset", true, true },    [DOOR_FUNCTION] = { "function", true, true },
        [DOOR_BIND] = { "bind", false, false },    [DOOR_UNBIND] = { "unbind", false, false },
        [DOOR_BUS] = { "bus", false, false },      [DOOR_SLOT] = { "slot", false, false },
        [DOOR_LATCH] = { "latch", true, true },
};

bool door_names_function(Door d) {
        return d < _DOOR_MAX && doors[d].names_function;
}

bool door_is_local(Door d) {
        return d < _DOOR_MAX && doors[d].local;
}

const char *door_to_string(Door d) {
        return d < _DOOR_MAX ? doors[d].name : NULL;
}

Door door_from_string(const char *s) {
        Door d = DOOR_NONE;

        while (d < _DOOR_MAX && !streq(doors[d].name, s))
                d++;
        return d;
}

static const char *const modes[_GATE_MODE_MAX] = {
        [GATE_OFF] = "off",         [GATE_OBSERVE] = "observe",     [GATE_SERIALIZE] = "serialize",
        [GATE_PROTECT] = "protect", [GATE_EXCLUSIVE] = "exclusive",
};

const char *gate_mode_to_string(GateMode m) {
        return m >= 0 && m < _GATE_MODE_MAX ? modes[m] : NULL;
}

GateMode gate_mode_from_string(const char *s) {
        for (GateMode m = 0; m < _GATE_MODE_MAX; m++)
                if (streq(modes[m], s))
                        return m;
        return _GATE_MODE_INVALID;
}

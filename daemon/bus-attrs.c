/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bus-attrs
 *
 * Numbers and booleans become the words that core/vfattr.c reads, so that what a value may be stands in one place.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/wanted.h"

#include "daemon/bus-attrs.h"

#define WORDS_MAX 64

static void wrong(Options *o, Fault fault) {
        if (o->wrong.reason == FAULT_NONE)
                o->wrong = fault;
}

/* 1 and the value in words; 0: of no type that a value has; -errno. */
static int read_words(sd_bus_message *m, char buf[static WORDS_MAX]) {
        const char *contents, *s;
        uint32_t n;
        char type;
        int r, b;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (!streq(contents, "s") && !streq(contents, "u") && !streq(contents, "b"))
                return sd_bus_message_skip(m, "v") < 0 ? -EBADMSG : 0;
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        if (contents[0] == 's') {
                r = sd_bus_message_read(m, "s", &s);
                if (r >= 0 && str_copy(buf, WORDS_MAX, s) < 0)
                        (void) str_copy(buf, WORDS_MAX, "?");
        } else if (contents[0] == 'u') {
                r = sd_bus_message_read(m, "u", &n);
                if (r >= 0)
                        snprintf(buf, WORDS_MAX, "%" PRIu32, n);
        } else {
                r = sd_bus_message_read(m, "b", &b);
                if (r >= 0)
                        snprintf(buf, WORDS_MAX, "%s", b ? "on" : "off");
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static void take_driver(Options *o, const char *name) {
        Op *op = &o->wish.op;
        const char *driver = streq(name, DRIVER_DEFAULT) ? "" : name;

        op->flags |= OP_HAS_DRIVER;
        if (!streq(name, "") && str_copy(op->driver, sizeof(op->driver), driver) >= 0 &&
            (driver[0] == '\0' || name_is_valid(driver)))
                return;
        op->driver[0] = '\0';
        wrong(o, fault_text(FAULT(FAULT_BAD_NAME), name));
}

static void take(Options *o, const char *key, const char *words) {
        VfKey k = vfkey_from_string(key);

        if (streq(key, "driver"))
                take_driver(o, words);
        else if (k == _VFKEY_MAX)
                wrong(o, fault_text(FAULT(FAULT_NO_SUCH_ATTR), key));
        else if (vfattrs_set(&o->wish.op.attrs, k, words) < 0)
                wrong(o, fault_text(FAULT(FAULT_BAD_ATTR, .number = k), words));
}

static int read_one(sd_bus_message *m, Options *o) {
        char words[WORDS_MAX];
        const char *key;
        int r;

        r = sd_bus_message_read(m, "s", &key);
        if (r >= 0)
                r = read_words(m, words);
        if (r < 0)
                return r;
        if (r == 0)
                wrong(o, fault_text(FAULT(FAULT_BAD_OPTION), key));
        else
                take(o, key, words);
        return 1;
}

int bus_attrs_read(sd_bus_message *m, Options *o) {
        VfKey key, other = _VFKEY_MAX;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_one(m, o);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0)
                return r;
        key = vfattrs_lonely(&o->wish.op.attrs, &other);
        if (key != _VFKEY_MAX)
                wrong(o, FAULT(FAULT_LONELY_ATTR, .number = key, .limit = other));
        key = vfattrs_crossed(&o->wish.op.attrs, &other);
        if (key != _VFKEY_MAX)
                wrong(o, FAULT(FAULT_CROSSED_ATTR, .number = key, .limit = other));
        return 1;
}

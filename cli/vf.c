/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl vf
 *
 * What a VF is given. Keys and values are read with the table that the daemon and the policy files have, so that a slip is told
 * before anything is asked for.
 */
#include <ctype.h>
#include <stdarg.h>

#include "base/str.h"

#include "core/fault.h"
#include "core/wanted.h"

#include "cli/change.h"
#include "cli/client.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "cli/world.h"

#define DRIVER_KEY "driver"
#define KEY_MAX 32 /* what is cut here is longer than any key */

static int bad(const Cli *c, const char *format, ...) _printf_(2, 3);

static int bad(const Cli *c, const char *format, ...) {
        char message[FAULT_STR_MAX];
        va_list ap;

        va_start(ap, format);
        vsnprintf(message, sizeof(message), format, ap);
        va_end(ap);
        return say_error(c, STATUS_USAGE, fault_bus_name(FAULT_BAD_ATTR), "%s", message);
}

static int unknown_key(const Cli *c, const char *vf, const char *key) {
        const char *names[_VFKEY_MAX + 1], *near;
        char all[256];
        size_t n;

        names[0] = DRIVER_KEY;
        n = (size_t) snprintf(all, sizeof(all), "%s", DRIVER_KEY);
        for (VfKey k = 0; k < _VFKEY_MAX && n < sizeof(all); k++) {
                names[k + 1] = vfkey_to_string(k);
                n += (size_t) snprintf(all + n, sizeof(all) - n, ", %s", vfkey_to_string(k));
        }
        near = suggest(key, names, ELEMENTSOF(names));
        if (near)
                return bad(c, "%s: '%s' is no attribute of a VF; did you mean '%s'?", vf, key,
                           near);
        return bad(c, "%s: '%s' is no attribute of a VF; there are %s", vf, key, all);
}

static int take_driver(const Cli *c, Change *change, const char *vf, const char *value) {
        if (change->driver)
                return bad(c, "%s: %s: is there twice; give it once", vf, DRIVER_KEY);
        if (isempty(value))
                return bad(c, "%s: %s: takes a name, %s or %s, not ''; nothing was changed", vf,
                           DRIVER_KEY, DRIVER_DEFAULT, DRIVER_NONE);
        change->driver = value;
        return 0;
}

static int take_key(const Cli *c, Change *change, const char *vf, const char *key,
                    const char *value) {
        VfKey k = vfkey_from_string(key);

        if (streq(key, DRIVER_KEY))
                return take_driver(c, change, vf, value);
        if (k == _VFKEY_MAX)
                return unknown_key(c, vf, key);
        if (change->attrs.has & 1u << k)
                return bad(c, "%s: %s: is there twice; give it once", vf, vfkey_to_string(k));
        if (vfattrs_set(&change->attrs, k, value) < 0)
                return bad(c, "%s: %s: takes %s, not '%s'; nothing was changed", vf,
                           vfkey_to_string(k), vfkey_expects(k), value);
        return 0;
}

static int take_pair(const Cli *c, Change *change, const char *vf, const char *pair) {
        const char *equals = strchr(pair, '=');
        char key[KEY_MAX];

        if (!equals)
                return bad(c, "%s: '%s': give KEY=VALUE, as vlan=100", vf, pair);
        snprintf(key, sizeof(key), "%.*s", (int) (equals - pair), pair);
        return take_key(c, change, vf, key, equals + 1);
}

static int take_pairs(const Cli *c, Change *change, const char *vf, int n, char **pairs) {
        VfKey key, other;
        int r = 0;

        for (int i = 0; i < n && r == 0; i++)
                r = take_pair(c, change, vf, pairs[i]);
        if (r > 0)
                return r;
        key = vfattrs_lonely(&change->attrs, &other);
        if (key != _VFKEY_MAX)
                return bad(c, "%s: %s: means nothing without %s; give both", vf,
                           vfkey_to_string(key), vfkey_to_string(other));
        key = vfattrs_crossed(&change->attrs, &other);
        if (key != _VFKEY_MAX)
                return bad(c, "%s: %s: is more than %s; nothing was changed", vf,
                           vfkey_to_string(key), vfkey_to_string(other));
        return 0;
}

/* "PF/3" is the same as "PF/vf3". */
static int parse_name(const Cli *c, const char *typed, Name *ret) {
        const char *slash = strrchr(typed, '/'), *p = slash ? slash + 1 : "";
        char text[sizeof(ret->text)];

        if (!isdigit(*p) || p[strspn(p, "0123456789")] != '\0')
                return name_parse(c, typed, ret);
        if ((size_t) snprintf(text, sizeof(text), "%.*s/vf%s", (int) (slash - typed), typed, p) >=
            sizeof(text))
                return say_usage(c, "%.32s...: too long for the name of a device", typed);
        return name_parse(c, text, ret);
}

static int find(Cli *c, const Name *name, json_object **ret_world, json_object **ret) {
        _cleanup_json_ json_object *world = NULL;
        json_object *vf;
        int r;

        r = world_get(c, &world);
        if (r == 0)
                r = world_find(c, world, name->text, &vf);
        if (r > 0)
                return r;
        if (!streq(record_show(vf, "kind"), "vf"))
                return bad(c, "%s: is a PF; name one of its VFs, as %s/vf0", name->text,
                           name->text);
        *ret = vf;
        *ret_world = TAKE_PTR(world);
        return 0;
}

/* The daemon takes a PF and an index, whatever the VF was called. */
static int name_vf(Cli *c, const Name *name, Change *change) {
        _cleanup_json_ json_object *world = NULL;
        json_object *vf;
        int r;

        change->fn = *name;
        if (name->has_vf) {
                (void) str_copy(change->fn.text, sizeof(change->fn.text), name->base);
                change->count = name->vf;
                return 0;
        }
        r = find(c, name, &world, &vf);
        if (r > 0)
                return r;
        if (!record_text(vf, "pf"))
                return say_error(c, STATUS_NO_DEVICE, fault_bus_name(FAULT_NO_SUCH_DEVICE),
                                 "%s: its PF is gone, and nothing can be set without it; 'sriovctl "
                                 "doctor' tells what to do",
                                 name->text);
        (void) str_copy(change->fn.text, sizeof(change->fn.text), record_text(vf, "pf"));
        change->count = (uint32_t) record_number(vf, "index");
        return 0;
}

/* What nobody can ask for, as the 0 queues of a controller that is offline, is nothing that was given. */
static bool can_be_typed(const char *key, const char *value) {
        VfKey k = vfkey_from_string(key);
        VfAttrs any = {};

        return k == _VFKEY_MAX || vfattrs_set(&any, k, value) == 0;
}

/* As they could be typed again. */
static int show(Cli *c, const Name *name) {
        _cleanup_json_ json_object *world = NULL;
        json_object *vf;
        char clean[256];
        int r;

        r = find(c, name, &world, &vf);
        if (r > 0)
                return r;
        say_json(c, vf);
        if (c->json != JSON_OFF)
                return 0;
        printf(DRIVER_KEY "=%s\n",
               record_text(vf, "driver") ? record_text(vf, "driver") : DRIVER_NONE);
        if (!record_get(vf, "attributes"))
                return 0;
        json_object_object_foreach(record_get(vf, "attributes"), key, value) {
                const char *text = value ? json_object_get_string(value) : "";

                if (can_be_typed(key, text))
                        printf("%s=%s\n", key, say_clean(text, clean, sizeof(clean)));
        }
        return 0;
}

int verb_vf(Cli *c, int argc, char **argv) {
        Change change = { .kind = OP_SET_VF };
        Name name;
        int r;

        r = parse_name(c, argv[1], &name);
        if (r == 0)
                r = take_pairs(c, &change, argv[1], argc - 2, argv + 2);
        if (r > 0)
                return r;
        if (argc == 2)
                return c->dry_run ? bad(c, "%s: give KEY=VALUE, as vlan=100", argv[1])
                                  : show(c, &name);
        r = name_vf(c, &name, &change);
        return r > 0 ? r : change_run(c, &change);
}

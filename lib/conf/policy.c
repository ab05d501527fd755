/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files
 *
 * policy = ( { name = "nics"; match = { driver = "igb"; }; vfs = 4; ... }, ... );
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy-read.h"
#include "conf/policy.h"
#include "conf/source.h"

typedef struct Key {
        const char *name;
        void (*take)(PolicyReader *rd, const config_setting_t *setting, Policy *p);
        bool wants; /* says what is wanted: nothing for those who keep their hands off */
        bool late; /* read when the others are known, wherever it stands */
} Key;

void policy_say(PolicyReader *rd, const config_setting_t *setting, const char *format, ...) {
        char text[sizeof(SettingsError)];
        SettingsError e;
        va_list ap;

        va_start(ap, format);
        vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        (void) source_fail(&e, rd->path, config_setting_source_line(setting), "%s", text);
        policy_keep(rd, &e);
}

void policy_keep(PolicyReader *rd, const SettingsError *e) {
        mistakes_add(rd->mistakes, rd->path, e);
}

void policy_unknown(PolicyReader *rd, const config_setting_t *setting, const char *word,
                    const char *(*nth)(unsigned i)) {
        policy_say(rd, setting, "there is no '%s' here; did you mean '%s'?", word,
                   source_nearest(word, nth));
}

static void take_name(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        char name[NAME_MAX_LENGTH];
        SettingsError e;

        if (source_string(rd->path, setting, name, sizeof(name), &e) < 0)
                policy_keep(rd, &e);
        else if (!name_is_valid(name))
                policy_say(rd, setting,
                           "'%s' is no name for a policy: letters, digits and ._-+:@ are", name);
        else
                memcpy(p->name, name, sizeof(name));
}

static void take_priority(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        SettingsError e;
        int64_t v;

        if (source_integer(rd->path, setting, -POLICY_PRIORITY_MAX, POLICY_PRIORITY_MAX, &v, &e) <
            0)
                policy_keep(rd, &e);
        else
                p->priority = (int32_t) v;
}

static void take_vfs(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        const char *word = config_setting_get_string(setting);
        SettingsError e;

        if (word && streq(word, "max"))
                p->count_kind = COUNT_MAX;
        else if (word && streq(word, "keep"))
                p->count_kind = COUNT_KEEP;
        else if (word)
                policy_say(rd, setting, "'vfs' is a number, \"max\" or \"keep\", not '%s'", word);
        else if (source_number(rd->path, setting, 0, UINT16_MAX, &p->count, &e) < 0)
                policy_keep(rd, &e);
        else
                p->count_kind = COUNT_NUMBER;
}

/* One of some words; -1, and it is told. */
static int take_word(PolicyReader *rd, const config_setting_t *setting,
                     const char *(*nth)(unsigned i)) {
        const char *word = config_setting_get_string(setting), *one;

        for (unsigned i = 0; word && (one = nth(i)); i++)
                if (streq(word, one))
                        return (int) i;
        if (word)
                policy_unknown(rd, setting, word, nth);
        else
                policy_say(rd, setting, "'%s' is a string", config_setting_name(setting));
        return -1;
}

static const char *nth_eswitch(unsigned i) {
        return i + 1 < _ESWITCH_MAX ? eswitch_to_string((Eswitch) (i + 1)) : NULL;
}

static void take_eswitch(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        p->eswitch = (Eswitch) (take_word(rd, setting, nth_eswitch) + 1);
}

static const char *nth_on_failure(unsigned i) {
        return (const char *const[]){ "keep", "rollback", NULL }[i];
}

static void take_on_failure(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        p->rollback = take_word(rd, setting, nth_on_failure) == 1;
}

static const char *nth_in_use(unsigned i) {
        return (const char *const[]){ "refuse", "force", NULL }[i];
}

static void take_in_use(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        p->force = take_word(rd, setting, nth_in_use) == 1;
}

static void take_bool(PolicyReader *rd, const config_setting_t *setting, bool *ret) {
        SettingsError e;

        if (source_bool(rd->path, setting, ret, &e) < 0)
                policy_keep(rd, &e);
}

static void take_reconcile(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        take_bool(rd, setting, &p->reconcile);
}

static void take_manage(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        take_bool(rd, setting, &p->manage);
}

static void take_disable_on_sleep(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        take_bool(rd, setting, &p->disable_on_sleep);
}

static const Key keys[] = {
        { "name", take_name, false, false },
        { "priority", take_priority, false, false },
        { "match", policy_take_match, false, false },
        { "manage", take_manage, false, false },
        { "vfs", take_vfs, true, false },
        { "eswitch", take_eswitch, true, false },
        { "on_failure", take_on_failure, true, false },
        { "in_use", take_in_use, true, false },
        { "reconcile", take_reconcile, true, false },
        { "disable_on_sleep", take_disable_on_sleep, true, false },
        { "vf_default", policy_take_default, true, true },
        { "vf", policy_take_vf, true, true },
};

static const char *nth_key(unsigned i) {
        return i < ELEMENTSOF(keys) ? keys[i].name : NULL;
}

static const Key *find_key(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (streq(keys[i].name, name))
                        return keys + i;
        return NULL;
}

static void take_keys(PolicyReader *rd, const config_setting_t *group, bool late, Policy *p) {
        for (unsigned i = 0; i < (unsigned) config_setting_length(group); i++) {
                const config_setting_t *setting = config_setting_get_elem(group, i);
                const Key *key = find_key(config_setting_name(setting));

                if (!key && !late)
                        policy_unknown(rd, setting, config_setting_name(setting), nth_key);
                if (key && key->late == late)
                        key->take(rd, setting, p);
        }
}

/* Hands off, and yet a wish: nobody knows which of the two was meant. */
static void refuse_wishes(PolicyReader *rd, const config_setting_t *group) {
        for (unsigned i = 0; i < (unsigned) config_setting_length(group); i++) {
                const config_setting_t *setting = config_setting_get_elem(group, i);
                const Key *key = find_key(config_setting_name(setting));

                if (key && key->wants)
                        policy_say(rd, setting, "'%s' means nothing with manage = false",
                                   key->name);
        }
}

/* Moves them all, or none. */
static int move(Policies *from, Policies *to) {
        Policy *more;

        if (from->n == 0)
                return 0;
        more = reallocarray(to->items, to->n + from->n, sizeof(Policy));
        if (!more)
                return -ENOMEM;
        to->items = more;
        memcpy(more + to->n, from->items, from->n * sizeof(Policy));
        to->n += from->n;
        from->n = 0;
        return 0;
}

static void take_policy(PolicyReader *rd, const config_setting_t *group) {
        size_t before = rd->mistakes->n_all;
        Policy p = { .line = config_setting_source_line(group),
                     .reconcile = true,
                     .manage = true,
                     .file = strdup(rd->path) };

        if (!p.file)
                rd->error = -ENOMEM;
        take_keys(rd, group, false, &p);
        if (p.manage)
                take_keys(rd, group, true, &p);
        else
                refuse_wishes(rd, group);
        if (!config_setting_get_member(group, "name"))
                policy_say(rd, group, "this policy has no 'name'");
        if (!config_setting_get_member(group, "match"))
                policy_say(rd, group,
                           "no 'match' here; match = { address = \"*\"; } is every PF, if that is "
                           "meant");
        if (rd->mistakes->n_all == before && rd->error == 0)
                policy_check(rd, group, &p);
        if (rd->error == 0)
                rd->error = move(&(Policies){ &p, 1 }, &rd->own);
        if (rd->error < 0)
                policy_done(&p);
}

static const char *nth_list(unsigned i) {
        return i == 0 ? "policy" : NULL;
}

static int take_list(const char *path, config_setting_t *setting, void *userdata,
                     SettingsError *e) {
        PolicyReader *rd = userdata;

        (void) path;
        (void) e;
        if (!streq(config_setting_name(setting), "policy")) {
                policy_unknown(rd, setting, config_setting_name(setting), nth_list);
                return 0;
        }
        if (!config_setting_is_list(setting)) {
                policy_say(rd, setting, "'policy' is a list: ( { ... }, { ... } )");
                return 0;
        }
        for (unsigned i = 0; i < (unsigned) config_setting_length(setting); i++) {
                const config_setting_t *group = config_setting_get_elem(setting, i);

                if (config_setting_is_group(group))
                        take_policy(rd, group);
                else
                        policy_say(rd, group, "'policy' has groups in it: { name = ... }");
        }
        return rd->error;
}

/* r is what reading came to, e what it said; mistakes of other files come before. */
static int finish(PolicyReader *rd, int r, const SettingsError *e, size_t before, size_t first) {
        if (r < 0 && r != -ENOMEM)
                policy_keep(rd, e);
        if (r >= 0 && rd->mistakes->n_all == before)
                r = move(&rd->own, rd->all);
        policies_done(&rd->own);
        mistakes_sort(rd->mistakes, first);
        return r == -ENOMEM ? r : rd->mistakes->n_all == before ? 0 : -EBADMSG;
}

int policies_read_text(const char *path, const char *text, Policies *all, Mistakes *mistakes) {
        PolicyReader rd = { .path = path, .mistakes = mistakes, .all = all };
        size_t before = mistakes->n_all, first = mistakes->n;
        SettingsError e;

        return finish(&rd, source_text_each(path, text, take_list, &rd, &e), &e, before, first);
}

int policies_read(const char *path, Policies *all, Mistakes *mistakes) {
        PolicyReader rd = { .path = path, .mistakes = mistakes, .all = all };
        size_t before = mistakes->n_all, first = mistakes->n;
        SettingsError e;

        return finish(&rd, source_each(path, take_list, &rd, &e), &e, before, first);
}

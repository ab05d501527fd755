/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: which PFs are meant
 *
 * match = { driver = "igb"; vendor = 0x8086; netdev = [ "ens1f*", "ens2f*" ]; };
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy-read.h"
#include "conf/source.h"

#define PATTERN_MAX 256

typedef struct Row {
        uint32_t min, max; /* as a number; max 0: it is none */
        int digits; /* hexadecimal ones; 0: as many decimal ones as it has */
        const char *letters; /* that one can be of, NULL: any */
        const char *looks; /* as one looks that can be */
} Row;

#define GLOB "*?[]!^-"
#define HEX "0123456789abcdefABCDEF"

static const Row rows[_MATCH_MAX] = {
        [MATCH_ADDRESS] = { 0, 0, 0, HEX ":." GLOB, "0000:01:00.*" },
        [MATCH_VENDOR] = { 0, UINT16_MAX, 4, HEX "xX" GLOB, "0x8086" },
        [MATCH_DEVICE] = { 0, UINT16_MAX, 4, HEX "xX" GLOB, "0x10c9" },
        /* A smaller one would be of no class, and is four digits where six are meant. */
        [MATCH_CLASS] = { 0x10000, 0xffffff, 6, NULL, "network" },
        [MATCH_SLOT] = { 0, INT32_MAX, 0, NULL, NULL },
        [MATCH_MAC] = { 0, 0, 0, HEX ":" GLOB, "02:00:00:00:01:*" },
        [MATCH_SERIAL] = { 0, 0, 0, HEX GLOB, "00-1b-21-ff-ff-c0-ff-ee" },
};

static const char *nth_key(unsigned i) {
        return match_key_to_string((MatchKey) i);
}

/* A word that names no class fits nothing, and nobody would be told. */
static bool is_class(const char *pattern) {
        const char *name;

        if (isdigit((unsigned char) pattern[0]) || strpbrk(pattern, "*?["))
                return true;
        for (unsigned i = 0; (name = match_class_name(i)); i++)
                if (strcasecmp(name, pattern) == 0)
                        return true;
        return false;
}

static void keep(PolicyReader *rd, Policy *p, MatchKey k, const char *pattern) {
        if (strv_push(&p->match[k], pattern) < 0)
                rd->error = -ENOMEM;
}

static void take_number(PolicyReader *rd, const config_setting_t *setting, MatchKey k, Policy *p) {
        char text[16];
        SettingsError e;
        uint32_t v;

        if (rows[k].max == 0) {
                policy_say(rd, setting, "'%s' is a string", match_key_to_string(k));
                return;
        }
        if (source_number(rd->path, setting, rows[k].min, rows[k].max, &v, &e) < 0) {
                policy_keep(rd, &e);
                return;
        }
        if (rows[k].digits > 0)
                snprintf(text, sizeof(text), "0x%0*x", rows[k].digits, v);
        else
                snprintf(text, sizeof(text), "%u", v);
        keep(rd, p, k, text);
}

static void take_pattern(PolicyReader *rd, const config_setting_t *setting, MatchKey k, Policy *p) {
        const Row *row = rows + k;
        char pattern[PATTERN_MAX];
        SettingsError e;

        if (!config_setting_get_string(setting)) {
                take_number(rd, setting, k, p);
                return;
        }
        if (source_string(rd->path, setting, pattern, sizeof(pattern), &e) < 0)
                policy_keep(rd, &e);
        else if (row->letters && pattern[strspn(pattern, row->letters)] != '\0')
                policy_say(rd, setting, "'%s' can fit no %s; one looks like '%s'", pattern,
                           match_key_to_string(k), row->looks);
        else if (k == MATCH_CLASS && !is_class(pattern))
                policy_unknown(rd, setting, pattern, match_class_name);
        else
                keep(rd, p, k, pattern);
}

static void take_key(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        const char *name = config_setting_name(setting);
        MatchKey k = match_key_from_string(name);
        unsigned n = (unsigned) config_setting_length(setting);

        if (k == _MATCH_MAX) {
                policy_unknown(rd, setting, name, nth_key);
        } else if (config_setting_is_group(setting)) {
                policy_say(rd, setting, "'%s' is one pattern, or several: [ \"...\", \"...\" ]",
                           name);
        } else if (config_setting_is_aggregate(setting)) {
                if (n == 0)
                        policy_say(rd, setting, "'%s' has nothing in it, and would fit no PF",
                                   name);
                for (unsigned i = 0; i < n; i++)
                        take_pattern(rd, config_setting_get_elem(setting, i), k, p);
        } else {
                take_pattern(rd, setting, k, p);
        }
}

void policy_take_match(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        if (!config_setting_is_group(setting)) {
                policy_say(rd, setting, "'match' is a group: { driver = \"igb\"; }");
                return;
        }
        if (config_setting_length(setting) == 0)
                policy_say(rd, setting,
                           "an empty 'match' is every PF; write address = \"*\" if that is meant");
        for (unsigned i = 0; i < (unsigned) config_setting_length(setting); i++)
                take_key(rd, config_setting_get_elem(setting, i), p);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: what VFs are given
 *
 * vf_default = { driver = "vfio-pci"; spoofchk = true; }; vf = ( { index = "0-1"; mac = "02:00:00:00:01:{index}"; } );
 */
#include <errno.h>
#include <string.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy-read.h"
#include "conf/source.h"

#define VF_MAX 4096

/* What a rule says beside its attributes, in front of these for "did you mean". */
static const char *const others[] = { "driver", "index" };

/* As files spell it: "vlan_proto". Returns buf. */
static const char *key_word(VfKey k, char buf[static 16]) {
        snprintf(buf, 16, "%s", vfkey_to_string(k));
        for (char *c = buf; *c; c++)
                if (*c == '-')
                        *c = '_';
        return buf;
}

static const char *nth_key(unsigned i) {
        static char word[_VFKEY_MAX][16];
        VfKey k = (VfKey) (i - ELEMENTSOF(others));

        if (i < ELEMENTSOF(others))
                return others[i];
        return k < _VFKEY_MAX ? key_word(k, word[k]) : NULL;
}

static void take_driver(PolicyReader *rd, const config_setting_t *setting, VfRule *rule) {
        char name[NAME_MAX_LENGTH];
        SettingsError e;

        if (source_string(rd->path, setting, name, sizeof(name), &e) < 0) {
                policy_keep(rd, &e);
                return;
        }
        if (!name_is_valid(name))
                policy_say(rd, setting, "'%s' is no name of a driver", name);
        rule->has_driver = true;
        if (!streq(name, DRIVER_DEFAULT))
                memcpy(rule->driver, name, sizeof(name));
}

static char **template_of(VfRule *rule, VfKey k) {
        switch (k) {
        case VFKEY_MAC:
                return &rule->mac;
        case VFKEY_NODE_GUID:
                return &rule->node_guid;
        case VFKEY_PORT_GUID:
                return &rule->port_guid;
        default:
                return NULL;
        }
}

/* Whichever PF fits, it comes out alike but for the bytes themselves: one with an odd bus number shows a group bit. */
static bool is_good(const char *text, uint32_t index, VfKey k) {
        return policy_expand(text, (Bdf){ 0, 0x0100 }, index, k, &(VfAttrs){}) == 0;
}

static void check_template(PolicyReader *rd, const config_setting_t *setting, VfKey k,
                           const char *text, uint32_t first, uint32_t last) {
        /* It is the same for all of them. */
        if (!strstr(text, "{index}"))
                last = first;
        for (uint32_t i = first; i <= last; i++) {
                if (is_good(text, i, k))
                        continue;
                if (i > UINT8_MAX && is_good(text, UINT8_MAX, k))
                        policy_say(rd, setting,
                                   "'%s' has room for VFs 0 to 255, and VF %u is meant as well",
                                   text, last);
                else
                        policy_say(rd, setting,
                                   "'%s' is none for VF %u: it must be %s; {index} is two digits, "
                                   "{pf} four as 01:00",
                                   text, i, vfkey_expects(k));
                return;
        }
}

static void take_template(PolicyReader *rd, const config_setting_t *setting, const Policy *p,
                          VfKey k, VfRule *rule) {
        const char *text = config_setting_get_string(setting);
        uint32_t last = p->count_kind != COUNT_NUMBER ? UINT8_MAX : p->count > 0 ? p->count - 1 : 0;
        char **template = template_of(rule, k);

        /* Of an entry without a good index, which is told, one VF shows as much as all. */
        if (rule != &p->vf_default)
                last = 0;
        for (size_t i = 0; i < rule->n_ranges; i++)
                check_template(rd, setting, k, text, rule->ranges[i].first, rule->ranges[i].last);
        if (rule->n_ranges == 0)
                check_template(rd, setting, k, text, 0, last);
        free(*template);
        *template = strdup(text);
        if (!*template)
                rd->error = -ENOMEM;
}

/* A number, true or false, or a string in the words of core/vfattr.h. NULL: none of these. */
static const char *value_of(const config_setting_t *setting, char buf[static VFATTR_VALUE_MAX]) {
        switch (config_setting_type(setting)) {
        case CONFIG_TYPE_INT:
        case CONFIG_TYPE_INT64:
                snprintf(buf, VFATTR_VALUE_MAX, "%lld", config_setting_get_int64(setting));
                return buf;
        case CONFIG_TYPE_BOOL:
                return config_setting_get_bool(setting) ? "on" : "off";
        default:
                return config_setting_get_string(setting);
        }
}

static void take_attr(PolicyReader *rd, const config_setting_t *setting, const Policy *p, VfKey k,
                      VfRule *rule) {
        char buf[VFATTR_VALUE_MAX], word[16];
        const char *value = value_of(setting, buf);

        if (rule->attrs.has & 1u << k || (template_of(rule, k) && *template_of(rule, k)))
                policy_say(rd, setting, "'%s' stands here twice", key_word(k, word));
        else if (!value)
                policy_say(rd, setting, "'%s' is one value: %s", key_word(k, word),
                           vfkey_expects(k));
        else if (template_of(rule, k) && config_setting_get_string(setting) && strchr(value, '{'))
                take_template(rd, setting, p, k, rule);
        else if (vfattrs_set(&rule->attrs, k, value) < 0)
                policy_say(rd, setting, "'%s' is '%s', and must be %s", key_word(k, word), value,
                           vfkey_expects(k));
}

static void take_key(PolicyReader *rd, const config_setting_t *setting, const Policy *p,
                     VfRule *rule) {
        const char *name = config_setting_name(setting);
        VfKey k = vfkey_from_string(name);

        if (streq(name, "driver"))
                take_driver(rd, setting, rule);
        else if (k != _VFKEY_MAX)
                take_attr(rd, setting, p, k, rule);
        else if (!streq(name, "index"))
                policy_unknown(rd, setting, name, nth_key);
}

/* What says nothing alone, and what contradicts itself. */
static void check_sense(PolicyReader *rd, const config_setting_t *group, const VfAttrs *a) {
        char word[16], other[16];
        VfKey needs, wrong = vfattrs_lonely(a, &needs);

        if (wrong != _VFKEY_MAX)
                policy_say(rd, group, "'%s' says nothing here without '%s'", key_word(wrong, word),
                           key_word(needs, other));
        wrong = vfattrs_crossed(a, &needs);
        if (wrong != _VFKEY_MAX)
                policy_say(rd, group, "'%s' is more than '%s'", key_word(wrong, word),
                           key_word(needs, other));
}

static void take_rule(PolicyReader *rd, const config_setting_t *group, const Policy *p,
                      VfRule *rule) {
        for (unsigned i = 0; i < (unsigned) config_setting_length(group); i++)
                take_key(rd, config_setting_get_elem(group, i), p, rule);
        check_sense(rd, group, &rule->attrs);
}

void policy_take_default(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        const config_setting_t *index;

        if (!config_setting_is_group(setting)) {
                policy_say(rd, setting, "'vf_default' is a group: { driver = \"vfio-pci\"; }");
                return;
        }
        index = config_setting_get_member(setting, "index");
        if (index)
                policy_say(rd, index, "'vf_default' is of all VFs, and has no 'index'");
        take_rule(rd, setting, p, &p->vf_default);
}

static void take_entry(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        const config_setting_t *index;
        VfRule *rule = p->vf + p->n_vf;

        if (!config_setting_is_group(setting)) {
                policy_say(rd, setting, "'vf' has groups in it: { index = \"0-1\"; ... }");
                return;
        }
        p->n_vf++;
        index = config_setting_get_member(setting, "index");
        if (index)
                policy_take_index(rd, index, p, rule);
        else
                policy_say(rd, setting, "no 'index' here: which VFs are meant?");
        take_rule(rd, setting, p, rule);
}

void policy_take_vf(PolicyReader *rd, const config_setting_t *setting, Policy *p) {
        unsigned n = (unsigned) config_setting_length(setting);

        if (!config_setting_is_list(setting)) {
                policy_say(rd, setting, "'vf' is a list: ( { index = 0; ... }, { ... } )");
                return;
        }
        if (n > VF_MAX) {
                policy_say(rd, setting, "more than %d entries", VF_MAX);
                return;
        }
        if (n == 0)
                return;
        p->vf = calloc(n, sizeof(VfRule));
        if (!p->vf) {
                rd->error = -ENOMEM;
                return;
        }
        rd->n_covered = 0;
        for (unsigned i = 0; i < n && rd->n_covered <= VFS_COVERED_MAX; i++)
                take_entry(rd, config_setting_get_elem(setting, i), p);
}

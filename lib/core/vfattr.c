/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VfAttr
 *
 * Two tables and the walk over them. Which of it a driver can do is the kernel's answer, not known here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

#include "core/vfattr.h"

typedef enum Kind {
        NUMBER,
        SWITCH, /* on, off */
        WORD,
        MAC,
        GUID,
} Kind;

typedef struct Row {
        const char *name;
        VfAttr attr;
        Kind kind;
        uint32_t min, max;
        const char *const *words;
        VfKey needs; /* means nothing without it; itself: nothing */
        const char *expects;
} Row;

static const char *const links[] = { "auto", "enable", "disable", NULL };
static const char *const protos[] = { "802.1Q", "802.1ad", NULL };

/* clang-format off */
static const Row keys[_VFKEY_MAX] = {
        [VFKEY_MSIX]       = { "msix",       VFATTR_MSIX,       NUMBER, 1, 2048,       NULL,   VFKEY_MSIX,       "1 to 2048" },
        [VFKEY_QUEUES]     = { "queues",     VFATTR_QUEUES,     NUMBER, 1, 65535,      NULL,   VFKEY_INTERRUPTS, "1 to 65535" },
        [VFKEY_INTERRUPTS] = { "interrupts", VFATTR_QUEUES,     NUMBER, 1, 2048,       NULL,   VFKEY_QUEUES,     "1 to 2048" },
        [VFKEY_MAC]        = { "mac",        VFATTR_MAC,        MAC,    0, 0,          NULL,   VFKEY_MAC,        "a MAC address of one station, as 02:00:00:00:01:00" },
        [VFKEY_VLAN]       = { "vlan",       VFATTR_VLAN,       NUMBER, 0, 4095,       NULL,   VFKEY_VLAN,       "0 (none) to 4095" },
        [VFKEY_QOS]        = { "qos",        VFATTR_VLAN,       NUMBER, 0, 7,          NULL,   VFKEY_VLAN,       "0 to 7" },
        [VFKEY_VLAN_PROTO] = { "vlan-proto", VFATTR_VLAN,       WORD,   0, 0,          protos, VFKEY_VLAN,       "802.1Q or 802.1ad" },
        [VFKEY_SPOOFCHK]   = { "spoofchk",   VFATTR_SPOOFCHK,   SWITCH, 0, 1,          NULL,   VFKEY_SPOOFCHK,   "on or off" },
        [VFKEY_TRUST]      = { "trust",      VFATTR_TRUST,      SWITCH, 0, 1,          NULL,   VFKEY_TRUST,      "on or off" },
        [VFKEY_LINK_STATE] = { "link-state", VFATTR_LINK_STATE, WORD,   0, 0,          links,  VFKEY_LINK_STATE, "auto, enable or disable" },
        [VFKEY_MIN_RATE]   = { "min-rate",   VFATTR_RATE,       NUMBER, 0, UINT32_MAX, NULL,   VFKEY_MIN_RATE,   "Mbit/s, 0 for no limit" },
        [VFKEY_MAX_RATE]   = { "max-rate",   VFATTR_RATE,       NUMBER, 0, UINT32_MAX, NULL,   VFKEY_MAX_RATE,   "Mbit/s, 0 for no limit" },
        [VFKEY_QUERY_RSS]  = { "query-rss",  VFATTR_QUERY_RSS,  SWITCH, 0, 1,          NULL,   VFKEY_QUERY_RSS,  "on or off" },
        [VFKEY_NODE_GUID]  = { "node-guid",  VFATTR_NODE_GUID,  GUID,   0, 0,          NULL,   VFKEY_NODE_GUID,  "a GUID, as 00:11:22:33:44:55:66:77" },
        [VFKEY_PORT_GUID]  = { "port-guid",  VFATTR_PORT_GUID,  GUID,   0, 0,          NULL,   VFKEY_PORT_GUID,  "a GUID, as 00:11:22:33:44:55:66:77" },
};
/* clang-format on */

static const char *const attr_names[_VFATTR_MAX] = {
        [VFATTR_MSIX] = "msix",
        [VFATTR_QUEUES] = "queues",
        [VFATTR_MAC] = "mac",
        [VFATTR_VLAN] = "vlan",
        [VFATTR_SPOOFCHK] = "spoofchk",
        [VFATTR_TRUST] = "trust",
        [VFATTR_LINK_STATE] = "link-state",
        [VFATTR_RATE] = "rate",
        [VFATTR_QUERY_RSS] = "query-rss",
        [VFATTR_NODE_GUID] = "node-guid",
        [VFATTR_PORT_GUID] = "port-guid",
};

const char *vfkey_to_string(VfKey k) {
        return k < _VFKEY_MAX ? keys[k].name : NULL;
}

/* Files write '_' between words, command lines '-'. */
static bool same_word(const char *a, const char *b) {
        for (; *a && *b; a++, b++)
                if (*a != *b && !(*a == '_' && *b == '-'))
                        return false;
        return *a == *b;
}

VfKey vfkey_from_string(const char *s) {
        VfKey k = 0;

        while (k < _VFKEY_MAX && !same_word(s, keys[k].name))
                k++;
        return k;
}

VfAttr vfkey_attr(VfKey k) {
        return keys[k].attr;
}

const char *vfkey_expects(VfKey k) {
        return keys[k].expects;
}

const char *vfattr_to_string(VfAttr a) {
        return a < _VFATTR_MAX ? attr_names[a] : NULL;
}

bool vfattr_needs_unbound(VfAttr a) {
        return a == VFATTR_MSIX || a == VFATTR_QUEUES;
}

static int hex(char c) {
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -EINVAL;
}

/* "02:00:..": n bytes of two digits. */
static int parse_bytes(const char *text, unsigned n, uint64_t *ret) {
        uint64_t v = 0;

        for (unsigned i = 0; i < n; i++, text += 2) {
                if (i > 0 && *text++ != ':')
                        return -EINVAL;
                if (hex(text[0]) < 0 || hex(text[1]) < 0)
                        return -EINVAL;
                v = v << 8 | (unsigned) hex(text[0]) << 4 | (unsigned) hex(text[1]);
        }
        if (*text != '\0')
                return -EINVAL;
        *ret = v;
        return 0;
}

static int parse_word(const char *text, const char *const *words, uint64_t *ret) {
        for (uint64_t i = 0; words[i]; i++)
                if (streq(text, words[i])) {
                        *ret = i;
                        return 0;
                }
        return -EINVAL;
}

static int parse_switch(const char *text, uint64_t *ret) {
        static const char *const offs[] = { "off", "false", "no", "0" }, *const ons[] = {
                "on", "true", "yes", "1"
        };

        for (size_t i = 0; i < ELEMENTSOF(ons); i++)
                if (streq(text, ons[i]) || streq(text, offs[i])) {
                        *ret = streq(text, ons[i]);
                        return 0;
                }
        return -EINVAL;
}

static int parse_number(const char *text, const Row *row, uint64_t *ret) {
        uint32_t v;
        int r = parse_u32(text, row->max, &v);

        if (r < 0)
                return r;
        if (v < row->min)
                return -ERANGE;
        *ret = v;
        return 0;
}

static int parse_value(const char *text, const Row *row, uint64_t *ret) {
        int r;

        switch (row->kind) {
        case NUMBER:
                return parse_number(text, row, ret);
        case SWITCH:
                return parse_switch(text, ret);
        case WORD:
                return parse_word(text, row->words, ret);
        case GUID:
                return parse_bytes(text, 8, ret);
        case MAC:
                r = parse_bytes(text, 6, ret);
                return r == 0 && *ret >> 40 & 1 ? -EINVAL : r; /* the group bit of the first byte */
        }
        return -EINVAL;
}

int vfattrs_set(VfAttrs *a, VfKey k, const char *text) {
        uint64_t v = 0;
        int r = parse_value(text, keys + k, &v);

        if (r < 0)
                return r;
        a->value[k] = v;
        a->has |= 1u << k;
        return 0;
}

static void format_bytes(uint64_t v, unsigned n, char *buf) {
        for (unsigned i = 0; i < n; i++, buf += 3)
                sprintf(buf, "%02x%s", (unsigned) (v >> 8 * (n - 1 - i) & 0xff),
                        i + 1 < n ? ":" : "");
}

const char *vfattrs_get(const VfAttrs *a, VfKey k, char buf[static VFATTR_VALUE_MAX]) {
        uint64_t v = a->value[k];

        switch (keys[k].kind) {
        case NUMBER:
                snprintf(buf, VFATTR_VALUE_MAX, "%" PRIu64, v);
                break;
        case SWITCH:
                snprintf(buf, VFATTR_VALUE_MAX, "%s", v ? "on" : "off");
                break;
        case WORD:
                snprintf(buf, VFATTR_VALUE_MAX, "%s", keys[k].words[v]);
                break;
        case MAC:
                format_bytes(v, 6, buf);
                break;
        case GUID:
                format_bytes(v, 8, buf);
                break;
        }
        return buf;
}

VfKey vfattrs_lonely(const VfAttrs *a, VfKey *ret_needs) {
        for (VfKey k = 0; k < _VFKEY_MAX; k++)
                if (a->has & 1u << k && !(a->has & 1u << keys[k].needs)) {
                        *ret_needs = keys[k].needs;
                        return k;
                }
        return _VFKEY_MAX;
}

/* The kernel says EINVAL to that: net/core/rtnetlink.c, rtnl_set_vf_rate(). 0 is no limit to it. */
VfKey vfattrs_crossed(const VfAttrs *a, VfKey *ret_bound) {
        uint64_t max = a->value[VFKEY_MAX_RATE];

        if (max == 0 || a->value[VFKEY_MIN_RATE] <= max)
                return _VFKEY_MAX;
        *ret_bound = VFKEY_MAX_RATE;
        return VFKEY_MIN_RATE;
}

bool vfattrs_have(const VfAttrs *a, VfAttr attr) {
        for (VfKey k = 0; k < _VFKEY_MAX; k++)
                if (keys[k].attr == attr && a->has & 1u << k)
                        return true;
        return false;
}

/* An address that the VF may choose is right whatever it has chosen. */
static bool is_free(const VfAttrs *wanted, VfAttr attr) {
        return attr == VFATTR_MAC && wanted->value[VFKEY_MAC] == 0;
}

bool vfattrs_differ(const VfAttrs *wanted, const VfAttrs *seen, VfAttr attr) {
        if (!vfattrs_have(wanted, attr))
                return false;
        if (!vfattrs_have(seen, attr))
                return true;
        if (is_free(wanted, attr))
                return false;
        for (VfKey k = 0; k < _VFKEY_MAX; k++)
                if (keys[k].attr == attr && wanted->value[k] != seen->value[k])
                        return true;
        return false;
}

VfAttrs vfattrs_overlay(const VfAttrs *below, const VfAttrs *above) {
        VfAttrs all = {};

        for (VfKey k = 0; k < _VFKEY_MAX; k++) {
                const VfAttrs *a = vfattrs_have(above, keys[k].attr) ? above : below;

                all.has |= a->has & 1u << k;
                all.value[k] = a->value[k];
        }
        return all;
}

bool vfattrs_equal(const VfAttrs *a, const VfAttrs *b) {
        for (VfKey k = 0; k < _VFKEY_MAX; k++)
                if (a->value[k] != b->value[k])
                        return false;
        return a->has == b->has;
}

const char *vfattrs_format(const VfAttrs *a, VfAttr attr, char *buf, size_t size) {
        char value[VFATTR_VALUE_MAX];
        size_t n = 0;

        buf[0] = '\0';
        for (VfKey k = 0; k < _VFKEY_MAX && n < size; k++)
                if (a->has & 1u << k && (attr == _VFATTR_MAX || keys[k].attr == attr))
                        n += (size_t) snprintf(buf + n, size - n, "%s%s=%s", n > 0 ? " " : "",
                                               keys[k].name, vfattrs_get(a, k, value));
        return buf;
}

/* One "key=value", up to a blank or the end; moves on behind it. */
static int parse_pair(const char **text, VfAttrs *a) {
        size_t n = strcspn(*text, " "), k = strcspn(*text, "=");
        char key[16], value[VFATTR_VALUE_MAX];

        if (k >= n || k >= sizeof(key) || n - k > sizeof(value))
                return -EINVAL;
        memcpy(key, *text, k);
        key[k] = '\0';
        memcpy(value, *text + k + 1, n - k - 1);
        value[n - k - 1] = '\0';
        *text += n + strspn(*text + n, " ");
        if (vfkey_from_string(key) == _VFKEY_MAX)
                return -EINVAL;
        return vfattrs_set(a, vfkey_from_string(key), value);
}

int vfattrs_parse(const char *text, VfAttrs *a) {
        int r = 0;

        while (r == 0 && *text != '\0')
                r = parse_pair(&text, a);
        return r;
}

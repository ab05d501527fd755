/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy files: which VFs are meant
 *
 * index = "0-1,4"; or index = 4; or index = [ 0, 1, 4 ];
 */
#include <errno.h>
#include <string.h>

#include <libconfig.h>

#include "base/macro.h"
#include "base/str.h"

#include "conf/policy-read.h"
#include "conf/source.h"

#define INDEX_MAX (UINT16_MAX - 1)

/* A number of n letters. */
static int parse_number(const char *text, size_t n, uint32_t *ret) {
        char word[8];

        if (n >= sizeof(word))
                return -EINVAL;
        memcpy(word, text, n);
        word[n] = '\0';
        return parse_u32(word, INDEX_MAX, ret);
}

/* "4", "0-1", of n letters. */
static int parse_range(const char *text, size_t n, uint32_t *ret_first, uint32_t *ret_last) {
        const char *dash = memchr(text, '-', n);
        size_t n_first = dash ? (size_t) (dash - text) : n;
        int r = parse_number(text, n_first, ret_first);

        *ret_last = *ret_first;
        if (r < 0 || !dash)
                return r;
        return parse_number(dash + 1, n - n_first - 1, ret_last);
}

static void add(PolicyReader *rd, const config_setting_t *setting, const Policy *p, VfRule *rule,
                uint32_t first, uint32_t last) {
        if (rd->n_covered > VFS_COVERED_MAX)
                return;
        if (first > last) {
                policy_say(rd, setting, "%u-%u is the wrong way round", first, last);
                return;
        }
        if (p->count_kind == COUNT_NUMBER && last >= p->count) {
                policy_say(rd, setting, "there is no VF %u with vfs = %u; they count from 0", last,
                           p->count);
                return;
        }
        for (size_t i = 0; i < rule->n_ranges; i++)
                if (first <= rule->ranges[i].last && last >= rule->ranges[i].first) {
                        policy_say(rd, setting, "VF %u stands here twice",
                                   MAX2(first, rule->ranges[i].first));
                        return;
                }
        if (rule->n_ranges == VF_RANGES_MAX) {
                policy_say(rd, setting, "more than %d ranges; make another entry of the rest",
                           VF_RANGES_MAX);
                return;
        }
        rd->n_covered += last - first + 1;
        if (rd->n_covered > VFS_COVERED_MAX) {
                policy_say(rd, setting,
                           "more than %d VFs with those of the entries before, one that "
                           "is named by several counted each time",
                           VFS_COVERED_MAX);
                return;
        }
        rule->ranges[rule->n_ranges].first = first;
        rule->ranges[rule->n_ranges++].last = last;
}

static void take_text(PolicyReader *rd, const config_setting_t *setting, const Policy *p,
                      VfRule *rule) {
        const char *text = config_setting_get_string(setting);
        uint32_t first = 0, last = 0;
        size_t n;

        for (;; text += n + 1) {
                text += strspn(text, " ");
                n = strcspn(text, ",");
                if (parse_range(text, n, &first, &last) < 0) {
                        policy_say(rd, setting,
                                   "'%s' is no index: \"4\", \"0-1,4\", with numbers of 0 to %d",
                                   config_setting_get_string(setting), INDEX_MAX);
                        return;
                }
                add(rd, setting, p, rule, first, last);
                if (text[n] == '\0')
                        return;
        }
}

static void take_one(PolicyReader *rd, const config_setting_t *setting, const Policy *p,
                     VfRule *rule) {
        SettingsError e;
        uint32_t v;

        if (config_setting_get_string(setting))
                take_text(rd, setting, p, rule);
        else if (source_number(rd->path, setting, 0, INDEX_MAX, &v, &e) < 0)
                policy_keep(rd, &e);
        else
                add(rd, setting, p, rule, v, v);
}

void policy_take_index(PolicyReader *rd, const config_setting_t *setting, const Policy *p,
                       VfRule *rule) {
        unsigned n = (unsigned) config_setting_length(setting);

        if (!config_setting_is_aggregate(setting) || config_setting_is_group(setting)) {
                take_one(rd, setting, p, rule);
                return;
        }
        if (n == 0)
                policy_say(rd, setting, "'index' has nothing in it");
        for (unsigned i = 0; i < n; i++)
                take_one(rd, config_setting_get_elem(setting, i), p, rule);
}

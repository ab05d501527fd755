/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>

#include "base/str.h"
#include "base/utf8.h"

#include "cli/options.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "cli/when.h"

/* sriovd's limits */
#define REASON_LENGTH_MAX 255
#define EXPECT_LENGTH_MAX 31
#define WHY_LENGTH_MAX 127

typedef struct Option {
        const char *name;
        int letter; /* or a number above all letters */
        int has_argument;
        const char *argument;
        uint32_t groups; /* 0: every verb */
        const char *help;
} Option;

enum {
        ARG_NO_BLOCK = 0x100,
        ARG_TIMEOUT,
        ARG_FORCE,
        ARG_DRIVER,
        ARG_ON_FAILURE,
        ARG_RESCAN,
        ARG_ALL_FUNCTIONS,
        ARG_REASON,
        ARG_EXPECT,
        ARG_JSON,
        ARG_NO_LEGEND,
        ARG_NO_PAGER,
        ARG_VFS,
        ARG_LINES,
        ARG_SINCE,
        ARG_WHY,
        ARG_MODE,
        ARG_PERSIST,
        ARG_BOOT,
        ARG_READY,
        ARG_FILE,
        ARG_VERSION, /* the last */
};

static const Option options[] = {
        { "dry-run", 'n', no_argument, NULL, OPTION_CHANGE | OPTION_ADOPT,
          "show the plan, change nothing" },
        { "no-block", ARG_NO_BLOCK, no_argument, NULL, OPTION_CHANGE,
          "print the job's number and do not wait for it" },
        { "wait", 'w', required_argument, "SEC", OPTION_CHANGE | OPTION_WAIT,
          "wait no longer than that; the job goes on" },
        { "timeout", ARG_TIMEOUT, required_argument, "SEC", OPTION_CHANGE,
          "end the job if it is not done by then; never breaks off a write" },
        { "reason", ARG_REASON, required_argument, "TEXT", OPTION_CHANGE | OPTION_ADOPT,
          "keep this with the job in the history" },
        { "expect", ARG_EXPECT, required_argument, "PLAN", OPTION_CHANGE,
          "do it only if the plan still is the one with this id" },
        { "force", ARG_FORCE, required_argument, "RISK,...", OPTION_FORCE,
          "in-use: take VFs from their users; storage: also disks in use" },
        { "driver", ARG_DRIVER, required_argument, "NAME", OPTION_SET, "the VFs' driver" },
        { "on-failure", ARG_ON_FAILURE, required_argument, "keep|rollback",
          OPTION_SET | OPTION_APPLY, "keep the VFs that came up, or go back to what was" },
        { "persist", ARG_PERSIST, no_argument, NULL, OPTION_SET,
          "when it is done, write the policy that keeps it so" },
        { "boot", ARG_BOOT, no_argument, NULL, OPTION_APPLY,
          "wait for what the daemon does at boot, at most 30 s" },
        { "ready", ARG_READY, no_argument, NULL, OPTION_WAIT, "wait until devices are ready" },
        { "rescan", ARG_RESCAN, no_argument, NULL, OPTION_REMOVE, "find it again at once" },
        { "all-functions", ARG_ALL_FUNCTIONS, no_argument, NULL, OPTION_REMOVE,
          "remove the whole device" },
        { "all", 'a', no_argument, NULL, OPTION_ALL, "list: VFs too; jobs: ended ones too" },
        { "vfs", ARG_VFS, no_argument, NULL, OPTION_VFS, "show the VFs below each PF" },
        { "lines", ARG_LINES, required_argument, "N", OPTION_HISTORY, "the last N jobs, not 50" },
        { "since", ARG_SINCE, required_argument, "TIME", OPTION_HISTORY,
          "'2026-01-31 12:00', today, yesterday, -2h" },
        { "directory", 'D', required_argument, "DIR", OPTION_HISTORY,
          "read the journal files in there" },
        { "why", ARG_WHY, required_argument, "TEXT", OPTION_HOLD,
          "shown to those who are refused" },
        { "mode", ARG_MODE, required_argument, "block|note", OPTION_HOLD,
          "refuse what would take the device, or be shown only" },
        { "file", ARG_FILE, required_argument, "PATH", OPTION_METRICS,
          "write to that file, whole or not at all" },
        { "output", 'o', required_argument, "COLUMNS", OPTION_TABLE,
          "these columns; +COLUMNS: these as well" },
        { "json", ARG_JSON, optional_argument, "pretty|short|off", 0, "print JSON" },
        { "no-legend", ARG_NO_LEGEND, no_argument, NULL, 0, "no headings, no hints" },
        { "no-pager", ARG_NO_PAGER, no_argument, NULL, 0, "there is none; for habit's sake" },
        { "host", 'H', required_argument, "[USER@]HOST", 0, "ask the sriovd of that host, by ssh" },
        { "help", 'h', no_argument, NULL, 0, "show this" },
        { "version", ARG_VERSION, no_argument, NULL, 0, "show the version" },
};

/* A long option's letters and table, as getopt wants them. */
static void make_getopt(struct option *longs, char *letters) {
        size_t n = 0;

        letters[n++] = '-'; /* words as well, in their place: behind "--" nothing is ours to read */
        letters[n++] = ':';
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const Option *o = &options[i];

                longs[i] = (struct option){ o->name, o->has_argument, NULL, o->letter };
                if (o->letter >= 0x100)
                        continue;
                letters[n++] = (char) o->letter;
                if (o->has_argument == required_argument)
                        letters[n++] = ':';
        }
        letters[n] = '\0';
}

static int unknown_option(const Cli *c, const char *typed, int letter) {
        const char *names[ELEMENTSOF(options)], *name = startswith(typed, "--"), *near;
        char word[32];

        if (isdigit(letter))
                return say_usage(c,
                                 "'%s': no number here can be negative; a number of VFs is 0 "
                                 "to 65535, or max",
                                 typed);
        if (!name)
                return say_usage(c, "unknown option '-%c'; 'sriovctl help' shows all", letter);
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                names[i] = options[i].name;
        snprintf(word, sizeof(word), "%.*s", (int) strcspn(name, "="), name);
        near = suggest(word, names, ELEMENTSOF(options));
        if (near)
                return say_usage(c, "unknown option '%s'; did you mean '--%s'?", typed, near);
        return say_usage(c, "unknown option '%s'; 'sriovctl help' shows all", typed);
}

static int missing_argument(const Cli *c, const char *typed, int letter) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (options[i].letter == letter && options[i].has_argument == required_argument)
                        return say_usage(c, "%s: needs a value, --%s=%s", typed, options[i].name,
                                         options[i].argument);
        return say_usage(c, "%s: takes no value", typed);
}

static int parse_span(const Cli *c, const char *option, const char *s, uint64_t *ret) {
        if (when_parse_span(s, ret) < 0)
                return say_usage(c, "%s: '%s' is not a time; give seconds, or 5min, 1.5s, 200ms",
                                 option, s);
        return 0;
}

static int parse_timeout(Cli *c, const char *s) {
        int r;

        r = parse_span(c, "--timeout", s, &c->timeout_usec);
        if (r == 0 && c->timeout_usec == 0)
                return say_usage(c, "--timeout: must be more than 0");
        return r;
}

static int parse_force(Cli *c, const char *s) {
        static const char *const risks[] = { "in-use", "storage" };

        for (;;) {
                size_t n = strcspn(s, ","), i = 0;

                while (i < ELEMENTSOF(risks) &&
                       (strncmp(risks[i], s, n) != 0 || risks[i][n] != '\0'))
                        i++;
                if (i == ELEMENTSOF(risks))
                        return say_usage(c,
                                         "--force: name the risk, 'in-use' or 'storage', not "
                                         "'%.*s'",
                                         (int) MIN2(n, 64), s);
                if (strv_push(&c->force, risks[i]) < 0)
                        return say_oom(c);
                if (s[n] == '\0')
                        return 0;
                s += n + 1;
        }
}

/* One of two words. */
static int take_choice(const Cli *c, const char *option, const char *first, const char *second,
                       const char *s, const char **ret) {
        if (!streq(s, first) && !streq(s, second))
                return say_usage(c, "--%s: '%s' or '%s', not '%s'", option, first, second, s);
        *ret = s;
        return 0;
}

/* sriovd keeps no longer ones, and what it says of them is not about length. */
static int take_text(const Cli *c, const char *option, size_t max, const char *s,
                     const char **ret) {
        size_t n = strlen(s);

        if (n == 0 || n > max)
                return say_usage(c, "--%s: must have 1 to %zu bytes, not %zu", option, max, n);
        *ret = s;
        return 0;
}

static int parse_why(Cli *c, const char *s) {
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p < ' ' || *p == 127)
                        return say_usage(c, "--why: must be one line, without control characters");
        return take_text(c, "why", WHY_LENGTH_MAX, s, &c->why);
}

static int parse_json(Cli *c, const char *s) {
        if (!s || streq(s, "pretty"))
                c->json = JSON_PRETTY;
        else if (streq(s, "short"))
                c->json = JSON_SHORT;
        else if (streq(s, "off"))
                c->json = JSON_OFF;
        else
                return say_usage(c, "--json: 'pretty', 'short' or 'off', not '%s'", s);
        return 0;
}

static int parse_lines(Cli *c, const char *s) {
        c->lines_limited = true;
        c->lines = UINT32_MAX;
        if (streq(s, "all") || parse_u32(s, UINT32_MAX, &c->lines) == 0)
                return 0;
        return say_usage(c, "--lines: a number or 'all', not '%s'", s);
}

static int parse_since(Cli *c, const char *s) {
        if (when_parse(s, &c->since) == 0)
                return 0;
        return say_usage(c,
                         "--since: '%s' is not a time; give '2026-01-31 12:00', today, "
                         "yesterday or -2h",
                         s);
}

/* Options that are nothing but there. True if it is one. */
static bool apply_flag(Cli *c, Options *o, int letter) {
        bool *const flags[ARG_VERSION + 1][2] = {
                ['n'] = { &c->dry_run },         [ARG_NO_BLOCK] = { &c->no_block },
                [ARG_RESCAN] = { &c->rescan },   [ARG_ALL_FUNCTIONS] = { &c->all_functions },
                ['a'] = { &c->all, &c->vfs },    [ARG_VFS] = { &c->vfs },
                [ARG_PERSIST] = { &c->persist }, [ARG_BOOT] = { &c->boot },
                [ARG_READY] = { &c->ready },     ['h'] = { &o->help },
                [ARG_VERSION] = { &o->version },
        };

        if (!flags[letter][0])
                return false;
        for (size_t i = 0; i < ELEMENTSOF(flags[letter]); i++)
                if (flags[letter][i])
                        *flags[letter][i] = true;
        return true;
}

/* Options whose value is looked at later, or by sriovd. True if it is one. */
static bool apply_text(Cli *c, int letter, const char *argument) {
        const char **const texts[ARG_VERSION + 1] = {
                [ARG_DRIVER] = &c->driver, ['D'] = &c->directory, [ARG_FILE] = &c->file,
                ['o'] = &c->columns,       ['H'] = &c->host,
        };

        if (!texts[letter])
                return false;
        *texts[letter] = argument;
        return true;
}

static int apply(Cli *c, Options *o, int letter, const char *argument) {
        if (apply_flag(c, o, letter) || apply_text(c, letter, argument))
                return 0;
        switch (letter) {
        case 'w':
                c->wait_limited = true;
                return parse_span(c, "--wait", argument, &c->wait_usec);
        case ARG_TIMEOUT:
                return parse_timeout(c, argument);
        case ARG_FORCE:
                return parse_force(c, argument);
        case ARG_REASON:
                return take_text(c, "reason", REASON_LENGTH_MAX, argument, &c->reason);
        case ARG_EXPECT:
                return take_text(c, "expect", EXPECT_LENGTH_MAX, argument, &c->expect);
        case ARG_ON_FAILURE:
                return take_choice(c, "on-failure", "keep", "rollback", argument, &c->on_failure);
        case ARG_MODE:
                return take_choice(c, "mode", "block", "note", argument, &c->mode);
        case ARG_WHY:
                return parse_why(c, argument);
        case ARG_LINES:
                return parse_lines(c, argument);
        case ARG_SINCE:
                return parse_since(c, argument);
        case ARG_JSON:
                return parse_json(c, argument);
        case ARG_NO_LEGEND:
                c->legend = false;
                return 0;
        default:
                return 0;
        }
}

/* What getopt_long() calls a word between options. */
#define IS_WORD 1

static void set_seen(Options *o, int letter) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (options[i].letter == letter)
                        o->seen |= UINT64_C(1) << i;
}

static int parse_one(Cli *c, Options *o, int letter, const char *typed) {
        if (!utf8_is_valid(typed) || (optarg && !utf8_is_valid(optarg)))
                return say_usage(c, "argument %d is not UTF-8", optind - 1);
        if (letter == '?')
                return optopt >= 0x100 ? missing_argument(c, typed, optopt)
                                       : unknown_option(c, typed, optopt);
        if (letter == ':')
                return missing_argument(c, typed, optopt);
        set_seen(o, letter);
        return apply(c, o, letter, optarg);
}

int options_parse(Cli *c, Options *o, int argc, char **argv, int *ret_words) {
        struct option longs[ELEMENTSOF(options) + 1] = { 0 };
        char letters[2 * ELEMENTSOF(options) + 3];
        int letter, r, n = 0;

        make_getopt(longs, letters);
        opterr = 0;
        while ((letter = getopt_long(argc, argv, letters, longs, NULL)) >= 0) {
                char *typed = argv[optind - 1];

                r = parse_one(c, o, letter, typed);
                if (r > 0)
                        return r;
                if (letter == IS_WORD)
                        argv[n++] = typed;
        }
        if (optind < argc)
                c->command = argv + n;
        while (optind < argc)
                argv[n++] = argv[optind++];
        argv[n] = NULL;
        *ret_words = n;
        return 0;
}

int options_check(const Cli *c, const Options *o, const char *verb, uint32_t groups) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if ((o->seen & UINT64_C(1) << i) && options[i].groups != 0 &&
                    !(options[i].groups & groups))
                        return say_usage(c,
                                         "'%s' has no option --%s; 'sriovctl help %s' shows those "
                                         "it has",
                                         verb, options[i].name, verb);
        return 0;
}

void options_print(uint32_t groups) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++) {
                const Option *o = &options[i];
                char left[64], letter[8] = "   ";

                if (groups == 0 ? o->groups != 0 : !(o->groups & groups))
                        continue;
                if (o->letter < 0x100)
                        snprintf(letter, sizeof(letter), "-%c,", o->letter);
                snprintf(left, sizeof(left), "%s --%s%s%s", letter, o->name, o->argument ? "=" : "",
                         o->argument ? o->argument : "");
                printf("  %-32s %s\n", left, o->help);
        }
}

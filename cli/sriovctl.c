/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sriovctl
 *
 * The table of verbs, and who may follow whom on the command line. What a verb does is in its
 * family's file.
 */
#include <locale.h>
#include <stdio.h>

#include "base/str.h"
#include "base/utf8.h"

#include "cli/client.h"
#include "cli/options.h"
#include "cli/say.h"
#include "cli/suggest.h"
#include "config.h"

#define CHANGE (OPTION_CHANGE | OPTION_TABLE)
#define ANY_NUMBER INT32_MAX

typedef struct Verb {
        const char *name, *arguments;
        int min, max; /* arguments */
        uint32_t options;
        VerbFunction function;
        const char *help;
} Verb;

static const Verb verbs[] = {
        { "list", "", 0, 0, OPTION_TABLE | OPTION_VFS | OPTION_ALL, verb_list,
          "PFs and how many VFs they have" },
        { "show", "DEV", 1, 1, 0, verb_show, "all that is known of a PF or VF" },
        { "users", "[DEV...]", 0, ANY_NUMBER, OPTION_TABLE, verb_users, "who uses PFs and VFs" },
        { "set", "PF N|max", 2, 2, CHANGE | OPTION_FORCE | OPTION_SET, verb_set,
          "make it N VFs; 0 takes all away" },
        { "bind", "DEV DRIVER|default", 2, 2, CHANGE | OPTION_FORCE, verb_bind,
          "give it this driver, or the kernel's choice" },
        { "unbind", "DEV", 1, 1, CHANGE | OPTION_FORCE, verb_unbind, "take its driver away" },
        { "remove", "DEV", 1, 1, CHANGE | OPTION_FORCE | OPTION_REMOVE, verb_remove,
          "take the device, or all below a bridge, out of the system" },
        { "rescan", "[DEV]", 0, 1, CHANGE, verb_rescan,
          "look for devices, and see that DEV is there" },
        { "reset", "DEV", 1, 1, CHANGE | OPTION_FORCE, verb_reset, "reset the function" },
        { "slot", "on|off SLOT", 2, 2, CHANGE | OPTION_FORCE, verb_slot, "switch a slot's power" },
        { "unload", "DRIVER", 1, 1, CHANGE | OPTION_FORCE, verb_unload,
          "free all its devices, PF by PF, then unload it" },
        { "vf", "PF/INDEX [KEY=VALUE...]", 1, ANY_NUMBER, CHANGE | OPTION_FORCE, verb_vf,
          "give a VF its MAC, VLAN, driver, ...; or show them" },
        { "eswitch", "PF [legacy|switchdev]", 1, 2, CHANGE | OPTION_FORCE, verb_eswitch,
          "change the mode of its embedded switch, or show it" },
        { "apply", "[PF...]", 0, ANY_NUMBER, CHANGE | OPTION_FORCE | OPTION_APPLY, verb_apply,
          "make it so as the policies want it" },
        { "diff", "", 0, 0, OPTION_TABLE, verb_diff, "what is not as the policies want it" },
        { "adopt", "PF", 1, 1, OPTION_ADOPT, verb_adopt,
          "write the policy that keeps it as it is now" },
        { "plan", "VERB ARGUMENT...", 1, ANY_NUMBER,
          CHANGE | OPTION_FORCE | OPTION_SET | OPTION_REMOVE, verb_plan,
          "show what one of the above would do" },
        { "hold", "DEV -- COMMAND...", 2, ANY_NUMBER, OPTION_HOLD, verb_hold,
          "run COMMAND; meanwhile DEV is in use" },
        { "jobs", "", 0, 0, OPTION_TABLE | OPTION_ALL, verb_jobs, "jobs waiting and running" },
        { "job", "JOB", 1, 1, 0, verb_job, "all that is known of a job" },
        { "wait", "JOB|--ready DEV...", 1, ANY_NUMBER, OPTION_WAIT, verb_wait,
          "wait for a job's end, and end as it did" },
        { "cancel", "JOB...", 1, ANY_NUMBER, 0, verb_cancel, "withdraw from jobs" },
        { "history", "", 0, 0, OPTION_TABLE | OPTION_HISTORY, verb_history,
          "jobs that ended, from the journal" },
        { "monitor", "", 0, 0, 0, verb_monitor, "tell what happens, until Ctrl-C" },
        { "doctor", "", 0, 0, OPTION_TABLE, verb_doctor, "examine host and kernel for trouble" },
        { "gate", "[MODE]", 0, 1, OPTION_TABLE, verb_gate,
          "how other programs take their turn; MODE: from now on" },
        { "metrics", "", 0, 0, OPTION_METRICS, verb_metrics, "numbers about it, as OpenMetrics" },
        { "check", "[FILE...]", 0, ANY_NUMBER, 0, verb_check,
          "find mistakes in policies and settings" },
        { "reload", "", 0, 0, 0, verb_reload, "read the configuration again" },
        { "help", "[VERB]", 0, 1, 0, verb_help, "show this, or a verb's options" },
};

/* The options of the line, once for all: `plan` looks at them again for the verb behind it. */
static Options options;

static const Verb *verb_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}

static int unknown_verb(const Cli *c, const char *name) {
        const char *names[ELEMENTSOF(verbs)], *near;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                names[i] = verbs[i].name;
        near = suggest(name, names, ELEMENTSOF(verbs));
        if (near)
                return say_usage(c, "unknown verb '%s'; did you mean '%s'?", name, near);
        return say_usage(c, "unknown verb '%s'; 'sriovctl help' shows all", name);
}

/* Those behind "--" were not looked at yet. What a command is to do with them is its business. */
static int words_check(const Cli *c, const Verb *verb, int argc, char **argv) {
        for (int i = 0; i < argc && verb->function != verb_hold; i++)
                if (!utf8_is_valid(argv[i]))
                        return say_usage(c, "argument %d is not UTF-8", i);
        return 0;
}

static int verb_run(Cli *c, const Verb *verb, int argc, char **argv) {
        int r;

        r = options_check(c, &options, verb->name, verb->options);
        if (r > 0)
                return r;
        r = words_check(c, verb, argc, argv);
        if (r > 0)
                return r;
        if (argc - 1 < verb->min || argc - 1 > verb->max)
                return say_usage(c, "usage: sriovctl %s%s%s", verb->name,
                                 isempty(verb->arguments) ? "" : " ", verb->arguments);
        return verb->function(c, argc, argv);
}

int verb_run_change(Cli *c, int argc, char **argv) {
        const Verb *verb = verb_find(argv[0]);

        if (!verb)
                return unknown_verb(c, argv[0]);
        if (!(verb->options & (OPTION_CHANGE | OPTION_ADOPT)) || verb->function == verb_plan)
                return say_usage(c, "plan %s: it changes nothing and has no plan", verb->name);
        return verb_run(c, verb, argc, argv);
}

static int help_verb(const Cli *c, const char *name) {
        const Verb *verb = verb_find(name);

        if (!verb)
                return unknown_verb(c, name);
        printf("sriovctl [OPTION...] %s %s\n\n%s\n\n", verb->name, verb->arguments, verb->help);
        if (verb->options != 0)
                options_print(verb->options);
        options_print(0);
        return 0;
}

int verb_help(Cli *c, int argc, char **argv) {
        char left[64];

        if (argc > 1)
                return help_verb(c, argv[1]);
        printf("sriovctl [OPTION...] VERB [ARGUMENT...]\n\n"
               "Change the SR-IOV devices of a host through sriovd, one operation at a time.\n\n"
               "Verbs:\n");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                snprintf(left, sizeof(left), "%s %s", verbs[i].name, verbs[i].arguments);
                printf("  %-32s %s\n", left, verbs[i].help);
        }
        printf("\nOptions:\n");
        options_print(UINT32_MAX);
        options_print(0);
        printf("\nDEV is an address (0000:01:00.0, 01:00.0), a net device, or PF/vfN. See "
               "sriovctl(1).\n");
        return 0;
}

static int run(Cli *c, int argc, char **argv) {
        char *bare[] = { (char *) "list", NULL };
        const Verb *verb;
        int r;

        r = options_parse(c, &options, argc, argv, &argc);
        if (r > 0)
                return r;
        if (options.version) {
                puts("sriovctl " SRIOVD_VERSION);
                return 0;
        }
        if (options.help)
                return argc > 0 ? help_verb(c, argv[0]) : verb_help(c, 0, NULL);
        if (argc == 0) {
                argc = 1;
                argv = bare;
        }
        verb = verb_find(argv[0]);
        return verb ? verb_run(c, verb, argc, argv) : unknown_verb(c, argv[0]);
}

int main(int argc, char **argv) {
        Cli c = { .legend = true };
        int status;

        setlocale(LC_ALL, "");
        status = say_flush(run(&c, argc, argv));
        client_close(&c);
        strv_free(c.force);
        return status;
}

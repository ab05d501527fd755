/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directives: what each line of a scenario does
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/fault.h"
#include "tests/scenario/scenario.h"

#define SEE_MS 60000
/* Times longer on a crowded host. */
#define PATIENCE 4
#define RAW_MS 60000
#define JOIN_MS 180000

typedef int (*Handler)(Run *run, const Line *line, size_t i);

int fail(Run *run, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        vsnprintf(run->why, sizeof(run->why), format, ap);
        va_end(ap);
        return 1;
}

static int do_nothing(Run *run, const Line *line, size_t i) {
        (void) run;
        (void) line;
        (void) i;
        return 0;
}

static int do_need(Run *run, const Line *line, size_t i) {
        (void) i;
        for (size_t w = 1; w < line->n; w++)
                if (!name_is_there(run, line->words[w])) {
                        fail(run, "no %s here", line->words[w]);
                        return 2;
                }
        return 0;
}

static int do_only(Run *run, const Line *line, size_t i) {
        (void) i;
        if (streq(line->words[1], "sim") == stage_is_sim)
                return 0;
        fail(run, "only for %s", line->words[1]);
        return 2;
}

static char **sriovctl_words(Run *run, const Line *line, size_t from) {
        char **argv = calloc(WORDS_MAX + 1, sizeof(char *));

        if (!argv)
                abort();
        for (size_t w = from; w < line->n; w++)
                argv[w - from] = name_in_word(run, line->words[w]);
        return argv;
}

/* Is the status among those of the `exit` line, or 0 where there is none? */
static bool exit_is(const Line *expect, int status) {
        for (size_t w = 1; expect && w < expect->n; w++)
                if ((int) strtol(expect->words[w], NULL, 10) == status)
                        return true;
        return !expect && status == 0;
}

static int do_run(Run *run, const Line *line, size_t i) {
        _cleanup_strv_ char **argv = sriovctl_words(run, line, 1);
        int r = process_sriovctl(run, argv);
        size_t digits;

        if (r < 0)
                return fail(run, "sriovctl %s: %s", line->words[1], strerror(-r));
        if (!exit_is(script_next_is(run->script, i, "exit"), run->exit))
                return fail(run, "sriovctl %s: exit %d: %.200s%.200s", line->words[1], run->exit,
                            run->err, run->out);
        /* A number alone is a job's; an address begins with one as well. */
        digits = strspn(run->out, "0123456789");
        if (digits > 0 && run->out[digits] == '\n')
                (void) sscanf(run->out, "%15[0-9]", run->job);
        return 0;
}

static int match(Run *run, const char *text, const char *pattern, const char *where) {
        regex_t re;
        int r;

        if (regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB) != 0)
                return fail(run, "no regular expression: %s", pattern);
        r = regexec(&re, text ? text : "", 0, NULL, 0);
        regfree(&re);
        return r == 0 ? 0 : fail(run, "no '%s' in %s: %.300s", pattern, where, text ? text : "");
}

/*
 * Jobs are to stand in the queue in the order in which they were asked for: waits until this one is there. One that was
 * merged with another never is, nor one that was refused.
 */
static void wait_for_job_of(Run *run, pid_t pid) {
        char *argv[] = { (char *) "jobs", (char *) "-a",  (char *) "--no-legend",
                         (char *) "-o",   (char *) "PID", NULL };
        uint64_t until = now_ms() + (stage_is_sim ? 2000 : 6000);
        char pattern[32];

        snprintf(pattern, sizeof(pattern), "^ *%d *$", (int) pid);
        while (now_ms() < until && !process_is_over(pid)) {
                if (process_sriovctl(run, argv) < 0 || match(run, run->out, pattern, "jobs") == 0)
                        return;
                sleep_ms(10);
        }
}

static int do_bg(Run *run, const Line *line, size_t i) {
        _cleanup_strv_ char **argv = sriovctl_words(run, line, 1);
        int r = process_start_sriovctl(run, argv);

        (void) i;
        if (r < 0)
                return fail(run, "cannot start: %s", strerror(-r));
        if (streq(argv[0], "hold"))
                return 0;
        wait_for_job_of(run, run->children[run->n_children - 1].pid);
        return 0;
}

static void forget_children(Run *run, bool raw) {
        size_t n = 0;

        for (size_t c = 0; c < run->n_children; c++)
                if (run->children[c].raw != raw)
                        run->children[n++] = run->children[c];
        run->n_children = n;
}

static int do_join(Run *run, const Line *line, size_t i) {
        const Line *expect = script_next_is(run->script, i, "exit");

        (void) line;
        for (size_t c = 0; c < run->n_children; c++) {
                Child *child = &run->children[c];
                int status;

                if (child->raw)
                        continue;
                if (process_wait(child->pid, JOIN_MS, &status) == 0)
                        return fail(run, "sriovctl %s does not end", child->what);
                child->pid = 0;
                if (!exit_is(expect, status))
                        return fail(run, "sriovctl %s: exit %d", child->what, status);
        }
        forget_children(run, false);
        return 0;
}

static int do_stop(Run *run, const Line *line, size_t i) {
        (void) line;
        (void) i;
        for (size_t c = 0; c < run->n_children; c++) {
                Child *child = &run->children[c];
                int status;

                if (child->raw)
                        continue;
                kill(child->pid, SIGTERM);
                if (process_wait(child->pid, JOIN_MS, &status) == 0)
                        return fail(run, "sriovctl %s does not end", child->what);
                child->pid = 0;
        }
        forget_children(run, false);
        return 0;
}

static int do_out(Run *run, const Line *line, size_t i) {
        (void) i;
        return match(run, run->out, line->words[1], "stdout");
}

static int do_err(Run *run, const Line *line, size_t i) {
        (void) i;
        return match(run, run->err, line->words[1], "stderr");
}

/* A line of output that must not be there. */
static int do_silent(Run *run, const Line *line, size_t i) {
        (void) i;
        if (match(run, run->out, line->words[1], "stdout") == 0)
                return fail(run, "'%s' in stdout: %.300s", line->words[1], run->out);
        return 0;
}

static int do_await(Run *run, const Line *line, size_t i) {
        uint64_t until = now_ms() + strtoul(line->words[1], NULL, 10) * PATIENCE * 1000;
        _cleanup_strv_ char **argv = sriovctl_words(run, line, 3);

        (void) i;
        for (;;) {
                int r = process_sriovctl(run, argv);

                if (r < 0)
                        return fail(run, "sriovctl %s: %s", line->words[3], strerror(-r));
                if (match(run, run->out, line->words[2], "stdout") == 0)
                        return 0;
                if (now_ms() >= until)
                        return 1;
                sleep_ms(50);
        }
}

static int start_raw(Run *run, const Line *line) {
        _cleanup_free_ char *path = name_in_path(run, line->words[1]);
        _cleanup_free_ char *value = name_in_word(run, line->n > 2 ? line->words[2] : "");
        Bdf bdf;

        /* bind and unbind want the VF's own address. */
        if (strchr(value, '/') && name_resolve(run, line->words[2], &bdf) >= 0) {
                free(value);
                value = strdup(BDF_STR(bdf));
        }
        return process_start_raw(run, path, streq(value, "\\n") ? "\n" : value);
}

/* The simulator knows who is in its kernel, and on a crowded host a child may be long on its way there. */
static bool is_under_way(Run *run, const char *path) {
        _cleanup_free_ char *flying = NULL;
        const char *rest = startswith(path, "bus/pci/");

        /* As it names them. */
        if (rest)
                path = startswith(rest, "devices/") ? startswith(rest, "devices/") : rest;
        return stage_control(run->stage, "flying", &flying) >= 0 && flying && strstr(flying, path);
}

static int do_raw_background(Run *run, const Line *line, size_t i) {
        _cleanup_free_ char *path = name_in_path(run, line->words[1]);
        uint64_t until = now_ms() + RAW_MS;
        int r = start_raw(run, line);

        (void) i;
        if (r < 0)
                return fail(run, "cannot start: %s", strerror(-r));
        /* 0.3 s of the kernel's, which is how the convoy is made. */
        sleep_ms(stage_is_sim ? 3 : 300);
        while (stage_is_sim && !is_under_way(run, path) && now_ms() < until &&
               !process_is_over(run->children[run->n_children - 1].pid))
                sleep_ms(1);
        return 0;
}

static int do_raw(Run *run, const Line *line, size_t i) {
        const Line *expect = script_next_is(run->script, i, "errno");
        int r = start_raw(run, line), status;
        Child *child;

        if (r < 0)
                return fail(run, "cannot start: %s", strerror(-r));
        child = &run->children[--run->n_children];
        if (process_wait(child->pid, RAW_MS, &status) == 0) {
                run->n_children++;
                return fail(run, "%s: stuck", child->what);
        }
        run->error = status;
        if (expect ? !streq(status == 0 ? "0" : errno_name(status), expect->words[1]) : status != 0)
                return fail(run, "%s: %s", child->what,
                            status == 0 ? "success" : errno_name(status));
        return 0;
}

static int do_stuck(Run *run, const Line *line, size_t i) {
        int status;

        (void) line;
        (void) i;
        sleep_ms(stage_stuck_ms);
        for (size_t c = 0; c < run->n_children; c++)
                if (run->children[c].raw && process_wait(run->children[c].pid, 0, &status) == 1) {
                        run->children[c].pid = 0;
                        return fail(run, "%s is not stuck: %d", run->children[c].what, status);
                }
        return 0;
}

static int do_settle(Run *run, const Line *line, size_t i) {
        int status;

        (void) line;
        (void) i;
        for (size_t c = 0; c < run->n_children; c++) {
                Child *child = &run->children[c];

                if (!child->raw)
                        continue;
                if (process_wait(child->pid, RAW_MS, &status) == 0)
                        return fail(run, "%s: stuck", child->what);
                child->pid = 0;
        }
        forget_children(run, true);
        return 0;
}

static int do_see(Run *run, const Line *line, size_t i) {
        uint64_t until = now_ms() + SEE_MS;

        (void) i;
        for (;;) {
                int r = see(run, line);

                if (r == 1)
                        return 0;
                if (r < 0)
                        return fail(run, "cannot see that");
                if (now_ms() >= until)
                        return 1;
                sleep_ms(20);
        }
}

static int do_writes(Run *run, const Line *line, size_t i) {
        _cleanup_free_ char *text = NULL;
        char command[128];
        unsigned n, want;
        int r;

        (void) i;
        want = strtoul(line->words[line->n - 1], NULL, 10);
        snprintf(command, sizeof(command), "writes %.64s", line->n > 2 ? line->words[1] : "");
        r = stage_control(run->stage, command, &text);
        if (r < 0)
                return fail(run, "%s", strerror(-r));
        n = strtoul(text, NULL, 10);
        return n == want ? 0
                         : fail(run, "%u writes of %s so far, not %u", n,
                                line->n > 2 ? line->words[1] : "anything", want);
}

/* fault, release, clear, hold, drop, inherit, link, plug: what the stage makes of it. */
static int do_control(Run *run, const Line *line, size_t i) {
        char command[512];
        size_t n = snprintf(command, sizeof(command), "%s", line->words[0]);
        _cleanup_free_ char *text = NULL;
        int r;

        (void) i;
        for (size_t w = 1; w < line->n && n < sizeof(command); w++) {
                _cleanup_free_ char *word = NULL;
                Bdf bdf;

                if (w == 1 && streq(line->words[0], "fault"))
                        word = name_in_path(run, line->words[w]);
                else if (name_resolve(run, line->words[w], &bdf) >= 0)
                        word = strdup(BDF_STR(bdf));
                else
                        word = strdup(line->words[w]);
                n += snprintf(command + n, sizeof(command) - n, " %s", word);
        }
        r = stage_control(run->stage, command, &text);
        return r < 0 ? fail(run, "%s: %s", command, strerror(-r)) : 0;
}

/* A program wants to open it through vfio, and cannot. */
static int do_no_hold(Run *run, const Line *line, size_t i) {
        _cleanup_free_ char *text = NULL;
        char command[64];
        Bdf bdf;
        int r;

        (void) i;
        if (name_resolve(run, line->words[1], &bdf) < 0)
                return fail(run, "%s: no such VF", line->words[1]);
        snprintf(command, sizeof(command), "hold %s", BDF_STR(bdf));
        r = stage_control(run->stage, command, &text);
        return r == -EBUSY ? 0
                           : fail(run, "%s can be opened: %s", line->words[1],
                                  r < 0 ? strerror(-r) : "success");
}

static int do_expect(Run *run, const Line *line, size_t i) {
        (void) i;
        return reports_expect(run, line);
}

static int do_allow(Run *run, const Line *line, size_t i) {
        (void) i;
        return reports_allow(run, line);
}

static int do_kill(Run *run, const Line *line, size_t i) {
        int r = stage_kill_daemon(run->stage);

        (void) line;
        (void) i;
        return r < 0 ? fail(run, "cannot kill the daemon: %s", strerror(-r)) : 0;
}

static int do_sleep(Run *run, const Line *line, size_t i) {
        (void) run;
        (void) i;
        sleep_ms(strtoul(line->words[1], NULL, 10));
        return 0;
}

static const struct {
        const char *name;
        size_t words; /* at least, its own among them */
        Handler handler;
} directives[] = {
        { "title", 2, do_nothing },    { "variant", 2, do_nothing },
        { "topology", 2, do_nothing }, { "deadline", 2, do_nothing },
        { "need", 2, do_need },        { "only", 2, do_only },
        { "run", 2, do_run },          { "bg", 2, do_bg },
        { "join", 1, do_join },        { "exit", 2, do_nothing },
        { "out", 2, do_out },          { "err", 2, do_err },
        { "silent", 2, do_silent },    { "await", 4, do_await },
        { "raw", 3, do_raw },          { "raw&", 3, do_raw_background },
        { "errno", 2, do_nothing },    { "stuck", 1, do_stuck },
        { "settle", 1, do_settle },    { "see", 3, do_see },
        { "writes", 2, do_writes },    { "fault", 3, do_control },
        { "release", 1, do_control },  { "clear", 1, do_control },
        { "hold", 2, do_control },     { "no-hold", 2, do_no_hold },
        { "drop", 2, do_control },     { "use", 3, do_control },
        { "unuse", 2, do_control },    { "button", 2, do_control },
        { "unplug", 3, do_control },   { "stop", 1, do_stop },
        { "inherit", 3, do_control },  { "link", 3, do_control },
        { "plug", 3, do_control },     { "expect", 2, do_expect },
        { "allow", 2, do_allow },      { "kill", 1, do_kill },
        { "sleep", 2, do_sleep },
};

bool directive_exists(const char *name) {
        for (size_t d = 0; d < ELEMENTSOF(directives); d++)
                if (streq(directives[d].name, name))
                        return true;
        return false;
}

int directive_run(Run *run, size_t i) {
        const Line *line = &run->script->lines[i];

        for (size_t d = 0; d < ELEMENTSOF(directives); d++) {
                if (!streq(directives[d].name, line->words[0]))
                        continue;
                if (line->n < directives[d].words)
                        return fail(run, "%s wants more words", line->words[0]);
                return directives[d].handler(run, line, i);
        }
        return fail(run, "no such directive");
}

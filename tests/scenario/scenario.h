/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenario: what the parts of the runner share. README.md has the language.
 */
#pragma once

#include <regex.h>
#include <sys/types.h>

#include "core/snapshot.h"
#include "kernel/kernel.h"

#define WORDS_MAX 24
#define WHY_MAX 512
#define CHILDREN_MAX 32

typedef struct Line {
        unsigned number;
        char *words[WORDS_MAX];
        size_t n;
} Line;

typedef struct Script {
        char *name; /* of the file, without .scn */
        char *title;
        Line *lines;
        size_t n_lines;
} Script;

/* A background sriovctl or raw write. */
typedef struct Child {
        pid_t pid;
        bool raw;
        char what[128];
} Child;

typedef struct Stage Stage;

typedef struct Run {
        const Script *script;
        Stage *stage;
        Kernel *kernel;
        Snapshot *at_start; /* what names mean */
        Child children[CHILDREN_MAX];
        size_t n_children;
        int exit; /* of the last sriovctl */
        char *out, *err;
        char job[16]; /* the number that the last --no-block printed */
        int error; /* errno of the last raw write, 0 = success */
        char why[WHY_MAX];
} Run;

/* script.c. 0, or -errno after a message. */
int script_read(const char *path, Script **ret);
Script *script_free(Script *s);
static inline void script_freep(Script **s) {
        script_free(*s);
}
/* The directive behind the line at i, if it is `name`. */
const Line *script_next_is(const Script *s, size_t i, const char *name);

/* names.c: "igb0", "igb0/vf1", "igb0.port", "igb0.slot" */
int name_resolve(const Run *run, const char *name,
                 Bdf *ret); /* a function that is there, or was. 0, -ENOENT */
char *name_in_word(const Run *run, const char *word); /* for sriovctl; owned by the caller */
char *name_in_path(const Run *run, const char *word); /* below /sys; owned by the caller */
bool name_is_there(const Run *run, const char *need);

/* process.c */
uint64_t now_ms(void);
void sleep_ms(unsigned ms);
/* Runs sriovctl to its end, or kills it at the deadline: -ETIMEDOUT. Fills run->exit, out, err. */
int process_sriovctl(Run *run, char **argv);
int process_start_sriovctl(Run *run, char **argv);
/* A write by somebody else. The child's exit status is its errno. */
int process_start_raw(Run *run, const char *path, const char *value);
/* 1: ended, with *ret_status its exit status (-1: by a signal); 0: not within ms. */
int process_wait(pid_t pid, unsigned ms, int *ret_status);
bool process_is_over(pid_t pid); /* ended, and process_wait() has yet to tell how */
void process_end(
        pid_t pid); /* SIGKILL, and waited for a moment: what is stuck in the kernel stays */
/* A read that may block, by a child. The text's length, -errno, -ETIMEDOUT. */
int process_read(Run *run, const char *path, char *buf, size_t size);

/* see.c: 1 as it should be, 0 not (why in run->why), -EINVAL */
int see(Run *run, const Line *line);

/* reports.c: 0, 1 */
int reports_expect(Run *run, const Line *line); /* it has shown all of these; all are forgotten */
int reports_allow(Run *run, const Line *line); /* nothing but these; all are forgotten */

/* directives.c: 0; 1 = the scenario has failed, why in run->why; 2 = skip it. */
int directive_run(Run *run, size_t i);
bool directive_exists(const char *name);
int fail(Run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* stage-sim.c or stage-sysfs.c: the host on which it is played */
extern const bool stage_is_sim;
extern const char *const stage_variants[]; /* NULL at the end */
extern const unsigned stage_stuck_ms;
/* NULL after a message. */
Stage *stage_open(const char *variant, const char *topology);
Stage *stage_close(Stage *s);
Kernel *stage_kernel(Stage *s);
const char *stage_sriovctl(void);
void stage_environment(Stage *s); /* in a child that is about to become sriovctl */
Kernel *stage_kernel_again(Stage *s); /* a connection of its own, for a child */
int stage_control(Stage *s, const char *command,
                  char **ret); /* -EOPNOTSUPP where it has no such thing */
int stage_kill_daemon(Stage *s); /* SIGKILL, and another one is started */
bool stage_complains(Stage *s, char *why, size_t size); /* the kernel did */
void stage_put_back(Run *run);

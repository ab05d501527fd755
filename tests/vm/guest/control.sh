# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the controls share: they type commands as an admin would, watch what becomes of them, and end
# with one line that says what was seen. Sourced by the controls in the guest (busybox or dash).
#
# shellcheck shell=sh

pci=/sys/bus/pci/devices

say() { printf '%s\n' "$*"; }

# typed COMMAND: shows the command as typed, starts it, and leaves its process in $typed.
# The shell that "sh -c" starts is itself the writer, so this is the process that hangs.
typed() {
        printf '  $ %s &\n' "$1"
        sh -c "$1" &
        typed=$!
}

# typed_now COMMAND: the same, in the foreground.
typed_now() {
        printf '  $ %s\n' "$1"
        sh -c "$1"
}

# task_state PID: D, S, R ... or "gone". A killed command that we have not waited for is Z: gone too.
task_state() {
        task_line=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || task_line=
        case ${task_line%% *} in
        '' | Z | X) echo gone ;;
        *) echo "${task_line%% *}" ;;
        esac
}

# task_where PID: the kernel functions that it sleeps in, the innermost first, without the mutex code.
task_where() {
        sed 's/.*] //; s/[+.].*//' "/proc/$1/stack" 2>/dev/null |
                grep -v -e mutex -e schedule -e rwsem | head -n 3 | tr '\n' ' '
}

# all_stuck SECONDS PID...: waits, then says whether all of them are still in uninterruptible sleep.
all_stuck() {
        sleep "$1"
        shift
        for task in "$@"; do
                [ "$(task_state "$task")" = D ] || return 1
        done
}

# survives_kill PID...: whether kill -9 leaves them as they are.
survives_kill() {
        printf '  $ kill -9%s\n' "$(printf ' %s' "$@")"
        kill -9 "$@" 2>/dev/null
        all_stuck 2 "$@"
}

# kernel_complaints: the first lines of each warning or Oops in the kernel log.
kernel_complaints() {
        dmesg | grep -E 'WARNING: |BUG: |Oops|general protection|cannot create duplicate' |
                sed 's/^\[ *[0-9.]*\] *//' | head -n 5
}

seen() { printf 'seen: %s\n' "$*"; exit 0; }
not_seen() { printf 'not seen: %s\n' "$*"; exit 1; }

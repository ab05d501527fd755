# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the parts about the gate share: other programs that write, and what has become of them. Sourced by unit.
#
# shellcheck shell=sh disable=SC2034,SC2154,SC2086  # variables of unit.sh, addresses

probe=/usr/libexec/sriovd-tests/gate-probe

# gate_mode MODE [LINE...]: as an admin would, with sriovd.conf.
gate_mode() {
        { printf 'gate = "%s";\n' "$1"; shift; [ $# -eq 0 ] || printf '%s\n' "$@"; } > /etc/sriovd/sriovd.conf
        sriovctl reload > /tmp/exits.out 2>&1 || not_ok "gate: reload: $(head -n 3 /tmp/exits.out)"
}

# gate_default: no sriovd.conf, which is serialize.
gate_default() {
        rm -f /etc/sriovd/sriovd.conf
        sriovctl reload > /tmp/exits.out 2>&1 || not_ok "gate: reload: $(head -n 3 /tmp/exits.out)"
}

# foreign PROGRAM...: starts it and leaves its process in $writer.
foreign() {
        "$@" > /tmp/foreign.out 2>&1 &
        writer=$!
}

# echoes VALUE FILE: a shell that writes, as others do. Its process is in $writer.
echoes() { foreign sh -c "echo $1 > $2"; }

# echo_now VALUE FILE: exit status of the write, its words in /tmp/foreign.out; 124 = it hung.
echo_now() { timeout "$limit" sh -c "echo $1 > $2" > /tmp/foreign.out 2>&1; }

# refused_with WORDS VALUE FILE
refused_with() {
        ! echo_now "$2" "$3" && grep -q "$1" /tmp/foreign.out && return 0
        say "   echo $2 > $3: $(head -n 2 /tmp/foreign.out)"
        return 1
}

are_gone() { # PID...
        for task; do
                [ "$(task_state "$task")" = gone ] || return 1
        done
}

# tell_tasks PID...: where they are, for a verdict that is not good.
tell_tasks() {
        for task; do
                state=$(task_state "$task")
                [ "$state" = gone ] || say "   $task $state $(task_where "$task")"
        done
}

# return_all SECONDS PID...: they come back, whatever their exit status.
return_all() {
        return_sec=$1
        shift
        within "$return_sec" are_gone "$@" && return 0
        tell_tasks "$@"
        return 1
}

# Sleeps in open() until the gate answers.
is_held() { grep -q fanotify "/proc/$1/stack" 2>/dev/null; }
held() {
        n_held=0
        for task; do
                ! is_held "$task" || n_held=$((n_held + 1))
        done
        echo $n_held
}
are_held() { is "$(held "$@")" $#; }

# foreign_jobs AFTER: "ID RESULT" of each foreign job whose number is higher. Hundreds of jobs take long to tell in emulation.
foreign_jobs() {
        timeout "$limit" sriovctl jobs --all --no-legend -o JOB,OPERATION,RESULT 2>/dev/null |
                awk -v after="$1" '$2 == "foreign" && $1 > after { print $1, $3 }'
}
n_foreign() { foreign_jobs "$1" | wc -l; }
last_job() {
        timeout "$limit" sriovctl jobs --all --no-legend -o JOB 2>/dev/null |
                awk '$1 > n { n = $1 } END { print n + 0 }'
}
# names ID WORD: the job's record, as it is told.
names() { timeout $soon sriovctl job "$1" 2>/dev/null | grep -qw -- "$2"; }

# The group of the daemon, of which there is one; its marks, and the daemon's descriptors.
group_of() { find "/proc/$1/fd" -lname 'anon_inode:\[fanotify\]' 2>/dev/null | sed 's/.*\///'; }
n_marks() {
        marks_main=$(main_pid)
        grep -c '^fanotify ino' "/proc/$marks_main/fdinfo/$(group_of "$marks_main")" 2>/dev/null
}
n_fds() { find "/proc/$(main_pid)/fd" -type l | wc -l; }
has_marks() { is "$(n_marks)" "$1"; }
has_mark() { # FILE
        has_mark_main=$(main_pid)
        grep -q "^fanotify ino:$(printf %x "$(stat -c %i "$1")") " \
                "/proc/$has_mark_main/fdinfo/$(group_of "$has_mark_main")" 2>/dev/null
}

# card_back ADDRESS DRIVER: after a rescan by whomever, with its doors held.
card_back() {
        within 60 has_driver "$1" "$2" && within 20 has_mark "$pci/$1/remove" &&
                timeout $limit udevadm settle --timeout=$((limit - 10))
}

# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests of the running service share: its processes, its jobs, a vfio user, and the verdicts. Sourced by unit
# after control.sh.
#
# shellcheck shell=sh disable=SC2034,SC2154

igb0=0000:01:00.0 igb1=0000:02:00.0 nvme0=0000:03:00.0
vf0=0000:01:10.0 port0=0000:00:02.0
parked=sriovd-hold
n_passed=0 n_failed=0 n_skipped=0
# A crowded host may keep a guest from its CPU: what is well takes no longer for these, and what fails takes longer to say so.
patience=4              # times the seconds that within is told
limit=480               # seconds that a job may take in emulation
soon=80                 # that an answer may take
failed_here=

ok() { say "ok $*"; n_passed=$((n_passed + 1)); }
not_ok() { say "not ok $*"; n_failed=$((n_failed + 1)); failed_here=yes; }

# check NAME COMMAND...: its exit status is the verdict.
check() {
        check_name=$1
        shift
        if "$@"; then ok "$check_name"; else not_ok "$check_name: $* is not so"; fi
}

# told NAME WHY: a verdict that was reached elsewhere; no WHY is a good one.
told() { if [ -z "$2" ]; then ok "$1"; else not_ok "$1: $2"; fi; }

ms() { date +%s%3N; }

# within SECONDS COMMAND...: polls until it is true, on a quiet host in that time. COMMAND must not use it again.
within() {
        within_end=$(($(ms) + $1 * 1000 * patience))
        shift
        until "$@"; do
                [ "$(ms)" -lt "$within_end" ] || return 1
                sleep 0.2
        done
}

is() { [ "$1" = "$2" ]; }
is_not() { [ "$1" != "$2" ]; }

# The service.
# PID 1 is asked over a bus, and where it is kept from its CPU the answer may come too late for systemctl.
service_property() {
        for turn in 1 2 3 4; do
                ! systemctl show -p "$1" --value sriovd.service || return 0
        done
}
manager_is() {
        is "$(busctl get-property org.sriovd1 /org/sriovd1 org.sriovd1.Manager State 2>/dev/null)" "s \"$1\""
}
main_pid() { service_property MainPID; }
is_active() { systemctl is-active --quiet sriovd.service; }
has_another_main() { is_active && is_not "$(main_pid)" "$1" && is_not "$(main_pid)" 0; }
answers() { timeout $soon sriovctl list > /dev/null 2>&1; }
kill_main() { kill -9 "$(main_pid)"; }
# journal_has SINCE REGEX: SINCE is seconds since 1970, or 0. Not by unit: journald finds that out when it reads a line,
# and it may read one late whose sender is dead by then.
journal_has() {
        timeout $soon journalctl --sync
        timeout $soon journalctl --no-pager -o cat -t sriovd -t systemd --since "@$1" | grep -Eqi "$2"
}

# Short times where a VF is to get stuck, for there is much to do: a vfio-pci step is overdue after so many s, in place of 90.
vfio_sec=15
vfio_deadline() { printf 'deadlines = ( { driver = "vfio-pci"; base = %s; } );\n' "$1" > /etc/sriovd/drivers.conf; }

# drop_in NAME LINE...: settings of the unit for a while, in [Service].
drop_in() {
        mkdir -p /run/systemd/system/sriovd.service.d
        drop_in_name=$1
        shift
        printf '%s\n' '[Service]' "$@" > "/run/systemd/system/sriovd.service.d/$drop_in_name.conf"
        systemctl daemon-reload
}
drop_out() {
        rm -f "/run/systemd/system/sriovd.service.d/$1.conf"
        systemctl daemon-reload
}

# The workers of the service, also those that an earlier daemon left.
workers() {
        for worker in $(cat /sys/fs/cgroup/system.slice/sriovd.service/cgroup.procs 2>/dev/null); do
                case $(tr '\0' ' ' < "/proc/$worker/cmdline" 2>/dev/null) in
                *" --worker "*) echo "$worker" ;;
                esac
        done
}

# workers_in FUNCTION: those that sleep in it.
workers_in() {
        for worker in $(workers); do
                [ "$(cat "/proc/$worker/wchan" 2>/dev/null)" != "$1" ] || echo "$worker"
        done
}
stuck_worker() { workers_in vfio_unregister_group_dev | head -n 1; }
has_stuck_worker() { [ -n "$(stuck_worker)" ]; }

# signals PID: those that were sent to it and wait; nothing else in its status tells of a signal.
signals() { sed -n 's/^\(Sig\|Shd\)Pnd:\t//p' "/proc/$1/status" | tr -d '\n'; }
# A first signal would have made of the S a D (KERNEL.md, rule 3).
is_untouched() { is "$(task_state "$1")" S && is "$(signals "$1")" 00000000000000000000000000000000; }

# Jobs. job_field ID KEY: as in the JSON of "sriovctl job"; null is nothing.
job_field() {
        timeout $soon sriovctl job "$1" --json=pretty 2>/dev/null |
                sed -n "s/^ *\"$2\": *\"\{0,1\}\([^\",]*\).*/\1/p" | head -n 1 | sed 's/^null$//'
}
is_state() { is "$(job_field "$1" state)" "$2"; }
# submit WORDS...: the id of the job, which is not waited for.
submit() { timeout $soon sriovctl "$@" --no-block | tr -dc '0-9\n' | head -n 1; }
# ended ID: waits, and leaves the job's result in $result; none is a failure.
ended() {
        ended_at=$(ms)
        timeout "$limit" sriovctl wait "$1" > /tmp/ended.out 2>&1
        ended_exit=$?
        # 9 = it was stuck when we asked; the end comes later.
        result=$(job_field "$1" result)
        case $result in
        done | partial | failed | canceled | timeout | refused | superseded | skipped | gone | interrupted) return 0 ;;
        esac
        say "   job $1: result '$result', state '$(job_field "$1" state)', wait said $ended_exit: $(head -n 3 /tmp/ended.out)"
        return 1
}
exits() { # STATUS WORDS...
        exits_status=$1
        shift
        timeout "$limit" sriovctl "$@" > /tmp/exits.out 2>&1
        exits_got=$?
        [ "$exits_got" -eq "$exits_status" ] && return 0
        # On a crowded host a step may be overdue that only takes its time: it is the end that counts.
        exits_job=$(sed -n 's/.*job \([0-9]*\) is stuck in the kernel and ends when.*/\1/p' /tmp/exits.out | head -n 1)
        if [ "$exits_status-$exits_got" = 0-9 ] && [ -n "$exits_job" ] && ended "$exits_job"; then
                [ "$result" != 'done' ] || return 0
        fi
        say "   sriovctl $*: exit status $exits_got, $(head -n 3 /tmp/exits.out)"
        return 1
}

# A program that has the VF open, as a service of its own. hold ADDRESS [OPTION]
hold() {
        systemd-run --quiet --collect --unit=vfio-user /usr/libexec/sriovd-tests/vfio-user ${2:+"$2"} "$1"
        within 20 has_device "$(systemctl show -p MainPID --value vfio-user.service)"
}
has_device() { find "/proc/$1/fd" -lname '*vfio-device*' 2>/dev/null | grep -q .; }
drop() { systemctl stop vfio-user.service; }

# What is there. driver_of, override_of ADDRESS; vfs_of PF
driver_of() { basename "$(readlink "$pci/$1/driver" 2>/dev/null)" 2>/dev/null; }
override_of() { sed 's/^(null)$//' "$pci/$1/driver_override" 2>/dev/null; }
vfs_of() { find "$pci/$1/" -maxdepth 1 -name 'virtfn*' 2>/dev/null | wc -l; }
has_driver() { is "$(driver_of "$1")" "$2"; }
is_there() { [ -d "$pci/$1" ]; }
is_gone() { [ ! -d "$pci/$1" ]; }

# parked_left: functions of the first card whose driver_override still is ours.
parked_left() {
        for parked_fn in "$pci"/0000:01:*; do
                [ ! -d "$parked_fn" ] || [ "$(override_of "${parked_fn##*/}")" != "$parked" ] ||
                        echo "${parked_fn##*/}"
        done
}

# tell_all: what a failed test is judged by.
tell_all() {
        say "--- sriovd.service"
        systemctl --no-pager --full status sriovd.service
        say "--- journal"
        journalctl --no-pager -o short-monotonic -n 150 -u sriovd.service
        say "--- jobs"
        timeout $soon sriovctl jobs --all
        say "--- workers"
        for worker in $(workers); do
                say "$worker $(task_state "$worker") $(task_where "$worker")"
        done
        say "--- kernel"
        dmesg | tail -n 60
}

# part NAME FUNCTION: runs one, and shows what there is to see if anything in it failed.
part() {
        failed_here=
        part_began=$(ms)
        "$2"
        [ -z "$failed_here" ] || tell_all
        say "   $1: $((($(ms) - part_began) / 1000)) s"
}

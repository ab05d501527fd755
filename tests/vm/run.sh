#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sriovd on real kernels: for each kernel one Debian guest in which systemd starts sriovd. With --suite
# scenarios the same scenario files run that the simulator runs; with --suite unit the service, the
# host and its cards are ended under it, and a second guest has other programs at its gate (guest/unit);
# with --suite boot the guest has policies (vm/boot) from its first moment on (guest/boot), and then others that give
# VFs more, which sriovd keeps (guest/boot-given); --suite given shows what VFs can be given there, without a daemon (guest/given).
# DESTDIR is a tree made by "meson install --destdir" of a build with -Dprefix=/usr -Dinstall-tests=true.
# SRIOVD_LONG=1: the full rounds of unit.
#
# usage: run.sh [--suite scenarios|unit|boot|given] [--kernels "6.1 6.12"] [--jobs 2] [--timeout SECONDS] DESTDIR [NAME...]
#        NAME is one of tests/scenario without .scn, or a part of guest/unit or boot; default all

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

suite=scenarios kernels='6.1 6.12' at_once=2 timeout='' alone=''
usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
while [ $# -gt 0 ]; do
        case $1 in
        --suite) suite=$2; shift 2 ;;
        --kernels) kernels=$2; shift 2 ;;
        --jobs) at_once=$2; shift 2 ;;
        --timeout) timeout=$2; shift 2 ;;
        -*) usage ;;
        *) break ;;
        esac
done
if [ $# -eq 0 ] || [ ! -d "$1" ]; then
        usage
fi
tree=$1
shift
# The parts that a second guest runs, where a fault of the gate's cannot be taken for another's.
gate_parts='gate-convoy gate-orphans gate-remove gate-writers gate-namespace gate-helper gate-kill gate-rounds gate-protect
gate-exclusive gate-wedge gate-cost gate-crowd'
sets=('')               # guests of each kernel: '', or what its parts_of are called
more=()                 # of guest.sh's options
declare -A parts_of=()  # "KERNEL SET": of a guest that does not run all
case $suite in
scenarios)
        timeout=${timeout:-3600} closing=vm command=(/lab/scenarios)
        for name; do
                command+=("/usr/share/sriovd-tests/scenarios/$name.scn")
        done
        ;;
unit)
        timeout=${timeout:-$((${SRIOVD_LONG:-0} ? 28800 : 5400))} closing=vm-unit
        command=(/lab/unit ${SRIOVD_LONG:+--long} "$@")
        # The rounds are long, and what they show is of sriovd's more than of a kernel's: one kernel does for a check.
        [ $# -gt 0 ] || [ -n "${SRIOVD_LONG:-}" ] || parts_of['6.1 ']='stuck killed-worker journald reboot'
        if [ $# -eq 0 ]; then
                sets+=(gate)
                for kernel in $kernels; do
                        parts_of["$kernel gate"]=$gate_parts
                done
                # One remove hangs there by itself.
                alone=6.12.73
                parts_of["$alone gate"]='gate-convoy gate-orphans gate-remove'
        fi
        ;;
boot)
        timeout=${timeout:-900} closing=vm-boot
        command=(/lab/boot "$@")
        # The fourth slot is empty, for a card that comes later.
        more=(--tree "$vm_dir/boot" --enable lab-network.service --enable lab-user.service --devices "igb igb nvme none")
        ;;
given)
        timeout=${timeout:-600} closing=vm-given command=(/lab/given)
        ;;
*) usage ;;
esac

background_cleanup
mkdir -p "$log_dir"

# log_name KERNEL SET
log_name() { echo "$suite-$1${2:+-$2}"; }

# run_guest KERNEL SET: streams one guest's lines, each with its kernel's name, and keeps them in a log. The suite's own
# closing line proves that it came to its end; without one this fails.
run_guest() {
        local name status=0        # pipefail: that of the guest
        local -a parts
        name=$(log_name "$1" "$2")
        read -rd '' -a parts <<< "${parts_of["$1 $2"]:-}" || true
        "$vm_dir/guest.sh" --kernel "$1" --tree "$tree" "${more[@]}" --enable sriovd.service --timeout "$timeout" \
                --console "$log_dir/$name.console" -- "${command[@]}" "${parts[@]}" 2>&1 |
                sed -u -E "s/^(ok|not ok|skip) /\1 $1 /" | tee "$log_dir/$name.log" |
                sed -u "/^$suite: /d" || status=$?
        grep -q "^$suite: " "$log_dir/$name.log" || return 1
        if grep -q '^rebooting' "$log_dir/$name.log"; then
                judge_reboot "$1" "$status" "$name" | tee -a "$log_dir/$name.log"
        elif [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$log_dir/$name.log"; then
                echo "not ok $1 guest: exit status $status" | tee -a "$log_dir/$name.log"
        fi
}

# judge_reboot KERNEL STATUS NAME: the guest's last act was a reboot, which ends QEMU: no answer, and the kernel's last line.
judge_reboot() {
        if [ "$2" -eq 125 ] && grep -q 'reboot: Restarting system' "$log_dir/$3.console"; then
                echo "ok $1 reboot: the host comes to its end with a child stuck in the kernel"
        else
                echo "not ok $1 reboot: the host did not come to its end, exit status $2"
                tail -n 40 "$log_dir/$3.console"
        fi
}

# run_kernel KERNEL SET: emulation may lose a guest. One that came to no end is tried a second time, and says so; what
# hangs because of us hangs twice.
run_kernel() {
        local name
        name=$(log_name "$1" "$2")
        run_guest "$1" "$2" && return
        echo "lab: the guest with $1 came to no end; its last words follow, and it is tried once more"
        tail -n 20 "$log_dir/$name.console" || true
        run_guest "$1" "$2" && return
        echo "not ok $1 guest: came to no end, twice" | tee -a "$log_dir/$name.log"
        tail -n 40 "$log_dir/$name.console" || true
}

# start KERNEL SET: in the background.
start() {
        local status=0
        "$vm_dir/kernel.sh" "$1" > /dev/null || status=$?
        logs+=("$log_dir/$(log_name "$1" "$2").log")
        rm -f "${logs[-1]}"
        if [ "$status" -eq 3 ]; then
                echo "skip $1: SKIPPED, Debian's archive has no such kernel any more" | tee "${logs[-1]}"
                return
        fi
        background_limit "$at_once"
        background run_kernel "$1" "$2"
}

"$vm_dir/qemu.sh" > /dev/null
"$vm_dir/image.sh" busybox > /dev/null
"$vm_dir/image.sh" debian > /dev/null
count_reset
logs=()
for kernel in $kernels; do
        for set in "${sets[@]}"; do
                start "$kernel" "$set"
        done
done
[ -z "$alone" ] || start "$alone" gate
wait

for log in "${logs[@]}"; do
        [ -e "$log" ] || echo "not ok ${log##*/}: no guest was started" > "$log"
        count_lines "$log"
done
count_print "$closing"

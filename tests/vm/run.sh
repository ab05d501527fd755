#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The scenarios on real kernels: for each kernel one Debian guest in which systemd starts sriovd and
# the same scenario files run that the simulator runs. DESTDIR is a tree made by
# "meson install --destdir" of a build with -Dprefix=/usr -Dinstall-tests=true.
#
# usage: run.sh [--kernels "6.1 6.12"] [--jobs 2] [--timeout SECONDS] DESTDIR [SCENARIO...]
#        SCENARIO is a name in tests/scenario without .scn; default all

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kernels='6.1 6.12' at_once=2 timeout=540
usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
while [ $# -gt 0 ]; do
        case $1 in
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
scenarios=()
for name; do
        scenarios+=("/usr/share/sriovd-tests/scenarios/$name.scn")
done

background_cleanup
mkdir -p "$log_dir"

# run_guest KERNEL: streams one guest's lines, each with its kernel's name, and keeps them in a log. The scenario
# runner's own closing line proves that it came to its end; without one this fails.
run_guest() {
        local name=scenarios-$1 status=0        # pipefail: that of the guest
        "$vm_dir/guest.sh" --kernel "$1" --tree "$tree" --enable sriovd.service --timeout "$timeout" \
                --console "$log_dir/$name.console" -- /lab/scenarios "${scenarios[@]}" 2>&1 |
                sed -u -E "s/^(ok|not ok|skip) /\1 $1 /" | tee "$log_dir/$name.log" |
                sed -u '/^scenarios: /d' || status=$?
        grep -q '^scenarios: ' "$log_dir/$name.log" || return 1
        if [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$log_dir/$name.log"; then
                echo "not ok $1 guest: exit status $status" | tee -a "$log_dir/$name.log"
        fi
}

# run_kernel KERNEL: emulation may lose a guest. One that came to no end is tried a second time, and says so; what
# hangs because of us hangs twice.
run_kernel() {
        run_guest "$1" && return
        echo "lab: the guest with $1 came to no end; its last words follow, and it is tried once more"
        tail -n 20 "$log_dir/scenarios-$1.console" || true
        run_guest "$1" && return
        echo "not ok $1 guest: came to no end, twice" | tee -a "$log_dir/scenarios-$1.log"
        tail -n 40 "$log_dir/scenarios-$1.console" || true
}

"$vm_dir/qemu.sh" > /dev/null
"$vm_dir/image.sh" busybox > /dev/null
"$vm_dir/image.sh" debian > /dev/null
count_reset
logs=()
for kernel in $kernels; do
        status=0
        "$vm_dir/kernel.sh" "$kernel" > /dev/null || status=$?
        logs+=("$log_dir/scenarios-$kernel.log")
        rm -f "${logs[-1]}"
        if [ "$status" -eq 3 ]; then
                echo "skip $kernel: SKIPPED, Debian's archive has no such kernel any more" | tee "${logs[-1]}"
                continue
        fi
        background_limit "$at_once"
        background run_kernel "$kernel"
done
wait

for log in "${logs[@]}"; do
        [ -e "$log" ] || echo "not ok ${log##*/}: no guest was started" > "$log"
        count_lines "$log"
done
count_print vm

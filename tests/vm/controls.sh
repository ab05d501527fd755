#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The controls: each kernel must show its defect *without* sriovd, else the scenarios of run.sh would
# prove nothing. A control that shows no defect fails; a kernel that left the archive is skipped.
#
# usage: controls.sh [--kernels "6.1 6.12"] [--devices "igb igb nvme"] [--jobs 3] [--verbose]

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

kernels='6.1 6.12' devices='igb igb nvme' at_once=3 verbose=
while [ $# -gt 0 ]; do
        case $1 in
        --kernels) kernels=$2; shift 2 ;;
        --devices) devices=$2; shift 2 ;;
        --jobs) at_once=$2; shift 2 ;;
        --verbose) verbose=yes; shift ;;
        *) sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
        esac
done

background_cleanup
mkdir -p "$log_dir"
results=()

# control KERNEL SCRIPT: starts one guest; its verdict is a line in a file.
control() {
        local name=control-$2-$1 status=0
        results+=("$log_dir/$name.result")
        rm -f "$log_dir/$name.result"
        "$vm_dir/kernel.sh" "$1" > /dev/null || status=$?
        if [ "$status" -eq 3 ]; then
                echo "skip $name: SKIPPED, Debian's archive has no kernel $1 any more" \
                        > "$log_dir/$name.result"
                return
        fi
        background_limit "$at_once"
        background judge "$name" "$1" "$2"
}

# judge NAME KERNEL SCRIPT: 0 is "seen"; all else, a dead guest too, is no proof.
judge() {
        local seen status
        # A guest that emulation lost is tried once more; one that answered is believed.
        for _ in 1 2; do
                status=0
                "$vm_dir/guest.sh" --kernel "$2" --root busybox --devices "$devices" --timeout 150 \
                        --console "$log_dir/$1.console" -- "/lab/$3" > "$log_dir/$1.log" 2>&1 || status=$?
                seen=$(grep -E '^(not )?seen: ' "$log_dir/$1.log" | tail -n 1 || true)
                [ -z "$seen" ] || break
        done
        if [ "$status" -eq 0 ] && [ "${seen#seen: }" != "$seen" ]; then
                echo "ok $1: ${seen#seen: }"
        else
                echo "not ok $1: ${seen:-the guest gave no verdict, exit status $status}"
        fi > "$log_dir/$1.new"
        mv "$log_dir/$1.new" "$log_dir/$1.result"
}

# What every guest needs is made before the first, so that they do not queue for it.
"$vm_dir/qemu.sh" > /dev/null
"$vm_dir/image.sh" busybox > /dev/null
for kernel in $kernels; do
        control "$kernel" convoy
        control "$kernel" orphans
done
if [[ $devices == igb* ]]; then
        control 6.12.73 remove-alone
fi
wait

count_reset
for result in "${results[@]}"; do
        [ -z "$verbose" ] || cat "${result%.result}.log" 2>/dev/null || true
        cat "$result"
        if grep -q '^not ok' "$result"; then
                tail -n 40 "${result%.result}.log" "${result%.result}.console" || true
        fi
        count_lines "$result"
done
count_print controls

# SPDX-License-Identifier: GPL-2.0-or-later
#
# What every script of the VM lab shares: where things are, how it speaks, how it cleans up.
# It is sourced, does nothing by itself, and must never write outside the cache.
#
# shellcheck shell=bash

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top_dir=$(cd "$vm_dir/../.." && pwd)
cache=${SRIOVD_CACHE:-$top_dir/.cache}/vm
export LC_ALL=C.UTF-8

note() { printf 'lab: %s\n' "$*" >&2; }
die() { note "$*"; exit 1; }

# lock NAME FD: two scripts that want the same part of the cache build it one after the other.
lock() {
        mkdir -p "$cache"
        eval "exec $2>\"\$cache/.$1.lock\""
        flock "$2"
}

# cpio_pack DIR: an archive that the kernel unpacks as its first root; several may follow each other.
cpio_pack() { (cd "$1" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0); }

# stamp FILE...: a short name for the content of the files that a cached part was made from.
stamp() { cat "$@" | sha256sum | cut -c1-16; }

# log_dir: where the guests' output and kernel logs stay for reading.
log_dir=$cache/log

# background COMMAND...: starts a job in a process group of its own, so that all of it can be ended.
background() {
        set -m
        "$@" &
        set +m
}

# background_limit N: returns once fewer than N background jobs are running.
background_limit() {
        while [ "$(jobs -rp | wc -l)" -ge "$1" ]; do
                wait -n || true
        done
}

# background_cleanup: from here on this script leaves no job behind, however it ends.
background_cleanup() {
        trap background_stop EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
}

background_stop() {
        local job
        for job in $(jobs -rp); do
                kill -TERM -- "-$job" 2>/dev/null || true
        done
        wait
}

count_reset() { n_passed=0 n_failed=0 n_skipped=0; }

# count_lines FILE: adds the ok, not ok and skip lines of a test's output to the counters.
count_lines() {
        n_passed=$((n_passed + $(grep -c '^ok ' "$1" || true)))
        n_failed=$((n_failed + $(grep -c '^not ok ' "$1" || true)))
        n_skipped=$((n_skipped + $(grep -c '^skip ' "$1" || true)))
}

# count_print NAME: the closing line that test runners read; 1 if anything failed.
count_print() {
        printf '%s: %d passed, %d failed, %d skipped\n' "$1" "$n_passed" "$n_failed" "$n_skipped"
        [ "$n_failed" -eq 0 ]
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Prints the figures of README.md here, side by side and in one run: (a), (b) and (d) in a guest with a real kernel, (c) on the
# simulator of this machine. Nothing here passes or fails.
#
# usage: run.sh [--kernel 6.12] [--rounds 5]

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
kernel=6.12 rounds=5
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2; shift 2 ;;
	--rounds) rounds=$2; shift 2 ;;
	*) sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done
build=$PWD/build-bench
[ -e "$build/build.ninja" ] || meson setup "$build" --buildtype=release --prefix=/usr -Dinstall-tests=true > /dev/null
ninja -C "$build" > /dev/null
rm -rf "$build/tree"
DESTDIR=$build/tree meson install -C "$build" --no-rebuild > /dev/null

SRIOVD_SMP=2 tests/vm/guest.sh --kernel "$kernel" --tree "$build/tree" --enable sriovd.service --timeout 900 -- \
	/usr/libexec/sriovd-tests/bench-guest.sh "$rounds"

echo "(c) inventory on the simulator, on this machine"
work=$(mktemp -d)
pids=()
stop() { kill "${pids[@]}" 2>/dev/null || true; wait; }
trap 'stop; rm -rf "$work"' EXIT
export SRIOVD_SIM=$work/sim SRIOVD_RUNTIME_DIRECTORY=$work/run DBUS_SYSTEM_BUS_ADDRESS=unix:path=$work/none
now() { echo "${EPOCHREALTIME/./}"; }
inventory() { # topology, what
	local from times=() i
	"$build/tests/sim/sim-server" "$SRIOVD_SIM" --topology="$1" & pids=($!)
	until [ -S "$SRIOVD_SIM" ]; do sleep 0.05; done
	"$build/tests/sim/sriovd-sim" 2> "$work/log" & pids+=($!)
	until "$build/cli/sriovctl" list > /dev/null 2>&1; do sleep 0.1; done
	for ((i = 0; i < rounds; i++)); do
		from=$(now)
		"$build/cli/sriovctl" list --vfs > "$work/list"
		times+=($((($(now) - from) / 1000)))
	done
	printf '  %-44s %7d ms   (%s)\n' "sriovctl list --vfs of $2" \
		"$(printf '%s\n' "${times[@]}" | sort -n | sed -n "$(((rounds + 1) / 2))p")" "${times[*]}"
	printf '  %-44s %7d KiB\n' "the daemon's private memory with them" \
		"$(awk '/^Private/ { n += $2 } END { print n }' "/proc/${pids[1]}/smaps_rollup")"
	stop
	rm -rf "$SRIOVD_SIM" "$SRIOVD_RUNTIME_DIRECTORY"
}
inventory vfs:1024 "1,024 VFs"
inventory functions:65536 "65,536 functions"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Figures (a), (b) and (d) of the bench, in a guest with sriovd running: the same work by different means, side by side
# in one run. Times are medians of the rounds, in milliseconds.

set -u
rounds=${1:-5}
errors=$(mktemp)      # also keeps progress off the terminal, which costs time of its own
raw_set=$(dirname "$0")/raw-set
pf_of() { # vendor, device
	local d
	for d in /sys/bus/pci/devices/*; do
		[ -e "$d/sriov_totalvfs" ] && [ "$(cat "$d/vendor")" = "$1" ] && [ "$(cat "$d/device")" = "$2" ] && { basename "$d"; return; }
	done
}
igb=$(pf_of 0x8086 0x10c9) nvme=$(pf_of 0x1b36 0x0010)

now() { echo "${EPOCHREALTIME/./}"; }
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# measure NAME UNDO -- COMMAND...: prints the median and leaves it in $ms
measure() {
	local name=$1 undo=$2 times=() from
	shift 3
	for ((i = 0; i < rounds; i++)); do
		from=$(now)
		"$@" > /dev/null 2>"$errors" || { echo "bench: $* failed:"; cat "$errors"; } >&2
		times+=($((($(now) - from) / 1000)))
		$undo
	done
	ms=$(median "${times[@]}")
	printf '  %-44s %7d ms   (%s)\n' "$name" "$ms" "${times[*]}"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }

off_igb() { "$raw_set" "$igb" 0; }
off_nvme() { "$raw_set" "$nvme" 0; }

by_shell() {
	local vf
	echo 0 > "/sys/bus/pci/devices/$nvme/sriov_drivers_autoprobe"
	echo 16 > "/sys/bus/pci/devices/$nvme/sriov_numvfs"
	for vf in "/sys/bus/pci/devices/$nvme"/virtfn*; do
		echo vfio-pci > "$vf/driver_override"
		vf=$(readlink "$vf")
		echo "${vf##*/}" > /sys/bus/pci/drivers/vfio-pci/bind
	done
	echo 1 > "/sys/bus/pci/devices/$nvme/sriov_drivers_autoprobe"
}
by_driverctl() {
	local vf
	echo 16 > "/sys/bus/pci/devices/$nvme/sriov_numvfs"
	for vf in "/sys/bus/pci/devices/$nvme"/virtfn*; do
		vf=$(readlink "$vf")
		driverctl --nosave set-override "${vf##*/}" vfio-pci
	done
}

if [ -n "$igb" ]; then
	echo "(a) 7 igb VFs enabled and bound"
	measure "a bare C loop of the same writes" off_igb -- "$raw_set" "$igb" 7
	bare=$ms
	measure "sriovctl set" off_igb -- sriovctl set "$igb" 7
	printf '  sriovctl / bare loop: %s, %d ms more\n' "$(ratio "$ms" "$bare")" $((ms - bare))
	measure "sriovctl list (the cost of one call)" : -- sriovctl list
fi
if [ -n "$nvme" ]; then
	modprobe vfio-pci
	echo "(b) 16 nvme VFs made and bound to vfio-pci"
	command -v driverctl > /dev/null && { measure "driverctl" off_nvme -- by_driverctl; driverctl_ms=$ms; }
	measure "shell loop" off_nvme -- by_shell
	shell=$ms
	measure "a bare C loop of the same writes" off_nvme -- "$raw_set" "$nvme" 16 vfio-pci
	bare=$ms
	measure "sriovctl set --driver vfio-pci" off_nvme -- sriovctl set "$nvme" 16 --driver vfio-pci
	printf '  driverctl / sriovctl: %s; shell / sriovctl: %s; sriovctl / bare loop: %s\n' \
		"$(ratio "${driverctl_ms:-0}" "$ms")" "$(ratio "$shell" "$ms")" "$(ratio "$ms" "$bare")"
fi
echo "(d) the idle daemon"
pid=$(systemctl show -P MainPID sriovd)
switches() { awk '/^voluntary_ctxt_switches/ { print $2 }' "/proc/$pid/status"; }
before=$(switches)
sleep 60
printf '  %-44s %7d\n' "wake-ups in 60 s" $(($(switches) - before))
printf '  %-44s %7d KiB\n' "private memory" "$(awk '/^Private/ { n += $2 } END { print n }' "/proc/$pid/smaps_rollup")"
printf '  %-44s %7d\n' "children" "$(pgrep -cP "$pid")"

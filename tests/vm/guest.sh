#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boots one guest with three SR-IOV devices, runs one command in it, streams its output, and ends
# with its exit status; 124 if the guest took longer than allowed, 125 if it died without an answer.
#
# usage: guest.sh [option...] -- command [argument...]
#   --kernel NAME        6.1, 6.12 (default), an exact version, 7.2, 7.3
#   --root debian        systemd, udev, D-Bus (default); or busybox, which is there in seconds
#   --tree DIR           a DESTDIR of meson install, laid over the root (may be given again)
#   --add FILE:PATH      a file or folder of this machine, to lie at PATH in the guest
#   --enable UNIT        a unit of the tree that systemd is to start
#   --devices "KIND..."  what sits below the root ports; default "igb igb nvme"
#   --timeout SECONDS    for boot and command together, default 300
#   --console FILE       keeps what the kernel printed
#   --monitor SOCKET     QEMU's monitor (in the guest: hmp COMMAND)
#   --append WORDS       more of the kernel's command line
#   --modules "WORD..."  what a busybox guest loads; default "igb igbvf nvme vfio-pci pci-pf-stub"
#   --shell              the command is interactive and this terminal is its own

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=devices.sh
. "$vm_dir/devices.sh"

kernel=6.12 root=debian devices='igb igb nvme' timeout=300 console='' monitor='' append='' shell=''
modules='igb igbvf nvme vfio-pci pci-pf-stub'
trees=() adds=() units=()

usage() { sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

while [ $# -gt 0 ]; do
        case $1 in
        --kernel) kernel=$2 ;;
        --root) root=$2 ;;
        --tree) trees+=("$2") ;;
        --add) adds+=("$2") ;;
        --enable) units+=("$2") ;;
        --devices) devices=$2 ;;
        --timeout) timeout=$2 ;;
        --console) console=$2 ;;
        --monitor) monitor=$2 ;;
        --append) append=$2 ;;
        --modules) modules=$2 ;;
        --shell) shell=yes; shift; continue ;;
        --) shift; break ;;
        *) usage ;;
        esac
        shift 2 || usage
done
[ $# -gt 0 ] || usage

work=$(mktemp -d "${TMPDIR:-/tmp}/sriovd-guest.XXXXXX")
qemu_pid=
cleanup() {
        # A TERM that timeout passes on; five seconds later it would send KILL.
        [ -z "$qemu_pid" ] || { kill -TERM "$qemu_pid" 2>/dev/null && wait "$qemu_pid"; } || true
        rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run_qemu COMMAND...: without two warnings about network cards that are to lead nowhere.
run_qemu() {
        exec "$@" 2> >(grep -v -e 'has no peer' -e 'is not connected to host network' >&2)
}

# make_payload: what this run brings, as one more archive for the initramfs.
make_payload() {
        local tree add name
        mkdir -p "$work/payload"/{lab,tree}
        cp "$vm_dir"/guest/* "$work/payload/lab/"
        { printf '#!/bin/sh\nexec'; printf ' %q' "$@"; echo; } > "$work/payload/lab/command"
        chmod +x "$work/payload/lab/command"
        printf '%s=%q\n' LAB_ROOT "$root" LAB_MODULES "$modules" LAB_UNITS "${units[*]}" \
                > "$work/payload/lab/settings"
        [ -z "$shell" ] || touch "$work/payload/lab/shell"
        for tree in "${trees[@]}"; do
                cp -a "$tree/." "$work/payload/tree/"
        done
        for add in "${adds[@]}"; do
                mkdir -p "$work/payload/tree/$(dirname "${add#*:}")"
                cp -a "${add%%:*}" "$work/payload/tree/${add#*:}"
        done
        # Debian's /lib and /sbin are links into /usr, which a real folder of that name would replace.
        for name in bin sbin lib lib64; do
                [ -d "$work/payload/tree/$name" ] || continue
                mkdir -p "$work/payload/tree/usr/$name"
                cp -a "$work/payload/tree/$name/." "$work/payload/tree/usr/$name/"
                rm -r "$work/payload/tree/$name"
        done
        # A busybox guest has no second root to fill: the tree lies where it is to be.
        if [ "$root" = busybox ]; then
                cp -a "$work/payload/tree/." "$work/payload/"
                rm -r "$work/payload/tree"
        fi
        cpio_pack "$work/payload"
}

kernel_dir=$("$vm_dir/kernel.sh" "$kernel")
base=$("$vm_dir/image.sh" busybox)
qemu=$("$vm_dir/qemu.sh")/qemu
make_payload "$@" > "$work/payload.cpio"
cat "$base" "$kernel_dir/modules.cpio" "$work/payload.cpio" > "$work/initrd"
rm -rf "$work/payload" "$work/payload.cpio"

machine_options "$work" "${SRIOVD_ACCEL:-tcg}"
if [ "$root" = debian ]; then
        disk_options "$("$vm_dir/image.sh" debian)"
fi
device_options "$work" "$devices"
[ -z "$monitor" ] || options+=(-monitor "unix:$monitor,server=on,wait=off")
options+=(-kernel "$kernel_dir/vmlinuz" -initrd "$work/initrd" -append "$kernel_words $append")

touch "$work/console" "$work/status"
if [ -n "$shell" ]; then
        (run_qemu "$qemu" "${options[@]}") || true
else
        # In the background, so that a signal to this script is not kept waiting by QEMU.
        run_qemu timeout --kill-after=5 "$timeout" "$qemu" "${options[@]}" < /dev/null &
        qemu_pid=$!
        status=0
        wait "$qemu_pid" || status=$?
        qemu_pid=
fi
[ -z "$console" ] || cp "$work/console" "$console"

answer=$(tr -dc 0-9 < "$work/status")
if [ -n "$answer" ]; then
        exit "$answer"
elif [ "${status:-0}" -eq 124 ] || [ "${status:-0}" -eq 137 ]; then
        note "the guest did not end within $timeout s"
        exit 124
fi
note "the guest died without an answer; its last words:"
tail -n 20 "$work/console" >&2
exit 125

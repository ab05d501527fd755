#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A QEMU with an SR-IOV network card. Where this machine's own qemu-system-x86_64 has no igb device,
# one from Debian (backports, for Debian 12's own is too old) is unpacked into the cache, together
# with the libraries that the machine lacks. Nothing is installed. Prints the folder of the program;
# "qemu" in it runs it.
#
# usage: qemu.sh

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=apt.sh
. "$vm_dir/apt.sh"

# has_igb PROGRAM: not "| grep -q", which would end QEMU by SIGPIPE and so fail under pipefail.
has_igb() { [[ $("$1" -device help 2>/dev/null || true) == *'name "igb"'* ]]; }

main() {
        local dir system
        system=$(command -v qemu-system-x86_64 || true)
        dir=$cache/qemu-$(stamp "$vm_dir/qemu.sh" <(printf '%s\n' "$system"))
        if ! [ -x "$dir/qemu" ]; then
                lock qemu 8
        fi
        # A cached one may have lost a library that this machine had when it was unpacked.
        if ! "$dir/qemu" --version > /dev/null 2>&1; then
                work=$(mktemp -d "$cache/qemu.XXXXXX")
                trap 'rm -rf "$work"' EXIT
                make_qemu "$work" "$system"
                rm -rf "$cache"/qemu-*
                mv "$work" "$dir"
        fi
        printf '%s\n' "$dir"
}

make_qemu() {
        local work=$1 system=$2 deb codename
        if [ -n "$system" ] && has_igb "$system"; then
                ln -s "$system" "$work/qemu"
                return
        fi
        codename=$(host_codename)
        note "fetching a QEMU that has igb"
        apt_private "qemu-$codename" "$codename" "$codename-updates" "$codename-security" \
                "$codename-backports"
        apt_fetch_missing "$work/deb" "$codename-backports" qemu-system-x86
        for deb in "$work"/deb/*.deb; do
                dpkg -x "$deb" "$work/root"
        done
        rm -rf "$work/deb"
        cat > "$work/qemu" <<'WRAPPER'
#!/bin/sh
top=$(dirname "$(readlink -f "$0")")/root
root=$top/usr
libraries=$root/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH="$libraries:$top/lib/x86_64-linux-gnu" QEMU_MODULE_DIR="$libraries/qemu"
exec "$root/bin/qemu-system-x86_64" \
        -L "$root/share/qemu" -L "$root/share/seabios" -L "$root/lib/ipxe/qemu" "$@"
WRAPPER
        chmod +x "$work/qemu"
        "$work/qemu" --version > /dev/null || die "the QEMU from Debian does not run here"
        has_igb "$work/qemu" || note "this QEMU has no igb: nvme controllers take its place"
}

main

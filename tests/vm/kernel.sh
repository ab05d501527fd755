#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A Debian kernel for the guest: its image and the few modules that the lab needs, taken out of the
# packages without installing them. Prints the folder with vmlinuz, release and modules.cpio.
#
# usage: kernel.sh 6.1 | 6.12 | 7.2 | 7.3 | an exact version such as 6.12.73
# exit status 3: the archive has no such package (an old one may have left it)

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=apt.sh
. "$vm_dir/apt.sh"

main() {
        local name=$1 dir
        dir=$cache/kernel/$name-$(stamp "$vm_dir/modules.list" "$vm_dir/kernel.sh")
        if [ ! -e "$dir/release" ]; then
                lock kernel 8
        fi
        if [ ! -e "$dir/release" ]; then
                note "fetching kernel $name"
                work=$(mktemp -d "$cache/kernel.XXXXXX")
                trap 'rm -rf "$work"' EXIT
                kernel_fetch "$name" "$work/deb"
                kernel_unpack "$work"
                mkdir -p "$cache/kernel"
                rm -rf "$cache/kernel/$name-"*
                mv "$work/out" "$dir"
        fi
        printf '%s\n' "$dir"
}

# kernel_fetch NAME DIR: linux-image-* up to 6.12; from 7.x image, modules and their lists are three packages.
kernel_fetch() {
        local version=${1//./\\.}
        local -a packages
        case $1 in
        7.*)
                apt_private unstable sid experimental
                packages=("$(apt_newest "linux-binary-$version(\.[0-9.]+)?(\+deb[0-9.]+)?-amd64")")
                packages+=("${packages[0]/binary/modules}" "${packages[0]/binary/base}")
                ;;
        6.1) # Debian names these by ABI: 6.1.0-52
                apt_private bookworm bookworm bookworm-updates bookworm-security bookworm-backports
                packages=("$(apt_newest 'linux-image-6\.1\.0-[0-9]+-amd64')")
                ;;
        *)
                apt_private bookworm bookworm bookworm-updates bookworm-security bookworm-backports
                packages=("$(apt_newest "linux-image-$version(\.[0-9.]+)?\+deb[0-9.]+-amd64")")
                ;;
        esac
        [ -n "${packages[0]}" ] || exit 3
        apt_fetch "$2" "${packages[@]}"
}

# kernel_unpack WORK: WORK/deb/*.deb -> WORK/out
kernel_unpack() {
        local work=$1 deb release tree
        mkdir -p "$work/all" "$work/out" "$work/small"
        for deb in "$work"/deb/*.deb; do
                dpkg -x "$deb" "$work/all"
        done
        tree=$(find "$work/all" -type d -path '*/lib/modules/*' -name kernel -print -quit)
        tree=${tree%/kernel}
        release=${tree##*/}
        cp "$(find "$work/all" -name 'vmlinuz*' -type f -print -quit)" "$work/out/vmlinuz"

        mkdir -p "$work/small/usr/lib/modules/$release"
        ln -s usr/lib "$work/small/lib"
        kernel_modules "$tree" "$work/small/usr/lib/modules/$release"
        cp "$tree"/modules.{builtin,order} "$work/small/usr/lib/modules/$release/"
        cp "$tree"/modules.builtin.modinfo "$work/small/usr/lib/modules/$release/" 2>/dev/null || true
        depmod -b "$work/small" "$release"
        rm "$work/small/lib"
        cpio_pack "$work/small" > "$work/out/modules.cpio"
        printf '%s\n' "$release" > "$work/out/release"
}

# kernel_modules TREE DEST: copies each module of modules.list with its dependencies, uncompressed.
kernel_modules() {
        local tree=$1 dest=$2 word file
        local -A file_of=() done_of=()
        while read -r file; do
                word=${file##*/} word=${word%%.ko*}
                file_of[${word//-/_}]=$file
        done < <(find "$tree/kernel" -name '*.ko*')

        local -a todo
        mapfile -t todo < <(sed 's/#.*//' "$vm_dir/modules.list" | tr -s ' ' '\n' | grep .)
        while [ ${#todo[@]} -gt 0 ]; do
                word=${todo[0]//-/_} todo=("${todo[@]:1}")
                [ -z "${done_of[${word#\?}]:-}" ] || continue
                done_of[${word#\?}]=1
                file=${file_of[${word#\?}]:-}
                if [ -z "$file" ]; then
                        [ "${word#\?}" != "$word" ] ||
                                grep -q "/${word//_/[-_]}\.ko" "$tree/modules.builtin" ||
                                die "kernel ${tree##*/} has no module $word"
                        continue
                fi
                kernel_uncompress "$file" "$dest/kernel/${file#"$tree"/kernel/}"
                mapfile -t -O ${#todo[@]} todo < <(modinfo -F depends "$file" | tr ',' '\n' | grep . || true)
        done
}

kernel_uncompress() {
        mkdir -p "${2%/*}"
        case $1 in
        *.xz) xz -dc "$1" > "${2%.xz}" ;;
        *.zst) zstd -qdc "$1" > "${2%.zst}" ;;
        *) cp "$1" "$2" ;;
        esac
}

main "$1"

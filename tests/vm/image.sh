#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guests' root, in two sizes. "busybox": an initramfs of one program, there in seconds.
# "debian": a disk with systemd, udev and D-Bus of this machine's own release, so that what was
# built here runs there. No kernel is in either; one image serves all. Prints the file.
#
# usage: image.sh busybox | debian

set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=apt.sh
. "$vm_dir/apt.sh"

packages=(
        systemd systemd-sysv udev dbus kmod
        libsystemd0 libudev1 libmnl0 libpci3 libsmartcols1 libjson-c5 libcmocka0 pci.ids
        pciutils iproute2 procps util-linux driverctl strace python3-minimal e2fsprogs
)
# The library of libconfig-dev has another number in its name in each release.
packages+=("$(dpkg-query -W -f '${Package}\n' 'libconfig[0-9]*' | grep -x 'libconfig[0-9]*' | tail -n 1)")

main() {
        local image sources=("$vm_dir/image.sh")
        [ "$1" != busybox ] || sources+=("$vm_dir/guest/init")
        image=$cache/image/$1-$(stamp "${sources[@]}")
        if [ ! -e "$image" ]; then
                lock image 8
        fi
        if [ ! -e "$image" ]; then
                note "making the $1 root"
                work=$(mktemp -d "$cache/image.XXXXXX")
                trap 'rm -rf "$work"' EXIT
                "make_$1" "$work"
                mkdir -p "$cache/image"
                rm -f "$cache/image/$1-"*
                mv "$work/out" "$image"
        fi
        printf '%s\n' "$image"
}

make_busybox() {
        mkdir -p "$1/root"/{bin,dev,proc,sys,run,tmp,etc,usr/lib}
        ln -s usr/lib "$1/root/lib"
        ln -s bin "$1/root/sbin"
        cp /bin/busybox "$1/root/bin/busybox"
        cp "$vm_dir/guest/init" "$1/root/init"
        cpio_pack "$1/root" > "$1/out"
}

make_debian() {
        local root=$1/root name codename
        codename=$(host_codename)
        mmdebstrap --quiet --variant=minbase --mode=root --skip=check/qemu \
                --include="$(IFS=,; echo "${packages[*]}")" \
                --aptopt='Acquire::Languages "none"' \
                --dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/man/*' \
                --dpkgopt=path-exclude='/usr/share/locale/*' --dpkgopt=path-exclude='/usr/share/i18n/*' \
                --dpkgopt=path-exclude='/usr/share/zoneinfo/*' \
                "$codename" "$root" "deb $(apt_mirror) $codename main" \
                "deb $(apt_security_mirror) $codename-security main" >&2
        rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*
        configure_debian "$root"
        # No journal, for every change is thrown away; no metadata_csum, for it needs one module more.
        mke2fs -q -t ext4 -O ^metadata_csum,^has_journal,^orphan_file -m 0 -d "$root" "$1/out" 1G > /dev/null
}

configure_debian() {
        local etc=$1/etc name
        echo sriovd-lab > "$etc/hostname"
        echo '127.0.0.1 localhost sriovd-lab' > "$etc/hosts"
        : > "$etc/fstab"
        passwd --quiet --root "$1" -d root
        # The lab's serial ports are its own, and nothing may run at random times.
        for name in console-getty.service getty.target getty-static.service serial-getty@ttyS0.service serial-getty@hvc0.service \
                apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
                e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer systemd-pstore.service; do
                ln -sf /dev/null "$etc/systemd/system/$name"
        done
        # Under emulation dbus-daemon's READY=1 does not arrive, and systemd ends it after 90 s.
        mkdir -p "$etc/systemd/system/dbus.service.d"
        printf '[Service]\nType=simple\n' > "$etc/systemd/system/dbus.service.d/lab.conf"
        cat > "$etc/systemd/system/lab.service" <<'UNIT'
[Unit]
Description=The lab's command
After=multi-user.target
[Service]
Type=oneshot
ExecStartPre=-udevadm settle --timeout=60
ExecStart=/lab/run
TimeoutStartSec=infinity
KillMode=process
UNIT
        cat > "$etc/systemd/system/lab.target" <<'UNIT'
[Unit]
Description=The lab
Requires=multi-user.target lab.service
AllowIsolate=yes
UNIT
        ln -sf lab.target "$etc/systemd/system/default.target"
}

main "$1"

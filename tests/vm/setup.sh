# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian packages that building sriovd and running its VM lab need, in one list for ./demo and
# ./check. QEMU is not in it: qemu.sh takes care of one that is new enough.
#
# shellcheck shell=bash

build_packages=(
        meson ninja-build gcc libc6-dev pkg-config
        libsystemd-dev libudev-dev libmnl-dev libpci-dev libconfig-dev libsmartcols-dev libjson-c-dev libcmocka-dev
)
lab_packages=(
        mmdebstrap debian-archive-keyring busybox-static cpio kmod e2fsprogs xz-utils zstd
        passwd util-linux procps
)

# setup_packages [PACKAGE...]: installs what is missing of the lists above and of its arguments.
# Where nothing is missing it asks no one and needs no root.
setup_packages() {
        local package missing=()
        for package in "${build_packages[@]}" "${lab_packages[@]}" "$@"; do
                case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
                installed*) ;;
                *) missing+=("$package") ;;
                esac
        done
        [ ${#missing[@]} -gt 0 ] || return 0
        [ "$(id -u)" -eq 0 ] || { echo "run this as root once, to install: ${missing[*]}" >&2; return 1; }
        echo "installing ${#missing[@]} packages: ${missing[*]}"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                -o Dpkg::Use-Pty=0 "${missing[@]}" > /dev/null
}

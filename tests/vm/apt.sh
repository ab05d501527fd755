# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian packages of suites that this machine does not use, without touching its own apt: each set
# of suites has its own source list, lists and archives in the cache, handed to apt by -o.
#
# shellcheck shell=bash

# apt_repository SUFFIX: where this machine's own apt gets its suites from, by the codename or as "stable".
apt_repository() {
        local codename
        codename=$(host_codename)
        # shellcheck disable=SC2016  # apt expands these, not the shell
        apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
                awk -v name="$codename$1" -v stable="stable$1" '
                        ($1 == name || $1 == stable) && $2 ~ /^https?:/ && !found { print $2; found = 1 }'
}

host_codename() {
        # shellcheck disable=SC1091
        (. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-bookworm}")
}

apt_mirror() {
        local mirror
        mirror=$(apt_repository '')
        [ -n "$mirror" ] || die "this machine's apt has no Debian archive for $(host_codename)"
        printf '%s\n' "$mirror"
}

# The one lies beside the other, on mirrors too.
apt_security_mirror() {
        local security mirror
        security=$(apt_repository -security)
        mirror=$(apt_mirror)
        printf '%s\n' "${security:-${mirror%/}-security}"
}

# apt_private SET SUITE...: makes the set known and sets $apt_options for the commands below.
# A list is good for a day; SRIOVD_CACHE_FRESH=1 asks again at once.
apt_private() {
        local set=$cache/apt/$1 mirror security suite
        shift
        mkdir -p "$set/lists/partial" "$set/archives/partial"
        mirror=$(apt_mirror) security=$(apt_security_mirror)
        for suite in "$@"; do
                case $suite in
                *-security) printf 'deb %s%s %s main\n' "$apt_trust" "$security" "$suite" ;;
                *) printf 'deb %s%s %s main\n' "$apt_trust" "$mirror" "$suite" ;;
                esac
        done > "$set/sources.list.new"
        apt_options=(
                -o "Dir::Etc::sourcelist=$set/sources.list" -o Dir::Etc::sourceparts=/dev/null
                -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
                -o "Dir::State::lists=$set/lists" -o "Dir::Cache=$set" -o Acquire::Languages=none
                -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o APT::Architecture=amd64
                -o Acquire::Retries=3 -qq)
        if cmp -s "$set/sources.list.new" "$set/sources.list" && [ -z "${SRIOVD_CACHE_FRESH:-}" ] &&
                [ -n "$(find "$set/fresh" -mmin -1440 2>/dev/null)" ]; then
                return 0
        fi
        mv "$set/sources.list.new" "$set/sources.list"
        apt-get "${apt_options[@]}" update >&2 && touch "$set/fresh"
}
apt_trust='[arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '

# apt_fetch DIR PACKAGE...: puts exactly these packages, and nothing they depend on, into DIR.
apt_fetch() {
        local dir=$1
        shift
        mkdir -p "$dir"
        (cd "$dir" && apt-get "${apt_options[@]}" download "$@" >&2)
}

# apt_fetch_missing DIR SUITE PACKAGE...: these packages and what they need that this machine has not.
apt_fetch_missing() {
        local dir=$1 suite=$2
        shift 2
        mkdir -p "$dir/partial"
        apt-get "${apt_options[@]}" -o "Dir::Cache::archives=$dir" -y --no-install-recommends \
                --download-only -t "$suite" install "$@" >&2
}

# apt_newest REGEX: the kernel package with the highest version in its name; nothing if there is none.
apt_newest() {
        apt-cache "${apt_options[@]}" pkgnames linux- | { grep -xE "$1" || true; } | sort -V | tail -n 1
}

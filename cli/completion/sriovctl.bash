# SPDX-License-Identifier: GPL-2.0-or-later
#
# What can stand next on a line of sriovctl. Options are those of `sriovctl help VERB`, so that they are written
# down once; devices and jobs are asked for, and a daemon that is not there has none.
#
# shellcheck shell=bash disable=SC2207

_sriovctl_verbs='list show users set bind unbind remove rescan reset slot unload vf eswitch apply diff adopt plan
        hold jobs job wait cancel history monitor doctor gate metrics check reload help'

_sriovctl_options() {
        local option
        while read -r option; do
                printf '%s\n' "${option%%=*}"
        done < <(sriovctl help ${1:+"$1"} 2>/dev/null | grep -oE -- '--[a-z-]+[=]?|(^|[[:space:]])-[a-zA-Z],' |
                tr -d ' ,')
}

# Addresses of PFs, and with -a of VFs. The first column has the lines of the tree, hence the second one.
_sriovctl_devices() { sriovctl list "$@" --no-legend -o KIND,ADDRESS 2>/dev/null | awk '{ print $NF }'; }
_sriovctl_netdevs() { sriovctl list --no-legend -o NETDEVS 2>/dev/null | tr ',' '\n' | grep -vx -- '-'; }
_sriovctl_jobs() { sriovctl jobs "$@" --no-legend -o JOB 2>/dev/null; }
_sriovctl_names() {
        local name
        for name in "$1"/*; do
                [ -e "$name" ] && printf '%s\n' "${name##*/}"
        done
}

_sriovctl_keys='driver= mac= vlan= qos= vlan-proto= spoofchk= trust= link-state= min-rate= max-rate= query-rss= node-guid= port-guid=
        msix= queues= interrupts='

# What can stand behind the "=" of such a key.
_sriovctl_attribute() {
        case $1 in
        driver) echo default none; _sriovctl_names /sys/bus/pci/drivers ;;
        spoofchk | trust | query-rss) echo on off ;;
        link-state) echo auto enable disable ;;
        vlan-proto) echo 802.1Q 802.1ad ;;
        esac
}

_sriovctl_argument() {
        case $1:$2 in
        set:1 | eswitch:1 | adopt:1 | apply:*) _sriovctl_devices; _sriovctl_netdevs ;;
        set:2) echo max 0 ;;
        eswitch:2) echo legacy switchdev ;;
        vf:1) _sriovctl_devices -a; _sriovctl_netdevs ;;
        vf:*) echo "$_sriovctl_keys" ;;
        show:1 | users:* | bind:1 | unbind:1 | reset:1 | hold:1) _sriovctl_devices -a; _sriovctl_netdevs ;;
        remove:1 | rescan:1) _sriovctl_devices; _sriovctl_names /sys/bus/pci/devices ;;
        bind:2) echo default; _sriovctl_names /sys/bus/pci/drivers ;;
        unload:1) _sriovctl_names /sys/bus/pci/drivers ;;
        slot:1) echo on off ;;
        slot:2) _sriovctl_names /sys/bus/pci/slots ;;
        job:1) _sriovctl_jobs --all ;;
        wait:1 | cancel:*) _sriovctl_jobs ;;
        ready:*) _sriovctl_devices -a; _sriovctl_netdevs ;;
        help:1) echo "$_sriovctl_verbs" ;;
        check:*) compgen -f -- "$cur" ;;
        gate:1) echo off observe serialize protect exclusive ;;
        plan:1) echo set vf eswitch apply adopt bind unbind remove rescan reset slot unload ;;
        esac
}

_sriovctl_value() {
        case $1 in
        --json) echo pretty short off ;;
        --force) echo in-use storage in-use,storage ;;
        --driver) _sriovctl_names /sys/bus/pci/drivers ;;
        --on-failure) echo keep rollback ;;
        --mode) echo block note ;;
        --since) echo today yesterday ;;
        --lines) echo all ;;
        *) return 1 ;;
        esac
}

_sriovctl() {
        local cur prev words cword verb i ready=
        local -a typed=()
        _init_completion -n := 2>/dev/null || _get_comp_words_by_ref -n := cur prev words cword || return
        COMPREPLY=()

        for ((i = 1; i < cword; i++)); do
                case ${words[i]} in
                --) [ "${typed[0]}" = hold ] && break ;;
                --wait | -w | --timeout | --reason | --expect | --force | --driver | --on-failure | --lines | --since | --directory | \
                        -D | --why | --mode | --output | -o | --host | -H | --file) ((i++)) ;;
                --ready) ready=yes ;;
                -*) ;;
                *) typed+=("${words[i]}") ;;
                esac
        done
        [ "${typed[0]}" = plan ] && [ ${#typed[@]} -gt 1 ] && typed=("${typed[@]:1}")
        [ "${typed[0]}$ready" = waityes ] && typed[0]=ready
        verb=${typed[0]}

        # Behind "--" stands a command of its own.
        if ((i < cword)) && [ "$verb" = hold ]; then
                _command_offset $((i + 1))
                return
        fi

        case $cur in
        --*=*)
                COMPREPLY=($(compgen -W "$(_sriovctl_value "${cur%%=*}")" -- "${cur#*=}"))
                __ltrim_colon_completions "${cur#*=}"
                return
                ;;
        -*)
                COMPREPLY=($(compgen -W "$(_sriovctl_options "$verb")" -- "$cur"))
                return
                ;;
        esac
        case $prev in
        --file) COMPREPLY=($(compgen -f -- "$cur")) && return ;;
        --directory | -D) COMPREPLY=($(compgen -d -- "$cur")) && return ;;
        --host | -H) COMPREPLY=($(compgen -A hostname -- "$cur")) && return ;;
        --force | --driver | --on-failure | --since | --lines | --mode)
                COMPREPLY=($(compgen -W "$(_sriovctl_value "$prev")" -- "$cur"))
                return
                ;;
        --wait | -w | --timeout | --reason | --expect | --why | --output | -o) return ;;
        esac
        if [ "$verb" = vf ] && [[ $cur == *=* ]]; then
                COMPREPLY=($(compgen -W "$(_sriovctl_attribute "${cur%%=*}")" -- "${cur#*=}"))
                return
        fi
        [ "$verb" = vf ] && [ ${#typed[@]} -gt 1 ] && compopt -o nospace
        if [ -z "$verb" ]; then
                COMPREPLY=($(compgen -W "$_sriovctl_verbs" -- "$cur"))
        else
                COMPREPLY=($(compgen -W "$(_sriovctl_argument "$verb" "${#typed[@]}")" -- "$cur"))
                __ltrim_colon_completions "$cur"
        fi
}

complete -F _sriovctl sriovctl

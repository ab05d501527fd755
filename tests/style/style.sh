#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a machine can check of STYLE: arrows, formatting, lengths, licence lines, words that must not be there.
# usage: style.sh SOURCE-DIRECTORY
set -u
cd "$1" || exit 1
passed=0 failed=0 skipped=0

verdict() { # name, complaints
	if [ -z "$2" ]; then
		echo "ok $1"
		passed=$((passed + 1))
	else
		echo "not ok $1"
		echo "$2" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
}

sources() {
	find lib daemon cli tests -name '*.[ch]' | sort
}

# Which rooms a room may include from; the include paths say the same to the compiler.
may_see() {
	case $1 in
	lib/base) echo base ;;
	lib/core) echo "base core" ;;
	lib/kernel) echo "base core kernel" ;;
	lib/conf) echo "base core conf" ;;
	daemon) echo "base core kernel conf daemon" ;;
	cli) echo "base core conf cli" ;;
	esac
}

arrows() {
	for room in lib/base lib/core lib/kernel lib/conf daemon cli; do
		allowed=" $(may_see "$room") "
		grep -Hno '^#include "[^"]*"' "$room"/*.[ch] 2>/dev/null | while IFS= read -r line; do
			from=${line##*\"${line#*\"}}
			target=${line#*\"}
			target=${target%\"}
			[ "$target" = config.h ] && continue
			case $allowed in *" ${target%%/*} "*) ;; *) echo "$from: $target" ;; esac
		done
	done
}

opening() {
	for f in $(sources); do
		head -1 "$f" | grep -q '^/\* SPDX-License-Identifier: GPL-2.0-or-later \*/$' || echo "$f: no SPDX line first"
		case $f in tests/*) continue ;; esac
		sed -n 2p "$f" | grep -q '^/\*' || echo "$f: does not open by saying what it is for"
	done
	for f in $(find . -path ./.git -prune -o \( -name '*.sh' -o -name meson.build -o -name '*.py' \) -print | grep -v -e '/build' -e '/\.cache/'); do
		head -3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' || echo "$f: no SPDX line"
	done
}

lengths() {
	sources | xargs wc -l | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines, 500 are the most" }'
	for f in $(sources); do
		awk -v f="$f" '
			/^[a-zA-Z_].*\) \{$/ { start = NR; name = $0 }
			/^}$/ && start { if (NR - start > 60) print f ": " NR - start " lines: " name; start = 0 }' "$f"
	done
}

# lib/ returns, only daemon/ and cli/ speak; and the core knows neither clock nor kernel.
purity() {
	grep -nE '\b(printf|puts|perror|sd_journal_[a-z]*|syslog)\(' lib/*/*.c
	grep -nE '\b(open|read|write|time|clock_gettime|getenv|fork|poll|usleep|nanosleep|sleep)\(' lib/core/*.c
	grep -nE '\b(sleep|usleep)\(' lib/*/*.c daemon/*.c cli/*.c
}

# Sysfs names stand once, in attr.c; words for people may quote them.
sysfs_names() {
	grep -nE '"(sriov_numvfs|sriov_totalvfs|sriov_drivers_autoprobe|driver_override|drivers_probe|reset_method|bus/pci/[^"]*)"' \
		lib/*/*.c daemon/*.c cli/*.c | grep -v '^lib/kernel/attr.c:'
}

format() {
	for f in $(sources); do
		clang-format-14 --dry-run -Werror "$f" >/dev/null 2>&1 || echo "$f: clang-format -i would change it"
	done
}

words() {
	grep -rnIE '\b(TO''DO|FIX''ME|X''XX)\b' lib daemon cli systemd conf tests README.md 2>/dev/null
}

verdict "arrows: core <- kernel <- daemon, core <- conf <- daemon, core <- conf <- cli" "$(arrows)"
verdict "every file opens with its licence and its purpose" "$(opening)"
verdict "files under 500 lines, functions under 60" "$(lengths)"
verdict "lib never speaks, core touches nothing" "$(purity)"
verdict "sysfs names stand in attr.c alone" "$(sysfs_names)"
verdict "nothing is left open" "$(words)"
if command -v clang-format-14 >/dev/null; then
	verdict "clang-format 14" "$(format)"
else
	echo "skip clang-format 14: not here, and other versions format differently"
	skipped=$((skipped + 1))
fi
echo "style: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

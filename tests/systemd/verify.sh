#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# systemd's own word on the units as they are installed: nothing in them is unknown, and a boot with them has no ordering
# cycle. usage: verify.sh BUILD-DIRECTORY MESON
set -u
build=$1 meson=$2
passed=0 failed=0

for tool in systemd-analyze systemd-escape; do
	if ! command -v $tool > /dev/null; then
		echo "skip units: no $tool here"
		echo "systemd: 0 passed, 0 failed, 1 skipped"
		exit 77
	fi
done
host=
for dir in /usr/lib/systemd/system /lib/systemd/system; do
	[ -e $dir/network-pre.target ] && host=$dir
done
if [ -z "$host" ]; then
	echo "skip units: systemd's own units are not here"
	echo "systemd: 0 passed, 0 failed, 1 skipped"
	exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree

verdict() { # NAME, complaints
	if [ -z "$2" ]; then
		echo "ok $1"
		passed=$((passed + 1))
	else
		echo "not ok $1"
		echo "$2" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
}

# What says nothing of our units: this host's own ones, whose programs and users are not in the tree.
ours() { grep -E 'sriov|[Cc]ycle|dev\.service' || true; }

# analyze UNIT...: as systemd sees them in a host that boots with them.
analyze() {
	systemd-analyze verify --man=no --root="$tree" "$@" 2>&1 | ours
}

if ! DESTDIR=$tree "$meson" install -C "$build" --no-rebuild --quiet > "$work/install.log" 2>&1; then
	tail -n 20 "$work/install.log"
	echo "systemd: 0 passed, 1 failed, 0 skipped"
	exit 1
fi
installed=$(dirname "$(find "$tree" -name sriovd.service | head -n 1)")
verdict "all units are installed" "$(
	for unit in sriovd.service sriovd-boot.service sriov-ready@.service sriovd-metrics.service sriovd-metrics.timer; do
		[ -s "$installed/$unit" ] || echo "$unit is missing"
	done)"
verdict "the rule for udev is installed" "$([ -n "$(find "$tree" -name 60-sriovd.rules)" ] || echo 60-sriovd.rules is missing)"
verdict "nothing of a template is left" "$(grep -n '@[a-z]*@' "$installed"/sriov*)"

# A host: systemd's own units, ours enabled, and a program that uses a VF.
units=$tree/usr/lib/systemd/system
mkdir -p "$units" "$tree/etc/systemd/system" "$tree/usr/bin" "$tree/usr/sbin"
[ "$installed" = "$units" ] || cp "$installed"/sriov* "$units/"
cp -a "$host/." "$units/"
printf 'ID=lab\n' > "$tree/etc/os-release"
for program in $(sed -n 's/^Exec[A-Za-z]*=-*\([^ ]*\).*/\1/p' "$units"/sriov* | sort -u); do
	mkdir -p "$tree$(dirname "$program")"
	printf '#!/bin/sh\n' > "$tree$program"
	chmod +x "$tree$program"
done
cp "$tree$program" "$tree/usr/bin/measure"
vf=$(systemd-escape 0000:01:00.0/vf3)
verdict "a VF's address is an instance" "$([ "$vf" = 0000:01:00.0-vf3 ] || echo "$vf")"
cat > "$tree/etc/systemd/system/measure.service" <<UNIT
[Unit]
Requires=sriov-ready@$vf.service
After=sriov-ready@$vf.service
[Service]
ExecStart=/usr/bin/measure
UNIT
link() { # WANTER UNIT
	mkdir -p "$tree/etc/systemd/system/$1.wants"
	ln -s "/usr/lib/systemd/system/$2" "$tree/etc/systemd/system/$1.wants/$2"
}
link multi-user.target sriovd.service
link multi-user.target sriovd-boot.service
link sriovd.service sriovd-metrics.timer
ln -s ../measure.service "$tree/etc/systemd/system/multi-user.target.wants/measure.service"
for service in systemd-networkd.service systemd-resolved.service; do
	[ ! -e "$units/$service" ] || link multi-user.target $service
done
ln -s /usr/lib/systemd/system/multi-user.target "$tree/etc/systemd/system/default.target"

verdict "systemd has nothing to say against sriovd.service" "$(analyze sriovd.service)"
verdict "systemd has nothing to say against sriovd-boot.service" "$(analyze sriovd-boot.service)"
verdict "systemd has nothing to say against sriov-ready@.service" "$(analyze "sriov-ready@$vf.service")"
verdict "systemd has nothing to say against the metrics" "$(analyze sriovd-metrics.service sriovd-metrics.timer)"
verdict "a boot with them has no ordering cycle" "$(analyze default.target)"

# What is not seen proves nothing.
mkdir -p "$tree/etc/systemd/system/sriovd-boot.service.d"
printf '[Unit]\nAfter=network.target\n' > "$tree/etc/systemd/system/sriovd-boot.service.d/cycle.conf"
verdict "and one would be seen" "$(analyze default.target | grep -q -i cycle || echo none was)"
rm "$tree/etc/systemd/system/sriovd-boot.service.d/cycle.conf"
printf '[Service]\nNoSuchSetting=1\n' > "$tree/etc/systemd/system/sriovd-boot.service.d/unknown.conf"
verdict "and a word that systemd does not know" "$(analyze sriovd-boot.service | grep -q NoSuchSetting || echo it was not)"

echo "systemd: $passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]

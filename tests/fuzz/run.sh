#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libFuzzer itself, for a bounded time, in a build of its own: for ./check --long.
# usage: run.sh SOURCE-DIRECTORY BUILD-DIRECTORY TARGET [SECONDS]
#
# What it finds lies in BUILD-DIRECTORY as crash-*, leak-* or timeout-*: mend it, and keep the file in tests/fuzz/corpus.
set -u
source=$1 build=$2 target=$3 seconds=${4:-120}

[ -n "${SRIOVD_LONG:-}" ] || { echo "skip: only in ./check --long"; exit 77; }
command -v clang >/dev/null || { echo "skip: no clang"; exit 77; }
[ -f "$build/build.ninja" ] ||
	CC=clang meson setup "$build" "$source" -Dfuzz=true -Dman=false -Db_sanitize=address,undefined -Db_lundef=false >/dev/null ||
	{ rm -rf "$build"; echo "not ok: no build with clang"; exit 1; }
ninja -C "$build" "tests/fuzz/libfuzzer-$target" >/dev/null || { echo "not ok: does not build with clang"; exit 1; }
mkdir -p "$build/corpus-$target"
cd "$build" || exit 1
exec "tests/fuzz/libfuzzer-$target" -max_total_time="$seconds" -max_len=8192 -timeout=20 -rss_limit_mb=2048 \
	-dict="$source/tests/fuzz/policy.dict" -print_final_stats=1 \
	"corpus-$target" "$source/tests/fuzz/corpus/$target" "$source/conf/examples"

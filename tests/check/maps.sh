#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# docs/bpftool.md shows each map that is pinned (user/dp/dp.h), and no other.
# usage: maps.sh [HEADER [PAGE]]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
header=${1:-$top/user/dp/dp.h} page=${2:-$top/docs/bpftool.md}

in_code()
{
	sed -n '/^#define DP_MAPS(X)/,/[^\\]$/p' "$header" |
		sed -nE 's/^\tX\(([a-z_0-9]+)\).*/\1/p' | sort
}

n=$(in_code | wc -l)
[ "$n" -gt 0 ] || { echo "FAIL maps: none in $header"; exit 1; }
wrong=$( { in_code; sed -n 's/^## //p' "$page"; } | sort | uniq -c | awk '$1 != 2 {
	print "FAIL maps: " $2 ($1 < 2 ? " is in one of the two only" : " is there twice") }')
[ -z "$wrong" ] || { echo "$wrong"; exit 1; }
echo "PASS maps: $n in the code and on the page"

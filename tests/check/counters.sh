#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# docs/counters.md explains each outcome of include/weir/outcome.h once, and no other.
# usage: counters.sh [HEADER [PAGE]]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
header=${1:-$top/include/weir/outcome.h} page=${2:-$top/docs/counters.md}

in_code()
{
	sed -nE 's/^\tX\([A-Z0-9_]+, "([a-z0-9_]+)".*/\1/p' "$header" | sort
}

# The first column of the tables whose head says "counter".
in_page()
{
	awk -F'|' '
		/^\|/ { if ($2 ~ /^ counter /) on = 1; else if (on) print $2; next }
		{ on = 0 }' "$page" | grep -oE '`[a-z0-9_]+`' | tr -d '`' | sort
}

n=$(in_code | wc -l)
[ "$n" -gt 0 ] || { echo "FAIL counters: none in $header"; exit 1; }
wrong=$( { in_code; in_page; } | sort | uniq -c | awk '$1 != 2 {
	print "FAIL counters: " $2 ($1 < 2 ? " is in one of the two only" : " is there twice") }')
[ -z "$wrong" ] || { echo "$wrong"; exit 1; }
echo "PASS counters: $n in the code and on the page"

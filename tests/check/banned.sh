#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Functions that are easy to get wrong, traces in BPF, and files of many subjects.
cd "$(dirname "$0")/../.." || exit 1
bad=0

# refuse WHY PATTERN FILE...
refuse()
{
	local why=$1 pattern=$2 found

	shift 2
	found=$(grep -nE "$pattern" "$@")
	if [ -n "$found" ]; then
		sed "s/^/FAIL $why: /" <<<"$found"
		bad=1
	else
		echo "PASS $why"
	fi
}

mapfile -t c < <(git ls-files '*.c' '*.h')
mapfile -t kernel < <(git ls-files 'bpf/*.c' 'bpf/*.h')
mapfile -t all < <(git ls-files '*.c' '*.h' '*.sh' '*.py' '*.md' Makefile |
		   grep -v '^tests/check/banned.sh$')
refuse "no unbounded or unchecked string functions" \
	'\b(strcpy|strcat|strncpy|strncat|strtok|strtok_r|sprintf|vsprintf|gets|atoi|atol|atoll|atof|alloca)[[:space:]]*\(' \
	"${c[@]}"
refuse "no traces left in BPF programs" '\bbpf_(trace_)?printk[[:space:]]*\(' "${kernel[@]}"
refuse "nothing left to do later in words" '\b(TODO|FIXME|XXX|HACK)\b' "${all[@]}"

missing=$(for f in "${c[@]}"; do
	head -1 "$f" | grep -q 'SPDX-License-Identifier' || echo "FAIL no licence line: $f"
done)
long=$(for f in "${c[@]}"; do
	n=$(wc -l <"$f")
	[ "$n" -le 800 ] || echo "FAIL over 800 lines: $f has $n"
done)
for found in "$missing" "$long"; do
	[ -z "$found" ] || { echo "$found"; bad=1; }
done
[ -n "$missing" ] || echo "PASS every C file begins with its licence"
[ -n "$long" ] || echo "PASS no C file over 800 lines"
exit "$bad"
